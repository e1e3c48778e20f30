"""Jacobians by hand: residuals of a fit, a band, an arm, chemical reactions, a softmax."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.sparse

from models.derivatives.derivative import normal, off, times
from models.model import JACOBIAN, Model, Slip

#: What type checkers guess of it from its code is too narrow.
sp: Any = scipy.sparse


def exponentials_fun(p: Any, t: Any, y: Any) -> Any:
    """Residuals of two decays over a background, at times t."""
    return p[0] * jnp.exp(-p[1] * t) + p[2] * jnp.exp(-p[3] * t) + p[4] - y


def exponentials_jac(p: Any, t: Any, y: Any) -> Any:
    # a exp(-r t), once for each decay
    e, f = np.exp(-p[1] * t), np.exp(-p[3] * t)
    dr, ds = -p[0] * t * e, -p[2] * t * f
    # ... + background - y
    return np.stack([e, dr, f, ds, np.ones_like(y)], axis=1)


def draw_decays(rng: np.random.Generator, rates: tuple[float, float], end: float) -> Any:
    t = np.linspace(0.0, end, 11)
    p = np.array([1.2, rates[0], 0.7, rates[1], 0.3]) + 0.01 * normal(rng, 5)
    return p, t, np.exp(-t) + 0.1 * normal(rng, 11)


EXPONENTIALS = Model(
    *("exponentials", JACOBIAN, exponentials_fun, exponentials_jac),
    {
        "ordinary": lambda rng: draw_decays(rng, (0.6, 2.5), 3.0),
        "rates that are nearly equal": lambda rng: draw_decays(rng, (1.0, 1.0 + 1e-9), 3.0),
        "late times": lambda rng: draw_decays(rng, (0.6, 2.5), 280.0),
    },
    {
        "no-minus": Slip("-t forgotten", ("-p[0] * t * e", "p[0] * e")),
        "sign": Slip("d/dr without its sign", ("-p[0] * t * e", "p[0] * t * e"), kinds="sign"),
        "amplitude": Slip(
            "the amplitude forgotten", ("-p[2] * t * f", "-t * f"), kinds="missing-factor factor"
        ),
        "columns": Slip("two columns exchanged", ("[e, dr,", "[dr, e,"), kinds="exchanged"),
        "other-rate": Slip("the first decay twice", ("-p[3] * t", "-p[1] * t")),
        "index": Slip("t² for t", ("-p[2] * t * f", "-p[2] * t**2 * f")),
        "background": Slip(
            "the background forgotten", ("np.ones_like", "np.zeros_like"), kinds="zero"
        ),
        "data-minus-model": Slip(
            "the Jacobian of data - model", ("np.stack([", "-np.stack(["), kinds="sign"
        ),
        **off((4, 1), (7, 3), (2, 2)),
        "row": Slip("one row turned", kinds="sign", make=times(-1, 3)),
    },
    {
        "by-rows": Slip(
            "transposed at the end", "return np.array([e, dr, f, ds, np.ones_like(y)]).T"
        ),
        "by-power": Slip("e^(-r t) as (e^-r)^t", "e, f = np.exp(-p[1]) ** t, np.exp(-p[3] * t)"),
        "by-columns": Slip(
            "a list of rows", "return [list(row) for row in zip(e, dr, f, ds, np.ones_like(y))]"
        ),
    },
)


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


def arm_fun(q: Any, lengths: Any) -> Any:
    """Where the hand of an arm with four joints is, and how it is turned: (x, y, angle)."""
    angles = jnp.cumsum(q)
    at = jnp.sum(lengths * jnp.cos(angles)), jnp.sum(lengths * jnp.sin(angles))
    return jnp.array([*at, angles[-1]])


def arm_jac(q: Any, lengths: Any) -> Any:
    angles = np.cumsum(q)
    # A joint turns all links after it.
    dx = -np.cumsum((lengths * np.sin(angles))[::-1])[::-1]
    dy = np.cumsum((lengths * np.cos(angles))[::-1])[::-1]
    return np.array([dx, dy, np.ones(len(q))])


ARM = Model(
    *("arm", JACOBIAN, arm_fun, arm_jac),
    {
        "ordinary": lambda rng: (normal(rng, 4), rng.uniform(0.5, 2.0, size=4)),
        "stretched": lambda rng: (1e-7 * normal(rng, 4), rng.uniform(0.5, 2.0, size=4)),
        "links of many sizes": lambda rng: (normal(rng, 4), 10.0 ** np.array([3, 0, -3, -6])),
    },
    {
        "forwards": Slip(
            "the sums from the shoulder on",
            "dx = -np.cumsum(lengths * np.sin(angles))",
            kinds="index",
        ),
        "own-link": Slip("each joint turns its own link only", "dy = lengths * np.cos(angles)"),
        "sine-sign": Slip("cos′ = sin", ("-np.cumsum", "np.cumsum"), kinds="sign"),
        "relative": Slip("angles that are not summed", "angles = q"),
        "exchanged": Slip("rows exchanged", ("[dx, dy,", "[dy, dx,"), kinds="exchanged"),
        "length": Slip(
            "the links' lengths forgotten",
            "dy = np.cumsum((np.cos(angles))[::-1])[::-1]",
            kinds="missing-factor",
        ),
        "degrees": Slip(
            "degrees per radian",
            ("np.ones(len(q))", "np.rad2deg(np.ones(len(q)))"),
            kinds="factor constant",
        ),
        "transposed": Slip(
            "the transpose", ("np.ones(len(q))])", "np.ones(len(q))]).T"), kinds="transposed shape"
        ),
        **off((1, 2), (0, 3), (0, 0)),
        "zero": Slip("one element 0", kinds="zero", make=times(0, (1, 1))),
    },
    {
        "by-position": Slip(
            "from where the joints are", "return np.vstack([dx[None], dy[None], [q**0]])"
        ),
        "triangle": Slip(
            "a triangle of ones times the links",
            "dy = np.triu(np.ones((len(q), len(q)))) @ (lengths * np.cos(angles))",
        ),
        "phase": Slip("sin(θ) as cos(θ - π/2)", ("np.sin(angles)", "np.cos(angles - np.pi / 2)")),
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


def softmax_fun(x: Any, temperature: Any) -> Any:
    """Shares of e^(x/T)."""
    e = jnp.exp((x - jnp.max(x)) / temperature)
    return e / jnp.sum(e)


def softmax_jac(x: Any, temperature: Any) -> Any:
    e = np.exp((x - np.max(x)) / temperature)
    p = e / np.sum(e)
    return (np.diag(p) - np.outer(p, p)) / temperature


SOFTMAX = Model(
    *("softmax", JACOBIAN, softmax_fun, softmax_jac),
    {
        "ordinary": lambda rng: (normal(rng, 6), np.array(0.7)),
        "confident": lambda rng: (15 * np.arange(5.0) + normal(rng, 5), np.array(0.9)),
        "nearly alike": lambda rng: (1e-9 * normal(rng, 6), np.array(1.3)),
    },
    {
        "diagonal": Slip(
            "the diagonal alone", "return (np.diag(p * (1 - p))) / temperature", kinds="zero"
        ),
        "no-diagonal": Slip("the outer product alone", ("np.diag(p) - np.outer", "-np.outer")),
        "sign": Slip("plus for minus", ("np.diag(p) - np", "np.diag(p) + np"), kinds="sign"),
        "temperature": Slip(
            "1/T forgotten", "return (np.diag(p) - np.outer(p, p))", kinds="factor missing-factor"
        ),
        "squared": Slip(
            "T² for T", "return (np.diag(p) - np.outer(p, p)) / temperature**2", kinds="factor"
        ),
        "unnormalised": Slip("e for its share", ("np.diag(p)", "np.diag(e)")),
        "outer": Slip("one factor not normalised", ("np.outer(p, p)", "np.outer(p, e)")),
        "logarithm": Slip(
            "the Jacobian of log softmax", "return (np.eye(len(x)) - p[None, :]) / temperature"
        ),
        **off((2, 5), (0, 1), (3, 3)),
    },
    {
        "broadcast": Slip(
            "by broadcasting", "return p[:, None] * (np.eye(len(x)) - p[None, :]) / temperature"
        ),
        "unshifted": Slip("without the largest", ("(x - np.max(x))", "(x - np.mean(x))")),
        "columns": Slip(
            "column by column",
            (
                "(np.diag(p) - np.outer(p, p))",
                "np.stack([p * ((np.arange(len(x)) == j) - p[j]) for j in range(len(x))], 1)",
            ),
        ),
    },
)


MODELS = (EXPONENTIALS, BAND, ARM, REACTIONS, SOFTMAX)
