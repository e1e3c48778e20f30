"""Losses that cannot be run as is asked: the call that stops it, and what to write instead."""

import math
import statistics
from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.integrate
import scipy.linalg
import scipy.special
from numpy import exp
from scipy.stats import norm

from handgrad import check_gradient
from tests.corpus.case import RAISED, Row, cases

W = np.array([0.3, -0.7, 1.2])


def in_a_helper(w: Any) -> Any:
    return np.sum(np.exp(w))


def with_a_helper(w: Any) -> Any:
    return in_a_helper(w)


def with_a_choice(w: Any) -> Any:
    return w[0] if w[0] > 0 else -w[0]


def line_in(function: Any) -> int:
    """Return the line of a function of one line that computes."""
    code = (in_a_helper if function is with_a_helper else function).__code__
    return code.co_firstlineno + (code.co_name != "<lambda>")


#: A loss, the call that stops JAX, and what to write in its place.
STOPPED = [
    (with_a_helper, "np.exp(w)", "write jnp.exp(w) (import jax.numpy as jnp)"),
    (lambda w: jnp.sum(exp(w)), "exp(w)", "write jnp.exp(w) (import jax.numpy as jnp)"),
    (lambda w: math.tanh(w[0]), "math.tanh(w[0])", "write jnp.tanh(w[0])"),
    (
        lambda w: jnp.sum(scipy.special.expit(w)),
        "scipy.special.expit(w)",
        "write jax.scipy.special.expit(w)",
    ),
    (lambda w: -jnp.sum(norm.logpdf(w)), "norm.logpdf(w)", "write jax.scipy.stats.norm.logpdf(w)"),
    (
        lambda w: np.polynomial.polynomial.polyval(2, w),
        "np.polynomial.polynomial.polyval(2, w)",
        "write it with jax.numpy",
    ),
    (
        lambda w: jnp.sum(np.exp(w + 1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0)),
        "np.exp(...)",
        "write jnp.exp(...) (import jax.numpy as jnp)",
    ),
    (lambda w: float(w[0]), "float(w[0])", "leave the array as it is"),
    (with_a_choice, "w[0] > 0", "a choice by value is jnp.where(condition, a, b), or jax.lax.cond"),
]


def with_bessel(x: Any) -> Any:
    y = np.exp(x)
    return scipy.special.jv(0, y).sum()


class Filled:
    """What code reaches by attributes cannot be replaced."""

    def __call__(self, x: Any) -> Any:
        out = np.zeros(3)
        out[0] = x[0]
        return out.sum()


def in_an_object(x: Any) -> Any:
    return Filled()(x)


def with_a_quadrature(x: Any) -> Any:
    return scipy.integrate.quad(lambda t: math.exp(x[0] * t), 0.0, 1.0)[0]


#: Losses that neither JAX nor power series can run, and the words that say why.
NEITHER = {
    "Bessel functions": (
        with_bessel,
        "write jnp.exp(x)",
        f"line {with_bessel.__code__.co_firstlineno + 2} stopped it: scipy.special.jv(0, y)",
    ),
    "an object": (in_an_object, "JAX cannot trace out[0]; write it with jax.numpy"),
    "a quadrature": (
        with_a_quadrature,
        "write jnp.exp(x[0] * t)",
        "stopped it: scipy.integrate.quad(...)",
    ),
}


def raises(_: Any) -> Any:
    raise KeyError("mine")


def of_variance(x: Any) -> Any:
    return 2 * (x - x.mean()) / 3


CASES = [
    *[
        case
        for loss, stopped, advice in STOPPED
        for case in cases("a program of JAX's", check_gradient, loss, W, referee="program")(
            Row(
                f"stopped by {stopped}",
                np.ones_like,
                f"tests/corpus/rows/untraceable.py, line {line_in(loss)}: JAX cannot trace",
                f"{stopped}; {advice}",
                verdict=RAISED,
            )
        )
    ],
    *[
        case
        for name, (loss, *says) in NEITHER.items()
        for case in (
            *cases(name, check_gradient, loss, W, referee="series")(
                Row("power series cannot run it", np.ones_like, "loss: ", *says, verdict=RAISED),
            ),
            *cases(name, check_gradient, loss, W, points=0)(
                Row("any", lambda x: x, "not certified", *says, certified=False),
            ),
        )
    ],
    # Losses that are no losses.
    *cases("a vector", check_gradient, np.exp, W)(
        Row("its slopes", np.exp, "loss: got an array of shape (3,), expected one", verdict=RAISED),
    ),
    *cases("a name", check_gradient, lambda w: "a loss", W)(
        Row("ones", np.ones_like, "loss: got 'a loss', expected one real", verdict=RAISED),
    ),
    *cases("a loss that raises", check_gradient, raises, W)(
        Row("ones", np.ones_like, "KeyError: 'mine'", verdict=RAISED),
    ),
    # An installed function that is the loss itself, so that no line is the caller's.
    *cases("a sum of exponentials", check_gradient, scipy.special.logsumexp, W, referee="program")(
        Row(
            "ones",
            np.ones_like,
            "JAX cannot trace scipy.special.logsumexp; write jax.scipy.special.logsumexp",
            verdict=RAISED,
        ),
    ),
    *cases(
        "a variance", check_gradient, statistics.pvariance, np.array([-1.0, 0.5, 0.75]), points=0
    )(
        Row(
            "right",
            of_variance,
            "statistics.pvariance: this runs in floats, but JAX, which traces it, raised TypeError",
            certified=False,
        ),
    ),
]
