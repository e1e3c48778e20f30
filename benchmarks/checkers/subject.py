"""What a subject of the comparison is: a loss, its gradient by hand, and mistakes planted in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Gradient = Callable[..., Any]


@dataclass(frozen=True)
class Subject:
    """A loss, its right gradient by hand, where to try it, and wrong gradients of it."""

    name: str
    loss: Callable[..., Any]  #: loss(params, *inputs), a scalar, in JAX
    gradient: Gradient  #: gradient(params, *inputs), a pytree like params, in NumPy
    draw: Callable[[np.random.Generator], tuple[Any, ...]]  #: (params, *inputs) in float64
    mistakes: Mapping[str, Gradient]  #: wrong gradients by slug, see `benchmarks.checkers.mistakes`
