"""Losses of a vector or a matrix: determinants, test functions of optimisers, orders, products.

The last five are at the limits of floating point: tails, tiny and huge numbers, bad conditioning.
Three of the gradients are written in jax.numpy.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from manual.activations import sigmoid, sigmoid_derivative
from models.helpers import (
    exchanged_elements,
    one_element_off,
    one_element_zeroed,
    sign_of_one_element,
    size,
    small_elements_zeroed,
)
from models.model import Draw, of_loss


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


def reaching(draw: Any, double: float, single: float) -> dict[str, Draw]:
    """Return draws that use the ranges of float64 and of float32."""
    return {"draw": partial(draw, far=double), "float32": partial(draw, far=single)}


def sigmoid_loss(w: Any, x: Any, y: Any) -> Any:
    """Saturated sigmoids by the textbook formula: Σ (y - 1 / (1 + e^(-w x)))² / 2."""
    return jnp.sum(jnp.square(y - 1 / (1 + jnp.exp(-w * x)))) / 2


def sigmoid_gradient(w: Any, x: Any, y: Any) -> Any:
    z = w * x
    # L = Σ (y - σ(z))² / 2
    dz = -(y - sigmoid(z)) * sigmoid_derivative(z)
    # z = w x
    return dz * x


def draw_saturated(rng: np.random.Generator, far: float) -> Any:
    z = rng.uniform(-1, 1, size=5) * far
    x = rng.normal(size=5) + 2
    return z / x, x, rng.normal(size=5) + 2


def tanh_loss(params: Any, x: Any) -> Any:
    """The tail of tanh: Σ x tanh(w), w up to 30 (12 in float32), where 1 - tanh² rounds to 0."""
    return jnp.sum(x * jnp.tanh(params["w"]))


def tanh_gradient(params: Any, x: Any) -> Any:
    # L = Σ x tanh(w); tanh'(w) = 4 e^-2|w| / (1 + e^-2|w|)²
    e = jnp.exp(-2 * jnp.abs(params["w"]))
    return {"w": x * 4 * e / jnp.square(1 + e)}


def squares_loss(w: Any, x: Any, y: Any) -> Any:
    """Least squares with tiny inputs, and so a tiny gradient: Σ (x w - y)²."""
    return jnp.sum(jnp.square(x @ w - y))


def squares_gradient(w: Any, x: Any, y: Any) -> Any:
    # L = Σ (x @ w - y)²
    return x.T @ (2 * (x @ w - y))


def exponentials_loss(params: Any, x: Any) -> Any:
    """Exponentials as large as 1e150 (1e17 in float32), and their sum: Σ e^(x w + b)."""
    return jnp.sum(jnp.exp(x @ params["w"] + params["b"]))


def exponentials_gradient(params: Any, x: Any) -> Any:
    # L = Σ e^z, z = x @ w + b
    dz = np.exp(x @ params["w"] + params["b"])
    return {"w": x.T @ dz, "b": dz.sum()}


def draw_huge(rng: np.random.Generator, far: float) -> Any:
    x, w = rng.normal(size=(5, 3)), rng.normal(size=3)
    top = rng.uniform(300, 345) if far > 100 else rng.uniform(30, far)
    return {"w": w * top / abs(x @ w).max(), "b": rng.normal()}, x


def quadratic_loss(w: Any, a: Any) -> Any:
    """A badly scaled quadratic form: wᵀ A w / 2, A_ij = d_i B_ij d_j, d from 1e-6 to 1e6."""
    return w @ a @ w / 2


def quadratic_gradient(w: Any, a: Any) -> Any:
    # L = w @ A @ w / 2
    return (a @ w + w @ a) / 2


def draw_quadratic(rng: np.random.Generator, far: float) -> Any:
    d = 10.0 ** np.linspace(-far, far, 5)
    return rng.normal(size=5), d[:, None] * rng.normal(size=(5, 5)) * d[None, :]


MODELS = [
    *(LOG_DETERMINANT, SOLVE, ROSENBROCK, ACKLEY, BARRIER, ORDERED, PRODUCT),
    of_loss(
        *("literal-sigmoid", sigmoid_loss, sigmoid_gradient),
        mistakes={
            "no-activation-derivative": "dz = -(y - sigmoid(z))",
            "sigmoid-for-its-derivative": "dz = -(y - sigmoid(z)) * sigmoid(z)",
            "residual-sign": ("dz = -(", "dz = ("),
            "small-elements-zeroed": small_elements_zeroed,
        },
        **reaching(draw_saturated, 400, 60),
    ),
    of_loss(
        *("tanh-tail", tanh_loss, tanh_gradient),
        mistakes={
            "sigmoid-derivative": [("-2 * jnp", "-jnp"), ("x * 4 * e", "x * e")],
            "four-forgotten": ("x * 4 * e", "x * e"),
            "small-elements-zeroed": small_elements_zeroed,
            "one-element-off": partial(one_element_off, rank=1.0),
        },
        **reaching(
            lambda rng, far: ({"w": rng.uniform(-1, 1, size=5) * far}, rng.normal(size=5)), 30, 12
        ),
    ),
    of_loss(
        *("tiny-1e-150", squares_loss, squares_gradient),
        mistakes={
            "zero": ("return x", "return 0 * x"),
            "half-mse": ("(2 * (x", "((x"),
            "residual-sign": ("(2 * (x", "(-2 * (x"),
            "targets-forgotten": ("x @ w - y))", "x @ w))"),
            "one-element-off": one_element_off,
        },
        **reaching(
            lambda rng, far: (
                *(rng.normal(size=3), far * rng.normal(size=(5, 3)), far * rng.normal(size=5)),
            ),
            *(1e-75, 1e-14),
        ),
    ),
    of_loss(
        *("huge-1e150", exponentials_loss, exponentials_gradient),
        mistakes={
            "bias-forgotten-in-forward": (' + params["b"])', ")"),
            "normalised": ("return {", "dz = dz / dz.sum()\nreturn {"),
            "bias-mean": ("dz.sum()", "dz.mean()"),
            "inputs-forgotten": ("x.T @ dz", "np.ones_like(x.T) @ dz"),
        },
        **reaching(draw_huge, 345, 40),
    ),
    of_loss(
        *("badly-scaled-quadratic", quadratic_loss, quadratic_gradient),
        mistakes={
            "matrix-symmetric": "return a @ w",
            "matrix-transposed": "return w @ a",
            "half-forgotten": ("@ a) / 2", "@ a)"),
            "small-elements-zeroed": small_elements_zeroed,
            "sign-of-smallest": partial(sign_of_one_element, rank=0.0),
        },
        **reaching(draw_quadratic, 6, 4),
    ),
]
