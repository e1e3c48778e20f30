"""Losses that JAX cannot trace, with too little time for all of their elements."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient, check_jacobian
from handgrad.clock import Clock
from handgrad.judging import by_differences
from handgrad.oracle.numpy_losses import certify
from tests.corpus.rows import called
from tests.corpus.rows.numpy_losses import summed


class Counting(Clock):
    """After the first element it says that each takes 2 seconds."""

    @property
    def spent(self) -> float:
        return 2.0


OF_BETA = partial(check_gradient, called.of_beta, called.beta, called.MANY[:20], points=0)
OF_FUN = partial(check_jacobian, called.jac, called.fun, called.AT, called.T, called.W, points=0)


@pytest.mark.parametrize(
    ("check", "seconds", "judged"), [(OF_BETA, 10, "3 of 20"), (OF_FUN, 6, "10 of 15")]
)
def test_some_elements_are_estimated(
    check: Any, seconds: float, judged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three quarters of the time are for the elements, of a Jacobian for its columns."""
    monkeypatch.setattr(by_differences, "Clock", Counting)
    monkeypatch.setattr(by_differences, "time_left", lambda _: seconds)
    report = check()
    assert report.verdict == "agree"
    assert report.leaves[0].judged == int(judged.split()[0])
    assert f"{judged} elements, drawn at random" in report.certificate


def test_some_elements_are_certified_or_all_by_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "time_in_all", lambda _: 1e-6)
    x = np.random.default_rng(0).standard_normal(200)
    some = check_gradient(np.exp, summed, x, points=0)
    every = check_gradient(np.exp, summed, x, points=0, referee="series")
    assert some.verdict == every.verdict == "agree"
    assert "of 200 elements, drawn at random" in some.certificate
    assert 0 < some.leaves[0].judged < every.leaves[0].judged == 200


def test_a_kink_is_undecidable_where_some_elements_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certify, "time_in_all", lambda _: 1e-6)
    report = check_gradient(np.sign, lambda x: np.sum(np.abs(x)), np.zeros(200), points=0)
    assert report.headline.startswith("undecidable: a kink in a gradient of so many elements")
