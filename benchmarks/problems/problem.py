"""The interface of a problem."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks.ready import Ready


class Judge(Protocol):
    """Judges whether an answer is right."""

    def complaint(self, leaves: Sequence[np.ndarray]) -> str:
        """Describe the first mistake of an answer; "" if it is right."""
        ...

    def share(self, leaves: Sequence[np.ndarray]) -> float:
        """Compute the largest error of an answer in units of the tolerance."""
        ...


class Problem(Protocol):
    """A loss at a point."""

    @property
    def about(self) -> dict[str, Any]:
        """A description for the results: sizes, batch, activation, loss."""
        ...

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the loss, NumPy arrays of the problem's dtype: the parameters first."""
        ...

    @property
    def parameters(self) -> int:
        """The number of elements of the gradient."""
        ...

    @property
    def moved(self) -> int:
        """The bytes of arguments and result, each moved once."""
        ...

    @property
    def products(self) -> list[tuple[int, int, int]]:
        """The matrix products of one loss and gradient, (m, k, n) of an m×k and a k×n matrix.

        None where sums have two terms only and are unrolled.
        """
        return []

    @property
    def expected_cost(self) -> float | None:
        """3 − s₁/S: the cost of a loss and its gradient in losses, in multiply-adds.

        None where there are no products, as the exponentials dominate there.
        """
        return None

    def gate(self) -> Judge:
        """Build the gate that judges answers."""
        ...

    def loss_alone(self) -> Ready | None:
        """Prepare the compiled loss without its gradient; None where that is meaningless."""
        return None
