"""Tables of mistakes in a derivative, and of other right ways to write it."""

from collections.abc import Mapping
from typing import Any

from models.model import Draw, Model, Slip

#: By `"slug: what its author did"`, an edit, a list of them, what makes the mistake, or a slip.
Rows = Mapping[str, Any]


def of_derivative(
    name: str, kind: str, function: Any, by_hand: Any, draws: Mapping[str, Draw], *rows: Rows
) -> Model:
    """Make the model of a derivative, of the rows of its mistakes and of its rewrites."""
    return Model(name, kind, function, by_hand, draws, *map(_slips, rows))


def named(kinds: str, *written: Any, lines: tuple[str, ...] = ()) -> Slip:
    """Return a mistake, written as edits or by what makes it, and what names it: see `Slip`."""
    make = written[0] if callable(written[0]) else None
    return Slip("", *(() if make else written), kinds=kinds, lines=lines, make=make)


def _slips(rows: Rows) -> dict[str, Slip]:
    """Return slips by slug; a slip may say by itself what its author did."""
    slips = {}
    for row, written in rows.items():
        slug, _, says = row.partition(": ")
        edits = written if isinstance(written, list) else [written]
        slip = written if isinstance(written, Slip) else named("", *edits)
        slip.says = slip.says or says
        slips[slug] = slip
    return slips
