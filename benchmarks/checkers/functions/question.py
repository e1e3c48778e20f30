"""The question to a checker of torch functions: a class, its reference, and arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.checkers.question import APART
from models.torch_functions.gradients import fresh, gradients, leaf_names, widened
from models.torch_functions.installed import torch


@dataclass(frozen=True, eq=False)
class FunctionQuestion:
    """A `torch.autograd.Function` to check at a point."""

    function: Any  #: the class
    reference: Callable[..., Any]  #: the same in torch's own operations
    arguments: tuple[Any, ...]  #: floating tensors of one format, and others
    right: Any = None  #: the right class, where `function` is wrong

    @property
    def paths(self) -> tuple[str, ...]:
        """The arguments that have a gradient, as the forward pass names them."""
        return leaf_names(self.function, self.arguments)

    @property
    def format(self) -> str:
        """The format of the floating arguments: `bfloat16`."""
        leaves = fresh(self.arguments)
        (found,) = {str(leaf.dtype) for leaf in leaves if getattr(leaf, "requires_grad", False)}
        return found.removeprefix("torch.")

    def wrong_leaves(self) -> tuple[str, ...]:
        """Find the arguments whose gradient, in float64, differs from the right one."""
        if self.right is None:
            return ()
        arguments = widened(self.arguments)
        try:
            found = gradients(self.function.apply, arguments)
        except RuntimeError:  # of another shape: then there is no gradient to compare
            return ()
        wanted = gradients(self.right.apply, arguments)
        pairs = zip(self.paths, found, wanted, strict=True)
        return tuple(path for path, a, b in pairs if distance(a, b) > APART)


def distance(found: Any, wanted: Any) -> float:
    """Return the largest error of an element, relative to the largest element."""
    error, size = (found.double() - wanted.double()).abs().max(), wanted.abs().max().double()
    return float(torch.where(error == 0, 0.0, error / size))
