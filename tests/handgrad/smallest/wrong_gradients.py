"""Small losses with gradients as people get them wrong, each beside the right one.

They stand in a module of their own, as somebody's would, so that a counterexample can import them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

RATE, EPSILON = 0.1, 1e-5


@dataclass(frozen=True)
class Wrong:
    """A mistake, and how long the arrays of its smallest counterexample are."""

    name: str  #: of the wrong gradient here; the right one is called `right_` and the loss's name
    loss: Callable[..., Any]
    draw: Callable[[np.random.Generator], tuple[Any, ...]]  #: params, *inputs
    shapes: tuple[tuple[int, ...], ...]  #: of all arrays, in the order of the leaves


def linear(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def right_linear(params: Any, x: Any, y: Any) -> Any:
    dz = 2 * (x @ params["w"] + params["b"] - y) / y.dtype.type(len(y))
    return {"b": dz.sum(), "w": x.T @ dz}


def half_mse(params: Any, x: Any, y: Any) -> Any:
    return {name: grad / 2 for name, grad in right_linear(params, x, y).items()}


def residual_sign(params: Any, x: Any, y: Any) -> Any:
    return {name: -grad for name, grad in right_linear(params, x, y).items()}


def bias_mean(params: Any, x: Any, y: Any) -> Any:
    dz = 2 * (x @ params["w"] + params["b"] - y) / len(y)
    return {"b": dz.mean(), "w": x.T @ dz}


def one_element_off(params: Any, x: Any, y: Any) -> Any:
    grads = right_linear(params, x, y)
    grads["w"][1] *= 1 + 1e-6
    return grads


class Line(NamedTuple):
    w: Any
    b: Any


def logistic(params: Line, x: Any, y: Any) -> Any:
    z = x @ params.w + params.b
    return jnp.mean(jax.nn.softplus(z) - y * z)


def right_logistic(params: Line, x: Any, y: Any) -> Line:
    dz = (1 / (1 + np.exp(-(x @ params.w + params.b))) - y) / len(y)
    return Line(x.T @ dz, dz.sum())


def missing_mean(params: Line, x: Any, y: Any) -> Line:
    w, b = right_logistic(params, x, y)
    return Line(w * len(y), b * len(y))


def network(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c) = params
    return jnp.mean((jnp.tanh(x @ w + b[None, :]) @ v + c[None, :] - y) ** 2)


def _network_gradient(params: Any, x: Any, y: Any, derivative: Callable[..., Any]) -> Any:
    (w, b), (v, c) = params
    z = x @ w + b
    h = np.tanh(z)
    do = 2 * (h @ v + c - y) / y.size
    dz = do @ v.T * derivative(z, h)
    return [(x.T @ dz, dz.sum(axis=0)), (h.T @ do, do.sum(axis=0))]


def right_network(params: Any, x: Any, y: Any) -> Any:
    return _network_gradient(params, x, y, lambda z, h: 1 - h**2)


def tanh_of_h(params: Any, x: Any, y: Any) -> Any:
    return _network_gradient(params, x, y, lambda z, h: 1 - np.tanh(h) ** 2)


def no_activation_derivative(params: Any, x: Any, y: Any) -> Any:
    return _network_gradient(params, x, y, lambda z, h: 1.0)


def dw_transposed(params: Any, x: Any, y: Any) -> Any:
    (w, b), last = right_network(params, x, y)
    return [(w.T.copy() if w.shape[0] == w.shape[1] else w, b), last]


def gate(params: Any, x: Any) -> Any:
    return jnp.sum((x @ params["u"]) * jnp.tanh(x @ params["v"]))


def right_gate(params: Any, x: Any) -> Any:
    h = np.tanh(x @ params["v"])
    return {"u": x.T @ h, "v": x.T @ ((x @ params["u"]) * (1 - h**2))}


def exchanged(params: Any, x: Any) -> Any:
    grads = right_gate(params, x)
    return {"u": grads["v"], "v": grads["u"]}


def ridge(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum((x @ w - y) ** 2) + RATE * jnp.sum(w**2)


def right_ridge(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) + 2 * RATE * w


def decay_factor(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) + RATE * w


def classes(w: Any, x: Any, labels: Any) -> Any:
    logs = jax.nn.log_softmax(x @ w, axis=-1)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def right_classes(w: Any, x: Any, labels: Any) -> Any:
    one_hot = np.arange(w.shape[1]) == labels[:, None]
    return x.T @ (_softmax(x @ w) - one_hot) / len(x)


def softmax_diagonal(w: Any, x: Any, labels: Any) -> Any:
    p = _softmax(x @ w)
    one_hot = np.arange(w.shape[1]) == labels[:, None]
    return x.T @ np.where(one_hot, p - 1, 0) / len(x)


def soft_labels(w: Any, x: Any, y: Any) -> Any:
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x @ w, axis=-1), axis=-1))


def right_soft_labels(w: Any, x: Any, y: Any) -> Any:
    """Right only where the labels of each example sum to one."""
    return x.T @ (_softmax(x @ w) - y) / len(x)


def mean_over_outputs(w: Any, x: Any, y: Any) -> Any:
    return right_soft_labels(w, x, y) / y.shape[1]


def no_decay(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y)


def energy(places: Any, charges: Any) -> Any:
    """Of pairs; JAX takes indices beyond the last place for the last."""
    i, j = np.triu_indices(len(charges), 1)
    squares = jnp.sum((places[i] - places[j]) ** 2, axis=1)
    return jnp.sum(charges[i] * charges[j] / jnp.sqrt(squares) + squares)


def _forces(places: Any, charges: Any, pairs: Callable[..., Any]) -> Any:
    apart = places[:, None, :] - places[None, :, :]
    squares = (apart**2).sum(axis=-1)
    np.fill_diagonal(squares, np.inf)
    forces = pairs(2 - np.outer(charges, charges) / squares**1.5)
    return (forces[:, :, None] * apart).sum(axis=1)


def right_energy(places: Any, charges: Any) -> Any:
    return _forces(places, charges, lambda forces: forces)


def half_of_the_pairs(places: Any, charges: Any) -> Any:
    return _forces(places, charges, np.triu)


def contrast(w: Any, x: Any, y: Any) -> Any:
    """Of rows of two views, by the cosines of the angles between them."""
    u, v = x @ w, y @ w
    u = u / jnp.sqrt(jnp.sum(u**2, axis=1, keepdims=True))
    v = v / jnp.sqrt(jnp.sum(v**2, axis=1, keepdims=True))
    s = u @ v.T
    return jnp.mean(jax.nn.logsumexp(s, axis=1) - jnp.diag(s))


def _contrast_gradient(w: Any, x: Any, y: Any, transposed: Callable[..., Any]) -> Any:
    def unit(z: Any) -> tuple[Any, Any]:
        norm = np.sqrt((z**2).sum(axis=1, keepdims=True))
        return z / norm, norm

    def back(du: Any, u: Any, norm: Any) -> Any:
        return (du - u * (du * u).sum(axis=1, keepdims=True)) / norm

    (u, m), (v, n) = unit(x @ w), unit(y @ w)
    ds = (_softmax(u @ v.T) - np.eye(len(x))) / len(x)
    return x.T @ back(ds @ v, u, m) + y.T @ back(transposed(ds) @ u, v, n)


def right_contrast(w: Any, x: Any, y: Any) -> Any:
    return _contrast_gradient(w, x, y, np.transpose)


def ds_not_transposed(w: Any, x: Any, y: Any) -> Any:
    return _contrast_gradient(w, x, y, lambda ds: ds)


def batch_norm(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    z = (z - z.mean(axis=0, keepdims=True)) / jnp.sqrt(z.var(axis=0, keepdims=True) + EPSILON)
    return jnp.mean((jnp.tanh(z) - y) ** 2)


def _batch_norm_gradient(w: Any, x: Any, y: Any, mean: Callable[..., Any]) -> Any:
    z = x @ w
    inverse = 1 / np.sqrt(z.var(axis=0) + EPSILON)
    z = (z - z.mean(axis=0)) * inverse
    dz = 2 * (np.tanh(z) - y) * (1 - np.tanh(z) ** 2) / z.size
    return x.T @ (inverse * (dz - dz.mean(axis=0) - z * mean(dz * z, axis=0)))


def right_batch_norm(w: Any, x: Any, y: Any) -> Any:
    return _batch_norm_gradient(w, x, y, np.mean)


def sum_for_mean(w: Any, x: Any, y: Any) -> Any:
    return _batch_norm_gradient(w, x, y, np.sum)


def _normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


def _draw_linear(rng: np.random.Generator) -> tuple[Any, ...]:
    w, b, x, y = _normal((3,), (), (5, 3), (5,))(rng)
    return {"w": w, "b": np.asarray(b)}, x, y


def _draw_short(rng: np.random.Generator) -> tuple[Any, ...]:
    params, *inputs = jax.tree.map(np.float32, _draw_linear(rng))
    return params, *inputs


def _draw_logistic(rng: np.random.Generator) -> tuple[Any, ...]:
    params, x, _ = _draw_linear(rng)
    return Line(params["w"], params["b"]), x, rng.integers(0, 2, size=5).astype(float)


def _draw_network(*widths: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    n, k, m = widths

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        w, b, v, c, x, y = _normal((n, k), (k,), (k, m), (m,), (7, n), (7, m))(rng)
        return [(w, b), (v, c)], x, y

    return draw


def _draw_gate(rng: np.random.Generator) -> tuple[Any, ...]:
    u, v, x = _normal((3, 5), (3, 5), (2, 3))(rng)
    return {"u": u, "v": v}, x


def _draw_classes(rng: np.random.Generator) -> tuple[Any, ...]:
    w, x = _normal((2, 5), (7, 2))(rng)
    return w, x, rng.integers(0, 5, size=7)


def _draw_soft_labels(rng: np.random.Generator) -> tuple[Any, ...]:
    w, x = _normal((2, 3), (5, 2))(rng)
    return w, x, rng.dirichlet(np.ones(3), size=5)


_ONE = ((1, 1), (1,), (1, 1), (1,), (1, 1), (1, 1))

WRONG = (
    Wrong("half_mse", linear, _draw_linear, ((), (1,), (1, 1), (1,))),
    Wrong("residual_sign", linear, _draw_short, ((), (1,), (1, 1), (1,))),
    Wrong("bias_mean", linear, _draw_linear, ((), (1,), (2, 1), (2,))),
    Wrong("one_element_off", linear, _draw_linear, ((), (2,), (1, 2), (1,))),
    Wrong("missing_mean", logistic, _draw_logistic, ((1,), (), (2, 1), (2,))),
    Wrong("tanh_of_h", network, _draw_network(2, 3, 5), _ONE),
    Wrong("no_activation_derivative", network, _draw_network(2, 3, 5), _ONE),
    Wrong(
        *("dw_transposed", network, _draw_network(3, 3, 2)),
        shapes=((2, 2), (2,), (2, 1), (1,), (1, 2), (1, 1)),
    ),
    Wrong("exchanged", gate, _draw_gate, ((1, 1), (1, 1), (1, 1))),
    Wrong("decay_factor", ridge, _normal((3,), (5, 3), (5,)), ((1,), (1, 1), (1,))),
    Wrong("no_decay", ridge, _normal((3,), (5, 3), (5,)), ((1,), (1, 1), (1,))),
    Wrong("half_of_the_pairs", energy, _normal((4, 3), (4,)), ((2, 1), (2,))),
    Wrong("ds_not_transposed", contrast, _normal((4, 3), (5, 4), (5, 4)), ((2, 2),) * 3),
    Wrong("sum_for_mean", batch_norm, _normal((3, 4), (6, 3), (6, 4)), ((1, 1), (2, 1), (2, 1))),
    Wrong("softmax_diagonal", classes, _draw_classes, ((1, 2), (1, 1), (1,))),
    Wrong("mean_over_outputs", soft_labels, _draw_soft_labels, ((1, 2), (1, 1), (1, 2))),
)
