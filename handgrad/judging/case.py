"""The case: a gradient to judge, its loss, and the options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

#: Where the reference gradient comes from; see `handgrad.check_gradient`.
REFEREES = ("auto", "series", "program")

#: Combines the float inputs of a part with its other inputs: float arrays -> inputs.
Together = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """The caller's functions of a case of `check_backward`."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    together: Together
    cache: Callable[..., Any]  #: (params, cotangent) -> what `forward` keeps for `backward`
    cotangents: Callable[..., Any]  #: (cache, cotangent) -> the gradient


@dataclass(frozen=True, eq=False)
class CustomRule:
    """The caller's function of a case of `check_custom`."""

    f: Callable[..., Any]
    together: Together


@dataclass(frozen=True, eq=False)
class Case:
    """A gradient to judge, its loss, and the options."""

    gradient: Callable[..., Any]
    loss: Callable[..., Any]
    has_value: bool = False
    referee: str = "auto"
    seed: int = 0
    trusted: frozenset[str] = frozenset()
    autodiff: Callable[..., Any] | None = None  #: value and gradient by JAX, if not those of `loss`
    part: BackwardStep | CustomRule | None = None  #: the part that is judged; None for a gradient


def check_referee(name: str) -> None:
    """Raise ValueError if there is no referee of that name."""
    if name not in REFEREES:
        raise ValueError(f"referee: got {name!r}, expected one of {', '.join(REFEREES)}")
