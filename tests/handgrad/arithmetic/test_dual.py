"""Numbers with a first-order term, and arrays of balls: the laws that they keep."""

import math
from typing import Any

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.program.rules.summing import contract
from tests.tiers import fewer

K = 3  #: directions


@st.composite
def duals(draw: Any, *shapes: tuple[int, ...]) -> tuple[Dual, np.ndarray, np.ndarray]:
    """A number of integers, constant or not, and its value and tangents."""
    shape, moving = draw(st.sampled_from(shapes)), draw(st.booleans())
    size = (K + 1) * int(np.prod(shape))
    numbers = draw(st.lists(st.integers(-9, 9), min_size=size, max_size=size))
    value, *tangents = np.array(numbers, dtype=float).reshape(K + 1, *shape)
    tangent = np.array(tangents) * moving
    return Dual(balls.exact(value), balls.exact(tangent) if moving else None), value, tangent


#: Shapes that broadcast against each other, in three numbers of axes.
any_dual = duals((), (2,), (5, 2), (5, 1), (1, 2))


def assert_is(result: Dual, value: np.ndarray, tangent: Any) -> None:
    assert result.shape == value.shape
    np.testing.assert_array_equal(balls.midpoints(result.value), value)
    if result.tangent is None:
        assert not np.any(tangent)
    else:
        np.testing.assert_array_equal(balls.midpoints(result.tangent), np.array(tangent))


@fewer(16)
@given(any_dual, any_dual)
def test_sums_differences_and_products(one: Any, other: Any) -> None:
    (a, x, dx), (b, y, dy) = one, other
    assert_is(a + b, x + y, [p + q for p, q in zip(dx, dy, strict=True)])
    assert_is(a - b, x - y, [p - q for p, q in zip(dx, dy, strict=True)])
    assert_is(a * b, x * y, [p * y + x * q for p, q in zip(dx, dy, strict=True)])
    assert_is(-a, -x, -dx)
    assert ((a * b).tangent is None) == (a.tangent is None and b.tangent is None)


@fewer(16)
@given(duals((5, 2), (3, 4)), duals((2, 3)), duals((2, 3)), st.sampled_from([0, 1, -1]))
def test_a_linear_map_acts_on_both_terms(one: Any, left: Any, right: Any, axis: int) -> None:
    a, x, dx = one
    assert_is(a.linear(np.transpose), x.T, dx.transpose(0, 2, 1))
    assert_is(a[1:, 0], x[1:, 0], dx[:, 1:, 0])
    assert_is(a[..., :1], x[..., :1], dx[..., :1])
    assert_is(a.reshape(-1), x.reshape(-1), dx.reshape(K, -1))
    (b, y, dy), (c, z, dz) = left, right
    for joined, by in ((dual.concatenate, np.concatenate), (dual.stacked, np.stack)):
        assert_is(joined([b, c], axis), by([y, z], axis), by([dy, dz], axis + (axis >= 0)))


@pytest.mark.parametrize(
    ("spec", "axes"),
    [
        ("abc,cd->abd", ((2,), (0,), (), ())),
        ("abc,bdc->bad", ((2,), (2,), (1,), (0,))),
        ("abc,cba->abc", ((), (), (0, 1, 2), (2, 1, 0))),
        ("abc,bca->", ((0, 1, 2), (2, 0, 1), (), ())),
        ("abc,de->abcde", ((), (), (), ())),
        ("az,zc->ac", ((1,), (0,), (), ())),  # sums of nothing
    ],
)
def test_any_axes_are_summed_over(spec: str, axes: Any) -> None:
    sizes = dict(zip("abcdez", (2, 3, 5, 7, 4, 0), strict=True))
    shapes = [tuple(sizes[c] for c in part) for part in spec.split("->")[0].split(",")]
    a, b = (np.arange(1.0, 1 + np.prod(s)).reshape(s) % 11 for s in shapes)
    found = contract(balls.exact(a), balls.exact(b), *axes)
    np.testing.assert_array_equal(balls.midpoints(found), np.einsum(spec, a, b))


def boxed(*numbers: arb) -> np.ndarray:
    return balls.boxed(list(numbers), (len(numbers),))


def test_a_magnitude_is_the_least_float_that_is_no_smaller() -> None:
    with balls.precision(192):
        ninths = boxed(*(arb(k) / 9 for k in range(-40, 41)), arb("nan"), arb(2) ** 2000)
        found = balls.magnitudes(ninths)
        for ball, bound in zip(ninths[:-2], found, strict=False):
            assert abs(ball) <= arb(float(bound))
            assert bound == 0 or not abs(ball) <= arb(math.nextafter(float(bound), 0.0))
    assert np.isnan(found[-2])
    assert found[-1] == math.inf
    exact = np.array([0.0, -0.5, 5e-324, 1.7e308])
    assert balls.magnitudes(balls.exact(exact)).tolist() == np.abs(exact).tolist()


def test_what_is_said_of_a_ball() -> None:
    around = boxed(arb(0), arb(1, 2), arb(3, 2), arb("nan"), arb(1, math.inf), arb(2) ** 1024)
    assert balls.contains_zero(around).tolist() == [True, True, False, True, True, False]
    assert balls.is_zero(around).tolist() == [True, False, False, False, False, False]
    assert balls.finite(around).tolist() == [True, True, True, False, False, False]
    assert balls.midpoints(around)[:3].tolist() == [0, 1, 3]
    # A radius has 30 bits and is rounded up.
    np.testing.assert_allclose(balls.radii(around), [0, 2, 2, np.nan, np.nan, 0], rtol=1e-8)
    np.testing.assert_allclose(balls.least_magnitudes(around)[:3], [0, 0, 1], rtol=1e-8)
    for array in (balls.exact(0.5), balls.zeros((0, 2)), balls.exact([[0.1]])):
        for of in (balls.midpoints, balls.magnitudes, balls.radii):
            assert of(array).shape == array.shape
