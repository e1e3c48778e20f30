"""Numbers of all formats: their spacing and rounding, and the distances between them."""

import ml_dtypes
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from handgrad import ulp_distance
from handgrad.data.formats import FLOAT8, JUDGED, named


def test_formats_are_those_of_their_numbers() -> None:
    """Of short ones of every positive number, and of what lies between it and the next."""
    for name in JUDGED:
        form, dtype = named(name), np.dtype(name)
        one = dtype.type(1)
        assert float(one + dtype.type(form.eps)) == 1 + form.eps  # the next number
        assert float(dtype.type(1 + form.eps / 4)) == 1
        assert float(dtype.type(form.largest)) == form.largest
        assert 0 < float(dtype.type(form.subnormal)) == form.subnormal
        assert float(dtype.type(form.subnormal / 4)) == 0
    for name in ("float16", "bfloat16", *FLOAT8):
        form, dtype = named(name), np.dtype(name)
        bits = np.arange(2 ** (8 * dtype.itemsize - 1), dtype=f"u{dtype.itemsize}")
        with np.errstate(invalid="ignore"):
            numbers = np.sort(bits.view(dtype).astype(np.float64))
        numbers = numbers[np.isfinite(numbers) & (numbers >= 0)]
        assert numbers[-1] == form.largest
        gaps = np.diff(numbers)
        np.testing.assert_array_equal(form.spacing(numbers[:-1]), gaps)
        between = numbers[:-1] + gaps * np.linspace(0.01, 0.99, gaps.size)
        rounded = between.astype(dtype).astype(np.float64)
        np.testing.assert_array_equal(form.rounded(between), rounded)
        assert np.isinf(form.rounded(2 * form.largest))
        assert np.isnan(form.spacing(np.inf))


@given(st.floats(-1e300, 1e300), st.integers(0, 50))
def test_a_distance_counts_the_steps_between_neighbours(a: float, steps: int) -> None:
    b = np.float64(a)
    for _ in range(steps):
        b = np.nextafter(b, np.inf)
    if np.spacing(abs(b)) == np.spacing(abs(a)):
        assert ulp_distance(a, b) == steps


def test_distances_that_are_known() -> None:
    """The dtype decides the unit."""
    assert 4e15 < ulp_distance(0.0, 1.6e-13) < 1e16
    a, b = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    assert (ulp_distance(a, b), ulp_distance(np.float64(a), np.float64(b))) == (1, 2.0**29)
    c, d = (np.array(v, ml_dtypes.bfloat16) for v in ([1.0, -3.0, 0.0], [1.0078125, -3.03125, 0.0]))
    np.testing.assert_array_equal(ulp_distance(c, d), [1, 2, 0])
    assert ulp_distance(0.0, -0.0) == 0
    assert np.isnan([ulp_distance(np.nan, 1.0), ulp_distance(np.inf, np.inf)]).all()
