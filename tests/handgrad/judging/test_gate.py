"""The gate: what JAX traces to another function is judged as the caller's own, while time lasts.

The losses of which JAX traces another function are rows: `tests.corpus.rows.not_as_traced`.
"""

from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient, check_steps, clock, exact_gradient
from handgrad.judging import losses, trial
from tests.corpus.rows.not_as_traced import SUMS_TO_1, C, W, X, cubes, forward, normalised


def test_the_exact_gradient_is_that_of_what_is_called() -> None:
    found = [float(e.midpoint) for e in exact_gradient(cubes, X)]
    np.testing.assert_allclose(found, 12 * C * X * X, rtol=1e-15)


@pytest.mark.parametrize(("factor", "passes"), [(4, True), (1, False)])
def test_a_step_is_what_is_called(factor: float, passes: bool) -> None:
    step = "squares", forward, lambda d, x: 2 * factor * C * x * d
    assert check_steps([step], X, points=0).passes == passes


def filled(x: Any) -> Any:
    h = np.ones(4)
    h *= x
    return float(h @ h)


def test_what_takes_too_long_on_series_is_judged_by_differences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_gradient(lambda x: 2 * x, filled, X, points=0).certified
    monkeypatch.setattr(losses, "RUNS_OF_A_POINT", 1e12)
    report = check_gradient(lambda x: 2 * x, filled, X, points=0)
    assert (report.verdict, report.certified) == ("agree", False)
    assert "on power series a point takes too long; seconds= gives it more" in report.warnings[-1]


@pytest.mark.parametrize(("takes", "held"), [(0.003, True), (0.1, False)])
def test_what_cannot_be_held_in_time_is_undecidable(
    now: list[float], monkeypatch: pytest.MonkeyPatch, takes: float, held: bool
) -> None:
    """A wrong gradient is right for what JAX traces, which is seen only beside the point."""
    monkeypatch.setattr(trial, "limited", clock.limited)

    def slow(m: Any) -> Any:
        now[0] += takes
        clock.check_time()  # in place of the brake, whose thread waits for another clock
        return normalised(m)

    right = W - (W * SUMS_TO_1).sum(1, keepdims=True)
    for answer, verdict in ((W, "disagree"), (right, "agree")):
        report = check_gradient(lambda _, g=answer: g, slow, SUMS_TO_1, points=0, seconds=1.0)
        assert report.verdict == (verdict if held else "undecidable")
        assert ("to hold the loss to your function beside" in report.headline) == (not held)
