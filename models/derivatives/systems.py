"""Jacobians by hand of systems of equations: a banded one, chemical reactions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.sparse

from models.derivatives.derivative import normal, off
from models.model import JACOBIAN, Model, Slip

#: What type checkers guess of it from its code is too narrow.
sp: Any = scipy.sparse


def band_fun(x: Any) -> Any:
    """Broyden's tridiagonal function (Moré, Garbow and Hillstrom, 1981, problem 30)."""
    y = (3 - 2 * x) * x + 1
    return y.at[1:].add(-x[:-1]).at[:-1].add(-2 * x[1:])


def band_jac(x: Any) -> Any:
    n = len(x)
    below, above = -np.ones(n - 1), -2 * np.ones(n - 1)
    # (3 - 2 x) x + 1
    middle = 3 - 4 * x
    return sp.diags([below, middle, above], [-1, 0, 1], format="csr")


BAND = Model(
    *("band", JACOBIAN, band_fun, band_jac),
    {
        "ordinary": lambda rng: (normal(rng, 9),),
        "a zero on the diagonal": lambda rng: (np.concatenate([[0.75], normal(rng, 6)]),),
        "large": lambda rng: (1e6 * normal(rng, 7),),
    },
    {
        "power-rule": Slip("3 - 2x", "middle = 3 - 2 * x", kinds="factor missing-factor constant"),
        "linear-term": Slip("the linear term forgotten", "middle = -4 * x", kinds="constant"),
        "transposed": Slip(
            "the transpose", ("[-1, 0, 1]", "[1, 0, -1]"), kinds="transposed exchanged"
        ),
        "above-once": Slip(
            "-1 for -2 above", ("-2 * np.ones", "-np.ones"), kinds="factor constant"
        ),
        "below-sign": Slip(
            "+1 for -1 below", ("below, above = -np", "below, above = np"), kinds="sign constant"
        ),
        "no-band": Slip(
            "the band above left out",
            ("-2 * np.ones(n - 1)", "np.zeros(n - 1)"),
            kinds="zero structure",
        ),
        "structure": Slip(
            "one element that the structure lacks",
            (
                '[-1, 0, 1], format="csr")',
                '[-1, 0, 1], format="csr").multiply(np.arange(n * n).reshape(n, n) != 21)',
            ),
            kinds="zero structure",
        ),
        "beside": Slip(
            "the bands one column to the right",
            (
                "return sp.diags([below, middle, above], [-1, 0, 1]",
                "return sp.diags([-np.ones(n), 3 - 4 * x[:-1], -2 * np.ones(n - 2)], [0, 1, 2]",
            ),
            kinds="index exchanged structure zero",
        ),
        **off((4, 4), (5, 6), (8, 8)),
    },
    {
        "dense": Slip("an array", ('format="csr")', 'format="csr").toarray()')),
        "by-column": Slip("of another format", ('format="csr")', 'format="coo").tocsc()')),
        "operator": Slip(
            "a LinearOperator",
            (
                "found = sp.diags([below, middle, above], [-1, 0, 1])\n"
                "return sp.linalg.aslinearoperator(found)"
            ),
        ),
        "summed": Slip(
            "a sum of three bands",
            (
                "beside = sp.diags(below, -1) + sp.diags(above, 1)\n"
                "return (beside + sp.diags(middle, 0)).tocsr()"
            ),
        ),
    },
)


def reactions_fun(x: Any, k: Any) -> Any:
    """The rates of change of three concentrations (Robertson, 1966)."""
    first, second, third = k[0] * x[0], k[1] * x[1] * x[2], k[2] * x[1] ** 2
    return jnp.stack([second - first, first - second - third, third])


def reactions_jac(x: Any, k: Any) -> Any:
    # first = k0 x0, second = k1 x1 x2, third = k2 x1²
    first = np.array([k[0], 0, 0])
    second = np.array([0, k[1] * x[2], k[1] * x[1]])
    third = np.array([0, 2 * k[2] * x[1], 0])
    return np.stack([second - first, first - second - third, third])


RATES = (0.04, 1e4, 3e7)

REACTIONS = Model(
    *("reactions", JACOBIAN, reactions_fun, reactions_jac),
    {
        "ordinary": lambda rng: (rng.uniform(0.2, 1.0, size=3), rng.uniform(0.5, 2.0, size=3)),
        "stiff": lambda rng: (
            np.array([0.84, 1.6e-5, 0.16]) + 1e-8 * normal(rng, 3),
            np.array(RATES),
        ),
        "balanced": lambda rng: (np.array([0.5, 0.25, 1.0]), np.array([0.5, 1.0, 1.0])),
    },
    {
        "power-rule": Slip(
            "x1 for 2 x1", ("2 * k[2] * x[1]", "k[2] * x[1]"), kinds="factor missing-factor"
        ),
        "product-rule": Slip(
            "one term of the product rule", "second = np.array([0, k[1] * x[2], 0])", kinds="zero"
        ),
        "exchanged": Slip(
            "by x2 what is by x1",
            "second = np.array([0, k[1] * x[1], k[1] * x[2]])",
            kinds="exchanged",
        ),
        "gain": Slip(
            "a loss counted as a gain",
            ("first - second - third", "first - second + third"),
            kinds="sign",
        ),
        "rate": Slip("another rate", "first = np.array([k[1], 0, 0])", kinds="index factor"),
        "not-conserved": Slip(
            "a loss forgotten", ("first - second - third", "first - second"), kinds="zero"
        ),
        "value": Slip(
            "the reaction's rate for its derivative", "first = np.array([k[0] * x[0], 0, 0])"
        ),
        "transposed": Slip(
            "the transpose",
            "return np.stack([second - first, first - second - third, third], axis=1)",
            kinds="transposed",
        ),
        **off((1, 1), (0, 2), (0, 0)),
    },
    {
        "stoichiometry": Slip(
            "stoichiometry times the rates' derivatives",
            "return np.array([[-1, 1, 0], [1, -1, -1], [0, 0, 1]]) @ [first, second, third]",
        ),
        "outer": Slip(
            "a sum of outer products",
            (
                "by = ([-1, 1, 0], first), ([1, -1, 0], second), ([0, -1, 1], third)\n"
                "return sum(np.outer(change, rate) for change, rate in by)"
            ),
        ),
    },
)
