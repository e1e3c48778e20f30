"""A forward and a backward function that belong together, and how they are judged by themselves."""

from dataclasses import dataclass
from types import FunctionType
from typing import Any

from handgrad.backward import check_backward
from handgrad.report import GradientReport


@dataclass(frozen=True, eq=False)
class Pair:
    """A forward call and the backward call that is given its cache."""

    name: str
    forward: FunctionType
    backward: FunctionType
    inputs: tuple[Any, ...]  #: those that the backward pass answers for
    settings: tuple[Any, ...]  #: what the forward pass takes after them
    names: tuple[str, ...]  #: of the inputs, where each is one array or number; else none
    #: What the backward pass is given; None where that is the cache alone, as losses have it.
    cotangent: Any

    def judged(self, points: int, seed: int) -> GradientReport:
        """The ruling on the backward pass, as `check_backward` gives it.

        Args:
            points: besides the one at which it was called.
            seed: of those.
        """

        def forward(*inputs: Any) -> Any:
            return self.forward(*inputs, *self.settings)

        def backward(cotangent: Any, cache: Any) -> Any:
            return self.backward(*(() if self.cotangent is None else (cotangent,)), cache)

        given = 1.0 if self.cotangent is None else self.cotangent
        asked: dict[str, Any] = {"cotangent": given, "points": points, "seed": seed}
        return check_backward(forward, backward, *self.inputs, **asked)
