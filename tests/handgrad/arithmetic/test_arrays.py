"""Arrays of the kernel: what is true of a ball is true of every number in it; two-term series."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from handgrad.arithmetic import balls, dual, jets
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.jets import Jet
from handgrad.clock import OutOfTimeError, limited

RNG = np.random.default_rng(7)


def whole(*shape: int) -> np.ndarray:
    return RNG.integers(-9, 10, shape).astype(float)


def floats(array: Any) -> list[Any]:
    return np.asarray(array).astype(float).tolist()


def test_what_is_said_of_a_ball() -> None:
    numbers = [arb(0), arb(1, 2), arb(3, 2), arb("nan"), arb(1, math.inf), arb(2) ** 1024]
    around = balls.boxed(numbers, (6,))
    said = (balls.contains_zero(around), balls.is_zero(around), balls.finite(around))
    assert {of.dtype for of in said} == {np.dtype(bool)}
    assert balls.contains_zero(around).tolist() == [True, True, False, True, True, False]
    assert balls.is_zero(around).tolist() == [True, False, False, False, False, False]
    assert balls.finite(around).tolist() == [True, True, True, False, False, False]
    assert balls.midpoints(around)[:3].tolist() == [0, 1, 3]
    # A radius has 30 bits and is rounded up.
    np.testing.assert_allclose(balls.radii(around), [0, 2, 2, np.nan, np.nan, 0], rtol=1e-8)
    np.testing.assert_allclose(balls.least_magnitudes(around)[:3], [0, 0, 1], rtol=1e-8)
    # A magnitude is the least float that is no smaller.
    with balls.precision(192):
        numbers = [*(arb(k) / 9 for k in range(-40, 41)), arb("nan"), arb(2) ** 2000]
        *found, undefined, large = balls.magnitudes(balls.boxed(numbers, (83,)))
        for ball, bound in zip(numbers, found, strict=False):
            assert abs(ball) <= arb(float(bound))
            assert bound == 0 or not abs(ball) <= arb(math.nextafter(float(bound), 0.0))
    assert np.isnan(undefined)
    assert large == math.inf
    exact = np.array([0.0, -0.5, 5e-324, 1.7e308])
    assert balls.magnitudes(balls.exact(exact)).tolist() == np.abs(exact).tolist()


def test_arrays_are_made_as_they_are_said() -> None:
    assert balls.boxed([[1], [2, 3]], (2, 1)).tolist() == [[[1]], [[2, 3]]]
    assert balls.exact(0.5).shape == ()
    assert balls.array(3).shape == ()
    assert floats(balls.exact([[1.0], [2.0]])) == [[1], [2]]
    assert balls.exact(np.array([0.1], np.float32))[0] == arb(float(np.float32(0.1)))
    assert balls.full((2,), arb(3)).dtype == object
    assert floats(balls.full((2,), arb(3))) == [3, 3]
    assert floats(balls.zeros((2, 0))) == [[], []]
    near = [arb(1, 0.5), arb(2)]
    assert balls.overlap(near, [arb(1.4), arb(2)])
    assert not balls.overlap(near, [arb(1.4), arb(3)])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        balls.overlap(near, [arb(1.4)])


def test_precision_ends_with_its_block() -> None:
    before = ctx.prec
    with balls.precision(300):
        assert ctx.prec == 300
        with pytest.raises(ZeroDivisionError), balls.precision(400):
            ctx.prec //= 0
        assert ctx.prec == 300
    assert ctx.prec == before


def test_large_arrays_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as in one, and the time is looked at between."""
    both = balls.elementwise(lambda x, y: (x + y, x * y), 2)
    one = balls.elementwise(lambda x, y: x - y)
    x, y = balls.exact(whole(3, 5)), balls.exact(whole(5))
    left, right = balls.exact(whole(2, 5, 3)), balls.exact(whole(2, 3, 4))
    found = [*both(x, y), one(x, y), balls.matmul(left, right)]
    assert floats(found[3]) == (left.astype(float) @ right.astype(float)).tolist()
    assert floats(balls.matmul(left[..., :0], right[:, :0])) == np.zeros((2, 5, 4)).tolist()
    for name, size in (("BLOCK", 4), ("PRODUCTS", 1), ("ROWS", 2)):
        monkeypatch.setattr(balls, name, size)
    again = [*both(x, y), one(x, y), balls.matmul(left, right)]
    for first, second in zip(found, again, strict=True):
        assert first.shape == second.shape
        assert floats(first) == floats(second)
    series = Dual(x, balls.exact(whole(2, 3, 5)))
    works = (lambda: one(x, y), lambda: balls.matmul(left, right), lambda: series * series)
    for work in works:
        with pytest.raises(OutOfTimeError), limited(0):
            work()


