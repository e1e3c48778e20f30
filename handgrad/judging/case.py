"""What is on trial: a gradient, the loss that it should be of, and how it is judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

#: Where the reference gradient comes from; see `handgrad.check_gradient`.
REFEREES = ("auto", "series", "program")

#: Puts the float inputs of a part among all of its inputs: float arrays -> inputs.
Together = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """The caller's functions behind a case that `check_backward` made."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    together: Together


@dataclass(frozen=True, eq=False)
class CustomRule:
    """The caller's function behind a case that `check_custom` made."""

    f: Callable[..., Any]
    together: Together


@dataclass(frozen=True, eq=False)
class Case:
    """What is on trial: a gradient, the loss that it should be of, and how it is judged."""

    gradient: Callable[..., Any]
    loss: Callable[..., Any]
    has_value: bool = False
    referee: str = "auto"
    seed: int = 0
    trusted: frozenset[str] = frozenset()
    autodiff: Callable[..., Any] | None = None  #: value and gradient by JAX, if not of the loss
    part: BackwardStep | CustomRule | None = None  #: of another gradient; not taken apart further


def check_referee(name: str) -> None:
    """Raise ValueError if there is no referee of that name."""
    if name not in REFEREES:
        raise ValueError(f"referee: got {name!r}, expected one of {', '.join(REFEREES)}")
