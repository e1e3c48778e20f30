"""What every problem offers, whatever its loss is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks.ready import Ready


class Judge(Protocol):
    """Says whether an answer is right."""

    def complaint(self, leaves: Sequence[np.ndarray]) -> str:
        """The first mistake of an answer; "" if it is right."""
        ...

    def share(self, leaves: Sequence[np.ndarray]) -> float:
        """The largest error of an answer in parts of what is allowed."""
        ...


class Problem(ABC):
    """A loss at a point."""

    @property
    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What it is, for the results: sizes, batch, activation, loss."""

    @property
    @abstractmethod
    def arguments(self) -> tuple[Any, ...]:
        """What the loss takes, NumPy arrays of the problem's dtype: the parameters first."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many numbers the gradient has."""

    @property
    @abstractmethod
    def moved(self) -> int:
        """Bytes of the arguments and the answer, each moved once."""

    @abstractmethod
    def gate(self) -> Judge:
        """What holds answers to the truth."""

    @property
    def products(self) -> list[tuple[int, int, int]]:
        """The matrix products of one loss and gradient, (m, k, n) of an m×k and a k×n matrix.

        None where sums have two terms and are written out.
        """
        return []

    @property
    def expected_cost(self) -> float | None:
        """3 − s₁/S: what a loss and its gradient cost in losses, counted in multiply-adds.

        None where there are no products: the count says nothing where the exponentials dominate.
        """
        return None

    def loss_alone(self) -> Ready | None:
        """The loss without its gradient, compiled; None where that means nothing."""
        return None
