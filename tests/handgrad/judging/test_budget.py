"""The seconds of a check, also inside a point; Ctrl-C; and what a report says of both."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import CheckInterrupted, assert_gradient, check_gradient, check_steps, clock
from handgrad.data import brake
from handgrad.judging import trial
from handgrad.oracle import certify
from tests.handgrad.test_times import MIDDLE, network
from tests.tiers import one_of_each

#: What a tick of the clock takes here: each time that somebody looks at it.
TICK = 0.01

GRADIENT, *PROBLEM = network(MIDDLE, 32)
AT = np.array([0.5, -1.0])


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that goes on by a tick whenever it is looked at, however fast this machine is."""
    ticks, shown = itertools.count(), [0]

    def read() -> float:
        shown[0] = next(ticks)
        return shown[0] * TICK

    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=read, process_time=read))
    monkeypatch.setattr(trial, "limited", clock.limited)
    monkeypatch.setattr(brake, "EVERY", 1e6)  # its thread looks at the clock as well
    return lambda: shown[0] * TICK


def times(factor: float) -> Any:
    return lambda *at: jax.tree_util.tree_map(lambda leaf: leaf * factor, GRADIENT(*at))


@pytest.mark.parametrize("seconds", one_of_each([0.2, 1.0, 3.0, 10.0, 30.0], [0.2, 3.0]))
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_check_keeps_to_its_seconds_inside_a_point_too(
    ticking: Any, seconds: float, factor: float
) -> None:
    report = check_gradient(times(factor), *PROBLEM, seconds=seconds)
    assert ticking() <= 1.1 * seconds + 20 * TICK
    assert report.verdict in {"agree" if factor == 1 else "disagree", "undecidable"}
    if report.verdict == "undecidable":
        assert report.headline.startswith(f"undecidable: {seconds:g} s were too short for")
        assert (report.points, report.warnings) == (0, ())
    elif report.points < 9:
        assert f"time ran out after {report.points - 1} of 8 other points" in report.warnings


def test_more_seconds_judge_more(ticking: Any) -> None:
    def judged(seconds: float) -> int:
        return check_gradient(GRADIENT, *PROBLEM, points=3, seconds=seconds).points

    judged(1000.0)  # what is compiled and kept is so from here on
    before = ticking()
    assert judged(1000.0) == 4
    of_all = ticking() - before
    assert [judged(part * of_all) for part in (0.02, 0.5, 1.1)] == [0, 1, 4]


@pytest.fixture
def hurried(ticking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is never time for all elements."""
    assert ticking
    monkeypatch.setattr(certify, "RUNS", 1e9)


@pytest.mark.parametrize("mistake", [1.0, 1 + 1e-9])
@pytest.mark.usefixtures("hurried")
def test_in_a_few_seconds_some_elements_are_judged(mistake: float) -> None:
    report = check_gradient(times(mistake), *PROBLEM, points=0, seconds=20)
    judged = sum(leaf.judged for leaf in report.leaves)
    assert 1 < judged < 100
    assert report.verdict == ("agree" if mistake == 1 else "disagree")
    assert f"{judged} of 992 elements, drawn at random" in report.certificate
    assert f"only {judged} of 992 elements judged" in report.warnings
    # Those that were not drawn are not known to be 0.
    assert "dead units" not in str(report)
    if mistake == 1:
        what = f"agree: the {judged} of 992 elements that were judged are right at the given point"
        assert report.headline == f"{what}, 1 point judged"


@pytest.mark.usefixtures("hurried")
def test_an_assertion_that_passes_by_a_sample_warns() -> None:
    with pytest.warns(match="of 992 elements that were judged are right .*; seconds= ") as caught:
        assert_gradient(GRADIENT, *PROBLEM, points=0, seconds=20)
    assert [Path(one.filename) for one in caught] == [Path(__file__)]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5", True, None])
def test_seconds_that_are_none(seconds: Any) -> None:
    error = ValueError if isinstance(seconds, int | float) and seconds is not True else TypeError
    with pytest.raises(error, match=r"^seconds: got .*, expected (a number|more than 0)$"):
        check_gradient(lambda p: 2 * p, lambda p: (p**2).sum(), AT, seconds=seconds)


def interrupting(at: int) -> Any:
    """Return twice a number, and press Ctrl-C at the so many-th point."""
    seen: list[bytes] = []

    def gradient(p: Any) -> Any:
        if np.asarray(p).tobytes() not in seen:
            seen.append(np.asarray(p).tobytes())
        if len(seen) == at:
            raise KeyboardInterrupt
        return 2 * p

    return gradient


def test_ctrl_c_ends_a_check_with_the_report_on_what_was_judged() -> None:
    with pytest.raises(CheckInterrupted) as interrupted:
        check_gradient(interrupting(4), lambda p: jnp.sum(p**2), AT)
    report = interrupted.value.report
    assert isinstance(interrupted.value, KeyboardInterrupt)
    assert (report.verdict, report.points) == ("agree", 3)
    assert report.warnings == ("interrupted after 2 of 8 other points",)
    assert str(interrupted.value) == str(report)
    with pytest.raises(KeyboardInterrupt) as at_once:
        check_gradient(interrupting(1), lambda p: jnp.sum(p**2), AT)
    assert type(at_once.value) is KeyboardInterrupt


@pytest.mark.parametrize(("point", "judged"), [(1, "ab"), (3, "abc")])
def test_ctrl_c_among_steps_leaves_those_that_were_judged(point: int, judged: str) -> None:
    stops = interrupting(point)
    back: Any = {"a": lambda d, _: 2 * d, "c": lambda d, x: stops(x) - 2 * x + 2 * d}
    steps = [(name, lambda x: (2 * x, x), back.get(name, back["a"])) for name in "abc"]
    with pytest.raises(CheckInterrupted) as interrupted:
        check_steps(steps, AT)
    report = interrupted.value.report
    assert ("".join(step.name for step in report.steps), report.passes) == (judged, True)
