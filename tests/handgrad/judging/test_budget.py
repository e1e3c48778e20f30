"""The seconds of a check, also inside a point; Ctrl-C; and what a report says of both."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import (
    CheckInterrupted,
    assert_gradient,
    check_gradient,
    check_steps,
    clock,
)
from handgrad.backward import report_on_step
from handgrad.data import brake
from handgrad.data.point import point_at
from handgrad.judging import trial
from handgrad.oracle import certify
from tests.handgrad.test_times import MIDDLE, network
from tests.tiers import one_of_each

#: What a tick of the clock takes here: each time that somebody looks at it.
TICK = 0.01


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that goes on by a tick whenever it is looked at, however fast this machine is."""
    ticks = itertools.count()
    shown = SimpleNamespace(last=0)

    def read() -> float:
        shown.last = next(ticks)
        return shown.last * TICK

    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=read, process_time=read))
    monkeypatch.setattr(trial, "limited", clock.limited)
    monkeypatch.setattr(brake, "EVERY", 1e6)  # its thread looks at the clock as well
    return lambda: shown.last * TICK


def times(factor: float, gradient: Any) -> Any:
    def scaled(*point: Any) -> Any:
        return jax.tree_util.tree_map(lambda leaf: leaf * factor, gradient(*point))

    return scaled


@pytest.mark.parametrize("seconds", one_of_each([0.2, 1.0, 3.0, 10.0, 30.0], [0.2, 3.0]))
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_a_check_keeps_to_its_seconds_inside_a_point_too(
    ticking: Any, seconds: float, factor: float
) -> None:
    gradient, *problem = network(MIDDLE, 32)

    report = check_gradient(times(factor, gradient), *problem, seconds=seconds)
    assert ticking() <= 1.1 * seconds + 20 * TICK
    right = {"agree", "undecidable"} if factor == 1 else {"disagree", "undecidable"}
    assert report.verdict in right
    if report.verdict == "undecidable":
        assert report.headline.startswith(f"undecidable: {seconds:g} s were too short for")
        assert (report.points, report.warnings) == (0, ())
    elif report.points < 9:
        assert f"time ran out after {report.points - 1} of 8 other points" in report.warnings
    assert f"seconds={seconds:g}" in report.reproduce


def test_more_seconds_judge_more(ticking: Any) -> None:
    gradient, *problem = network(MIDDLE, 32)

    def judged(seconds: float) -> int:
        return check_gradient(gradient, *problem, points=3, seconds=seconds).points

    judged(1000.0)  # what is compiled and kept is so from here on
    before = ticking()
    assert judged(1000.0) == 4
    of_all = ticking() - before
    assert [judged(part * of_all) for part in (0.02, 0.5, 1.1)] == [0, 1, 4]


@pytest.mark.parametrize("mistake", [1.0, 1 + 1e-9])
@pytest.mark.usefixtures("ticking")
def test_in_a_few_seconds_some_elements_are_judged(
    monkeypatch: pytest.MonkeyPatch, mistake: float
) -> None:
    monkeypatch.setattr(certify, "RUNS", 1e9)  # there is never time for all
    gradient, *problem = network(MIDDLE, 32)

    report = check_gradient(times(mistake, gradient), *problem, points=0, seconds=20)
    judged = sum(leaf.judged for leaf in report.leaves)
    assert 1 < judged < 100
    assert report.verdict == ("agree" if mistake == 1 else "disagree")
    assert f"{judged} of 992 elements, drawn at random" in report.certificate
    assert f"only {judged} of 992 elements judged" in report.warnings
    if mistake == 1:
        what = f"agree: the {judged} of 992 elements that were judged are right at the given point"
        assert report.headline == f"{what}, 1 point judged"
        # Those that were not drawn are not known to be 0.
        assert not any("dead units" in line for line in report.warnings)


@pytest.mark.usefixtures("ticking")
def test_an_assertion_that_passes_by_a_sample_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient, *problem = network(MIDDLE, 32)
    said = "of 992 elements that were judged are right .*; seconds= "
    with monkeypatch.context() as hurried:
        hurried.setattr(certify, "RUNS", 1e9)  # there is never time for all
        with pytest.warns(match=said) as caught:
            assert_gradient(gradient, *problem, points=0, seconds=20)
    assert_gradient(gradient, *problem, points=0, seconds=20)  # a warning is an error in tests
    assert [Path(one.filename) for one in caught] == [Path(__file__)]


