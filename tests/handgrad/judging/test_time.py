"""The seconds of a check, also inside a point; Ctrl-C; and what a report says of both."""

import itertools
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
    check_jacobian,
    check_steps,
    clock,
)
from handgrad.data import brake
from handgrad.judging import by_differences, trial
from handgrad.oracle import certify
from tests.corpus.rows import called
from tests.corpus.rows.not_as_traced import SUMS_TO_1, W, normalised
from tests.handgrad.test_times import MIDDLE, network

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


def test_a_check_keeps_to_its_seconds_inside_a_point_too(ticking: Any) -> None:
    def judged(seconds: float, points: int = 3) -> tuple[int, float]:
        """Return how many points are judged, and the time."""
        before = ticking()
        report = check_gradient(GRADIENT, *PROBLEM, points=points, seconds=seconds)
        passed = ticking() - before
        assert passed <= 1.1 * seconds + 20 * TICK
        if report.verdict == "undecidable":
            assert report.headline.startswith(f"undecidable: {seconds:g} s were too short for")
            return 0, passed
        assert report.verdict == "agree"
        ends = f"time ran out after {report.points - 1} of {points} other points"
        assert (ends in report.warnings) == (report.points < 1 + points)
        return report.points, passed

    judged(1000.0)  # what is compiled and kept is so from here on
    _, of_all = judged(1000.0)
    assert [judged(part * of_all)[0] for part in (0.02, 0.5, 1.1)] == [0, 1, 4]
    assert judged(0.5 * of_all, points=1)[0] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("ticking")
def test_in_a_few_seconds_some_elements_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "RUNS", 1e9)  # there is never time for all of them
    off = lambda *at: jax.tree.map(lambda leaf: leaf * (1 + 1e-9), GRADIENT(*at))  # noqa: E731
    report = check_gradient(off, *PROBLEM, points=0, seconds=20)
    some = f"{sum(leaf.judged for leaf in report.leaves)} of 992 elements"
    assert 1 < int(some.split()[0]) < 100
    assert report.verdict == "disagree"
    assert f"{some}, drawn at random" in report.certificate
    with pytest.warns(match="of 992 elements that were judged are right .*; seconds= ") as caught:
        assert_gradient(GRADIENT, *PROBLEM, points=0, seconds=20)
    assert [Path(one.filename) for one in caught] == [Path(__file__)]


def test_of_what_cannot_be_traced_some_elements_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "time_in_all", lambda _: 1e-6)
    x = np.random.default_rng(0).standard_normal(200)
    for referee, some in (("auto", True), ("series", False)):
        report = check_gradient(np.exp, lambda x: np.exp(x).sum(), x, points=0, referee=referee)
        assert report.verdict == "agree"
        assert ("of 200 elements, drawn at random" in report.certificate) == some
        (leaf,) = report.leaves
        assert (0 < leaf.judged < 200) == some
        assert float(leaf.exact) == pytest.approx(leaf.yours)  # one that was judged is shown
    report = check_gradient(np.sign, lambda x: np.sum(np.abs(x)), 0 * x, points=0)
    assert report.headline.startswith("undecidable: a kink in a gradient of so many elements")
    # By differences: three quarters of the time are for the columns, of which each takes 2 s.
    monkeypatch.setattr(by_differences, "Clock", type("Slow", (clock.Clock,), {"spent": 2.0}))
    monkeypatch.setattr(by_differences, "time_left", lambda _: 6)
    report = check_jacobian(called.jac, called.fun, called.AT, called.T, called.W, points=0)
    assert (report.verdict, report.leaves[0].judged) == ("agree", 10)
    assert "10 of 15 elements, drawn at random" in report.certificate


def test_ties_that_do_not_matter_are_none_in_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "RUNS", 1e9)  # there is never time for a gradient program
    x = np.where(np.arange(200) % 7, np.linspace(-1.0, 1.0, 200), 0.0)

    def loss(x: Any) -> Any:
        return jnp.sum(jnp.maximum(x, 0.0) ** 2)

    assert check_gradient(lambda x: 2 * np.maximum(x, 0.0), loss, x, points=0).verdict == "agree"


@pytest.mark.parametrize(("takes", "verdict"), [(0.003, "disagree"), (0.1, "undecidable")])
def test_what_cannot_be_held_in_time_is_undecidable(
    now: list[float], monkeypatch: pytest.MonkeyPatch, takes: float, verdict: str
) -> None:
    """A wrong gradient is right for what JAX traces, which is seen only beside the point."""
    monkeypatch.setattr(trial, "limited", clock.limited)

    def slow(m: Any) -> Any:
        now[0] += takes
        clock.check_time()  # in place of the brake, whose thread waits for another clock
        return normalised(m)

    report = check_gradient(lambda m: W + 0 * m, slow, SUMS_TO_1, points=0, seconds=1.0)
    assert report.verdict == verdict
    assert ("to hold the loss to your function beside" in report.headline) == (takes > 0.01)


@pytest.mark.slow
def test_a_point_that_does_not_end_leaves_time_to_explain_the_others() -> None:
    judged: list[np.ndarray] = []

    def wrong(w: Any) -> Any:
        while judged and not any(np.array_equal(w, point) for point in judged):
            pass
        return 1 - np.tanh(w)

    report = check_gradient(wrong, lambda w: jnp.sum(jnp.tanh(w)), AT, points=[(2 * AT,)])
    judged += [AT, 2 * AT]
    assert "The search for the kind of mistake was cut" in str(report)
    assert [diagnosis.kind for diagnosis in report.diagnoses] == ["activation-derivative"]


def interrupting(at: int) -> Any:
    """Return twice a number, and press Ctrl-C at the so many-th point."""
    seen: set[bytes] = set()

    def gradient(p: Any) -> Any:
        seen.add(np.asarray(p).tobytes())
        if len(seen) == at:
            raise KeyboardInterrupt
        return 2 * p

    return gradient


def test_ctrl_c_ends_a_check_with_the_report_on_what_was_judged() -> None:
    with pytest.raises(CheckInterrupted) as interrupted:
        check_gradient(interrupting(4), lambda p: jnp.sum(p**2), AT)
    report = interrupted.value.report
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
