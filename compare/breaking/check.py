"""The result of one check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """The result of one check of a planted mistake."""

    sees: bool  #: whether the check shows that something is wrong
    says: str  #: one sentence without its full stop


def grouped(said: dict[str, str]) -> str:
    """List descriptions with the people they apply to; people who share one are named together."""
    people: dict[str, list[str]] = {}
    for person, what in said.items():
        people.setdefault(what, []).append(person)
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in people.items())
