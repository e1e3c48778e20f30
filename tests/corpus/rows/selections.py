"""Gradients through selections: sorting, ties, NaN in data, numbers that only balls tell apart."""

from itertools import permutations
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases
from tests.corpus.rows.not_known import constant

NAN, ONE = np.nan, np.array([0.3])
TIED, THREE = np.full(2, 0.3), np.full(3, 0.3)
WITH_NAN = np.array([1.0, NAN, 3.0, 7.0, 2.0])
WEIGHTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
ROUNDED = np.round(np.sin(np.arange(3000.0)), 1)
PAIRS, HALVES = np.array([0.3, 0.3, 0.7, 0.7]), np.array([2.5, 3.5, -0.5, -1.5, 0.6])
UP_TO_5 = np.arange(1.0, 6)


def even(x: Any) -> Any:
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


def of_numbers(w: Any, x: Any) -> Any:
    ordered = lax.sort(x)
    return w[0] * jnp.sum(jnp.where(ordered != ordered, 0.0, ordered) * WEIGHTS)


def of_positions(w: Any, x: Any) -> Any:
    return w[lax.argmax(x, 0, np.int32)] + 3.0 * w[lax.top_k(x, 1)[1][0]]


#: What floats do not tell apart.
STATED = ("what only balls tell apart",)


def at_a_tie(
    name: str, loss: Any, *at: Any, right: Any, wrong: Any, tie: bool = True
) -> list[Case]:
    """Return the cases of constants that are right, and of ones that are wrong."""
    stated = name in STATED
    rows = [
        Row(f"{said}, {values}", constant(*values), verdict=verdict if stated else None, tie=tie)
        for said, verdict, answers in (("right", "agree", right), ("wrong", "disagree", wrong))
        for values in answers
    ]
    return cases(name, check_gradient, loss, *at, points=0)(*rows)


def of_data(*asked: Any, **answers: Any) -> list[Case]:
    """Return these cases where data tie, and the gradient is one."""
    return at_a_tie(*asked, tie=False, **answers)


def apart_by_2_to_the_minus_100(w: Any) -> Any:
    """Sort 1 + 2w and 1 + w, which no float tells apart."""
    both = jnp.stack([1 + 2 * w[0] * 2.0**-100, 1 + w[0] * 2.0**-100])
    return (lax.sort(both)[1] - 1) * 2.0**100


CASES = [
    *at_a_tie(
        "sorted parameters", lambda w: np.sum(np.sort(w) * [1.0, 2.0]), TIED,
        right=[(1, 2), (2, 1), (1.5, 1.5)], wrong=[(5, -2), (3, 0)],
    ),
    *at_a_tie(
        "three sorted parameters", lambda w: jnp.sum(lax.sort(w) * WEIGHTS[:3]), THREE,
        right=[*permutations((1, 2, 4)), (1, 3, 3)], wrong=[(1, 1, 5), (0, 0, 7)],
    ),
    *of_data(
        "positions of equal data", lambda w, x: w @ jnp.argsort(x).astype(w.dtype), TIED, TIED,
        right=[(0, 1)], wrong=[(1, 0), (0.5, 0.5)],
    ),
    *at_a_tie(
        "a median of residuals", lambda w, x: jnp.median(jnp.abs(x - w[0])), np.array([3.0]),
        UP_TO_5, right=[(1,), (0.5,)], wrong=[(7,), (1.1,)],
    ),
    *at_a_tie(
        "a median of what is equal", lambda w: np.median(w), THREE,
        right=[(0.5, 0, 0.5)], wrong=[(5, -4, 0)],
    ),
    *at_a_tie(
        "the largest of equal ones", lambda w: lax.top_k(w, 2)[0] @ WEIGHTS[:2],
        np.array([0.3, 0.3, 0.1]), right=[(2, 1, 0)], wrong=[(3, 0, 0), (1, 1, 1)],
    ),
    *of_data(
        "positions of the largest data", lambda w, x: w[lax.top_k(x, 2)[1]] @ WEIGHTS[:2],
        UP_TO_5[:3], THREE, right=[(1, 2, 0)], wrong=[(2, 1, 0), (0, 1, 2)],
    ),
    *at_a_tie(
        "a sum of a trimmed sample", lambda w: jnp.sum(lax.sort(w)[1:-1]), PAIRS,
        right=[(0, 1, 1, 0), (0.5,) * 4], wrong=[(1, 1, 0, 0)],
    ),
    *of_data(
        "a half of data, rounded to even", lambda w, x: w[0] * jnp.sum(even(x)), ONE, HALVES,
        right=[(5,)], wrong=[(6,), (4,)],
    ),
    *of_data(
        "a half of data, rounded away from 0", lambda w, x: w[0] * jnp.sum(lax.round(x)), ONE,
        np.array([2.5, -0.5, 1.4]), right=[(3,)], wrong=[(2,), (4,)],
    ),
    *of_data(
        "data with a NaN, sorted", of_numbers, ONE, WITH_NAN, right=[(73,)], wrong=[(0,), (17,)]
    ),
    *of_data(
        "the position of a NaN", of_positions, WEIGHTS.copy(), WITH_NAN,
        right=[(0, 4, 0, 0, 0)], wrong=[(0, 0, 0, 4, 0), (4, 0, 0, 0, 0)],
    ),
    *of_data(
        "a parameter times data with a NaN, sorted", lambda w, x: lax.sort(w[0] * x)[1], ONE,
        WITH_NAN, right=[(2,)], wrong=[(3,), (1,)],
    ),
    *of_data(
        "a median of numbers, in NumPy", lambda w, x: np.nanmedian(x * w[0]), ONE, WITH_NAN,
        right=[(2.5,)], wrong=[(3,)],
    ),
    *of_data(
        "a quantile of numbers", lambda w, x: jnp.nanquantile(x * w[0], 0.3), ONE, WITH_NAN,
        right=[(1.9,)], wrong=[(3,)],
    ),
    *at_a_tie(
        "rounded data by the thousand", lambda w, x: lax.sort(w[0] * x)[1500], ONE, ROUNDED,
        right=[(0,)], wrong=[(0.1,)],
    ),
    *at_a_tie(
        "what only balls tell apart", apart_by_2_to_the_minus_100, ONE, right=[(2,)], wrong=[(3,)]
    ),
]  # fmt: skip
