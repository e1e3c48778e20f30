"""`compare errata`: the article's errata, each with a run that shows the difference."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from compare.errata.catalogue import ERRATA
from compare.errata.entry import Cell, Erratum, Shown
from compare.terminal import console, print_object, table


def errata(number: int | None, as_json: bool) -> None:
    """Print all of them, or one and its run."""
    if number is None:
        if as_json:
            print_object({"errata": [_texts(entry) for entry in ERRATA]})
        else:
            _list()
        return
    entry = ERRATA[number - 1]
    shown = entry.run()
    if as_json:
        parts = ("columns", "rows", "says")
        print_object(_texts(entry) | {"run": {part: getattr(shown, part) for part in parts}})
    else:
        _show(entry, shown)


def _texts(entry: Erratum) -> dict[str, Any]:
    names = ("number", "title", "section", "printed", "right", "why")
    return {name: getattr(entry, name) for name in (*names, "printed_latex", "right_latex")}


def _list() -> None:
    out = console()
    rows = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 1, 0))
    rows.add_column("N", justify="right", no_wrap=True)
    rows.add_column("printed", ratio=1)
    rows.add_column("right", ratio=1)
    for entry in ERRATA:
        rows.add_row(str(entry.number), entry.printed, entry.right)
    out.print(rows)
    out.print("\npython -m compare errata NUMBER says why, and shows the difference by a run.")


def _show(entry: Erratum, shown: Shown) -> None:
    out, texts, rows = console(), Table.grid(padding=(0, 2, 0, 0)), table(*shown.columns)
    for name in ("section", "printed", "right", "why"):
        texts.add_row(name, getattr(entry, name))
    columns = [_column(cells, shown.digits) for cells in zip(*shown.rows, strict=True)]
    for row in zip(*columns, strict=True):
        rows.add_row(*row)
    out.print(Text(f"{entry.number}. {entry.title}\n", style="bold"))
    out.print(texts)
    out.print()
    out.print(rows)
    out.print(f"\n{shown.says}")


def _column(cells: Sequence[Cell], digits: int) -> list[str]:
    """Format one column; text among numbers leaves room for a sign, as the numbers do."""
    room = "" if all(isinstance(cell, str) for cell in cells) else " "
    return [
        f"{room if cell else ''}{cell}" if isinstance(cell, str) else f"{cell: .{digits}g}"
        for cell in cells
    ]
