"""The third program: losses that keep their digits, `jax.grad`'s derivatives, bounds on rounding.

Both sides are held against it. A bound on rounding is as wide as the digits that its program loses,
and a mistake is seen behind a narrow one: so the slopes of activations and losses are rules of its
own, which lose none where a unit saturates (σ' is σ(z)σ(-z)). All else is JAX's, and the bounds are
those of `handgrad.tolerance.rounding`, to first order.

A right program may also compute a slope as `jax.nn` and optax do, where a difference of nearly
equal numbers loses digits: autodiff does, and so does the article's σ(1 - σ) by hand. The loss in
that form is `CANCELLING`, and what it loses is allowed to a side of that form.
"""

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compare.compiling import compiled_quickly, judged
from compare.trees import join
from handgrad.tolerance.rounding import Bounded, bounded
from manual.article import Parameters
from manual.network import Network

STABLE, CANCELLING = "stable", "cancelling"

#: (name, intermediate value) -> what to go on with.
See = Callable[[str, Any], Any]

#: The slope of the leaky ReLU below 0 (Maas, Hannun & Ng, 2013).
LEAK = 0.01


def _with_slope(value: Callable[..., Any], slope: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of arrays, element by element, whose derivative is by that slope."""
    function = jax.custom_jvp(value)
    function.defjvp(lambda at, moved: (function(*at), moved[0] * slope(*at)))
    return function


def _sigmoid_slope(z: Any) -> Any:
    return jax.lax.logistic(z) * jax.lax.logistic(-z)


def _kinked(below: float) -> Callable[[Any], Any]:
    """max(z, below·z)."""
    return _with_slope(
        lambda z: jnp.maximum(z, below * z),
        lambda z: jnp.where(z > 0, jnp.ones_like(z), jnp.full_like(z, below)),
    )


def _phi(z: Any) -> Any:
    """The normal distribution's function, with the digits of its tail."""
    return jax.lax.erfc(-z * 0.5**0.5) / 2


def _density(z: Any) -> Any:
    return jnp.exp(-z * z / 2) / (2 * np.pi) ** 0.5


_gelu = _with_slope(lambda z: z * _phi(z), lambda z: _phi(z) + z * _density(z))
_sigmoid = _with_slope(jax.lax.logistic, _sigmoid_slope)
_softplus = _with_slope(lambda z: jnp.logaddexp(z, jnp.zeros_like(z)), jax.lax.logistic)

#: By form, and by the names that a network's description uses.
ACTIVATIONS: dict[str, dict[str, Callable[[Any], Any]]] = {
    STABLE: {
        "sigmoid": _sigmoid,
        "tanh": _with_slope(jnp.tanh, lambda z: 4 * _sigmoid_slope(2 * z)),
        "relu": _kinked(0.0),
        "leaky-relu": _kinked(LEAK),
        "gelu": _gelu,
        "softplus": _softplus,
        "identity": lambda z: z,
    },
    CANCELLING: {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": jax.nn.relu,
        "leaky-relu": jax.nn.leaky_relu,
        "gelu": _gelu,  # JAX's loses no more, and from 0.11 on computes e^(-x²) bit by bit
        "softplus": jax.nn.softplus,
        "identity": lambda z: z,
    },
}

_huber = _with_slope(
    lambda r: jnp.where(abs(r) <= 1, r * r / 2, abs(r) - 0.5), lambda r: jnp.clip(r, -1, 1)
)


def _log_odds(z: Any) -> Any:
    """log Σ_{k≠j} e^z_k - z_j of each class j, of which the others have probability σ."""
    apart = z[..., None, :] - z[..., :, None]
    # Of no weight; infinity would have an infinite error.
    others = jnp.where(jnp.eye(z.shape[-1], dtype=bool), jnp.full_like(apart, -1e30), apart)
    largest = others.max(-1, keepdims=True)
    return jnp.log(jnp.exp(others - largest).sum(-1)) + largest[..., 0]


@jax.custom_jvp
def _softmax_ce(z: Any, y: Any) -> Any:
    """-y_j log p_j, of each class j; the rule is that of their sum, which alone is used."""
    return y * _softplus(_log_odds(z))


@_softmax_ce.defjvp
def _softmax_ce_rule(at: Any, moved: Any) -> tuple[Any, Any]:
    """p_j Σ y - y_j is p_j Σ_{k≠j} y_k - y_j (1 - p_j), without the term that cancels."""
    (z, y), odds = at, _log_odds(at[0])
    others = y @ (1 - jnp.eye(z.shape[-1], dtype=z.dtype))
    slope = jax.lax.logistic(-odds) * others - jax.lax.logistic(odds) * y
    return _softmax_ce(z, y), moved[0] * slope


def _of_optax(name: str) -> Callable[[Any, Any], Any]:
    """Return a loss of optax, which takes long to load, and which few commands need."""
    return lambda a, y: getattr(import_module("optax"), name)(a, y)


#: By form and name: (outputs or logits, targets) -> losses, of shape (n, n_out) or (n,).
LOSSES: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    STABLE: {
        "mse": lambda a, y: jnp.square(a - y),
        "huber": lambda a, y: _huber(a - y),
        "bce": lambda z, y: y * _softplus(-z) + (1 - y) * _softplus(z),
        "softmax-ce": _softmax_ce,
    },
    CANCELLING: {
        "mse": _of_optax("squared_error"),
        "huber": _of_optax("huber_loss"),
        "bce": _of_optax("sigmoid_binary_cross_entropy"),
        "softmax-ce": _of_optax("softmax_cross_entropy"),
    },
}


