"""A loss and its gradient by hand and by JAX: what the problems share that are no trainings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems.deviation import U, deviations
from benchmarks.problems.gate import TO_FLOAT64, Gate
from benchmarks.ready import Ready, jitted, leaves
from handgrad.tolerance.tolerances import LOOSE


@dataclass(frozen=True, eq=False)
class GradientProblem:
    """A loss at a point; all functions take (params, x, y)."""

    about: dict[str, Any]  #: for the results: sizes, batch, activation, loss
    params: Any  #: NumPy arrays or scalars, as `x` and `y`, all of one dtype
    x: np.ndarray  #: shape (..., n_in)
    y: Any
    loss: Callable[..., Any]  #: in JAX
    exact_loss: Callable[..., Any]  #: in NumPy, in the precision of the arguments
    by_hand: Callable[..., Any]  #: to the loss and its gradient
    value_and_grad: Callable[..., Any]  #: the same by JAX
    names: tuple[str, ...]  #: of the gradient's leaves
    losses: int = 1  #: how many losses there are
    products: Sequence[tuple[int, int, int]] = ()
    """The matrix products of one loss and gradient, (m, k, n) of an m×k and a k×n matrix.

    None where sums have two terms only and are unrolled."""
    product_unit: float = U  #: the unit roundoff of float32 matrix products

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Parameters, inputs, targets."""
        return self.params, self.x, self.y

    @property
    def dtype(self) -> str:
        """The dtype of all numbers."""
        return str(self.x.dtype)

    @property
    def parameters(self) -> int:
        """The number of elements of the gradient."""
        return sum(np.size(leaf) for leaf in jax.tree.leaves(self.params))

    @property
    def moved(self) -> int:
        """The bytes of arguments and result, each moved once."""
        numbers = self.x.size + np.size(self.y) + 2 * self.parameters + self.losses
        return numbers * self.x.itemsize

    def loss_alone(self) -> Ready:
        """Prepare the compiled loss."""
        return jitted(self.loss, self.arguments, judge=Gate.of_loss)

    def gate(self) -> Gate:
        """Build the gate that judges answers.

        Raises:
            RefusedError: a unit is within rounding of a kink.
        """
        wide = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64)[()], self.arguments)
        second, named = leaves(self.by_hand(*wide)), ["the loss", *self.names]
        # The references are computed on the processor, whatever device is timed.
        witness = jax.default_device(jax.local_devices(backend="cpu")[0])
        with witness, jax.enable_x64(True), jax.default_matmul_precision("highest"):
            given = jax.tree.map(jnp.asarray, wide)
            reference = leaves(jax.jit(self.value_and_grad)(*given))
            found = deviations(self.value_and_grad, given, self.product_unit)
        deviation = [LOOSE * leaf for leaf in found]
        exact = [2 * TO_FLOAT64 * leaf for leaf in deviation]
        allowed = exact if self.dtype == "float64" else deviation
        doubt = Gate(named, reference, exact, "float64").complaint(second)
        doubt = doubt and f"the float64 witnesses disagree: {doubt}"
        return Gate(named, reference, allowed, self.dtype, doubt)
