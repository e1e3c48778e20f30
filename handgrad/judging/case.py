"""The case: a gradient to judge, its loss, and the options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

#: Where the reference gradient comes from; see `handgrad.check_gradient`.
REFEREES = ("auto", "series", "program")

#: Combines the float inputs of a part with its other inputs: float arrays -> inputs.
Together = Callable[[Sequence[Any]], Any]


class Wording(NamedTuple):
    """What messages call the caller's functions, and the hints that fit the function he called."""

    gradient: str = "the gradient"
    loss: str = "the loss"
    #: On a single number where there should be more.
    single: str = "; were the loss and the gradient given in each other's place?"
    #: On two results where there should be one.
    two: str = "; if it returns (loss, grads), say has_value=True (--has-value on the command line)"


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """The caller's functions of a case of `check_backward`."""

    wording: ClassVar[Wording] = Wording(
        "backward",
        "forward",
        single="; expected a cotangent for each input, shaped like it",
        two="; expected a cotangent for each input",
    )
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    together: Together


@dataclass(frozen=True, eq=False)
class CustomRule:
    """The caller's function of a case of `check_custom`."""

    wording: ClassVar[Wording] = Wording("the rule", "the function", single="", two="")
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
    notes: tuple[str, ...] = ()  #: warnings for the report

    @property
    def wording(self) -> Wording:
        """What messages call the caller's functions."""
        return self.part.wording if self.part else Wording()


def check_referee(name: str) -> None:
    """Raise ValueError if there is no referee of that name."""
    if name not in REFEREES:
        raise ValueError(f"referee: got {name!r}, expected one of {', '.join(REFEREES)}")