#: Of two arrays of one shape, (3, 4); of degree 2 at most.
OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "-a": (lambda a, b: -a, lambda a, b: -a),
    "a + b": (lambda a, b: a + b, lambda a, b: a + b),
    "a - b": (lambda a, b: a - b, lambda a, b: a - b),
    "a * b": (lambda a, b: a * b, lambda a, b: a * b),
    "rows": (lambda a, b: a[1] + b, lambda a, b: a[1] + b),
    "rows times": (lambda a, b: a * b[2], lambda a, b: a * b[2]),
    "number": (lambda a, b: a[1, 2] * b, lambda a, b: a[1, 2] * b),
    "three axes": (
        lambda a, b: a.reshape(1, 3, 4) * b[1],
        lambda a, b: a.reshape(1, 3, 4) * b[1],
    ),
    "columns": (lambda a, b: a[:, 1:], lambda a, b: a[:, 1:]),
    "reshape": (lambda a, b: a.reshape(2, 6), lambda a, b: a.reshape(2, 6)),
    "transposed": (lambda a, b: dual.transposed(a), lambda a, b: a.T),
    "stacks": (
        lambda a, b: dual.transposed(a.reshape(1, 3, 4)),
        lambda a, b: a.reshape(1, 3, 4).swapaxes(1, 2),
    ),
    "in front": (
        lambda a, b: dual.concatenate([a, b], 0),
        lambda a, b: np.concatenate([a, b], 0),
    ),
    "behind": (
        lambda a, b: dual.concatenate([a, b], -1),
        lambda a, b: np.concatenate([a, b], -1),
    ),
    "stacked": (lambda a, b: dual.stacked([a, b]), lambda a, b: np.stack([a, b])),
    "stacked inside": (
        lambda a, b: dual.stacked([a, b], 1),
        lambda a, b: np.stack([a, b], 1),
    ),
    "stacked at the end": (
        lambda a, b: dual.stacked([a, b], -1),
        lambda a, b: np.stack([a, b], -1),
    ),
    "linear": (lambda a, b: a.linear(lambda m: m[::-1]), lambda a, b: a[::-1]),
    "by slopes": (
        lambda a, b: dual.by_slopes(a.value * b.value, (a, lambda: b.value), (b, lambda: a.value)),
        lambda a, b: a * b,
    ),
    "by the slope of a row": (
        lambda a, b: dual.by_slopes(
            a.value[0] + 2 * b.value, (a[0], lambda: arb(1)), (b, lambda: arb(2))
        ),
        lambda a, b: a[0] + 2 * b,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("of_a", "of_b"), [(None, None), (2, None), (None, 2), (2, 2), (0, None), (0, 0)]
)
def test_series(name: str, of_a: int | None, of_b: int | None) -> None:
    """The second terms are the slopes along each direction: (f(x + t) - f(x - t)) / 2."""
    operation, in_numpy = OPERATIONS[name]
    a, b = whole(3, 4), whole(3, 4)
    s, t = (None if k is None else whole(k, 3, 4) for k in (of_a, of_b))
    given = [
        Dual(balls.exact(v), None if d is None else balls.exact(d)) for v, d in ((a, s), (b, t))
    ]
    found = operation(*given)
    assert floats(found.value) == in_numpy(a, b).tolist()
    directions = dual.directions(*given)
    if directions is None:
        assert found.tangent is None
        return
    s, t = (np.zeros((directions, 3, 4)) if d is None else d for d in (s, t))
    moved = [
        (in_numpy(a + p, b + q) - in_numpy(a - p, b - q)) / 2 for p, q in zip(s, t, strict=True)
    ]
    tangent = dual.tangents(found, directions)
    assert floats(tangent) == np.reshape(moved, (directions, *found.shape)).tolist()


