"""The wrong gradients of `models.small`, by name.

They stand in a module of their own, as somebody's would, so that a counterexample can import them.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models import small
from models.model import Model


@dataclass(frozen=True)
class Wrong:
    """A mistake, and how long the arrays of its smallest counterexample are."""

    name: str  #: of the wrong gradient here
    model: Model
    shapes: tuple[tuple[int, ...], ...]  #: of all arrays, in the order of the leaves

    def gradient(self) -> Callable[..., Any]:
        """The wrong gradient, as if it had been written in this module."""
        gradient: Any = self.model.wrong(self.name.replace("_", "-"))
        gradient.__module__, gradient.__name__ = __name__, self.name
        gradient.__qualname__ = self.name
        return gradient


WRONG = (
    Wrong("half_mse", small.LINEAR, ((), (1,), (1, 1), (1,))),
    Wrong("bias_mean", small.LINEAR, ((), (1,), (2, 1), (2,))),
    Wrong("one_element_off", small.LINEAR, ((), (2,), (1, 2), (1,))),
    Wrong("tanh_of_h", small.NETWORK, ((1, 1), (1,), (1, 1), (1,), (1, 1), (1, 1))),
    Wrong("dw_transposed", small.SQUARE, ((2, 2), (2,), (2, 1), (1,), (1, 2), (1, 1))),
    Wrong("exchanged", small.GATE, ((1, 1), (1, 1), (1, 1))),
    Wrong("no_decay", small.RIDGE, ((1,), (1, 1), (1,))),
    Wrong("half_of_the_pairs", small.ENERGY, ((2, 1), (2,))),
    Wrong("sum_for_mean", small.BATCH_NORM, ((1, 1), (2, 1), (2, 1))),
    Wrong("softmax_diagonal", small.CLASSES, ((1, 2), (1, 1), (1,))),
    Wrong("mean_over_outputs", small.SOFT_LABELS, ((1, 2), (1, 1), (1, 2))),
)

for _wrong in WRONG:
    setattr(sys.modules[__name__], _wrong.name, _wrong.gradient())
