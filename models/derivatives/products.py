"""Products of Hessians with vectors by hand: of Rosenbrock's function, of a model of counts."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import normal, off
from models.model import PRODUCT, Model, Slip
from models.optimisation import rosenbrock_loss


def rosenbrock_hessp(x: Any, v: Any) -> Any:
    # L = Σ 100 r_i² + (1 - x_i)², r_i = x_i+1 - x_i²
    found = np.zeros(len(x))
    found[:-1] = (1200 * x[:-1] ** 2 - 400 * x[1:] + 2) * v[:-1] - 400 * x[:-1] * v[1:]
    found[1:] += 200 * v[1:] - 400 * x[:-1] * v[:-1]
    return found


ROSENBROCK = Model(
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
