"""Where floating point is short of digits or of range: tails, tiny and huge, badly conditioned."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, sigmoid, sigmoid_derivative
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def by_dtype(draw: Callable[[np.random.Generator, bool], Any]) -> Any:
    """A draw that is told whether it has float64's range."""
    return lambda rng, dtype: rounded(lambda r: draw(r, dtype == np.float64))(rng, dtype)


def small_elements_zeroed(gradient: Gradient) -> Gradient:
    """Everything is set to 0 that is a thousand times smaller than the largest."""

    def change(leaves: list[Any]) -> list[Any]:
        top = max(abs(value).max() for value in leaves)
        return [np.where(abs(value) < 1e-3 * top, 0 * value, value) for value in leaves]

    return m.changed(gradient, change)


def literal_sigmoid_loss(w: Any, x: Any, y: Any) -> Any:
    """Sigmoids as the textbook writes them, saturated: Σ (y - 1 / (1 + e^(-w x)))² / 2."""
    return jnp.sum(jnp.square(y - 1 / (1 + jnp.exp(-w * x)))) / 2


def literal_sigmoid_gradient(derivative: Any = sigmoid_derivative, sign: float = -1.0) -> Gradient:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        # L = Σ (y - σ(z))² / 2
        dz = sign * (y - sigmoid(w * x)) * derivative(w * x)
        # z = w x
        return dz * x

    return gradient


def draw_saturated(rng: np.random.Generator, double: bool) -> Any:
    z = rng.uniform(-1, 1, size=5) * (400 if double else 60)
    x = rng.normal(size=5) + 2
    return z / x, x, rng.normal(size=5) + 2


LITERAL_SIGMOID = Model(
    name="literal-sigmoid",
    loss=literal_sigmoid_loss,
    gradient=literal_sigmoid_gradient(),
    draw=by_dtype(draw_saturated),
    mistakes={
        "no-activation-derivative": literal_sigmoid_gradient(lambda z: 1 + 0 * z),
        "sigmoid-for-its-derivative": literal_sigmoid_gradient(sigmoid),
        "residual-sign": literal_sigmoid_gradient(sign=1.0),
        "small-elements-zeroed": small_elements_zeroed(literal_sigmoid_gradient()),
    },
)


def tanh_tail_loss(params: Any, x: Any) -> Any:
    """The tail of tanh: Σ x tanh(w), w up to 30 (12 in float32), where 1 - tanh² rounds to 0."""
    return jnp.sum(x * jnp.tanh(params["w"]))


def tanh_tail_gradient(twice: float = 2.0, four: float = 4.0) -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        # L = Σ x tanh(w); tanh'(w) = 4 e^-2|w| / (1 + e^-2|w|)²
        e = jnp.exp(-twice * jnp.abs(params["w"]))
        return {"w": x * four * e / jnp.square(1 + e)}

    return gradient


def draw_tail(rng: np.random.Generator, double: bool) -> Any:
    return {"w": rng.uniform(-1, 1, size=5) * (30 if double else 12)}, rng.normal(size=5)


TANH_TAIL = Model(
    name="tanh-tail",
    loss=tanh_tail_loss,
    gradient=tanh_tail_gradient(),
    draw=by_dtype(draw_tail),
    mistakes={
        "sigmoid-derivative": tanh_tail_gradient(twice=1.0, four=1.0),
        "four-forgotten": tanh_tail_gradient(four=1.0),
        "small-elements-zeroed": small_elements_zeroed(tanh_tail_gradient()),
        "one-element-off": m.one_element_off(tanh_tail_gradient(), rank=1.0),
    },
)


def squares_loss(w: Any, x: Any, y: Any) -> Any:
    """Least squares where the inputs are tiny, so that the gradient is: Σ (x w - y)²."""
    return jnp.sum(jnp.square(x @ w - y))


def squares_gradient(w: Any, x: Any, y: Any) -> Any:
    # L = Σ (x @ w - y)²
    return x.T @ (2 * (x @ w - y))


def draw_tiny(rng: np.random.Generator, double: bool) -> Any:
    scale = 1e-75 if double else 1e-14
    return rng.normal(size=3), scale * rng.normal(size=(5, 3)), scale * rng.normal(size=5)


