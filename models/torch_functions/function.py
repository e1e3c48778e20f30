"""What a function is: its class, a reference, arguments, planted mistakes, and rewrites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.edits import edited_class
from models.slips import Rewrite, Slip
from models.torch_functions.installed import torch

#: Draws arguments: tensors in float64 and of integers, and what is no tensor.
Draw = Callable[[np.random.Generator], tuple[Any, ...]]

#: The formats in which every function is right, and its mistakes are mistakes.
FORMATS = ("float64", "float32", "bfloat16")


@dataclass(frozen=True, eq=False)
class TorchFunction:
    """A `torch.autograd.Function` and what is known of it."""

    name: str
    function: Any  #: the class, right in every one of `FORMATS`
    reference: Callable[..., Any]  #: the same in torch's own operations, for `torch.autograd`
    draws: Mapping[str, Draw]  #: by what is particular about the arguments; the first is ordinary
    mistakes: Mapping[str, Slip]  #: by slug
    rewrites: Mapping[str, Rewrite]  #: by slug

    def point(self, rng: np.random.Generator, draw: str, dtype: str) -> tuple[Any, ...]:
        """Draw arguments with their floating tensors rounded to a format."""
        arguments = self.draws[draw](rng)
        return tuple(cast(value, getattr(torch, dtype)) for value in arguments)

    def wrong(self, slug: str) -> Any:
        """Make the class with a mistake."""
        return edited_class(self.function, *self.mistakes[slug].edits)

    def right(self, slug: str = "") -> Any:
        """Return the class as it is written, or make a rewritten one."""
        return edited_class(self.function, *self.rewrites[slug].edits) if slug else self.function


def cast(value: Any, dtype: Any) -> Any:
    """Return a floating tensor in another format, and anything else as it is."""
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.to(dtype) if floating else value


def wide(x: Any) -> Any:
    """Return what a kernel computes with: float32 for a half-precision tensor."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw standard normal numbers."""
    return torch.from_numpy(rng.normal(size=shape))


def whole(rng: np.random.Generator, high: int, *shape: int) -> Any:
    """Draw integers below `high`."""
    return torch.from_numpy(rng.integers(0, high, size=shape))
