"""The article's 2-2-1 network with nine named scalars: one network, or many in parallel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

import autodiff.article
import manual.article
from benchmarks.problems.gate import Gate, gate
from benchmarks.problems.problem import Problem
from benchmarks.ready import Ready, jitted
from manual.article import Parameters


@dataclass(frozen=True, eq=False)
class ArticleProblem(Problem):
    """Networks with one sample each: scalars for one network, arrays of shape (n,) for n."""

    params: Parameters
    x: np.ndarray  #: shape (2,) or (n, 2)
    y: Any  #: shape () or (n,)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Parameters, inputs, targets."""
        return self.params, self.x, self.y

    @property
    def networks(self) -> int:
        """The number of networks."""
        return self.y.size

    @property
    def dtype(self) -> str:
        """The dtype of all numbers."""
        return str(self.x.dtype)

    @property
    def about(self) -> dict[str, Any]:
        """A description for the results."""
        return {
            "sizes": [2, 2, 1],
            "networks": self.networks,
            "activation": "sigmoid",
            "loss": "squared error",
        }

    @property
    def parameters(self) -> int:
        """The number of elements of the gradients."""
        return 9 * self.networks

    @property
    def moved(self) -> int:
        """The bytes of arguments and result: 9 + 2 + 1 numbers in, 1 + 9 out."""
        return 22 * self.networks * self.x.itemsize

    @property
    def value_and_grad(self) -> Callable[..., Any]:
        """The loss and gradient by JAX, of one network or of each of many."""
        one = jax.value_and_grad(self.loss)
        return one if self.y.ndim == 0 else jax.vmap(one)

    def loss(self, params: Any, x: Any, y: Any) -> Any:
        """Compute the loss in JAX."""
        return autodiff.article.loss(params, x, y)

    def exact_loss(self, params: Parameters, x: Any, y: Any) -> Any:
        """Compute the loss in NumPy, in the precision of the arguments."""
        return manual.article.loss(params, x, y)

    def by_hand(self, params: Parameters, x: Any, y: Any) -> tuple[Any, Parameters]:
        """Compute the loss and its nine partial derivatives by the readable lines."""
        return manual.article.value_and_gradient(params, x, y)

    def loss_alone(self) -> Ready:
        """Prepare the compiled loss."""
        return jitted(self.loss, self.arguments)

    def gate(self) -> Gate:
        """Build the gate that judges answers."""
        names = ["the loss", *(f"∂L/∂{name}" for name in Parameters._fields)]
        wide = jax.tree.map(lambda number: np.asarray(number, np.float64)[()], self.arguments)
        return gate(self.value_and_grad, self.by_hand, wide, names, self.dtype)


def sample_problem(dtype: str) -> ArticleProblem:
    """Build the article's example: Alice, shifted, and nine draws from N(0, 1)."""
    kind = np.dtype(dtype).type
    params = Parameters(*(kind(p) for p in manual.article.draw_parameters(44)))
    return ArticleProblem(params, np.array([-2, -1], dtype), kind(1))


def mass_problem(networks: int, dtype: str, seed: int = 0) -> ArticleProblem:
    """Build networks with parameters from N(0, 1), inputs from N(0, 4), and targets 0 or 1."""
    rng = np.random.default_rng(seed)
    params = Parameters(*rng.normal(size=(9, networks)).astype(dtype))
    x = (2 * rng.normal(size=(networks, 2))).astype(dtype)
    return ArticleProblem(params, x, rng.integers(2, size=networks).astype(dtype))
