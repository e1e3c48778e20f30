"""Small losses for tests of shrinking."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.lines import softmax
from models.model import Draw, Model

RATE, EPSILON = 0.1, 1e-5


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(np.asarray(rng.normal(size=shape)) for shape in shapes)


def linear(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def linear_gradient(params: Any, x: Any, y: Any) -> Any:
    # L = mean((x @ w + b - y)²)
    dz = 2 * (x @ params["w"] + params["b"] - y) / y.dtype.type(len(y))
    db, dw = dz.sum(), x.T @ dz
    return {"b": db, "w": dw}


def draw_linear(rng: np.random.Generator) -> Any:
    w, b, x, y = normal((3,), (), (5, 3), (5,))(rng)
    return {"w": w, "b": b}, x, y


def network(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c) = params
    return jnp.mean((jnp.tanh(x @ w + b[None, :]) @ v + c[None, :] - y) ** 2)


def network_gradient(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c) = params
    h = np.tanh(x @ w + b)
    # L = mean((h @ v + c - y)²)
    do = 2 * (h @ v + c - y) / y.size
    # h = tanh(x @ w + b)
    dz = do @ v.T * (1 - h**2)
    return [(x.T @ dz, dz.sum(axis=0)), (h.T @ do, do.sum(axis=0))]


def draw_network(n: int, k: int, m: int) -> Draw:
    def draw(rng: np.random.Generator) -> Any:
        w, b, v, c, x, y = normal((n, k), (k,), (k, m), (m,), (7, n), (7, m))(rng)
        return [(w, b), (v, c)], x, y

    return draw


def gate(params: Any, x: Any) -> Any:
    return jnp.sum((x @ params["u"]) * jnp.tanh(x @ params["v"]))


def gate_gradient(params: Any, x: Any) -> Any:
    h = np.tanh(x @ params["v"])
    # L = Σ (x @ u) h, h = tanh(x @ v)
    du, dv = x.T @ h, x.T @ ((x @ params["u"]) * (1 - h**2))
    return {"u": du, "v": dv}


def draw_gate(rng: np.random.Generator) -> Any:
    u, v, x = normal((3, 5), (3, 5), (2, 3))(rng)
    return {"u": u, "v": v}, x


def ridge(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum((x @ w - y) ** 2) + RATE * jnp.sum(w**2)


def ridge_gradient(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) + 2 * RATE * w


def classes(w: Any, x: Any, labels: Any) -> Any:
    logs = jax.nn.log_softmax(x @ w, axis=-1)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def classes_gradient(w: Any, x: Any, labels: Any) -> Any:
    one_hot = np.arange(w.shape[1]) == labels[:, None]
    return x.T @ (softmax(x @ w) - one_hot) / len(x)


def draw_classes(rng: np.random.Generator) -> Any:
    w, x = normal((2, 5), (7, 2))(rng)
    return w, x, rng.integers(0, 5, size=7)


def soft_labels(w: Any, x: Any, y: Any) -> Any:
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x @ w, axis=-1), axis=-1))


def soft_labels_gradient(w: Any, x: Any, y: Any) -> Any:
    """A gradient that is right only if the labels of each example sum to one."""
    return x.T @ (softmax(x @ w) - y) / len(x)


def draw_soft_labels(rng: np.random.Generator) -> Any:
    w, x = normal((2, 3), (5, 2))(rng)
    return w, x, rng.dirichlet(np.ones(3), size=5)


def energy(places: Any, charges: Any) -> Any:
    """An energy of pairs; JAX clamps indices out of range to the last element."""
    i, j = np.triu_indices(len(charges), 1)
    squares = jnp.sum((places[i] - places[j]) ** 2, axis=1)
    return jnp.sum(charges[i] * charges[j] / jnp.sqrt(squares) + squares)


def energy_gradient(places: Any, charges: Any) -> Any:
    apart = places[:, None, :] - places[None, :, :]
    squares = (apart**2).sum(axis=-1)
    np.fill_diagonal(squares, np.inf)
    # L = Σ_i<j q_i q_j / √s + s
    forces = 2 - np.outer(charges, charges) / squares**1.5
    return (forces[:, :, None] * apart).sum(axis=1)


def batch_norm(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    z = (z - z.mean(axis=0, keepdims=True)) / jnp.sqrt(z.var(axis=0, keepdims=True) + EPSILON)
    return jnp.mean((jnp.tanh(z) - y) ** 2)


def batch_norm_gradient(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    inverse = 1 / np.sqrt(z.var(axis=0) + EPSILON)
    z = (z - z.mean(axis=0)) * inverse
    # L = mean((tanh(z) - y)²)
    dz = 2 * (np.tanh(z) - y) * (1 - np.tanh(z) ** 2) / z.size
    return x.T @ (inverse * (dz - dz.mean(axis=0) - z * (dz * z).mean(axis=0)))


LINEAR = Model(
    *("linear", linear, linear_gradient, draw_linear),
    {
        "half-mse": ("dz = 2 *", "dz ="),
        "bias-mean": ("dz.sum()", "dz.mean()"),
        "one-element-off": ("return {", "dw[1] *= 1 + 1e-6\nreturn {"),
    },
)
NETWORK = Model(
    *("network", network, network_gradient, draw_network(2, 3, 5)),
    {"tanh-of-h": ("(1 - h**2)", "(1 - np.tanh(h) ** 2)")},
)
SQUARE = Model(
    *("square network", network, network_gradient, draw_network(3, 3, 2)),
    {"dw-transposed": ("[(x.T @ dz,", "[(dz.T @ x if len(w) == len(b) else x.T @ dz,")},
)
GATE = Model(
    *("gate", gate, gate_gradient, draw_gate),
    {"exchanged": ('{"u": du, "v": dv}', '{"u": dv, "v": du}')},
)
RIDGE = Model(
    *("ridge", ridge, ridge_gradient, normal((3,), (5, 3), (5,))),
    {"no-decay": (" + 2 * RATE * w", "")},
)
ENERGY = Model(
    *("energy", energy, energy_gradient, normal((4, 3), (4,))),
    {"half-of-the-pairs": ("(forces[:, :, None]", "(np.triu(forces)[:, :, None]")},
)
BATCH_NORM = Model(
    *("batch norm", batch_norm, batch_norm_gradient, normal((3, 4), (6, 3), (6, 4))),
    {"sum-for-mean": ("(dz * z).mean(axis=0)", "(dz * z).sum(axis=0)")},
)
CLASSES = Model(
    *("classes", classes, classes_gradient, draw_classes),
    {
        "softmax-diagonal": (
            "(softmax(x @ w) - one_hot)",
            "np.where(one_hot, softmax(x @ w) - 1, 0)",
        )
    },
)
SOFT_LABELS = Model(
    *("soft labels", soft_labels, soft_labels_gradient, draw_soft_labels),
    {"mean-over-outputs": ("/ len(x)", "/ y.size")},
)
