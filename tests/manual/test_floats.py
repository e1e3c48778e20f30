"""One sample on Python's floats: the same numbers as on arrays."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compare.reference import STABLE, article_loss, as_it_is, bounds_of
from manual import activations, article, floats
from manual.article import Parameters
from tests.reference import ALICE
from tests.strategies import Point, points
from tests.tiers import fewer

ONES = article.ones_parameters()

forms = pytest.mark.parametrize("form", floats.SIGMOID_DERIVATIVES)

#: Nine parameters, two inputs and a target: any floats, subnormal, huge, infinite, NaN.
any_numbers = st.tuples(*[st.floats()] * 12)


def on_floats(form: str) -> Any:
    """The gradient with σ' in the form of that name."""
    return partial(floats.gradient, derivative=floats.SIGMOID_DERIVATIVES[form])


def on_objects(form: str, params: Any, x: Any, y: float) -> list[float]:
    """`manual.article.gradient` on arrays of Python floats, whose exponential is `math.exp`.

    An array of one network, of shape (1,): what has no shape is no array to NumPy.
    """
    derivative = activations.SIGMOID_DERIVATIVES[form]
    *w, target = (np.array([value], dtype=object) for value in (*params, y))
    with np.errstate(all="ignore"):
        grads = article.gradient(Parameters(*w), np.array([x], dtype=object), target, derivative)
    return [part.item() for part in grads]


@forms
@fewer(4)
@given(numbers=any_numbers)
@example(numbers=(math.inf,) * 12)
@example(numbers=(-745.2, 0.0, 710.0, 0.0, 1.0, 1.0, 0.0, -0.0, 0.0, 1.0, 1.0, 1.0))
def test_with_the_same_exponential_every_bit_is_the_same(
    form: str, numbers: tuple[float, ...]
) -> None:
    """So the rounding is the same, and so are infinities and NaN."""
    *params, x1, x2, y = numbers
    answers = on_floats(form)(Parameters(*params), (x1, x2), y)
    # repr tells 0 from -0, and all numbers apart; of NaN there is one.
    assert [*map(repr, answers)] == [*map(repr, on_objects(form, params, (x1, x2), y))]


loss_bounds = bounds_of(partial(article_loss, see=as_it_is, form=STABLE))


@fewer(4)
@given(point=points)
def test_the_loss_comes_with_the_gradient(point: Point) -> None:
    value, grads = floats.value_and_gradient(*point)
    assert loss_bounds(*point).contains(value)
    assert grads == floats.gradient(*point)


@pytest.mark.parametrize("y", [1e308, math.nan])
def test_a_loss_beyond_floats_is_what_it_is_on_arrays(y: float) -> None:
    with np.errstate(over="ignore"):
        expected = article.loss(ONES, ALICE[0], y)
    assert repr(floats.value_and_gradient(ONES, ALICE[0], y)[0]) == repr(float(expected))


def test_numbers_of_any_kind_become_floats() -> None:
    params = Parameters(1, np.float32(1), np.int64(1), 1.0, np.float64(1), True, 0, 0, 0)
    for x, y in [([-2, -1], 1), (np.array([-2, -1]), np.int8(1)), ((-2.0, np.float32(-1)), 1.0)]:
        value, grads = floats.value_and_gradient(params, x, y)
        assert {type(number) for number in (value, *grads)} == {float}
        assert grads == floats.gradient(ONES, *ALICE)


@pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], 5.0, ["tall", 2.0], np.ones((2, 2))])
def test_what_is_not_two_numbers_is_refused(x: Any) -> None:
    with pytest.raises(ValueError, match=r"^gradient: x is .*, expected two numbers$"):
        floats.gradient(ONES, x, 1.0)
