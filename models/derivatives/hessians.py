"""Hessians by hand, and products with vectors: of Rosenbrock's function, likelihoods, counts."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import changing, off, symmetric_off
from models.functions import rosenbrock_loss
from models.helpers import normal
from models.model import HESSIAN, PRODUCT, named, of_derivative


def rosenbrock_hess(x: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    n = len(x)
    beside = -400 * x[:-1]
    middle = np.zeros(n)
    middle[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    middle[1:] += 200
    return np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)


ROSENBROCK = of_derivative(
    *("rosenbrock", HESSIAN, rosenbrock_loss, rosenbrock_hess),
    {
        "ordinary": lambda rng: (normal(rng, 6),),
        "in the valley": lambda rng: (np.ones(5) + 1e-8 * normal(rng, 5),),
        "nearly cancelling": lambda rng: (
            np.array([1.0, 3 + 1 / 200, -2.0]) + 1e-12 * normal(rng, 3),
        ),
    },
    {
        "curvature: 1200 taken for 800": named("factor", ("1200 * x", "800 * x")),
        "residual: the Gauss-Newton matrix": "middle[:-1] = 800 * x[:-1] ** 2 + 2",
        "overlap: the next term's 200 forgotten": named("constant", "middle[1:] += 0"),
        "overwritten: = for +=": named("overwritten", "middle[1:] = 200"),
        "one-side: the band below left out": named("zero symmetry", (" + np.diag(beside, -1)", "")),
        "sign: the bands' sign": named("sign", "beside = 400 * x[:-1]"),
        "shifted: x of the other end in the band": named("index", "beside = -400 * x[1:]"),
        "constant: the 2 of (1 - x)² forgotten": named(
            "constant", (" - 400 * x[1:] + 2", " - 400 * x[1:]")
        ),
        **symmetric_off((1, 2), (3, 2), (4, 4)),
    },
    {
        "symmetrised: one band and its mirror image": (
            "half = np.diag(middle / 2) + np.diag(beside, 1)\nreturn half + half.T"
        ),
    },
)


def logistic_loss(w: Any, x: Any, y: Any, decay: Any) -> Any:
    """The negative log likelihood of labels 0 and 1, and decay |w|² / 2."""
    z = x @ w
    return jnp.sum(jnp.logaddexp(0.0, z) - y * z) + decay * jnp.sum(w**2) / 2


def logistic_hess(w: Any, x: Any, y: Any, decay: Any) -> Any:  # noqa: ARG001 (as the loss)
    z = x @ w
    # log(1 + e^z)″ = s (1 - s)
    s, t = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z))
    slope, prior = s * t, decay * np.eye(len(w))
    return x.T @ (slope[:, None] * x) + prior


def draw_logistic(rng: np.random.Generator, scale: float, n: int) -> Any:
    x = normal(rng, 23, n)
    return scale * normal(rng, n), x, (rng.uniform(size=23) < 0.5).astype(float), np.array(0.3)


def nearly_collinear(rng: np.random.Generator) -> Any:
    w, x, y, decay = draw_logistic(rng, 1.0, 4)
    x[:, 3] = x[:, 2] + 1e-8 * x[:, 3]
    return w, x, y, decay


LOGISTIC = of_derivative(
    *("logistic", HESSIAN, logistic_loss, logistic_hess),
    {
        "ordinary": lambda rng: draw_logistic(rng, 1.0, 5),
        "separated": lambda rng: draw_logistic(rng, 12.0, 5),
        "nearly collinear": nearly_collinear,
    },
    {
        "first-derivative: s for s(1 - s)": named(
            "activation-derivative missing-factor", ("slope[", "s[")
        ),
        "square: s² for s(1 - s)": named("activation-derivative", ("s * t,", "s * s,")),
        "no-decay: weight decay forgotten": named("weight-decay constant", (" + prior", "")),
        "decay-twice: twice the decay": named(
            "weight-decay factor constant", ("+ prior", "+ 2 * prior")
        ),
        "decay-everywhere: decay in every element": named("constant", ("+ prior", "+ decay")),
        "mean: the mean for the sum": named("factor", ("x.T @", "x.T / len(y) @")),
        "labels: multiplied by the labels": ("s * t,", "y * s * t,"),
        "sign: that of the log likelihood": named("sign", ("return x.T", "return -x.T")),
        **symmetric_off((0, 3), (4, 1), (2, 2)),
        "triangle: one triangle not filled": named("zero symmetry", changing(np.triu)),
    },
    {
        "root: as a square": ("root = np.sqrt(slope)[:, None] * x\nreturn root.T @ root + prior"),
    },
)


def mixture_loss(mu: Any, y: Any, weights: Any, sigma: Any) -> Any:
    """The negative log likelihood of a mixture of normal distributions of one width."""
    d = (y[:, None] - mu[None, :]) / sigma
    terms = jnp.log(weights)[None, :] - jnp.square(d) / 2
    top = jnp.max(terms, axis=1, keepdims=True)
    return -jnp.sum(top[:, 0] + jnp.log(jnp.sum(jnp.exp(terms - top), axis=1)))


def mixture_hess(mu: Any, y: Any, weights: Any, sigma: Any) -> Any:
    # d = (y - mu) / sigma, terms = log w - d² / 2
    d = (y[:, None] - mu[None, :]) / sigma
    terms = np.log(weights) - d**2 / 2
    # The share of each component in each observation.
    top = np.max(terms, axis=1, keepdims=True)
    r = np.exp(terms - top)
    r = r / np.sum(r, axis=1, keepdims=True)
    # L = -Σ log Σ e^terms
    shared = (r * d).T @ (r * d)
    own = np.sum(r * (1 - d**2), axis=0)
    return (np.diag(own) + shared) / sigma**2


def draw_mixture(rng: np.random.Generator, apart: float) -> Any:
    mu = apart * np.array([-1.0, 0.2, 1.1]) + 0.1 * normal(rng, 3)
    y = mu[rng.integers(0, 3, size=17)] + normal(rng, 17)
    return mu, y, np.array([0.2, 0.5, 0.3]), np.array(0.9)


MIXTURE = of_derivative(
    *("mixture", HESSIAN, mixture_loss, mixture_hess),
    {
        "ordinary": lambda rng: draw_mixture(rng, 1.5),
        "far apart": lambda rng: draw_mixture(rng, 12.0),
        "one on the other": lambda rng: draw_mixture(rng, 1e-6),
    },
    {
        "expected: EM's: the shares taken for constant": ["own = np.sum(r, axis=0)", "shared = 0"],
        "no-shared: the components apart": "shared = 0",
        "shared-sign: minus for plus": named("sign", "return (np.diag(own) - shared) / sigma**2"),
        "width: 1/sigma for 1/sigma²": named("factor", ("/ sigma**2", "/ sigma")),
        "square: d for d²": ("(1 - d**2)", "(1 - d)"),
        "shares: the shares not normalised": ("r = r / np.sum(r, axis=1, keepdims=True)", "r = r"),
        "weights: the components' weights forgotten": "terms = -(d**2) / 2",
        "mean: the mean over observations": named("factor", ("/ sigma**2", "/ sigma**2 / len(y)")),
        **symmetric_off((0, 1), (2, 1), (1, 1)),
    },
    {
        "by-difference: the diagonal of r (1 - r)": (
            "own = np.sum(r - r * (1 - r) * d**2, 0) - np.diag(shared)"
        ),
    },
)


def rosenbrock_hessp(x: Any, v: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    found = np.zeros(len(x))
    found[:-1] = (1200 * x[:-1] ** 2 - 400 * x[1:] + 2) * v[:-1] - 400 * x[:-1] * v[1:]
    found[1:] += 200 * v[1:] - 400 * x[:-1] * v[:-1]
    return found


ROSENBROCK_PRODUCT = of_derivative(
    *("rosenbrock-product", PRODUCT, rosenbrock_loss, rosenbrock_hessp),
    {
        "ordinary": lambda rng: (normal(rng, 8), normal(rng, 8)),
        "in the valley": lambda rng: (np.ones(6) + 1e-8 * normal(rng, 6), normal(rng, 6)),
        "a unit vector": lambda rng: (normal(rng, 5), np.array([0.0, 0, 1, 0, 0])),
    },
    {
        "overwritten: = for +=": named("overwritten", ("found[1:] += 200", "found[1:] = 200")),
        "no-neighbour: the band above left out": (" * v[:-1] - 400 * x[:-1] * v[1:]", " * v[:-1]"),
        "one-side: the band below left out": "found[1:] += 200 * v[1:]",
        "shifted: v of the wrong element": named("index", ("200 * v[1:]", "200 * v[:-1]")),
        "sign: plus for minus": named("sign", ("+ 2) * v[:-1] - 400", "+ 2) * v[:-1] + 400")),
        "gradient: the gradient's 400 for 1200": named("factor", ("1200 * x", "400 * x")),
        "constant: the 2 of (1 - x)² forgotten": named("constant", (" + 2) * v", ") * v")),
        "no-v: v forgotten in one term": ("200 * v[1:] -", "200 -"),
        **off(4, 6, 1),
    },
    {
        "matrix: the matrix times v": "return rosenbrock_hess(x) @ v",
    },
)


def counts_loss(w: Any, x: Any, y: Any) -> Any:
    """The negative log likelihood of counts y with means e^(x w), but for a constant."""
    z = x @ w
    return jnp.sum(jnp.exp(z) - y * z)


def counts_hessp(w: Any, v: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (as the loss)
    z = x @ w
    # L = Σ e^z - y z, z = x w
    dz = x @ v
    return x.T @ (np.exp(z) * dz)


def draw_counts(rng: np.random.Generator, scale: float) -> Any:
    w, x = scale * normal(rng, 6), normal(rng, 19, 6)
    return w, normal(rng, 6), x, rng.poisson(2.0, size=19).astype(float)


COUNTS = of_derivative(
    *("counts", PRODUCT, counts_loss, counts_hessp),
    {
        "ordinary": lambda rng: draw_counts(rng, 0.5),
        "tiny and huge means": lambda rng: draw_counts(rng, 6.0),
        "no effect": lambda rng: draw_counts(rng, 1e-12),
    },
    {
        "no-v: the gradient's sum": "return x.T @ (np.exp(z) - y)",
        "labels: y for its mean": "return x.T @ (y * dz)",
        "residual: mean - y for the mean": "return x.T @ ((np.exp(z) - y) * dz)",
        "no-mean: ordinary least squares": named("missing-factor", "return x.T @ (dz)"),
        "of-w: w for v": named("operand", "dz = x @ w"),
        "squared: the square of the mean": "return x.T @ (np.exp(2 * z) * dz)",
        "sign: that of the log likelihood": named("sign", ("return x.T", "return -x.T")),
        "diagonal: the diagonal of the Hessian": "return ((x**2).T @ np.exp(z)) * v",
        **off(2, 5, 0),
    },
    {
        "matrix: the matrix times v": "return (x.T * np.exp(z)) @ x @ v",
    },
)


MODELS = (ROSENBROCK, LOGISTIC, MIXTURE, ROSENBROCK_PRODUCT, COUNTS)
