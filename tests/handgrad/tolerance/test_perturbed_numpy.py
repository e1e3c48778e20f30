"""Perturbed data of losses in NumPy."""

import flint
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.tolerance.perturbed_numpy import moved


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_largest_number_is_moved_by_half_an_ulp(dtype: type) -> None:
    """NumPy's spacing of it is infinite, with a warning."""
    largest = np.finfo(dtype).max
    with flint.ctx.workprec(100):
        found = moved(np.array([largest, -largest, 1.0], dtype), np.array([-1.0, -1.0, 1.0]))
        gaps = balls.midpoints(found - balls.exact([largest, -largest, 1.0]))
    half = (float(largest) - float(np.nextafter(largest, dtype(0)))) / 2
    np.testing.assert_array_equal(np.abs(gaps), [half, half, 0])


def test_a_magnitude_beyond_the_largest_float_is_infinite_without_a_warning() -> None:
    square = balls.exact([1e300]) * balls.exact([1e300])
    np.testing.assert_array_equal(balls.magnitudes(square), [np.inf])
