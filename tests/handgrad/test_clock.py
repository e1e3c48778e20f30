"""The limit on time: other load, threads, waiting."""

import pytest

from handgrad.data import clock


@pytest.mark.parametrize(
    ("wall", "processor", "spent", "over"),
    [
        (2.5, 2.1, 2.1, True),
        (19.0, 1.9, 1.9, False),  # on a busy machine
        (1.9, 30.0, 1.9, False),  # in sixteen threads
        (21.0, 0.1, 0.1, True),  # waiting
    ],
)
def test_neither_other_load_nor_threads_shorten_a_limit(
    monkeypatch: pytest.MonkeyPatch, wall: float, processor: float, spent: float, over: bool
) -> None:
    now = {"perf_counter": 100.0, "process_time": 7.0}
    for name in now:
        monkeypatch.setattr(clock.time, name, lambda name=name: now[name])
    limit = clock.Clock(2.0)
    assert (limit.spent, limit.over) == (0, False)
    now["perf_counter"] += wall
    now["process_time"] += processor
    assert (limit.spent, limit.over) == (pytest.approx(spent), over)