def article_output(params: Any, x: Any, see: See, form: str) -> Any:
    """What the article's network predicts; shapes as in `manual.article`."""
    f = ACTIVATIONS[form]["sigmoid"]
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    x1, x2 = x[..., 0], x[..., 1]
    h1 = see("h1", f(see("z1", w1 * x1 + w2 * x2 + b1)))
    h2 = see("h2", f(see("z2", w3 * x1 + w4 * x2 + b2)))
    return see("ypred", f(see("z3", w5 * h1 + w6 * h2 + b3)))


def article_loss(params: Any, x: Any, y: Any, see: See, form: str) -> Any:
    """One sample's squared error."""
    return jnp.square(y - article_output(params, x, see, form))


def outputs(network: Network, params: Any, x: Any, see: See, form: str) -> Any:
    """The last layer's outputs, shape (n, n_out), of a network of (w, b) for each layer."""
    a = x
    for at, ((w, b), name) in enumerate(zip(params, network.activations, strict=True)):
        a = see(f"a{at}", ACTIVATIONS[form][name](see(f"z{at}", a @ w + b[None, :])))
    return a


def network_loss(network: Network, params: Any, x: Any, y: Any, see: See, form: str) -> Any:
    """The mean over examples of the sum over outputs, and λ Σ w²."""
    a = outputs(network, params, x, see, form)
    loss = jnp.sum(LOSSES[form][network.loss](a, y)) / x.shape[0]
    if network.l2:
        loss = loss + network.l2 * sum(jnp.sum(jnp.square(w)) for w, _ in params)
    return loss


def as_it_is(name: str, value: Any) -> Any:  # noqa: ARG001 (the form of `See`)
    """Look at nothing."""
    return value


