"""A forward and a backward function that belong together, and how they are judged by themselves."""

from dataclasses import dataclass
from types import FunctionType
from typing import Any

from handgrad.judging.judgement import Judgement
from handgrad.judging.part_cases import backward_case
from handgrad.judging.trial import judge


@dataclass(frozen=True, eq=False)
class Pair:
    """A forward call and the backward call that is given its cache."""

    name: str
    forward: FunctionType
    backward: FunctionType
    inputs: tuple[Any, ...]  #: those that the backward pass answers for
    settings: tuple[Any, ...]  #: what the forward pass takes after them
    names: tuple[str, ...]  #: of the inputs, where each is one array or number; else none
    cotangent: Any
    cache_alone: bool = False  #: whether the backward pass takes no cotangent, as a loss's may

    def judged(self, points: int, seed: int) -> Judgement:
        """The ruling on the backward pass, as `check_backward` gives it.

        Args:
            points: besides the one at which it was called.
            seed: of those.
        """
        # By names of their own, for whoever reads what a function refers to.
        there, settings = self.forward, self.settings

        def forward(*inputs: Any) -> Any:
            return there(*inputs, *settings)

        def backward(cotangent: Any, cache: Any) -> Any:
            return self.backward(*(() if self.cache_alone else (cotangent,)), cache)

        case, given = backward_case(forward, backward, self.inputs, self.cotangent, seed)
        return judge(case, given, points, False, "check_backward(forward, backward, *inputs")
