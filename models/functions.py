"""Losses of a vector or a matrix: determinants, test functions of optimisers, orders, products.

Two of the gradients are written in jax.numpy.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import (
    exchanged_elements,
    one_element_off,
    one_element_zeroed,
    sign_of_one_element,
    size,
)
from models.model import of_loss


def log_determinant_loss(a: Any) -> Any:
    """Log determinant: log |det A|."""
    return jnp.linalg.slogdet(a)[1]


def log_determinant_gradient(a: Any) -> Any:
    # L = log |det A|, dL = tr(A⁻¹ dA)
    return np.linalg.inv(a).T.copy()


def draw_matrix(rng: np.random.Generator) -> Any:
    """Draw three rows, in a fifth of the draws of very different scales."""
    rows = np.array([1.0, size(rng, large=1e4), 1.0])
    return (rows[:, None] * (rng.normal(size=(3, 3)) + 1.5 * np.eye(3)),)


LOG_DETERMINANT = of_loss(
    *("log-determinant", log_determinant_loss, log_determinant_gradient, draw_matrix),
    {
        "inverse-untransposed": (".T.copy()", ""),
        "determinant": ("return np", "return abs(np.linalg.det(a)) * np"),
        "symmetrised": (".T.copy()", ".T / 2 + np.linalg.inv(a) / 2"),
        "sign-of-one-element": sign_of_one_element,
        "one-element-off": one_element_off,
    },
)


def solve_loss(params: Any, t: Any) -> Any:
    """Linear solve: |x - t|² with A x = b."""
    return jnp.sum(jnp.square(jnp.linalg.solve(params["a"], params["b"]) - t))


def solve_gradient(params: Any, t: Any) -> Any:
    a, b = params["a"], params["b"]
    # A x = b
    x = np.linalg.solve(a, b)
    # L = |x - t|²
    dx = 2 * (x - t)
    # x = A⁻¹ b
    db = np.linalg.solve(a.T, dx)
    return {"a": -np.outer(db, x), "b": db}


def draw_solve(rng: np.random.Generator) -> Any:
    (a,) = draw_matrix(rng)
    return {"a": a, "b": rng.normal(size=3)}, rng.normal(size=3)


SOLVE = of_loss(
    *("linear-solve", solve_loss, solve_gradient, draw_solve),
    {
        "adjoint-untransposed": "db = np.linalg.solve(a, dx)",
        "da-transposed": ("np.outer(db, x)", "np.outer(x, db)"),
        "da-sign": ("-np.outer", "np.outer"),
        "half-mse": "dx = (x - t)",
        "one-element-off": one_element_off,
    },
)


def rosenbrock_loss(x: Any) -> Any:
    """Rosenbrock: Σ 100 (x_i+1 - x_i²)² + (1 - x_i)²."""
    return jnp.sum(100 * jnp.square(x[1:] - jnp.square(x[:-1])) + jnp.square(1 - x[:-1]))


def rosenbrock_gradient(x: Any) -> Any:
    # r_i = x_i+1 - x_i²
    r = x[1:] - x[:-1] ** 2
    dx = np.zeros_like(x)
    # L = Σ 100 r_i² + (1 - x_i)²
    dx[:-1] = -400 * r * x[:-1] - 2 * (1 - x[:-1])
    dx[1:] += 200 * r
    return dx


ROSENBROCK = of_loss(
    *("rosenbrock", rosenbrock_loss, rosenbrock_gradient),
    lambda rng: (size(rng) * rng.normal(size=5),),
    {
        "dropped-term": (" - 2 * (1 - x[:-1])", ""),
        "neighbour-forgotten": "dx[1:] += 0",
        "power-rule": ("-400 * r", "-200 * r"),
        "one-element-off": one_element_off,
    },
)


def ackley_loss(x: Any) -> Any:
    """Ackley: -20 e^(-√(mean x²) / 5) - e^(mean cos 2πx) + constant, away from 0."""
    root = jnp.sqrt(jnp.mean(jnp.square(x)))
    return 20 - 20 * jnp.exp(-0.2 * root) - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))


def ackley_gradient(x: Any) -> Any:
    n = x.size
    root = jnp.sqrt(jnp.mean(jnp.square(x)))
    # -20 exp(-root / 5), root = √(mean x²)
    first = 4 * jnp.exp(-0.2 * root) * x / (n * root)
    # -exp(mean cos 2πx)
    waves = jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))
    second = 2 * jnp.pi * waves * jnp.sin(2 * jnp.pi * x) / n
    return first + second


ACKLEY = of_loss(
    *("ackley", ackley_loss, ackley_gradient),
    lambda rng: (size(rng, large=3.0, small=0.1) * rng.normal(size=3) + 0.1,),
    {
        "missing-mean": "n = 1",
        "sine-sign": "return first - second",
        "chain-forgotten": ("2 * jnp.pi * waves", "waves"),
        "exchanged-elements": exchanged_elements,
    },
)


def barrier_loss(x: Any, a: Any, b: Any, c: Any) -> Any:
    """Logarithmic barrier: c · x - Σ log(b - A x), inside."""
    return c @ x - jnp.sum(jnp.log(b - a @ x))


def barrier_gradient(x: Any, a: Any, b: Any, c: Any) -> Any:
    # s = b - A @ x
    s = jnp.subtract(b, jnp.dot(a, x))
    # L = c · x - Σ log s
    return c + jnp.dot(1 / s, a)


def draw_barrier(rng: np.random.Generator) -> Any:
    x, a, c = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=3)
    return x, a, a @ x + size(rng, large=10.0) * rng.uniform(0.1, 1, size=7), c


BARRIER = of_loss(
    *("logarithmic-barrier", barrier_loss, barrier_gradient, draw_barrier),
    {
        "barrier-sign": ("c + jnp", "c - jnp"),
        "cost-forgotten": ("c + jnp", "jnp"),
        "inverse-square": ("1 / s,", "1 / jnp.square(s),"),
        "one-element-off": one_element_off,
    },
)


def ordered_loss(w: Any, c: Any) -> Any:
    """An ordered average: c · sort(w)²."""
    return jnp.sum(c * jnp.square(jnp.sort(w)))


def ordered_gradient(w: Any, c: Any) -> Any:
    # s = w[order], L = Σ c s²
    order = np.argsort(w)
    # w_order[i] = s_i, so that dw[order] = ds
    rank = np.argsort(order)
    return 2 * c[rank] * w


ORDERED = of_loss(
    *("ordered-average", ordered_loss, ordered_gradient),
    lambda rng: (size(rng) * rng.normal(size=7), rng.normal(size=7)),
    {
        "permutation-not-inverted": ("c[rank]", "c[order]"),
        "sort-forgotten": ("c[rank]", "c"),
        "sorted-values": ("* w\n", "* w[order]\n"),
        "one-element-off": one_element_off,
    },
)


def product_loss(w: Any, x: Any) -> Any:
    """A product: Π w_i x_i; in some draws one w is 0, and only its derivative is not."""
    return jnp.prod(w * x)


def product_gradient(w: Any, x: Any) -> Any:
    f = w * x
    # L = f_1 f_2 ... f_n: the product of all before times that of all after
    before = np.concatenate([np.ones_like(f[:1]), np.cumprod(f)[:-1]])
    after = np.concatenate([np.cumprod(f[::-1])[::-1][1:], np.ones_like(f[:1])])
    # f = w x
    return before * after * x


def draw_product(rng: np.random.Generator) -> Any:
    w = rng.normal(size=5) * size(rng, large=5.0, small=0.1)
    if rng.random() < 0.2:
        w[rng.integers(0, 5)] = 0.0
    return w, rng.normal(size=5)


PRODUCT = of_loss(
    *("product", product_loss, product_gradient, draw_product),
    {
        "off-by-one": "before = np.concatenate([np.cumprod(f)])",
        "inputs-forgotten": ("after * x", "after"),
        "sign": "return -before * after * x",
        "one-element-zeroed": one_element_zeroed,
    },
)

MODELS = [LOG_DETERMINANT, SOLVE, ROSENBROCK, ACKLEY, BARRIER, ORDERED, PRODUCT]
