"""Ranges contain the exact result and every rounding of it, operation by operation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given
from hypothesis import strategies as st

from compare.rounding import Range, exactly
from manual.arrays import namespace
from tests.exact import contained, precisely

numbers = st.one_of(st.floats(-1e3, 1e3), st.floats(-1e100, 1e100), st.floats(-1e-300, 1e-300))

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "number - ": lambda a, b: 1 - a * b,
    "number * ": lambda a, b: -2 * (a + b),
    "square": lambda a, b: (a - b) ** 2,
    "abs": lambda a, b: abs(a - b),
    "negative": lambda a, b: -(a - b),
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=numbers, b=numbers)
def test_an_operation_contains_the_truth_and_the_float(name: str, a: float, b: float) -> None:
    assume(name != "/" or abs(b) > 1e-290)
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


@given(a=st.floats(-700, 700))
def test_exp_contains_the_truth_and_the_float(a: float) -> None:
    span = namespace(exactly(np.float64(a))).exp(exactly(np.float64(a)))
    with precisely():
        truth = arb(a).exp()
    assert contained(truth, span.lo, span.hi)
    assert span.lo <= np.exp(a) <= span.hi
    assert span.width <= 20 * 2.0**-53 * np.exp(a) + 2.0**-1021


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_a_sum_contains_every_order(values: list[float]) -> None:
    column = exactly(np.array(values))
    span = namespace(column).sum(column)
    orders = [values, values[::-1], sorted(values), sorted(values, key=abs)]
    assert all(span.lo <= sum(order) <= span.hi for order in orders)
    assert span.lo <= math.fsum(values) <= span.hi


def test_a_matrix_times_a_vector() -> None:
    rng = np.random.default_rng(0)
    matrix, vector = rng.normal(size=(5, 7)), rng.normal(size=7)
    span = exactly(matrix) @ exactly(vector)
    assert span.shape == (5,)
    assert np.all((span.lo <= matrix @ vector) & (matrix @ vector <= span.hi))
    assert np.all(span.width < 1e-13)
    transposed = exactly(matrix).T @ exactly(rng.normal(size=5))
    assert transposed.shape == (7,)


def test_a_branch_that_rounding_may_take_either_way() -> None:
    z = Range(np.float64(-1e-16), np.float64(1e-16))
    either = namespace(z).where(z >= 0, 1, exactly(np.float64(5.0)))
    assert (either.lo, either.hi) == (1, 5)
    surely = namespace(z).where(exactly(np.float64(0.0)) >= 0, 1, exactly(np.float64(5.0)))
    assert (surely.lo, surely.hi) == (1, 1)


def test_a_subnormal_input_may_be_read_as_zero() -> None:
    span = exactly(np.array([1e-310, -1e-310, 1e-300]))
    assert span.lo.tolist() == [0, -1e-310, 1e-300]
    assert span.hi.tolist() == [1e-310, 0, 1e-300]


def test_a_divisor_that_may_be_zero() -> None:
    quotient = exactly(np.float64(1)) / Range(np.float64(-1), np.float64(1))
    assert (quotient.lo, quotient.hi) == (-math.inf, math.inf)


def test_only_the_square() -> None:
    with pytest.raises(ValueError, match="power 3, expected 2"):
        _ = exactly(np.float64(1)) ** 3
