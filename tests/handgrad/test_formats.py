"""Formats: what NumPy and ml_dtypes say of theirs, and numbers rounded to them."""

import ml_dtypes
import numpy as np
import pytest

from handgrad.data import formats
from handgrad.data.formats import FLOAT8, HALF, JUDGED, named
from handgrad.data.numerals import beside, decimal
from handgrad.data.ulps import ulp_distance


@pytest.mark.parametrize("name", JUDGED)
def test_a_format_is_that_of_its_numbers(name: str) -> None:
    form, dtype = named(name), np.dtype(name)
    one = dtype.type(1)
    assert float(one + dtype.type(form.eps)) == 1 + form.eps  # the next number
    assert float(dtype.type(1 + form.eps / 4)) == 1
    assert float(dtype.type(form.largest)) == form.largest
    assert 0 < float(dtype.type(form.subnormal)) == form.subnormal
    assert float(dtype.type(form.subnormal / 4)) == 0
    assert form.half == (name in HALF)


@pytest.mark.parametrize("name", ["float16", "bfloat16", *FLOAT8])
def test_spacings_and_rounding_are_those_of_all_its_numbers(name: str) -> None:
    """Of every positive number, and of what lies between it and the next."""
    dtype, form = np.dtype(name), named(name)
    bits = np.arange(2 ** (8 * dtype.itemsize - 1), dtype=f"u{dtype.itemsize}")
    with np.errstate(invalid="ignore"):
        numbers = np.sort(bits.view(dtype).astype(np.float64))
    numbers = numbers[np.isfinite(numbers)]
    numbers = numbers[numbers >= 0]
    assert numbers[-1] == form.largest
    gaps = np.diff(numbers)
    np.testing.assert_array_equal(form.spacing(numbers[:-1]), gaps)
    between = numbers[:-1] + gaps * np.linspace(0.01, 0.99, gaps.size)
    np.testing.assert_array_equal(form.rounded(between), between.astype(dtype).astype(np.float64))
    assert np.isinf(form.rounded(2 * form.largest))
    assert np.isnan(form.spacing(np.inf))


@pytest.mark.parametrize("name", ["float64", "float32"])
def test_spacings_of_the_others_are_numpys(name: str) -> None:
    values = np.array([0.0, 1e-40, -0.3, 1, 7e9, np.inf], name)
    np.testing.assert_array_equal(formats.spacing(values), np.spacing(values).astype(np.float64))


def test_a_dtype_of_eight_bits_has_no_other_byte_order() -> None:
    for name in HALF:
        assert formats.native(np.dtype(name)).name == name
    assert formats.native(np.dtype(">f4")) == np.dtype("f4")


def test_distances_in_ulps_of_a_short_format() -> None:
    a, b = (np.array(v, ml_dtypes.bfloat16) for v in ([1.0, -3.0, 0.0], [1.0078125, -3.03125, 0.0]))
    np.testing.assert_array_equal(ulp_distance(a, b), [1, 2, 0])


def test_numbers_are_written_with_the_digits_of_their_format() -> None:
    exact = decimal("0.123456789012345678")
    assert beside(exact, [0.12353515625], "bfloat16") == ["0.1234568", "0.1235"]
    assert beside(exact, [0.12353515625], "float16") == ["0.12345679", "0.12354"]
