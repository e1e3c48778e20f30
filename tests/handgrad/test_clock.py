"""The limit on time: other load, threads, waiting; and the line of progress."""

import io
import sys

import pytest

from handgrad import clock


@pytest.mark.parametrize(
    ("wall", "processor", "spent", "left"),
    [
        (2.5, 2.1, 2.1, -1.0),
        (19.0, 1.9, 1.9, 0.1),  # on a busy machine
        (1.9, 30.0, 1.9, 0.1),  # in sixteen threads
        (21.0, 0.1, 0.1, -1.0),  # waiting
    ],
)
def test_neither_other_load_nor_threads_shorten_a_limit(
    monkeypatch: pytest.MonkeyPatch, wall: float, processor: float, spent: float, left: float
) -> None:
    now = {"perf_counter": 100.0, "process_time": 7.0}
    for name in now:
        monkeypatch.setattr(clock.time, name, lambda name=name: now[name])
    limit = clock.Clock(2.0)
    assert (limit.spent, limit.over, limit.left) == (0, False, 2.0)
    now["perf_counter"] += wall
    now["process_time"] += processor
    assert (limit.spent, limit.left) == (pytest.approx(spent), pytest.approx(left))
    assert limit.over == (left < 0)


def test_work_without_a_limit_is_never_out_of_time(now: list[float]) -> None:
    now[0] = 1e9
    clock.check_time()
    assert (clock.time_in_all(5.0), clock.time_left(7.0)) == (5.0, 7.0)


def test_a_limit_within_another_ends_with_it_at_the_latest(now: list[float]) -> None:
    with clock.limited(10.0) as outer:
        with clock.limited(3.0):
            now[0] = 3.5
            with pytest.raises(clock.OutOfTimeError):
                clock.check_time()
        clock.check_time()  # that one is over, this one is not
        assert outer.seconds == clock.time_in_all(0.0) == 10.0
        assert clock.time_left(0.0) == 6.5
        with clock.limited(100.0) as inner:
            assert inner.seconds == 6.5
        now[0] = 10.5
        with pytest.raises(clock.OutOfTimeError), clock.limited(3.0):
            clock.check_time()
    assert clock.time_in_all(5.0) == 5.0


def test_no_handler_of_other_errors_takes_it_for_one() -> None:
    assert not issubclass(clock.OutOfTimeError, Exception)


class Terminal(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_a_part_of_several_is_named_and_one_line_is_of_all(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal(True)
    monkeypatch.setattr(sys, "stderr", stream)
    with clock.reported(clock.Clock(20.0)) as of_all:
        for of_all.part, now[0] in (("jax", 1.5), ("torch", 3.0)):
            with clock.reported(clock.Clock(10.0)) as progress:
                progress.at("judging point 1 of 9")
    line = "handgrad: torch: judging point 1 of 9, 3 s"
    assert stream.getvalue() == f"\r{line}\r{' ' * len(line)}\r"


def test_the_line_is_not_wrapped(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal(True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "60")
    with clock.reported(clock.Clock(20.0)) as progress:
        progress.part, now[0] = "x" * 60, 3.0
        progress.at("judging point 1 of 9")
        assert stream.getvalue() == f"\rhandgrad: {'x' * 49}"


@pytest.mark.parametrize("terminal", [True, False])
def test_what_takes_long_says_on_a_terminal_how_far_it_is(
    now: list[float], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    stream = Terminal(terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    with clock.reported(clock.Clock(20.0)) as progress:
        progress.at("judging point 1 of 9")
        for now[0] in (0.5, 1.9):
            clock.check_time()
        assert stream.getvalue() == ""
        for now[0] in (2.1, 2.2, 2.7):
            clock.check_time()
        progress.at("judging point 10 of 9")
    lines = ["handgrad: judging point 1 of 9, 2 s", "handgrad: judging point 1 of 9, 3 s"]
    shown = "".join(f"\r{line}" for line in lines) + "\r" + " " * len(lines[0]) + "\r"
    assert stream.getvalue() == (shown if terminal else "")


@pytest.mark.parametrize("stream", [None, "closed"])
def test_without_a_stream_nothing_is_said(
    now: list[float], monkeypatch: pytest.MonkeyPatch, stream: str | None
) -> None:
    closed = Terminal(True)
    closed.close()
    monkeypatch.setattr(sys, "stderr", stream and closed)
    with clock.reported(clock.Clock(20.0)) as progress:
        now[0] = 5.0
        progress.at("judging point 1 of 9")
