"""Arrays of balls: what is true of a ball is true of every number in it."""

import math

import numpy as np
from flint import arb

from handgrad.arithmetic import balls


def test_what_is_said_of_a_ball() -> None:
    numbers = [arb(0), arb(1, 2), arb(3, 2), arb("nan"), arb(1, math.inf), arb(2) ** 1024]
    around = balls.boxed(numbers, (6,))
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
