"""Jacobians by hand: residuals of a fit, a band, an arm, chemical reactions, a softmax."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.sparse

from models.derivatives.derivative import off, times
from models.helpers import normal
from models.model import JACOBIAN, named, of_derivative

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


EXPONENTIALS = of_derivative(
    *("exponentials", JACOBIAN, exponentials_fun, exponentials_jac),
    {
        "ordinary": lambda rng: draw_decays(rng, (0.6, 2.5), 3.0),
        "rates that are nearly equal": lambda rng: draw_decays(rng, (1.0, 1.0 + 1e-9), 3.0),
        "late times": lambda rng: draw_decays(rng, (0.6, 2.5), 280.0),
    },
    {
        "no-minus: -t forgotten": ("-p[0] * t * e", "p[0] * e"),
        "sign: d/dr without its sign": named("sign", ("-p[0] * t * e", "p[0] * t * e")),
        "amplitude: the amplitude forgotten": named(
            "missing-factor factor", ("-p[2] * t * f", "-t * f")
        ),
        "columns: two columns exchanged": named("exchanged", ("[e, dr,", "[dr, e,")),
        "other-rate: the first decay twice": ("-p[3] * t", "-p[1] * t"),
        "index: t² for t": ("-p[2] * t * f", "-p[2] * t**2 * f"),
        "background: the background forgotten": named("zero", ("np.ones_like", "np.zeros_like")),
        "data-minus-model: the Jacobian of data - model": named(
            "sign", ("np.stack([", "-np.stack([")
        ),
        **off((4, 1), (7, 3), (2, 2)),
        "row: one row turned": named("sign", times(-1, 3)),
    },
    {
        "by-rows: transposed at the end": "return np.array([e, dr, f, ds, np.ones_like(y)]).T",
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


BAND = of_derivative(
    *("band", JACOBIAN, band_fun, band_jac),
    {
        "ordinary": lambda rng: (normal(rng, 9),),
        "a zero on the diagonal": lambda rng: (np.concatenate([[0.75], normal(rng, 6)]),),
        "large": lambda rng: (1e6 * normal(rng, 7),),
    },
    {
        "power-rule: 3 - 2x": named("factor missing-factor constant", "middle = 3 - 2 * x"),
        "linear-term: the linear term forgotten": named("constant", "middle = -4 * x"),
        "transposed: the transpose": named("transposed exchanged", ("[-1, 0, 1]", "[1, 0, -1]")),
        "above-once: -1 for -2 above": named("factor constant", ("-2 * np.ones", "-np.ones")),
        "below-sign: +1 for -1 below": named(
            "sign constant", ("below, above = -np", "below, above = np")
        ),
        "no-band: the band above left out": named(
            "zero structure", ("-2 * np.ones(n - 1)", "np.zeros(n - 1)")
        ),
        "structure: one element that the structure lacks": named(
            "zero structure", ('"csr")', '"csr").multiply(np.arange(n * n).reshape(n, n) != 21)')
        ),
        "beside: the bands one column to the right": named(
            "index exchanged structure zero",
            "bands = [-np.ones(n), 3 - 4 * x[:-1], -2 * np.ones(n - 2)]\n"
            'return sp.diags(bands, [0, 1, 2], format="csr")',
        ),
        **off((4, 4), (5, 6), (8, 8)),
    },
    {
        "dense: an array": ('format="csr")', 'format="csr").toarray()'),
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


ARM = of_derivative(
    *("arm", JACOBIAN, arm_fun, arm_jac),
    {
        "ordinary": lambda rng: (normal(rng, 4), rng.uniform(0.5, 2.0, size=4)),
        "stretched": lambda rng: (1e-7 * normal(rng, 4), rng.uniform(0.5, 2.0, size=4)),
        "links of many sizes": lambda rng: (normal(rng, 4), 10.0 ** np.array([3, 0, -3, -6])),
    },
    {
        "forwards: the sums from the shoulder on": named(
            "index", "dx = -np.cumsum(lengths * np.sin(angles))"
        ),
        "own-link: each joint turns its own link only": "dy = lengths * np.cos(angles)",
        "sine-sign: cos′ = sin": named("sign", ("-np.cumsum", "np.cumsum")),
        "relative: angles that are not summed": "angles = q",
        "exchanged: rows exchanged": named("exchanged", ("[dx, dy,", "[dy, dx,")),
        "length: the links' lengths forgotten": named(
            "missing-factor", "dy = np.cumsum((np.cos(angles))[::-1])[::-1]"
        ),
        "degrees: degrees per radian": named(
            "factor constant", ("np.ones(len(q))", "np.rad2deg(np.ones(len(q)))")
        ),
        "transposed: the transpose": named(
            "transposed shape", ("np.ones(len(q))])", "np.ones(len(q))]).T")
        ),
        **off((1, 2), (0, 3), (0, 0)),
        "zero: one element 0": named("zero", times(0, (1, 1))),
    },
    {
        "by-position: from where the joints are": "return np.vstack([dx[None], dy[None], [q**0]])",
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


REACTIONS = of_derivative(
    *("reactions", JACOBIAN, reactions_fun, reactions_jac),
    {
        "ordinary": lambda rng: (rng.uniform(0.2, 1.0, size=3), rng.uniform(0.5, 2.0, size=3)),
        "stiff": lambda rng: (
            *(np.array([0.84, 1.6e-5, 0.16]) + 1e-8 * normal(rng, 3), np.array([0.04, 1e4, 3e7])),
        ),
        "balanced": lambda rng: (np.array([0.5, 0.25, 1.0]), np.array([0.5, 1.0, 1.0])),
    },
    {
        "power-rule: x1 for 2 x1": named("factor missing-factor", ("2 * k[2]", "k[2]")),
        "product-rule: one term of the product rule": named(
            "zero", "second = np.array([0, k[1] * x[2], 0])"
        ),
        "exchanged: by x2 what is by x1": named(
            "exchanged", "second = np.array([0, k[1] * x[1], k[1] * x[2]])"
        ),
        "gain: a loss counted as a gain": named("sign", ("- third", "+ third")),
        "rate: another rate": named("index factor", "first = np.array([k[1], 0, 0])"),
        "not-conserved: a loss forgotten": named("zero", (" - third", "")),
        "value: the reaction's rate for its derivative": "first = np.array([k[0] * x[0], 0, 0])",
        "transposed: the transpose": named("transposed", ("third])", "third], axis=1)")),
        **off((1, 1), (0, 2), (0, 0)),
    },
    {
        "stoichiometry: stoichiometry times the rates' derivatives": (
            "return np.array([[-1, 1, 0], [1, -1, -1], [0, 0, 1]]) @ [first, second, third]"
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
    dp = np.diag(p) - np.outer(p, p)
    return dp / temperature


SOFTMAX = of_derivative(
    *("softmax", JACOBIAN, softmax_fun, softmax_jac),
    {
        "ordinary": lambda rng: (normal(rng, 6), np.array(0.7)),
        "confident": lambda rng: (15 * np.arange(5.0) + normal(rng, 5), np.array(0.9)),
        "nearly alike": lambda rng: (1e-9 * normal(rng, 6), np.array(1.3)),
    },
    {
        "diagonal: the diagonal alone": named("zero", "dp = np.diag(p * (1 - p))"),
        "no-diagonal: the outer product alone": "dp = -np.outer(p, p)",
        "sign: plus for minus": named("sign", "dp = np.diag(p) + np.outer(p, p)"),
        "temperature: 1/T forgotten": named("factor missing-factor", "return dp"),
        "squared: T² for T": named("factor", "return dp / temperature**2"),
        "unnormalised: e for its share": ("np.diag(p)", "np.diag(e)"),
        "outer: one factor not normalised": ("np.outer(p, p)", "np.outer(p, e)"),
        "logarithm: the Jacobian of log softmax": "dp = np.eye(len(x)) - p[None, :]",
        **off((2, 5), (0, 1), (3, 3)),
    },
    {
        "broadcast: by broadcasting": "dp = p[:, None] * (np.eye(len(x)) - p[None, :])",
    },
)


MODELS = (EXPONENTIALS, BAND, ARM, REACTIONS, SOFTMAX)