@pytest.mark.parametrize("error", [0.0, 1e-9])
@pytest.mark.usefixtures("ticking")
def test_in_a_sample_nothing_is_wrong_that_no_rerun_has_shown(
    monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    """There is no time to measure what rounding costs, and what `math` computes is not rerun."""
    monkeypatch.setattr(certify, "RUNS", 1e9)  # there is never time for all
    gradient, *problem = network(MIDDLE, 32)

    def compiled(leaf: Any) -> Any:
        off = [v + math.ldexp(v, 0) * error * math.cos(i) for i, v in enumerate(leaf.ravel())]
        return np.reshape(off, leaf.shape)

    def rounded(*point: Any) -> Any:
        return jax.tree_util.tree_map(compiled, gradient(*point))

    report = check_gradient(rounded, *problem, points=0, seconds=12)
    assert 1 < sum(leaf.judged for leaf in report.leaves) < 100
    assert report.verdict == ("undecidable" if error else "agree")
    assert ("no time to measure what rounding costs" in report.headline) == bool(error)
    assert not any(np.isinf(leaf.loose) for leaf in report.leaves)


def test_a_later_point_is_judged_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    certified = certify._attempt

    def at_first(problem: Any, method: str, bits: int, seconds: float) -> Any:
        found = certified(problem, method, bits, seconds)
        if np.array_equal(problem.leaves[0], at):
            return found
        return replace(found, known=np.array([True, False, True]))

    at = np.array([0.5, -1.0, 2.0])
    monkeypatch.setattr(certify, "_attempt", at_first)
    report = check_gradient(lambda p: 2 * p, loss, at)
    assert (report.verdict, report.points) == ("agree", 1)
    assert report.warnings == ("time ran out after 0 of 8 other points",)


def test_when_time_is_up_the_caller_s_functions_are_called_no_more(ticking: Any) -> None:
    given, called = point_at(np.array([0.5, -1.0]), ()), []
    with clock.limited(10 * TICK), pytest.raises(clock.OutOfTimeError):
        [given.call(called.append) for _ in range(100)]
    assert 0 < len(called) < 10 < ticking() / TICK


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5", True, None])
def test_seconds_that_are_none(seconds: Any) -> None:
    error = ValueError if isinstance(seconds, int | float) and seconds is not True else TypeError
    with pytest.raises(error, match=r"^seconds: got .*, expected (a number|more than 0)$"):
        check_gradient(lambda p: 2 * p, lambda p: (p**2).sum(), np.ones(2), seconds=seconds)


def test_the_steps_share_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is divided among those that are left."""
    asked: list[float] = []

    def judged(*args: Any) -> Any:
        asked.append(args[-1])
        return report_on_step(*args)

    monkeypatch.setattr("handgrad.stepwise.report_on_step", judged)
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=float, process_time=float))
    steps = [(name, lambda x: (2 * x, None), lambda d, _: 2 * d) for name in "abc"]
    assert check_steps(steps, np.array([0.5, -1.0]), seconds=30, points=1).passes
    assert asked == [10.0, 15.0, 30.0]


def interrupting(at: int) -> Any:
    """Return a gradient during whose call Ctrl-C is pressed at the so many-th point."""
    seen: list[bytes] = []

    def gradient(p: Any) -> Any:
        if p.tobytes() not in seen:
            seen.append(p.tobytes())
        if len(seen) == at:
            raise KeyboardInterrupt
        return 2 * p

    return gradient


def loss(p: Any) -> Any:
    return jnp.sum(p**2)


def test_ctrl_c_ends_a_check_with_the_report_on_what_was_judged() -> None:
    with pytest.raises(CheckInterrupted) as interrupted:
        check_gradient(interrupting(4), loss, np.array([0.5, -1.0]))
    report = interrupted.value.report
    assert isinstance(interrupted.value, KeyboardInterrupt)
    assert (report.verdict, report.points) == ("agree", 3)
    assert report.warnings == ("interrupted after 2 of 8 other points",)
    assert str(interrupted.value) == str(report)


def test_ctrl_c_in_the_first_point_is_what_it_always_is() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted:
        check_gradient(interrupting(1), loss, np.array([0.5, -1.0]))
    assert type(interrupted.value) is KeyboardInterrupt


def test_ctrl_c_among_steps_leaves_those_that_were_judged() -> None:
    def steps(*backwards: Any) -> list[Any]:
        return [
            (name, lambda x: (2 * x, x), back) for name, back in zip("abc", backwards, strict=True)
        ]

    def right(d: Any, _: Any) -> Any:
        return 2 * d

    def at_once(*_: Any) -> Any:
        raise KeyboardInterrupt

    seen: list[Any] = []

    def later(d: Any, x: Any) -> Any:
        seen.append(np.asarray(x).tobytes())
        if len(set(seen)) > 2:
            raise KeyboardInterrupt
        return 2 * d

    for backward, judged in ((at_once, "ab"), (later, "abc")):
        with pytest.raises(CheckInterrupted) as interrupted:
            check_steps(steps(right, right, backward), np.array([0.5, -1.0]))
        report = interrupted.value.report
        assert [step.name for step in report.steps] == list(judged)
        assert report.passes
    with pytest.raises(KeyboardInterrupt) as first:
        check_steps(steps(at_once, right, right), np.array([0.5, -1.0]))
    assert type(first.value) is KeyboardInterrupt
