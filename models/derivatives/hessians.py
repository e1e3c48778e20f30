"""Hessians by hand, and products with vectors: of Rosenbrock's function, likelihoods, counts."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import changing, normal, off, symmetric_off
from models.functions import rosenbrock_loss
from models.model import HESSIAN, PRODUCT, Model, Slip


def rosenbrock_hess(x: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    n = len(x)
    beside = -400 * x[:-1]
    middle = np.zeros(n)
    middle[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    middle[1:] += 200
    return np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)


ROSENBROCK = Model(
    *("rosenbrock", HESSIAN, rosenbrock_loss, rosenbrock_hess),
    {
        "ordinary": lambda rng: (normal(rng, 6),),
        "in the valley": lambda rng: (np.ones(5) + 1e-8 * normal(rng, 5),),
        "nearly cancelling": lambda rng: (
            np.array([1.0, 3 + 1 / 200, -2.0]) + 1e-12 * normal(rng, 3),
        ),
    },
    {
        "curvature": Slip("1200 taken for 800", ("1200 * x", "800 * x"), kinds="factor"),
        "residual": Slip("the Gauss-Newton matrix", "middle[:-1] = 800 * x[:-1] ** 2 + 2"),
        "overlap": Slip("the next term's 200 forgotten", "middle[1:] += 0", kinds="constant"),
        "overwritten": Slip("= for +=", "middle[1:] = 200", kinds="overwritten"),
        "one-side": Slip(
            "the band below left out", (" + np.diag(beside, -1)", ""), kinds="zero symmetry"
        ),
        "sign": Slip("the bands' sign", "beside = 400 * x[:-1]", kinds="sign"),
        "shifted": Slip("x of the other end in the band", "beside = -400 * x[1:]", kinds="index"),
        "constant": Slip(
            "the 2 of (1 - x)² forgotten",
            (" - 400 * x[1:] + 2", " - 400 * x[1:]"),
            kinds="constant",
        ),
        **symmetric_off((1, 2), (3, 2), (4, 4)),
    },
    {
        "symmetrised": Slip(
            "one band and its mirror image",
            ("half = np.diag(middle / 2) + np.diag(beside, 1)\nreturn half + half.T"),
        ),
        "residuals": Slip(
            "by the residual", "middle[:-1] = 800 * x[:-1] ** 2 - 400 * (x[1:] - x[:-1] ** 2) + 2"
        ),
        "list": Slip(
            "rows in a list",
            "return (np.diag(middle) + np.diag(beside, 1) + np.diag(beside, -1)).tolist()",
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
    return x.T @ ((s * t)[:, None] * x) + decay * np.eye(len(w))


def draw_logistic(rng: np.random.Generator, scale: float, n: int) -> Any:
    x = normal(rng, 23, n)
    return scale * normal(rng, n), x, (rng.uniform(size=23) < 0.5).astype(float), np.array(0.3)


def nearly_collinear(rng: np.random.Generator) -> Any:
    w, x, y, decay = draw_logistic(rng, 1.0, 4)
    x[:, 3] = x[:, 2] + 1e-8 * x[:, 3]
    return w, x, y, decay


LOGISTIC = Model(
    *("logistic", HESSIAN, logistic_loss, logistic_hess),
    {
        "ordinary": lambda rng: draw_logistic(rng, 1.0, 5),
        "separated": lambda rng: draw_logistic(rng, 12.0, 5),
        "nearly collinear": nearly_collinear,
    },
    {
        "first-derivative": Slip(
            "s for s(1 - s)", ("(s * t)[", "s["), kinds="activation-derivative missing-factor"
        ),
        "square": Slip("s² for s(1 - s)", ("(s * t)[", "(s * s)["), kinds="activation-derivative"),
        "no-decay": Slip(
            "weight decay forgotten",
            (" + decay * np.eye(len(w))", ""),
            kinds="weight-decay constant",
        ),
        "decay-twice": Slip(
            "twice the decay",
            ("decay * np.eye", "2 * decay * np.eye"),
            kinds="weight-decay factor constant",
        ),
        "decay-everywhere": Slip(
            "decay in every element", ("decay * np.eye(len(w))", "decay"), kinds="constant"
        ),
        "mean": Slip("the mean for the sum", ("x.T @ ((s", "x.T / len(y) @ ((s"), kinds="factor"),
        "labels": Slip("multiplied by the labels", ("(s * t)[", "(y * s * t)[")),
        "sign": Slip("that of the log likelihood", ("return x.T", "return -x.T"), kinds="sign"),
        **symmetric_off((0, 3), (4, 1), (2, 2)),
        "triangle": Slip("one triangle not filled", kinds="zero symmetry", make=changing(np.triu)),
    },
    {
        "root": Slip(
            "as a square",
            (
                "x.T @ ((s * t)[:, None] * x)",
                "(np.sqrt(s * t)[:, None] * x).T @ (np.sqrt(s * t)[:, None] * x)",
            ),
        ),
        "textbook": Slip("s (1 - s)", ("(s * t)[", "(s * (1 - s))[")),
        "einsum": Slip(
            "summed by indices",
            'return np.einsum("ki,k,kj->ij", x, s * t, x) + decay * np.eye(len(w))',
        ),
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


MIXTURE = Model(
    *("mixture", HESSIAN, mixture_loss, mixture_hess),
    {
        "ordinary": lambda rng: draw_mixture(rng, 1.5),
        "far apart": lambda rng: draw_mixture(rng, 12.0),
        "one on the other": lambda rng: draw_mixture(rng, 1e-6),
    },
    {
        "expected": Slip(
            "EM's: the shares taken for constant",
            "own = np.sum(r, axis=0)",
            "return np.diag(own) / sigma**2",
        ),
        "no-shared": Slip("the components apart", "return np.diag(own) / sigma**2"),
        "shared-sign": Slip(
            "minus for plus", "return (np.diag(own) - shared) / sigma**2", kinds="sign"
        ),
        "width": Slip("1/sigma for 1/sigma²", ("/ sigma**2", "/ sigma"), kinds="factor"),
        "square": Slip("d for d²", ("(1 - d**2)", "(1 - d)")),
        "shares": Slip(
            "the shares not normalised", ("r = r / np.sum(r, axis=1, keepdims=True)", "r = r")
        ),
        "weights": Slip("the components' weights forgotten", "terms = -(d**2) / 2"),
        "mean": Slip(
            "the mean over observations", ("/ sigma**2", "/ sigma**2 / len(y)"), kinds="factor"
        ),
        **symmetric_off((0, 1), (2, 1), (1, 1)),
    },
    {
        "by-difference": Slip(
            "the diagonal of r (1 - r)",
            (
                "(np.diag(own) + shared)",
                "(np.diag(np.sum(r - r * (1 - r) * d**2, 0) - np.diag(shared)) + shared)",
            ),
        ),
        "loop": Slip(
            "observation by observation",
            "shared = sum(np.outer(a * b, a * b) for a, b in zip(r, d, strict=True))",
        ),
        "unshifted": Slip(
            "without the largest term",
            ("np.exp(terms - np.max(terms, axis=1, keepdims=True))", "np.exp(terms + 1)"),
        ),
    },
)


def rosenbrock_hessp(x: Any, v: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    found = np.zeros(len(x))
    found[:-1] = (1200 * x[:-1] ** 2 - 400 * x[1:] + 2) * v[:-1] - 400 * x[:-1] * v[1:]
    found[1:] += 200 * v[1:] - 400 * x[:-1] * v[:-1]
    return found


ROSENBROCK_PRODUCT = Model(
    *("rosenbrock-product", PRODUCT, rosenbrock_loss, rosenbrock_hessp),
    {
        "ordinary": lambda rng: (normal(rng, 8), normal(rng, 8)),
        "in the valley": lambda rng: (np.ones(6) + 1e-8 * normal(rng, 6), normal(rng, 6)),
        "a unit vector": lambda rng: (normal(rng, 5), np.array([0.0, 0, 1, 0, 0])),
    },
    {
        "overwritten": Slip(
            "= for +=", ("found[1:] += 200", "found[1:] = 200"), kinds="overwritten"
        ),
        "no-neighbour": Slip(
            "the band above left out", (" * v[:-1] - 400 * x[:-1] * v[1:]", " * v[:-1]")
        ),
        "one-side": Slip("the band below left out", "found[1:] += 200 * v[1:]"),
        "shifted": Slip("v of the wrong element", ("200 * v[1:]", "200 * v[:-1]"), kinds="index"),
        "sign": Slip(
            "plus for minus", ("+ 2) * v[:-1] - 400", "+ 2) * v[:-1] + 400"), kinds="sign"
        ),
        "gradient": Slip("the gradient's 400 for 1200", ("1200 * x", "400 * x"), kinds="factor"),
        "constant": Slip("the 2 of (1 - x)² forgotten", (" + 2) * v", ") * v"), kinds="constant"),
        "no-v": Slip("v forgotten in one term", ("200 * v[1:] -", "200 -")),
        **off(4, 6, 1),
    },
    {
        "matrix": Slip(
            "the matrix times v",
            (
                "m, d = np.diag(-400 * x[:-1], 1), np.full(len(x), 200.0)\n"
                "d[0] = 0\n"
                "d[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2\n"
                "return (m + m.T + np.diag(d)) @ v"
            ),
        ),
        "tangent": Slip(
            "the tangent of the residual",
            (
                "r, dr = x[1:] - x[:-1] ** 2, v[1:] - 2 * x[:-1] * v[:-1]\n"
                "found[1:] = 200 * dr\n"
                "found[0] = 0\n"
                "found[:-1] += 2 * v[:-1] - 400 * (dr * x[:-1] + r * v[:-1])\n"
                "return found"
            ),
        ),
        "factored": Slip(
            "4 (300 x² - 100 x)",
            (
                "(1200 * x[:-1] ** 2 - 400 * x[1:] + 2)",
                "(4 * (300 * x[:-1] ** 2 - 100 * x[1:]) + 2)",
            ),
        ),
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


COUNTS = Model(
    *("counts", PRODUCT, counts_loss, counts_hessp),
    {
        "ordinary": lambda rng: draw_counts(rng, 0.5),
        "tiny and huge means": lambda rng: draw_counts(rng, 6.0),
        "no effect": lambda rng: draw_counts(rng, 1e-12),
    },
    {
        "no-v": Slip("the gradient's sum", "return x.T @ (np.exp(z) - y)"),
        "labels": Slip("y for its mean", "return x.T @ (y * dz)"),
        "residual": Slip("mean - y for the mean", "return x.T @ ((np.exp(z) - y) * dz)"),
        "no-mean": Slip("ordinary least squares", "return x.T @ (dz)", kinds="missing-factor"),
        "of-w": Slip("w for v", "dz = x @ w", kinds="operand"),
        "squared": Slip("the square of the mean", "return x.T @ (np.exp(2 * z) * dz)"),
        "sign": Slip("that of the log likelihood", ("return x.T", "return -x.T"), kinds="sign"),
        "diagonal": Slip("the diagonal of the Hessian", "return ((x**2).T @ np.exp(z)) * v"),
        **off(2, 5, 0),
    },
    {
        "matrix": Slip("the matrix times v", "return (x.T * np.exp(z)) @ x @ v"),
        "sum": Slip("a sum over rows", "return np.sum((np.exp(z) * dz)[:, None] * x, axis=0)"),
        "half": Slip("the square of e^(z/2)", "return x.T @ (np.exp(z / 2) ** 2 * dz)"),
    },
)


MODELS = (ROSENBROCK, LOGISTIC, MIXTURE, ROSENBROCK_PRODUCT, COUNTS)
