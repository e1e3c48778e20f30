"""How often an error goes unseen by the quick look along random directions, and that it is said."""

from typing import Any

import numpy as np
import pytest

from handgrad import assert_gradient, check_gradient
from handgrad.judging import random_slopes
from tests.corpus.rows.random_directions import AT, gradient, loss, slip


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 30.0), (np.float32, 1e-3)])
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


@pytest.mark.parametrize("directions", [1, 2])
def test_what_such_a_report_has(directions: int) -> None:
    """The probability of a miss in each direction, and slopes for leaves."""
    report = check_gradient(gradient, loss, *AT, directions=directions, points=0)
    chance = float(report.certificate.split("probability below ")[1])
    assert 1e-14**directions < chance < 1e-9**directions
    report = check_gradient(slip(b=1), loss, *AT, directions=directions, points=1)
    paths = [f"random direction {i + 1}" for i in range(directions)]
    assert [leaf.path for leaf in report.leaves] == paths
    assert report.params["w"].tolist() == AT[0]["w"].tolist()
    assert (report.diagnoses, report.counterexample) == ((), None)
    with pytest.raises(ValueError, match="power: got a report with directions"):
        report.power()
    with pytest.raises(AssertionError, match="random direction"):
        assert_gradient(slip(b=1), loss, *AT, directions=directions, points=0)
