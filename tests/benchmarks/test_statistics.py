"""Intervals that hold what they say, ratios that multiply, noise that is no change."""

import numpy as np
import pytest

from benchmarks.statistics import Interval, band, change, ratio, time, typical, word

PROCESSES, ROUNDS = 5, 6


def samples(
    seed: int, between: float = 0.01, within: float = 0.01, processes: int = PROCESSES
) -> list:
    rng = np.random.default_rng(seed)
    process = rng.normal(scale=between, size=(processes, 1))
    rounds = rng.normal(scale=within, size=(processes, ROUNDS))
    return np.exp(process + rounds).tolist()


def test_ratios_multiply_exactly() -> None:
    a, b, c = (samples(seed) for seed in range(3))
    product = ratio(a, b).middle * ratio(b, c).middle
    assert product == pytest.approx(ratio(a, c).middle, rel=1e-14)
    assert 1 / ratio(a, b).middle == pytest.approx(ratio(b, a).middle, rel=1e-14)


def test_a_ratio_is_taken_within_a_round() -> None:
    """What slows both by half for a round is not seen in it."""
    slowed = np.where(np.arange(ROUNDS) == 3, 1.5, 1.0)
    a = (np.array(samples(0)) * slowed).tolist()
    b = (2 * np.array(a)).tolist()
    assert ratio(b, a) == pytest.approx((2, 2, 2), rel=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("between", "within", "processes"), [(0.01, 0.01, 2), (0.01, 0.001, 3), (0.0, 0.01, 10)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    between: float, within: float, processes: int
) -> None:
    """Of 300 made-up ratios of 1, whether processes differ or rounds: 92 % or more.

    A right interval of 95 % holds fewer than 276 of 300 once in a hundred.
    """
    held = 0
    for seed in range(300):
        a, b = (
            samples(2 * seed + at, between=between, within=within, processes=processes)
            for at in range(2)
        )
        found = ratio(a, b)
        held += found.low <= 1 <= found.high
    assert held / 300 >= 0.92


def test_a_single_process_is_judged_by_its_rounds() -> None:
    one = [samples(0)[0]]
    found = ratio(one, [samples(1)[0]])
    assert found.low < found.middle < found.high
    assert time([[1.0]]) == (1.0, 1.0, 1.0)
    assert typical([[1.0, 2.0], [3.0, 4.0]]) == 2.5


def test_processes_that_differ_make_an_interval_wide() -> None:
    """Rounds alone would call the time sure: each process repeats itself to a thousandth."""
    apart, alike = samples(0, between=0.05, within=0.001), samples(0, between=0, within=0.001)
    wide, narrow = time(apart), time(alike)
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)


def test_a_disturbance_is_no_change_but_a_tenth_is() -> None:
    before, after = np.array(samples(0)), np.array(samples(1))
    after[0] *= 2  # a neighbour, for the whole of one process
    found = change(before.tolist(), after.tolist())
    assert found.middle == pytest.approx(1, abs=0.02)
    slower = change(before.tolist(), (1.1 * after).tolist())
    assert slower.middle == pytest.approx(1.1 * found.middle)
    assert slower.low > 1.03


def test_what_the_noise_may_hide_is_a_tie() -> None:
    noise = band(Interval(1.0, 0.96, 1.01))
    assert noise == pytest.approx(1 / 0.96)
    assert word(Interval(1.05, 1.03, 1.07), noise) == "tie"
    assert word(Interval(1.07, 1.05, 1.09), noise) == "slower"
    assert word(Interval(0.9, 0.85, 0.95), noise) == "faster"
    assert word(Interval(1.5, 0.5, 2.5), 1.0) == "tie"
