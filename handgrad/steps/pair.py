"""A pair of a forward and a backward function, and how it is judged by itself."""

from dataclasses import dataclass
from types import FunctionType
from typing import Any

from handgrad.judging.judgement import Judgement
from handgrad.judging.options import DEFAULT, How, Options
from handgrad.judging.part_cases import backward_case
from handgrad.judging.trial import judge


@dataclass(frozen=True, eq=False)
class Pair:
    """A forward call, and the backward call that gets its cache."""

    name: str
    forward: FunctionType
    backward: FunctionType
    inputs: tuple[Any, ...]  #: those with a cotangent from the backward pass
    settings: tuple[Any, ...]  #: further arguments of the forward pass
    cotangent: Any
    cache_alone: bool = False  #: whether the backward pass takes no cotangent, as a loss's may

    def judged(self, points: int, options: Options = DEFAULT) -> Judgement:
        """Judge the backward pass, as `check_backward` does."""
        # In local variables, so that `numpy_to_jax`, which reads closures, finds the function.
        there, settings = self.forward, self.settings

        def forward(*inputs: Any) -> Any:
            return there(*inputs, *settings)

        def backward(cotangent: Any, cache: Any) -> Any:
            return self.backward(*(() if self.cache_alone else (cotangent,)), cache)

        case, given = backward_case(
            forward, backward, self.inputs, self.cotangent, options, named=there
        )
        # No line gives it again: its arguments are those that the gradient called it with.
        return judge(case, given, How(points))