def test_parts_of_series() -> None:
    constant, plain = dual.constant([1.0, 2.0]), np.array([1.0, 2.0])
    tangent = balls.exact([[3.0, 4.0]])
    moving = Dual(constant.value, tangent)
    assert len({constant, moving}) == 2  # each is a key by itself
    assert dual.real(moving) is moving
    assert floats(dual.real(plain).value) == [1, 2]
    assert dual.primal(moving).tangent is None
    assert dual.primal(plain) is plain
    assert dual.stopped(plain) is plain
    assert dual.directions(constant) is None
    assert floats(dual.tangents(constant, 3)) == np.zeros((3, 2)).tolist()
    assert dual.by_slopes(constant.value, (constant, lambda: 1 / 0)).tangent is None
    assert dual.may_be_equal(constant, moving)
    assert not dual.may_be_equal(constant, dual.constant([1.0, 3.0]))
    assert dual.may_be_equal(plain, plain.copy())
    assert not dual.may_be_equal(plain, -plain)
    inner = Dual(jets.jets(constant.value, balls.exact([5.0, 6.0])), moving.tangent)
    assert floats(dual.firsts(inner).value) == [1, 2]
    assert floats(dual.seconds(inner).value) == [5, 6]
    assert floats(dual.firsts(inner).tangent) == [[3, 4]]
    assert floats(dual.seconds(inner).tangent) == [[0, 0]]
    assert dual.firsts(constant).tangent is None
    assert dual.seconds(constant).tangent is None
    assert floats(dual.stopped(inner).value) == [1, 2]
    assert not jets.are_in(dual.stopped(inner).value)
    assert dual.stopped(inner).tangent is None
    assert dual.have_slopes([plain, inner])
    assert dual.have_slopes([Dual(constant.value, jets.jets(tangent, tangent))])
    assert not dual.have_slopes([plain, moving])


def test_numbers_with_a_slope() -> None:
    x = Jet(arb(2, 0.25), arb(3))
    assert repr(x).startswith("Jet([")
    assert float(x) == 2
    assert (x < 3, x > 1, x < 2, x > 2) == (True, True, False, False)
    assert (Jet(arb(3), arb(1)) < 2, Jet(arb(1), arb(1)) > 2) == (False, False)
    assert (x < Jet(arb(3), arb(0)), x > Jet(arb(3), arb(0))) == (True, False)
    assert Jet(arb(2), arb(1)) == arb(2)
    assert (Jet(arb(2), arb(1)) < 2, Jet(arb(2), arb(1)) > 2) == (False, False)
    assert Jet(arb(2.5, 0.5), arb(1)) != arb(2)
    assert Jet(arb(2.5, 0.5), arb(1)) != arb(3)
    assert Jet(arb(2), arb(1)) != arb(3)
    assert float(x.mid()) == 2
    assert not x.is_nan()
    assert Jet(arb("nan"), arb(1)).is_nan()
    exact, nothing, inexact, infinite = arb(2), arb(0), arb(2, 1), arb(math.inf)
    for c, d in itertools.product((exact, nothing, inexact, infinite, arb(0.5)), repeat=2):
        jet = Jet(c, d)
        assert jet.is_exact() == (c is not inexact and d is not inexact)
        assert jet.is_finite() == (c is not infinite and d is not infinite)
        assert jet.is_zero() == (c is nothing and d is nothing)
        assert jet.is_integer() == (d is nothing and c.is_integer())
        for other in (arb(2), Jet(arb(2), arb(0.5))):
            both = c.overlaps(arb(2)) and d.overlaps(jets.second(other))
            assert jet.overlaps(other) == both
            assert jets.overlap(balls.boxed([jet], (1,)), balls.boxed([other], (1,))) == both
            assert jets.overlap(balls.boxed([other], (1,)), balls.boxed([jet], (1,))) == both
    for by in (np.array([arb(1), arb(2)]), np.array([x, x])):
        for found in (x + by, by + x, x - by, by - x, x * by, by * x, x / by, by / x):
            assert isinstance(found, np.ndarray)
            assert found.shape == (2,)


@pytest.mark.parametrize(("left", "right"), [*itertools.product((False, True), repeat=2)])
def test_products_of_matrices_with_slopes(left: bool, right: bool) -> None:
    values, slopes = (whole(2, 3, 4), whole(2, 4, 2)), (whole(2, 3, 4), whole(2, 4, 2))
    of = [s if has else np.zeros_like(s) for s, has in zip(slopes, (left, right), strict=True)]
    given = [
        jets.jets(balls.exact(v), balls.exact(s) if has else None)
        for v, s, has in zip(values, slopes, (left, right), strict=True)
    ]
    found = jets.matmul(*given)
    assert jets.are_in(found) == (left or right)
    assert floats(jets.firsts(found)) == (values[0] @ values[1]).tolist()
    along = of[0] @ values[1] + values[0] @ of[1]
    assert floats(jets.seconds(found)) == along.tolist()
