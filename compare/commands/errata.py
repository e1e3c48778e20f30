"""`compare errata`: the article's errata, each with a run that shows the difference."""

from typing import TYPE_CHECKING, Any

import click

from handgrad.commands.options import JSON, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compare.errata.entry import Cell, Erratum, Shown

#: The number of errata; stated here so that `--help` need not load the catalogue.
COUNT = 22


@click.command(short_help="List the article's slips, or show one by a run.")
@click.argument("number", required=False, type=whole(1, COUNT))
@JSON
def errata(number: int | None, as_json: bool) -> int:
    """List the article's slips, as printed and corrected, or show that of a NUMBER by a run.

    A run computes its numbers when it is asked for them, by the derivation by hand, by autodiff, or
    by both.
    """
    from compare.commands.output import print_object
    from compare.errata.catalogue import ERRATA
    from compare.terminal import console

    if number is None:
        if as_json:
            print_object({"errata": [_texts(entry) for entry in ERRATA]})
        else:
            _list(console(), ERRATA)
        return 0
    entry = ERRATA[number - 1]
    shown = entry.run()
    if as_json:
        parts = ("columns", "rows", "says", "numbers")
        print_object(_texts(entry) | {"run": {part: getattr(shown, part) for part in parts}})
    else:
        _show(console(), entry, shown)
    return 0


def _list(out: Any, entries: "tuple[Erratum, ...]") -> None:
    from rich.table import Table

    rows = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 1, 0))
    rows.add_column("N", justify="right", no_wrap=True)
    rows.add_column("printed", ratio=1)
    rows.add_column("right", ratio=1)
    for entry in entries:
        rows.add_row(str(entry.number), entry.printed, entry.right)
    out.print(rows)
    out.print("\npython -m compare errata NUMBER says why, and shows the difference by a run.")


def _show(out: Any, entry: "Erratum", shown: "Shown") -> None:
    from rich.table import Table
    from rich.text import Text

    from compare.terminal import table

    out.print(Text(f"{entry.number}. {entry.title}", style="bold"))
    out.print()
    texts = Table.grid(padding=(0, 2, 0, 0))
    for name in ("section", "printed", "right", "why"):
        texts.add_row(name, getattr(entry, name))
    out.print(texts)
    out.print()
    rows = table(*shown.columns)
    columns = [_column(cells, shown.digits) for cells in zip(*shown.rows, strict=True)]
    for row in zip(*columns, strict=True):
        rows.add_row(*row)
    out.print(rows)
    out.print(f"\n{shown.says}")


def _column(cells: "Sequence[Cell]", digits: int) -> list[str]:
    """Format one column; text among numbers leaves room for a sign, as the numbers do."""
    room = "" if all(isinstance(cell, str) for cell in cells) else " "
    return [
        f"{room if cell else ''}{cell}" if isinstance(cell, str) else f"{cell: .{digits}g}"
        for cell in cells
    ]


def _texts(entry: "Erratum") -> dict[str, Any]:
    names = ("number", "title", "section", "printed", "right", "why")
    return {name: getattr(entry, name) for name in (*names, "printed_latex", "right_latex")}
