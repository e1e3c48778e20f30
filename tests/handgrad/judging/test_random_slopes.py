"""How often an error goes unseen by the quick look along random directions, and that it is said."""

from typing import Any

import numpy as np
import pytest

from handgrad import assert_gradient, check_gradient
from handgrad.judging import random_slopes
from tests.corpus.rows.random_directions import AT, gradient, loss, slip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("error", [1e-3, 30.0])
def test_an_error_goes_unseen_no_more_often_than_is_said(dtype: Any, error: float) -> None:
    """Other errors are as large, and the tolerance so wide that some draws miss the first one."""
    sizes = np.geomspace(1e-3, 1e3, 7).astype(dtype)
    others = np.random.default_rng(1).standard_normal(6) * sizes[1:] * error
    errors = np.append(error * sizes[0], others)
    rng, draws, missed = np.random.default_rng(0), 4000, 0
    for _ in range(draws):
        (direction,) = random_slopes._drawn(rng, 1, sizes)
        missed += abs(float(direction.astype(float) @ errors)) <= error / 20
    assert 0 < missed / draws <= 0.1 + 3 * np.sqrt(0.1 / draws)


def test_elements_of_any_size_have_a_weight() -> None:
    sizes = np.array([1e-300, 5e-324, 1.0, 1e300])
    (direction,) = random_slopes._drawn(np.random.default_rng(0), 1, sizes)
    assert np.isfinite(direction * sizes).all()
    assert 0.5 <= abs(direction[2]) < 2


@pytest.mark.parametrize("directions", [1, 2])
def test_the_probability_is_that_of_a_miss_in_each_direction(directions: int) -> None:
    report = check_gradient(gradient, loss, *AT, directions=directions, points=0)
    chance = float(report.certificate.split("probability below ")[1])
    assert 1e-14**directions < chance < 1e-9**directions


def test_such_a_report_has_slopes_for_leaves() -> None:
    report = check_gradient(slip(b=1), loss, *AT, directions=2, points=1)
    assert [leaf.path for leaf in report.leaves] == ["random direction 1", "random direction 2"]
    assert report.params["w"].tolist() == AT[0]["w"].tolist()
    assert (report.diagnoses, report.counterexample) == ((), None)
    with pytest.raises(ValueError, match="power: got a report with directions"):
        report.power()
    with pytest.raises(AssertionError, match="random direction"):
        assert_gradient(slip(b=1), loss, *AT, directions=1, points=0)
