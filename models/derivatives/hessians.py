"""Hessians by hand: of Rosenbrock's function, a logistic model, a mixture."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import HESSIAN, Change, Derivative, normal, times
from models.optimisation import rosenbrock_loss
from models.slips import Rewrite, Slip


def upper(found: np.ndarray) -> np.ndarray:
    """Return what is left if the triangle below the diagonal is not filled."""
    return np.triu(found)


def rosenbrock_hess(x: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    n = len(x)
    beside = -400 * x[:-1]
    middle = np.zeros(n)
    middle[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    middle[1:] += 200
    return np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)


ROSENBROCK = Derivative(
    *("rosenbrock", HESSIAN, rosenbrock_loss, rosenbrock_hess),
    {
        "ordinary": lambda rng: (normal(rng, 6),),
        "in the valley": lambda rng: (np.ones(5) + 1e-8 * normal(rng, 5),),
        "nearly cancelling": lambda rng: (
            np.array([1.0, 3 + 1 / 200, -2.0]) + 1e-12 * normal(rng, 3),
        ),
    },
    {
        "curvature": Slip("1200 taken for 800", (("1200 * x", "800 * x"),), ("factor",)),
        "residual": Slip(
            "the Gauss-Newton matrix",
            (("1200 * x[:-1] ** 2 - 400 * x[1:] + 2", "800 * x[:-1] ** 2 + 2"),),
        ),
        "overlap": Slip("the next term's 200 forgotten", (("+= 200", "+= 0"),), ("constant",)),
        "overwritten": Slip(
            "= for +=", (("middle[1:] += 200", "middle[1:] = 200"),), ("overwritten",)
        ),
        "one-side": Slip(
            "the band below left out", ((" + np.diag(beside, -1)", ""),), ("zero", "symmetry")
        ),
        "sign": Slip("the bands' sign", (("-400 * x[:-1]\n", "400 * x[:-1]\n"),), ("sign",)),
        "shifted": Slip(
            "x of the other end in the band",
            (("beside = -400 * x[:-1]", "beside = -400 * x[1:]"),),
            ("index",),
        ),
        "constant": Slip(
            "the 2 of (1 - x)² forgotten",
            ((" - 400 * x[1:] + 2", " - 400 * x[1:]"),),
            ("constant",),
        ),
    },
    {
        "symmetrised": Rewrite(
            "one band and its mirror image",
            (
                (
                    "return np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)",
                    "half = np.diag(middle / 2) + np.diag(beside, 1)\nreturn half + half.T",
                ),
            ),
        ),
        "residuals": Rewrite(
            "by the residual",
            (
                (
                    "1200 * x[:-1] ** 2 - 400 * x[1:] + 2",
                    "800 * x[:-1] ** 2 - 400 * (x[1:] - x[:-1] ** 2) + 2",
                ),
            ),
        ),
        "list": Rewrite(
            "rows in a list",
            (
                (
                    "return np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)",
                    "return (np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)).tolist()",
                ),
            ),
        ),
    },
    {
        "1e-3": Change("two mirrored elements off by 1e-3", times(1 + 1e-3, (1, 2), (2, 1))),
        "1e-6": Change(
            "one element off by 1e-6, not its mirror image", times(1 + 1e-6, (3, 2)), ("symmetry",)
        ),
        "1e-9": Change("one element off by 1e-9 of itself", times(1 + 1e-9, (4, 4))),
        "1e-12": Change("one element off by 1e-12 of itself", times(1 + 1e-12, (4, 4))),
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
    return x.T @ ((s * t)[:, None] * x) + decay * np.eye(len(w))


def draw_logistic(rng: np.random.Generator, scale: float, n: int) -> Any:
    x = normal(rng, 23, n)
    return scale * normal(rng, n), x, (rng.uniform(size=23) < 0.5).astype(float), np.array(0.3)


def nearly_collinear(rng: np.random.Generator) -> Any:
    w, x, y, decay = draw_logistic(rng, 1.0, 4)
    x[:, 3] = x[:, 2] + 1e-8 * x[:, 3]
    return w, x, y, decay


LOGISTIC = Derivative(
    *("logistic", HESSIAN, logistic_loss, logistic_hess),
    {
        "ordinary": lambda rng: draw_logistic(rng, 1.0, 5),
        "separated": lambda rng: draw_logistic(rng, 12.0, 5),
        "nearly collinear": nearly_collinear,
    },
    {
        "first-derivative": Slip(
            "s for s(1 - s)", (("(s * t)[", "s["),), ("activation-derivative", "missing-factor")
        ),
        "square": Slip("s² for s(1 - s)", (("(s * t)[", "(s * s)["),), ("activation-derivative",)),
        "no-decay": Slip(
            "weight decay forgotten",
            ((" + decay * np.eye(len(w))", ""),),
            ("weight-decay", "constant"),
        ),
        "decay-twice": Slip(
            "twice the decay",
            (("decay * np.eye", "2 * decay * np.eye"),),
            ("weight-decay", "factor", "constant"),
        ),
        "decay-everywhere": Slip(
            "decay in every element", (("decay * np.eye(len(w))", "decay"),), ("constant",)
        ),
        "mean": Slip("the mean for the sum", (("x.T @ ((s", "x.T / len(y) @ ((s"),), ("factor",)),
        "labels": Slip("multiplied by the labels", (("(s * t)[", "(y * s * t)["),)),
        "sign": Slip("that of the log likelihood", (("return x.T", "return -x.T"),), ("sign",)),
    },
    {
        "root": Rewrite(
            "as a square",
            (
                (
                    "x.T @ ((s * t)[:, None] * x)",
                    "(np.sqrt(s * t)[:, None] * x).T @ (np.sqrt(s * t)[:, None] * x)",
                ),
            ),
        ),
        "textbook": Rewrite("s (1 - s)", (("(s * t)[", "(s * (1 - s))["),)),
        "einsum": Rewrite(
            "summed by indices",
            (("x.T @ ((s * t)[:, None] * x)", 'np.einsum("ki,k,kj->ij", x, s * t, x)'),),
        ),
    },
    {
        "1e-3": Change("two mirrored elements off by 1e-3", times(1 + 1e-3, (0, 3), (3, 0))),
        "1e-6": Change(
            "one element off by 1e-6, not its mirror image", times(1 + 1e-6, (4, 1)), ("symmetry",)
        ),
        "1e-9": Change("one element off by 1e-9 of itself", times(1 + 1e-9, (2, 2))),
        "1e-12": Change("one element off by 1e-12 of itself", times(1 + 1e-12, (2, 2))),
        "triangle": Change("one triangle not filled", upper, ("zero", "symmetry")),
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
    r = np.exp(terms - np.max(terms, axis=1, keepdims=True))
    r = r / np.sum(r, axis=1, keepdims=True)
    # L = -Σ log Σ e^terms
    shared = (r * d).T @ (r * d)
    own = np.sum(r * (1 - d**2), axis=0)
    return (np.diag(own) + shared) / sigma**2


def draw_mixture(rng: np.random.Generator, apart: float) -> Any:
    mu = apart * np.array([-1.0, 0.2, 1.1]) + 0.1 * normal(rng, 3)
    y = mu[rng.integers(0, 3, size=17)] + normal(rng, 17)
    return mu, y, np.array([0.2, 0.5, 0.3]), np.array(0.9)


MIXTURE = Derivative(
    *("mixture", HESSIAN, mixture_loss, mixture_hess),
    {
        "ordinary": lambda rng: draw_mixture(rng, 1.5),
        "far apart": lambda rng: draw_mixture(rng, 12.0),
        "one on the other": lambda rng: draw_mixture(rng, 1e-6),
    },
    {
        "expected": Slip(
            "EM's: the shares taken for constant",
            (
                ("np.sum(r * (1 - d**2), axis=0)", "np.sum(r, axis=0)"),
                ("(np.diag(own) + shared)", "np.diag(own)"),
            ),
        ),
        "no-shared": Slip("the components apart", (("(np.diag(own) + shared)", "np.diag(own)"),)),
        "shared-sign": Slip(
            "minus for plus", (("(np.diag(own) + shared)", "(np.diag(own) - shared)"),), ("sign",)
        ),
        "width": Slip("1/sigma for 1/sigma²", (("/ sigma**2", "/ sigma"),), ("factor",)),
        "square": Slip("d for d²", (("(1 - d**2)", "(1 - d)"),)),
        "shares": Slip(
            "the shares not normalised", (("r = r / np.sum(r, axis=1, keepdims=True)", "r = r"),)
        ),
        "weights": Slip(
            "the components' weights forgotten", (("np.log(weights) - d**2 / 2", "-(d**2) / 2"),)
        ),
        "mean": Slip(
            "the mean over observations", (("/ sigma**2", "/ sigma**2 / len(y)"),), ("factor",)
        ),
    },
    {
        "by-difference": Rewrite(
            "the diagonal of r (1 - r)",
            (
                (
                    "(np.diag(own) + shared)",
                    "(np.diag(np.sum(r - r * (1 - r) * d**2, 0) - np.diag(shared)) + shared)",
                ),
            ),
        ),
        "loop": Rewrite(
            "observation by observation",
            (
                (
                    "shared = (r * d).T @ (r * d)",
                    "shared = sum(np.outer(a * b, a * b) for a, b in zip(r, d, strict=True))",
                ),
            ),
        ),
        "unshifted": Rewrite(
            "without the largest term",
            (("np.exp(terms - np.max(terms, axis=1, keepdims=True))", "np.exp(terms + 1)"),),
        ),
    },
    {
        "1e-3": Change("two mirrored elements off by 1e-3", times(1 + 1e-3, (0, 1), (1, 0))),
        "1e-6": Change(
            "one element off by 1e-6, not its mirror image", times(1 + 1e-6, (2, 1)), ("symmetry",)
        ),
        "1e-9": Change("one element off by 1e-9 of itself", times(1 + 1e-9, (1, 1))),
        "1e-12": Change("one element off by 1e-12 of itself", times(1 + 1e-12, (1, 1))),
    },
)