TINY = Model(
    name="tiny-1e-150",
    loss=squares_loss,
    gradient=squares_gradient,
    draw=by_dtype(draw_tiny),
    mistakes={
        "zero": m.zeroed_leaf(squares_gradient),
        "half-mse": m.scaled(squares_gradient, 0.5),
        "residual-sign": lambda w, x, y: x.T @ (2 * (y - x @ w)),
        "targets-forgotten": lambda w, x, y: x.T @ (2 * (x @ w)) + 0 * y.sum(),
        "one-element-off": m.one_element_off(squares_gradient),
    },
)


def exponentials_loss(params: Any, x: Any) -> Any:
    """Exponentials as large as 1e150 (1e17 in float32), and their sum: Σ e^(x w + b)."""
    return jnp.sum(jnp.exp(x @ params["w"] + params["b"]))


def exponentials_gradient(which: str = "right") -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        # L = Σ e^z, z = x @ w + b
        dz = np.exp(x @ params["w"] + (0 if which == "bias-forgotten-in-forward" else params["b"]))
        if which == "normalised":
            dz = dz / dz.sum()
        db = dz.mean() if which == "bias-mean" else dz.sum()
        return {"w": np.ones_like(x.T) @ dz if which == "inputs-forgotten" else x.T @ dz, "b": db}

    return gradient


def draw_huge(rng: np.random.Generator, double: bool) -> Any:
    x, w = rng.normal(size=(5, 3)), rng.normal(size=3)
    top = rng.uniform(300, 345) if double else rng.uniform(30, 40)
    return {"w": w * top / abs(x @ w).max(), "b": rng.normal()}, x


HUGE = Model(
    name="huge-1e150",
    loss=exponentials_loss,
    gradient=exponentials_gradient(),
    draw=by_dtype(draw_huge),
    mistakes={
        slug: exponentials_gradient(slug)
        for slug in ("bias-forgotten-in-forward", "normalised", "bias-mean", "inputs-forgotten")
    },
)


def quadratic_loss(w: Any, a: Any) -> Any:
    """A badly scaled quadratic form: wᵀ A w / 2, A_ij = d_i B_ij d_j, d from 1e-6 to 1e6."""
    return w @ a @ w / 2


def quadratic_gradient(w: Any, a: Any) -> Any:
    # L = w @ A @ w / 2
    return (a @ w + w @ a) / 2


def draw_quadratic(rng: np.random.Generator, double: bool) -> Any:
    d = 10.0 ** np.linspace(-6, 6, 5) if double else 10.0 ** np.linspace(-4, 4, 5)
    return rng.normal(size=5), d[:, None] * rng.normal(size=(5, 5)) * d[None, :]


QUADRATIC = Model(
    name="badly-scaled-quadratic",
    loss=quadratic_loss,
    gradient=quadratic_gradient,
    draw=by_dtype(draw_quadratic),
    mistakes={
        "matrix-symmetric": lambda w, a: a @ w,
        "matrix-transposed": lambda w, a: w @ a,
        "half-forgotten": m.scaled(quadratic_gradient, 2.0),
        "small-elements-zeroed": small_elements_zeroed(quadratic_gradient),
        "sign-of-smallest": m.sign_of_one_element(quadratic_gradient, rank=0.0),
    },
)


def hilbert_solve_loss(b: Any, h: Any) -> Any:
    """Badly conditioned: bᵀ H⁻¹ b / 2, H a Hilbert matrix and its rounding."""
    return b @ jnp.linalg.solve(h, b) / 2


def hilbert_solve_gradient(b: Any, h: Any) -> Any:
    # L = b @ H⁻¹ @ b / 2
    return (np.linalg.solve(h, b) + np.linalg.solve(h.T, b)) / 2


def draw_hilbert_solve(rng: np.random.Generator, double: bool) -> Any:
    n = 5 if double else 3
    return rng.normal(size=n), 1 / (np.arange(n)[:, None] + np.arange(n)[None, :] + 1.0)


HILBERT_SOLVE = Model(
    name="hilbert-solve",
    loss=hilbert_solve_loss,
    gradient=hilbert_solve_gradient,
    draw=by_dtype(draw_hilbert_solve),
    mistakes={
        "inverse-forgotten": lambda b, h: h @ b,
        "half-forgotten": m.scaled(hilbert_solve_gradient, 2.0),
        "exchanged-elements": m.exchanged_elements(hilbert_solve_gradient),
        "sign-of-one-element": m.sign_of_one_element(hilbert_solve_gradient),
    },
)


MODELS = [LITERAL_SIGMOID, TANH_TAIL, TINY, HUGE, QUADRATIC, HILBERT_SOLVE]