def _in_numpy(program: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a program for NumPy arrays, of the dtype of what is given, once for each shape.

    To compile these programs well would take seconds, and they run for milliseconds.
    """
    compiled = compiled_quickly(program)

    def run(*args: Any) -> Any:
        with judged():
            return jax.device_get(compiled(*args))

    return run


def bounds_of(program: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes a program of arrays, and how far off a side may be: `Bounded`."""
    return _in_numpy(lambda *args: jax.tree.map(Bounded, *bounded(program)(*args)))


def by_form(program: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Return what computes a program of each form, and for each how far off a side may be.

    Args:
        program: (form, ...) -> a pytree of arrays.
    """

    def each(*args: Any) -> tuple[Any, Any]:
        return program(STABLE, *args), program(CANCELLING, *args)

    def both(*args: Any) -> dict[str, Any]:
        # One analysis for both, of which they share the forward pass.
        (value, _), (error, more) = bounded(each)(*args)
        # Of each error one half is the side's own, and one half that of the third program.
        wider = jax.tree.map(lambda e, m: (e + m) / 2, error, more)
        errors = {STABLE: error, CANCELLING: wider}
        return {form: jax.tree.map(Bounded, value, of) for form, of in errors.items()}

    return _in_numpy(both)


def _article_gradient(form: str, params: Any, x: Any, y: Any) -> Any:
    return jax.grad(lambda params: article_loss(params, x, y, as_it_is, form).sum())(params)


_of_article = by_form(_article_gradient)

#: Samples that are bounded at once: compiling takes a second, so there is one shape for all.
BLOCK = 1024


def article_gradient(params: Any, x: Any, y: Any) -> dict[str, Parameters]:
    """Bound the nine partial derivatives of one sample's loss, for many samples at once.

    Args:
        params: nine float64 numbers or arrays of shape (...).
        x, y: inputs of shape (..., 2) and targets of shape (...), float64.

    Returns:
        By form, nine `Bounded` of shape (...).
    """
    given = np.stack(np.broadcast_arrays(x[..., 0], x[..., 1], y, *params))
    shape, numbers = given.shape[1:], given.reshape(len(given), -1)
    count = numbers.shape[1]
    numbers = np.pad(numbers, ((0, 0), (0, -count % BLOCK)), mode="edge")
    found = []
    for block in np.split(numbers, max(numbers.shape[1] // BLOCK, 1), axis=1):
        x1, x2, target, *weights = block
        found.append(_of_article(Parameters(*weights), np.stack([x1, x2], axis=-1), target))
    return jax.tree.map(
        lambda *parts: np.concatenate(parts)[:count].reshape(shape), found[0], *found[1:]
    )


@cache
def _loss_of(network: Network) -> Callable[..., Any]:
    return by_form(lambda form, *at: network_loss(network, *at, see=as_it_is, form=form))


@cache
def _gradient_of(network: Network) -> Callable[..., Any]:
    loss = partial(network_loss, network, see=as_it_is)
    return by_form(lambda form, *at: jax.vmap(jax.grad(partial(loss, form=form)))(*at))


def network_gradient(network: Network, params: Any, x: Any, y: Any) -> dict[str, Any]:
    """Bound the gradients of k losses, one at each of k points.

    Args:
        network: its description.
        params: (w, b) of each layer, of shapes (k, n_in, n_out) and (k, n_out).
        x, y: minibatches, shapes (k, batch, n_in) and (k, batch, n_out).

    Returns:
        By form, `Bounded` shaped like params.
    """
    return _gradient_of(network)([tuple(layer) for layer in params], x, y)


def flattened(bounds: Any, like: Any) -> Bounded:
    """Join the bounds of a tree of parameters, shape (..., p); `like` as for `compare.trees`."""
    each = jax.tree.leaves(bounds, is_leaf=lambda leaf: isinstance(leaf, Bounded))
    values, errors = (list(parts) for parts in zip(*each, strict=True))
    return Bounded(join(values, like), join(errors, like))


#: (start, rate, slope) -> parameters after a step of descent, `slope` being a `Bounded`.
descent_bounds = bounds_of(lambda start, rate, slope: start - rate * slope)

#: (params, x) -> what the article's network predicts; shapes as in `article_gradient`.
article_output_bounds = bounds_of(partial(article_output, see=as_it_is, form=STABLE))


def network_loss_bounds(network: Network, params: Any, x: Any, y: Any) -> Bounded:
    """Bound the loss of a network of (w, b) for each layer, a scalar.

    Both sides take the logarithm of a softmax, which loses digits where it is almost 0.
    """
    return _loss_of(network)([tuple(of) for of in params], x, y)[CANCELLING]


#: The constants of the optimisers, repeated here: if they were taken from one of the two sides, a
#: mistake in them would be blamed on the other. Momentum: the common value of Polyak's μ; Adam:
#: Kingma & Ba, arXiv:1412.6980, algorithm 1. These are how far μ, β₁ and β₂, as float64, are from
#: 1, and ε: 1 - 0.999 is 8 units of rounding off 0.001, and so is each side.
CONSTANTS = {"momentum": (1 - 0.9,), "adam": (1 - 0.9, 1 - 0.999, 1e-8), "sgd": ()}


def update_bounds(optimiser: str, rate: float, before: Any, grads: Bounded) -> list[Bounded]:
    """Bound k updates by an optimiser, from the bounds of their gradients.

    Args:
        optimiser: one of `manual.optimisers.OPTIMISERS`.
        rate: η.
        before: the k points that the updates start from, a `compare.lockstep.Point`.
        grads: the bounds of the gradients, shape (k, p).

    Returns:
        The bounds of the new parameters and of each new moment, shape (k, p).

    Raises:
        KeyError: no optimiser of that name.
    """
    # Each side rounds the constants for itself.
    constants = [_rounded(number, grads.value.dtype) for number in (rate, *CONSTANTS[optimiser])]
    moments = [before.moments[:, at] for at in range(before.moments.shape[1])]
    counts = np.asarray(before.count, grads.value.dtype)[:, None]
    return [*UPDATES[optimiser](constants, before.params, moments, counts, grads)]


def _rounded(number: float, dtype: Any) -> Bounded:
    value = np.asarray(number, dtype)
    return Bounded(value, np.asarray(2 * abs(value) * np.finfo(dtype).eps, dtype))


def _sgd(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:  # noqa: ARG001 (one form for all)
    (rate,) = constants
    return (w - rate * dw,)


def _momentum(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:  # noqa: ARG001 (one form for all)
    rate, less = constants
    velocity = (1 - less) * moments[0] + dw
    return w - rate * velocity, velocity


def _adam(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:
    rate, less1, less2, epsilon = constants
    m = (1 - less1) * moments[0] + less1 * dw
    v = (1 - less2) * moments[1] + less2 * jnp.square(dw)
    m_hat, v_hat = (
        moment / (1 - (1 - less) ** (counts + 1)) for moment, less in ((m, less1), (v, less2))
    )
    return w - rate * m_hat / (jnp.sqrt(v_hat) + epsilon), m, v


#: By the names of `manual.optimisers.OPTIMISERS`.
UPDATES = {"sgd": bounds_of(_sgd), "momentum": bounds_of(_momentum), "adam": bounds_of(_adam)}
