"""What a model of the zoo is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Gradient = Callable[..., Any]


@dataclass(frozen=True)
class Model:
    """A loss, its gradient by hand, where to try it, and what people get wrong in it."""

    name: str
    loss: Callable[..., Any]  #: loss(params, *inputs), a scalar, in JAX
    gradient: Gradient  #: gradient(params, *inputs), a pytree like params
    draw: Callable[[np.random.Generator, Any], tuple[Any, ...]]  #: (rng, dtype): params, *inputs
    mistakes: Mapping[str, Gradient]  #: by slug, wrong gradients
