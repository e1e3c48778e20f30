"""What the caller's own test notices of mistakes that are planted in a derivative."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.clock import Clock, reported
from handgrad.data.frames import with_place
from handgrad.data.point import shortly
from handgrad.judging.outcome import Trial
from handgrad.power.planting import Planting
from handgrad.power.results import Planted, Power
from handgrad.power.targets import target_of

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def of_test(trial: Trial, test: Callable[..., Any]) -> Power:
    """Plant mistakes in the caller's derivative, and tell which of them a test notices.

    Raises:
        TypeError: the test is no function, or returns a number.
        ValueError: it does not pass on the derivative as it is, or does not call it; or there is no
            function to plant mistakes in.
    """
    if not callable(test):
        raise TypeError(f"power: got the test {shortly(test)}, expected a function")
    planting = Planting(target_of(trial))
    name = planting.target.name

    def noticed() -> str:
        return _noticed(test, planting.wrapped())

    if said := noticed():
        raise ValueError(f"power: the test does not pass on {name} as it is: {said}")
    if not planting.calls:
        raise ValueError(f"power: the test does not call the function that it is given for {name}")
    with reported(Clock(0.0)) as progress:
        found = planted_in(planting, lambda: bool(noticed()), progress.at)
    if not found:
        raise ValueError(f"power: no mistake can be planted in {name}: {planting.unchanged}")
    called = getattr(test, "__name__", "")
    tests = f"test {called}" if called.isidentifier() else "your test"
    return Power(tuple(found), 0, planting.left, tests=tests)


def planted_in(
    planting: Planting, is_noticed: Callable[[], bool], at: Callable[[str], None]
) -> list[Planted]:
    """Plant each mistake, and tell whether it is noticed; `at` is told how far this is."""
    found = []
    mistakes = planting.mistakes()
    for k, mistake in enumerate(mistakes):
        at(f"planting {k + 1} of {len(mistakes)} mistakes in {planting.target.name}")
        planting.plant(mistake)
        caught = is_noticed()
        if planting.unchanged and not (caught and planting.change):
            planting.left = (
                f"where a call returns what no mistake can be made in: {planting.unchanged}"
            )
            continue
        # Without a change, whatever a test says is not about the mistake.
        caught = caught and planting.change != 0
        found.append(Planted(mistake.kind, mistake.where, caught, planting.change))
    return found


def _noticed(test: Callable[..., Any], derivative: Callable[..., Any]) -> str:
    """Return how a test fails on a derivative, in one line; empty if it passes."""
    try:
        found = test(derivative)
    except Exception as error:  # as of any test, whatever it raises
        return with_place(error)
    except BaseException as error:
        outcomes = sys.modules.get("_pytest.outcomes")
        if outcomes is None or not isinstance(error, outcomes.OutcomeException):
            raise
        return str(error).partition("\n")[0]  # what pytest.fail and pytest.skip raise
    if found is None or isinstance(found, bool | np.bool_):
        return "" if found is None or found else "it returned False"
    what = "expected True, False, or None and an AssertionError"
    raise TypeError(f"power: the test returned {shortly(found)}, {what}")
