"""Numbers with a first-order term, and arrays of balls: the laws that they keep."""

from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.oracle.random_directions import random_directions
from handgrad.program.rules.summing import contract
from tests.tiers import fewer

K = 3  #: directions

integers = st.integers(-9, 9)


@st.composite
def duals(draw: Any, *shapes: tuple[int, ...], constant: bool = True) -> Dual:
    shape = draw(st.sampled_from(shapes))
    size = int(np.prod(shape))
    numbers = draw(st.lists(integers, min_size=size * (K + 1), max_size=size * (K + 1)))
    array = np.array(numbers, dtype=float).reshape(K + 1, *shape)
    tangent = None if constant and draw(st.booleans()) else balls.exact(array[1:])
    return Dual(balls.exact(array[0]), tangent)


#: Shapes that broadcast against each other, in three numbers of axes.
any_dual = duals((), (2,), (5, 2), (5, 1), (1, 2))


def polynomial(x: Dual, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Value and tangent as exact floats, broadcast by NumPy alone: tangents by their own loop."""
    value = np.broadcast_to(balls.midpoints(x.value), shape)
    tangents = balls.midpoints(dual.tangents(x, K))
    return value, np.stack([np.broadcast_to(t, shape) for t in tangents])


def assert_is(result: Dual, value: np.ndarray, tangent: np.ndarray) -> None:
    assert result.shape == value.shape
    np.testing.assert_array_equal(balls.midpoints(result.value), value)
    if result.tangent is None:
        assert not tangent.any()
    else:
        np.testing.assert_array_equal(balls.midpoints(result.tangent), tangent)


@fewer(16)
@given(any_dual, any_dual)
def test_sums_differences_and_products(a: Dual, b: Dual) -> None:
    shape = np.broadcast_shapes(a.shape, b.shape)
    (x, dx), (y, dy) = polynomial(a, shape), polynomial(b, shape)
    assert_is(a + b, x + y, dx + dy)
    assert_is(a - b, x - y, dx - dy)
    assert_is(a * b, x * y, dx * y + x * dy)
    assert_is(-a, -polynomial(a, a.shape)[0], -polynomial(a, a.shape)[1])


@fewer(16)
@given(any_dual)
def test_constants_stay_constants(a: Dual) -> None:
    constant = dual.constant(3.0)
    results = [constant + constant, constant * constant, -constant, constant[None]]
    assert all(result.tangent is None for result in results)
    moving = a.tangent is not None
    assert ((a * constant).tangent is not None) == moving
    assert dual.directions(constant, a) == (K if moving else None)


@fewer(16)
@given(duals((5, 2), (3, 4)))
def test_a_linear_map_acts_on_both_terms(a: Dual) -> None:
    x, dx = polynomial(a, a.shape)
    assert_is(a.linear(np.transpose), x.T, dx.transpose(0, 2, 1))
    assert_is(a[1:, 0], x[1:, 0], dx[:, 1:, 0])
    assert_is(a[0, 1], x[0, 1], dx[:, 0, 1])
    assert_is(a[..., :1], x[..., :1], dx[..., :1])
    assert_is(a.reshape(-1), x.reshape(-1), dx.reshape(K, -1))


@fewer(16)
@given(duals((2, 3)), duals((2, 3)), st.sampled_from([0, 1, -1]))
def test_arrays_are_joined_along_either_axis(a: Dual, b: Dual, axis: int) -> None:
    (x, dx), (y, dy) = polynomial(a, (2, 3)), polynomial(b, (2, 3))
    behind = axis + (axis >= 0)
    expected = np.concatenate([dx, dy], axis=behind)
    assert_is(dual.concatenate([a, b], axis), np.concatenate([x, y], axis), expected)
    assert_is(dual.stacked([a, b], axis), np.stack([x, y], axis), np.stack([dx, dy], axis=behind))


def test_no_direction_and_infinite_slopes() -> None:
    a = Dual(balls.exact(np.ones((2, 3))), balls.zeros((0, 2, 3)))
    results: list[Any] = [a.linear(lambda m: m.T), a * a]
    assert [result.tangent.shape for result in results] == [(0, 3, 2), (0, 2, 3)]
    # An infinite slope leaves nothing.
    value, infinite = balls.exact([1.0, 2.0]), balls.full((2,), arb("inf"))
    x = Dual(value, balls.exact([[0.0, 1.0]]))
    tangent: Any = dual.by_slopes(value, (x, lambda: infinite)).tangent
    assert not any(t.is_finite() for t in tangent[0])


@pytest.mark.parametrize(
    ("spec", "axes"),
    [
        ("abc,cd->abd", ((2,), (0,), (), ())),
        ("abc,bdc->bad", ((2,), (2,), (1,), (0,))),
        ("abc,cba->abc", ((), (), (0, 1, 2), (2, 1, 0))),
        ("abc,bca->", ((0, 1, 2), (2, 0, 1), (), ())),
        ("abc,de->abcde", ((), (), (), ())),
        ("az,zc->ac", ((1,), (0,), (), ())),  # sums of nothing
        ("zab,zbc->zac", ((2,), (1,), (0,), (0,))),
    ],
)
def test_any_axes_are_summed_over(spec: str, axes: Any) -> None:
    sizes = dict(zip("abcdez", (2, 3, 5, 7, 4, 0), strict=True))
    shapes = [tuple(sizes[c] for c in part) for part in spec.split("->")[0].split(",")]
    a, b = (np.arange(1.0, 1 + np.prod(s)).reshape(s) % 11 for s in shapes)
    found = contract(balls.exact(a), balls.exact(b), *axes)
    np.testing.assert_array_equal(balls.midpoints(found), np.einsum(spec, a, b))


def test_random_directions_let_elements_count_equally() -> None:
    scale = np.array([1e-300, 1e-20, 0.3, 1.0, 7e9, 1e300, 5e-324])
    drawn = random_directions(np.random.default_rng(0), scale, 400)
    sizes = balls.midpoints(drawn * balls.exact(scale))
    assert drawn.shape == (400, 7)
    assert ((np.abs(sizes) >= 0.5) & (np.abs(sizes) < 2)).all()
    assert ((sizes > 0).mean(axis=0) > 0.4).all()
    assert ((sizes < 0).mean(axis=0) > 0.4).all()
    mantissas = np.abs(np.frexp(balls.midpoints(drawn[:, 2:5]))[0])
    assert np.unique(mantissas).size == mantissas.size
    assert 0.7 < mantissas.mean() < 0.8


def test_the_precision_is_put_back() -> None:
    before = ctx.prec
    with balls.precision(777):
        with balls.precision(99):
            assert ctx.prec == 99
        assert ctx.prec == 777
    with pytest.raises(ZeroDivisionError), balls.precision(777):
        raise ZeroDivisionError
    assert ctx.prec == before


def test_what_is_known_of_a_ball() -> None:
    found = balls.boxed([arb(3, 0.5), arb(-2), arb("nan"), arb(0, 2.0)], (2, 2))
    np.testing.assert_allclose(balls.radii(found), [[0.5, 0.0], [np.nan, 2.0]], rtol=1e-8)
    assert balls.magnitudes(found)[0, 0] >= 3.5
    assert balls.magnitudes(found)[0, 1] == 2
    assert balls.midpoints(found)[0].tolist() == [3.0, -2.0]
    assert balls.radii(balls.zeros((0, 2))).shape == (0, 2)
    assert float(balls.exact(0.1)[()]) == 0.1
    assert balls.radii(balls.exact([0.1])).tolist() == [0.0]
