"""What a check comes to."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """What one check sees of a mistake."""

    sees: bool  #: whether it shows that something is wrong
    says: str  #: one sentence without its full stop
    numbers: dict[str, Any]  #: what that rests on: plain values, as JSON has them


def grouped(said: dict[str, str]) -> str:
    """What is said of whom; people of whom the same is said are named together."""
    people: dict[str, list[str]] = {}
    for person, what in said.items():
        people.setdefault(what, []).append(person)
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in people.items())
