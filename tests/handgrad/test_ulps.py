import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad import ulp_distance


@given(st.floats(-1e300, 1e300), st.integers(0, 50))
def test_counts_the_steps_between_neighbours(a: float, steps: int) -> None:
    b = np.float64(a)
    for _ in range(steps):
        b = np.nextafter(b, np.inf)
    if np.spacing(abs(b)) == np.spacing(abs(a)):
        assert ulp_distance(a, b) == steps


def test_distances_that_are_known() -> None:
    assert 4e15 < ulp_distance(0.0, 1.6e-13) < 1e16
    # The dtype decides the unit.
    a, b = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    assert ulp_distance(a, b) == 1
    assert ulp_distance(np.float64(a), np.float64(b)) == 2.0**29
    # Zeros nans and infinities.
    assert ulp_distance(0.0, -0.0) == 0
    assert np.isnan(ulp_distance(np.nan, 1.0))
    assert np.isnan(ulp_distance(np.inf, np.inf))


@pytest.mark.parametrize(
    ("a", "b"), [(np.ones(2), np.ones(3)), (np.float32(1), 1.0), (np.array(1), np.array(2))]
)
def test_refuses_what_cannot_be_compared(a: np.ndarray, b: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected one shape and one floating dtype"):
        ulp_distance(a, b)
