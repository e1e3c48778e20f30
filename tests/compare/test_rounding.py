"""Ranges contain the exact result and every rounding of it, operation by operation."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

import manual.activations
from autodiff.precision import in_float64
from compare.rounding import TINY, U, exactly, product, sigmoid, total
from tests.handgrad import article_in_balls
from tests.handgrad.article_in_balls import contained, precisely
from tests.tiers import fewer

numbers = st.one_of(st.floats(-1e3, 1e3), st.floats(-1e100, 1e100), st.floats(-1e-300, 1e-300))

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "number - ": lambda a, b: 1 - a * b,
    "number * ": lambda a, b: -2 * (a + b),
    "divided by a number": lambda a, b: (a - b) / 7,
    "negative": lambda a, b: -(a - b),
}


@pytest.mark.parametrize("name", OPERATIONS)
@fewer(10)  # two numbers, and seven operations that share their rounding
@given(a=numbers, b=numbers)
def test_an_operation_contains_the_truth_and_the_float(name: str, a: float, b: float) -> None:
    operation = OPERATIONS[name]
    span = operation(exactly(np.float64(a)), exactly(np.float64(b)))
    with precisely():
        truth = operation(arb(a), arb(b))
    assert contained(truth, span.lo, span.hi)
    with np.errstate(over="ignore"):
        result = operation(np.float64(a), np.float64(b))
    assert span.lo <= result <= span.hi
    flushed = 0.0 if abs(result) < 2.0**-1022 else result
    assert span.lo <= flushed <= span.hi


@fewer(4)  # a millisecond each, most of it for the exact one
@given(z=st.one_of(st.floats(-760, 760), st.floats(-40, 40), st.floats(-1e-3, 1e-3)))
def test_the_sigmoid_contains_the_truth_and_both_witnesses(z: float) -> None:
    span = sigmoid(exactly(z))
    with precisely():
        truth = article_in_balls.sigmoid(arb(z))
    assert contained(truth, span.lo, span.hi)
    assert span.contains(manual.activations.sigmoid(z))
    assert span.contains(_sigmoid_of_jax(z))
    assert span.hi <= 1 + 4 * U
    # At each end 12 units, up to 2 for the next number and 1 for the middle; a rounding of each.
    assert span.hi - span.lo <= (2 * 15 + 4) * U * span.hi + 8 * TINY


@in_float64
@jax.jit
def _sigmoid_of_jax(z: jax.Array) -> jax.Array:
    return jax.nn.sigmoid(z)


@fewer(4)  # of thirty numbers each
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_a_sum_contains_every_order(values: list[float]) -> None:
    span = total(exactly(values))
    orders = [values, values[::-1], sorted(values), sorted(values, key=abs)]
    assert all(span.lo <= sum(order) <= span.hi for order in orders)
    assert span.lo <= math.fsum(values) <= span.hi


#: Their partial products reach from 1e-308, where they become 0, to 1e242.
FACTORS = [1e-300, 1e60, 3e-17, 1e100, 1e-100, -7.0, 1e80]


@fewer(5)  # of 5,040 orders in all, in which few steps matter
@given(st.permutations(FACTORS))
def test_a_product_contains_every_order(factors: list[float]) -> None:
    """Also where a partial product becomes 0 in one order and not in another."""
    span = product(*map(exactly, FACTORS))
    result = 1.0
    for factor in factors:
        result *= factor
        result = 0.0 if abs(result) < TINY else result
    assert span.contains(result)


def test_a_matrix_times_a_vector() -> None:
    rng = np.random.default_rng(0)
    matrix, vector = rng.normal(size=(5, 7)), rng.normal(size=7)
    span = exactly(matrix) @ exactly(vector)
    assert span.contains(matrix @ vector).all()
    assert np.all(span.hi - span.lo < 1e-13)
    assert (exactly(matrix).T @ exactly(rng.normal(size=5))).lo.shape == (7,)


def test_a_subnormal_input_may_be_read_as_zero() -> None:
    span = exactly(np.array([1e-310, -1e-310, 1e-300]))
    assert span.contains(np.array([1e-310, -1e-310, 1e-300])).all()
    assert span.contains(0.0).tolist() == [True, True, False]


def test_a_range_that_is_not_finite_contains_nothing() -> None:
    overflown = exactly(1e200) * exactly(1e200)
    assert not overflown.contains(1e308)
    assert not sigmoid(overflown).contains(1.0), "nor what a bounded function makes of it"
    assert not exactly(1.0).contains(np.nan)
    assert exactly(1.0).contains(1.0)
