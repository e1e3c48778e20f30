"""Rows of tables of mistakes, and of other right ways to write the same."""

from collections.abc import Mapping
from typing import Any

from models.edits import Edit
from models.model import Slip, Wrong


def named(kinds: str, *written: Edit | Wrong, lines: tuple[str, ...] = ()) -> Slip:
    """Return a mistake, written as edits or by what makes it, and what names it: see `Slip`."""
    make = written[0] if callable(written[0]) else None
    return Slip("", *(() if make else written), kinds=kinds, lines=lines, make=make)


def described(rows: Mapping[str, Any]) -> dict[str, Slip]:
    """Return slips by slug.

    Args:
        rows: by `"slug: what its author did"`, an edit, a list of them, what makes the mistake, or
            a slip, which may say by itself what its author did.
    """
    slips = {}
    for row, written in rows.items():
        slug, _, says = row.partition(": ")
        edits = written if isinstance(written, list) else [written]
        slip = written if isinstance(written, Slip) else named("", *edits)
        slip.says = slip.says or says
        slips[slug] = slip
    return slips
