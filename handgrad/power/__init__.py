"""The power of a check, or of a test: which planted mistakes it catches, and which it misses."""

from collections.abc import Callable
from typing import Any

from handgrad.judging.outcome import Trial
from handgrad.power.exact import power
from handgrad.power.own_tests import of_test
from handgrad.power.results import Planted, Power, together

__all__ = ["Planted", "Power", "power", "power_of", "together"]


def power_of(trial: Trial | None, verdict: str, test: Callable[[Any], Any] | None) -> Power:
    """Return what `GradientReport.power` does; raises as that."""
    if trial is None:
        raise ValueError("power: a report that was pickled has no points; expected a fresh one")
    if trial.case.claim.along_directions:
        raise ValueError("power: got a report with directions, expected one on every element")
    if trial.case.claim.order == 0:
        raise ValueError("power: got a report on values, expected one on a derivative")
    if test is None:
        return power(trial)
    if verdict == "disagree":
        raise ValueError("power: what is wrong as it is shows nothing of a test; correct it")
    return of_test(trial, test)
