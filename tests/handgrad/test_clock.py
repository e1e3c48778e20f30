"""The limit on time: other load, threads, waiting; and the line of progress."""

import io
import sys

import pytest

from handgrad import clock


def test_neither_other_load_nor_threads_shorten_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for wall, processor, spent, left in (
        (2.5, 2.1, 2.1, -1.0),
        (19.0, 1.9, 1.9, 0.1),  # on a busy machine
        (1.9, 30.0, 1.9, 0.1),  # in sixteen threads
        (21.0, 0.1, 0.1, -1.0),  # waiting
    ):
        shown = {"perf_counter": 100.0, "process_time": 7.0}
        for name in shown:
            monkeypatch.setattr(clock.time, name, lambda n=name, shown=shown: shown[n])
        limit = clock.Clock(2.0)
        assert (limit.spent, limit.over, limit.left) == (0, False, 2.0)
        shown["perf_counter"] += wall
        shown["process_time"] += processor
        assert (limit.spent, limit.left) == (pytest.approx(spent), pytest.approx(left))
        assert limit.over == (left < 0)


def test_a_limit_within_another_ends_with_it_at_the_latest(now: list[float]) -> None:
    with clock.limited(10.0) as outer:
        with clock.limited(3.0):
            now[0] = 3.5
            with pytest.raises(clock.OutOfTimeError):
                clock.check_time()
        clock.check_time()  # that one is over, this one is not
        assert (outer.seconds, clock.time_left(0.0)) == (10.0, 6.5)
        with clock.limited(100.0) as inner:
            assert inner.seconds == 6.5
        now[0] = 10.5
        with pytest.raises(clock.OutOfTimeError), clock.limited(3.0):
            clock.check_time()
    now[0] = 1e9
    clock.check_time()  # without a limit it is never over
    assert (clock.time_in_all(5.0), clock.time_left(7.0)) == (5.0, 7.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_takes_long_says_on_a_terminal_how_far_it_is(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(stream: io.StringIO, part: str = "") -> str:
        monkeypatch.setattr(sys, "stderr", stream)
        now[0] = 0.0
        with clock.reported(clock.Clock(20.0)) as progress:
            progress.part = part
            progress.at("judging point 1 of 9")
            for now[0] in (0.5, 1.9, 2.1, 2.2, 2.7):
                clock.check_time()
            progress.at("judging point 10 of 9")
        return "" if stream.closed else stream.getvalue()

    monkeypatch.setenv("COLUMNS", "60")
    lines = ["handgrad: judging point 1 of 9, 2 s", "handgrad: judging point 1 of 9, 3 s"]
    assert written(Terminal()) == f"\r{lines[0]}\r{lines[1]}\r{' ' * len(lines[0])}\r"
    assert written(Terminal(), "x" * 60).startswith(f"\rhandgrad: {'x' * 49}\r")
    assert written(io.StringIO()) == ""
    closed = Terminal()
    closed.close()
    assert written(closed) == ""
