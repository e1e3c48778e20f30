"""The limit on time: other load, threads, waiting."""

import pytest

from handgrad.data import clock


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
