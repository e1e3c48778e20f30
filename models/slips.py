"""A planted mistake, and another right way to write the same: edits of code, and what is known."""

from dataclasses import dataclass

from models.edits import Edit


@dataclass(frozen=True)
class Slip:
    """A planted mistake: what its author did, the edits, and what names it rightly."""

    says: str
    edits: tuple[Edit, ...]
    kinds: tuple[str, ...] = ()  #: the kinds of finding that name it rightly
    #: A text of the forward line, or lines, whose derivative is wrong: a report that quotes one
    #: names the mistake, too.
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rewrite:
    """Another right way to write the function, as edits."""

    says: str
    edits: tuple[Edit, ...]
