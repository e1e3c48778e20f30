"""The article's network in a sweep: its nine scalars, each an array over the cases.

Separate arrays avoid slicing an array of nine numbers per case at every operation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import manual.article
from compare.networks.functions import sigmoid_in_the_middle
from compare.rounding import Format, Range, added
from compare.sweep.settings import Settings
from compare.sweep.subject import APART, Compared, Kept
from manual.activations import SIGMOID_DERIVATIVES
from manual.activations import sigmoid as sigmoid_by_hand
from manual.article import Parameters
from manual.losses import squared_error
from models.planted import PLANTS, gradient_in


@dataclass(frozen=True)
class Article:
    """The article's network as the subject of a sweep."""

    settings: Settings

    @property
    def names(self) -> list[str]:
        """The names of the parameters, w1 to b3."""
        return list(Parameters._fields)

    @property
    def floats(self) -> Format:
        """What rounding costs.

        The chain rule's products may be computed in any order, so an underflow in a small one may
        be multiplied by |x|, |w| and factors below 2.
        """
        settings = self.settings
        reach = 64 * max(1.0, settings.weights.largest) * max(1.0, settings.inputs.largest)
        return Format(settings.floats.u, settings.floats.tiny * reach)

    def compared(self, numbers: list[Any], kept: Kept) -> Compared:
        """See `Subject`."""
        params, (x1, x2, y) = Parameters(*numbers[:9]), numbers[9:]
        plant, form = self.settings.plant, self.settings.form
        if plant is None:
            by_hand = _by_hand(params, x1, x2, y, form, kept)
        else:
            by_hand = _planted(gradient_in(PLANTS[plant], form), params, x1, x2, y)
        errors = _errors(params, x1, x2, y, self.floats, kept)
        allowed = [APART * error + self.floats.tiny for error in errors]
        return Compared(list(by_hand), list(_by_autodiff(params, x1, x2, y)), allowed)

    def losses(self, numbers: list[Any]) -> Any:
        """See `Subject`."""
        params, (x1, x2, y) = Parameters(*numbers[:9]), numbers[9:]
        steps = manual.article.forward_lines(params, x1, x2, sigmoid_by_hand)
        return squared_error(y, steps.ypred)


def _by_hand(params: Parameters, x1: Any, x2: Any, y: Any, form: str, kept: Kept) -> Parameters:
    """Compute `manual.article.gradient`, with each σ and σ' computed only once."""

    def once(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda z: kept(function(z))

    derivative = SIGMOID_DERIVATIVES[form]
    steps = manual.article.forward_lines(params, x1, x2, once(sigmoid_by_hand))
    return manual.article.gradient_lines(params, x1, x2, y, steps, once(derivative))


def _planted(gradient: Callable[..., Any], params: Parameters, x1: Any, x2: Any, y: Any) -> Any:
    """Compute a planted wrong gradient: compiled, or by NumPy if JAX cannot trace it."""
    x = jnp.stack([x1, x2], axis=-1)
    try:
        return Parameters(*gradient(params, x, y))
    except jax.errors.JAXTypeError:
        return _by_numpy(gradient, params, x, y)


def _by_numpy(gradient: Callable[..., Any], params: Parameters, x: Any, y: Any) -> Parameters:
    """Call a function of NumPy arrays from compiled code.

    Numbers are passed as 32-bit words: JAX calls back in another thread, without 64-bit mode.
    """
    dtype = y.dtype

    def as_words(array: Any) -> Any:
        return jax.lax.bitcast_convert_type(array, jnp.uint32)

    def called(*words: Any) -> tuple[np.ndarray, ...]:
        numbers = [np.asarray(of).view(dtype) for of in words]
        *params, x, y = (n[..., 0] if dtype.itemsize == 8 else n for n in numbers)
        grads = gradient(Parameters(*params), x, y)
        return tuple(_words(np.asarray(g).astype(dtype)) for g in grads)

    words = [as_words(array) for array in (*params, x, y)]
    wanted = (jax.ShapeDtypeStruct(words[-1].shape, jnp.uint32),) * len(params)
    grads = jax.pure_callback(called, wanted, *words)
    return Parameters(*(jax.lax.bitcast_convert_type(g, dtype) for g in grads))


def _words(array: np.ndarray) -> np.ndarray:
    """View numbers as words, as `bitcast_convert_type` does: 64 bits along an axis of two."""
    return array[..., None].view(np.uint32) if array.itemsize == 8 else array.view(np.uint32)


def _by_autodiff(params: Parameters, x1: Any, x2: Any, y: Any) -> Any:
    """Differentiate the sum of many losses, each with its own parameters, by `jax.grad`."""
    x = jnp.stack([x1, x2], axis=-1)

    def losses(of: autodiff.article.Parameters) -> Any:
        return autodiff.article.loss(of, x, y).sum()

    return jax.grad(losses)(autodiff.article.Parameters(*params))


def _errors(params: Parameters, x1: Any, x2: Any, y: Any, floats: Format, kept: Kept) -> list[Any]:
    """Bound the errors of ∂L/∂w1 .. ∂L/∂b3: the chain rule on ranges."""
    exact = partial(Range, floats=floats)
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = map(exact, params)
    x1, x2, y = map(exact, (x1, x2, y))

    h1, h2 = kept(
        (
            sigmoid_in_the_middle(added(w1 * x1, w2 * x2, b1)),
            sigmoid_in_the_middle(added(w3 * x1, w4 * x2, b2)),
        )
    )
    o1 = sigmoid_in_the_middle(added(w5 * h1.a, w6 * h2.a, b3))
    d3 = kept(-2 * (y - o1.a) * o1.slope)
    d1, d2 = kept((d3 * w5 * h1.slope, d3 * w6 * h2.slope))
    found = (d1 * x1, d1 * x2, d2 * x1, d2 * x2, d3 * h1.a, d3 * h2.a, d1, d2, d3)
    return [derivative.radius for derivative in found]
