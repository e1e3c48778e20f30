"""Rebuild one case of a sweep from its number: its values, the judge's report, its trace."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import autodiff.network
import manual.article
import manual.network
from compare.sweep.cases import drawn
from compare.sweep.network import as_arrays
from compare.sweep.program import subject_of
from compare.sweep.settings import Settings
from compare.trace import Trace
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from compare.wording import InputError
from handgrad import GradientReport, check_gradient
from manual.activations import SIGMOID_DERIVATIVES
from manual.affine import Layer
from models.planted import PLANTS, gradient_in


@dataclass(frozen=True)
class Case:
    """A case as NumPy arrays, in the format of the sweep."""

    settings: Settings
    number: int
    params: Any  #: `Parameters`, or layers
    x: np.ndarray  #: shape (2,), or (examples, n_in)
    y: Any  #: a number, or shape (examples, n_out)

    def named(self) -> dict[str, float]:
        """Return the parameters by name."""
        leaves = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(self.params)])
        names = subject_of(self.settings).names
        return {name: float(leaf) for name, leaf in zip(names, leaves, strict=True)}

    def inputs(self) -> dict[str, Any]:
        """Return the examples."""
        return {"x": np.asarray(self.x).tolist(), "y": np.asarray(self.y).tolist()}

    def ruling(self) -> GradientReport:
        """Judge the gradient by hand, or the planted one, at this case with handgrad."""
        gradient, loss = _by_hand(self.settings), _loss(self.settings)
        # The judge reports NaN and infinity.
        with np.errstate(all="ignore"):
            return check_gradient(gradient, loss, self.params, self.x, self.y, points=0)

    def trace(self) -> Trace:
        """Trace the right derivation at the first example, in float64.

        Raises:
            InputError: a number of the pass is not finite.
        """
        try:
            return self._trace()
        except InputError as error:
            raise InputError(f"case {self.number}: {error}") from error

    def _trace(self) -> Trace:
        about = {"whose": f"case {self.number}", "parameters": f"parameters of case {self.number}"}
        network = self.settings.network
        if network is None:
            params = manual.article.Parameters(*map(float, self.params))
            return trace_article(params, self.x, float(self.y), self.settings.form, about=about)
        return trace_network(network, self.params, self.x[0], self.y[0], about=about)


def case(settings: Settings, number: int) -> Case:
    """Rebuild the case of that number."""
    with jax.enable_x64(True):
        numbers = drawn(settings, jnp.asarray([number], jnp.int64), settings.seed)
        if settings.network is None:
            values = [value[0] for value in jax.device_get(numbers)]
            params = autodiff.article.Parameters(*values[:9])
            return Case(settings, number, params, np.stack(values[9:11]), values[11])
        arrays = jax.device_get(as_arrays(settings, numbers))
        layers, x, y = jax.tree.map(lambda leaf: leaf[0], arrays)
        return Case(settings, number, [Layer(*layer) for layer in layers], x, y)


def _by_hand(settings: Settings) -> Callable[..., Any]:
    if settings.network is not None:
        return partial(manual.network.gradient, settings.network)
    if settings.plant is not None:
        right = gradient_in(PLANTS[settings.plant], settings.form)
    else:
        right = partial(manual.article.gradient, derivative=SIGMOID_DERIVATIVES[settings.form])

    def gradient(params: Any, x: Any, y: Any) -> Any:
        # In the type of the parameters, which is autodiff's here.
        return type(params)(*right(manual.article.Parameters(*params), x, y))

    return gradient


def _loss(settings: Settings) -> Callable[..., Any]:
    if settings.network is None:
        return autodiff.article.loss
    network = settings.network

    def loss(params: Any, x: Any, y: Any) -> Any:
        return autodiff.network.loss(network, params, x, y)

    return loss
