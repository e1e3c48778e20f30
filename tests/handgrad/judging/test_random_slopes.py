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


def test_such_a_report_has_slopes_for_leaves_and_says_how_probable_a_miss_is() -> None:
    report = check_gradient(gradient, loss, *AT, directions=2, points=0)
    assert 1e-28 < float(report.certificate.split("probability below ")[1]) < 1e-18
    report = check_gradient(slip(b=1), loss, *AT, directions=2, points=1)
    assert [leaf.path for leaf in report.leaves] == ["random direction 1", "random direction 2"]
    assert report.params["w"].tolist() == AT[0]["w"].tolist()
    assert (report.diagnoses, report.counterexample) == ((), None)
    with pytest.raises(ValueError, match="power: got a report with directions"):
        report.power()
    with pytest.raises(AssertionError, match="random direction"):
        assert_gradient(slip(b=1), loss, *AT, directions=1, points=0)
