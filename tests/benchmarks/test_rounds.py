"""How times are taken within a process."""

import gc
import random
from types import SimpleNamespace
from typing import Any

import jax
import pytest

from benchmarks import protocol
from benchmarks.protocol import warm_up
from benchmarks.ready import jitted
from handgrad.speed.rounds import calls_of_a_sample, time_rounds


class Clock:
    """Time that passes where a test says so, and a tick at every look: no machine is that even."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 1e-7
        return self.now


def test_a_jax_answer_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX answers before it has computed: what is not awaited looks fast."""
    awaited: list[object] = []
    answer = SimpleNamespace(block_until_ready=lambda: awaited.append(answer))
    monkeypatch.setattr(jax, "jit", lambda function: function)
    jitted(lambda _: answer, [1.0]).run()
    assert awaited == [answer]


def test_all_run_in_every_round_in_another_order() -> None:
    seen: list[str] = []
    collecting: list[bool] = []

    def recorded(name: str) -> Any:
        def run() -> str:
            seen.append(name)
            collecting.append(gc.isenabled())
            return f"{name} {len(seen)}"

        return run

    running, shuffle = {name: recorded(name) for name in "abcd"}, random.Random(3).shuffle
    once = dict.fromkeys(running, 1)
    times, last = time_rounds(running, 5, repeats=once, pause=False, shuffle=shuffle)
    assert all(len(found) == 5 for found in times.values())
    orders = {tuple(seen[at : at + 8 : 2]) for at in range(0, 40, 8)}
    assert all(sorted(order) == list("abcd") for order in orders)
    assert len(orders) > 2, "reversed alone there would be two"
    assert not any(collecting)
    assert gc.isenabled()
    assert all(int(answer.split()[1]) > 32 for answer in last.values())


def test_warming_up_is_by_time_count_and_until_it_no_longer_falls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, calls = Clock(), []
    monkeypatch.setattr(protocol, "time", clock)

    def cold(seconds: float) -> None:
        calls.append(1)
        clock.now += 4 * seconds if len(calls) <= 5 else seconds

    steady_after, each = warm_up(lambda: cold(1e-3), least=0.02)
    assert len(calls) >= protocol.WARM_CALLS
    assert steady_after == 5
    assert each == pytest.approx(1e-3, rel=1e-3)
    begin = clock.now
    warm_up(lambda: cold(0.3), least=10.0)
    assert protocol.WARM_AT_MOST <= clock.now - begin < protocol.WARM_AT_MOST + 0.31
    # A slow row is called once for a sample, and a fast one until the sample is long.
    assert [calls_of_a_sample(each, protocol.SAMPLE_SECONDS) for each in (1.0, 1e-3)] == [1, 20]
