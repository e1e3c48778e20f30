"""Arrays of balls: their bounds in floats, and long work on them in blocks."""

import math
from typing import Any

import numpy as np
import pytest
from flint import arb

from handgrad.arithmetic import balls


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
    # A radius has 30 bits and is rounded up.
    np.testing.assert_allclose(balls.radii(around), [0, 2, 2, np.nan, np.nan, 0], rtol=1e-8)
    np.testing.assert_allclose(balls.least_magnitudes(around)[:3], [0, 0, 1], rtol=1e-8)


def test_an_array_without_axes_stays_one() -> None:
    one = balls.exact(0.5)
    assert (one.shape, balls.array(one[()]).shape) == ((), ())
    assert [float(of(one)) for of in (balls.midpoints, balls.magnitudes, balls.radii)] == [
        0.5,
        0.5,
        0,
    ]


def test_long_work_looks_at_the_time_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product of matrices takes so many rows at once, a function so many elements."""
    looks: list[None] = []
    monkeypatch.setattr(balls, "check_time", lambda: looks.append(None))
    rng = np.random.default_rng(0)
    a, b, x = (balls.exact(rng.normal(size=shape)) for shape in ((2, 7, 3), (2, 3, 5), (3, 11)))
    both = balls.elementwise(lambda p, q: (p + q, p * q), outputs=2)

    def results() -> list[Any]:
        return [balls.matmul(a, b), *both(x, x[:1]), balls.elementwise(lambda p: p.exp())(x)]

    whole, few = results(), len(looks)
    for name, most in (("BLOCK", 4), ("PRODUCTS", 2 * 3 * 5), ("ROWS", 2)):
        monkeypatch.setattr(balls, name, most)
    in_blocks = results()
    assert few == 2
    assert len(looks) - few == 2 * 4 + 2 * 9
    for one, other in zip(whole, in_blocks, strict=True):
        assert one.shape == other.shape
        assert balls.overlap(one.flat, other.flat)
        np.testing.assert_array_equal(balls.midpoints(one), balls.midpoints(other))
