"""Counts and largest values, against NumPy; what is no number; the end of a sweep."""

import math
from typing import Any

import jax
import numpy as np
import pytest

from compare.sweep import cases, tally
from compare.sweep.subject import Compared
from compare.sweep.tally import BINS, ENDS, Tally
from manual.network import Network
from tests.compare.sweep.blocks import Block, block, swept, tallied, tally_of
from tests.tiers import one_of_each, slowly

SMALL = swept(weights="uniform:0.5", inputs="uniform:1")
SETTINGS = {
    "article": SMALL,
    "saturated": swept(),
    "network": swept(Network((2, 3, 1), "tanh"), 2, "float32", "uniform:2", "uniform:3"),
}


def in_ulps(found: Block) -> np.ndarray:
    larger = np.maximum(np.abs(found.by_hand), np.abs(found.autodiff))
    tiny = np.finfo(larger.dtype).tiny
    apart = np.abs(found.by_hand - found.autodiff)
    apart = np.where(apart < tiny, 0, apart)  # as XLA has it
    return apart / np.spacing(np.maximum(larger, tiny))


@pytest.mark.slow
@pytest.mark.parametrize("of", one_of_each(SETTINGS, ["article"]))
def test_a_tally_is_what_numpy_counts(of: str) -> None:
    """With an end within the block: only the cases before it are counted."""
    settings = SETTINGS[of]
    total = 7 * cases.BLOCK + 1500
    with jax.enable_x64(True):
        which, is_case = (np.ravel(array) for array in cases.of_block(7, total))
    assert which[:1500].tolist() == [*range(7 * cases.BLOCK, total)]
    assert set(which[1500:]) == {total - 1}
    assert is_case.tolist() == [True] * 1500 + [False] * (cases.BLOCK - 1500)
    found = block(settings, 7)
    ulps, counted = in_ulps(found)[:, :1500], tally_of(settings, 7, total)
    assert counted.ulps.max(axis=1).tolist() == ulps.max(axis=1).tolist()
    histogram = np.histogram(ulps, [*ENDS[2:], np.inf])[0]
    assert counted.histogram.sum(axis=1)[2:].tolist() == histogram.tolist()
    assert counted.histogram[0].sum() == (ulps == 0).sum()
    assert counted.histogram[1].sum() == 0
    assert counted.histogram.sum() == 1500 * settings.parameters
    ratios = (np.abs(found.by_hand - found.autodiff) / found.allowed)[:, :1500].max(axis=0)
    assert counted.ratio.max() == pytest.approx(ratios.max(), rel=1e-6)
    worst = counted.case[np.argmax(counted.ratio)]
    assert worst == found.cases[np.argmax(ratios)]
    assert counted.disagreements.sum() == 0
    is_told = np.maximum(np.abs(found.by_hand), np.abs(found.autodiff)) > found.allowed
    assert counted.judged.sum(axis=1).tolist() == is_told[:, :1500].sum(axis=1).tolist()
    assert counted.judged.sum() > 0


def counted(
    by_hand: Any, autodiff: Any, allowed: Any, dtype: str = "float64", at: Any = (0, 0)
) -> Tally:
    """Of one parameter, whose numbers are one of these in the first case and 1 in the others.

    Or in the cases `at` some rows and lanes.
    """

    def full(value: float) -> Any:
        values = np.ones((cases.ROWS, cases.LANES), dtype)
        values[at] = value
        return values

    which = np.arange(cases.BLOCK).reshape(cases.ROWS, cases.LANES)
    compared = Compared(*([full(value)] for value in (by_hand, autodiff, allowed)))
    return tallied(compared, which, which >= 0, dtype)


@pytest.mark.parametrize("dtype", ["float64", slowly("float32")])
def test_what_is_no_number_disagrees(dtype: str) -> None:
    for by_hand, autodiff in ((math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)):
        found = counted(by_hand, autodiff, 1e-3, dtype)
        assert found.disagreements.sum() == 1
        assert found.disagreements[0] == 1
        assert found.ratio[0] == math.inf
        assert found.ulps[0, 0] == math.inf
        assert found.case[0] == 0
        assert found.histogram[BINS - 1].sum() == 1
        assert found.overflowed.sum() == 0
        assert found.judged.sum() == (by_hand == math.inf)


@pytest.mark.parametrize("dtype", ["float64", slowly("float32")])
def test_what_overflows_is_not_judged(dtype: str) -> None:
    for allowed in (math.inf, math.nan):
        found = counted(2.0, 1.0, allowed, dtype)
        assert (found.disagreements.sum(), found.overflowed.sum()) == (0, 1)


def test_a_bin_begins_at_its_end() -> None:
    """1 ulp apart, 2, 3 and so on: each in the bin that begins there, or holds it."""
    for k, low in enumerate(ENDS[2:], start=2):
        for units in {low, low + 1}:
            above = 1 + units * 2.0**-52
            power = math.frexp(above)[1] - 1
            found = counted(above, 1.0, 1.0).histogram.sum(axis=1)
            scaled = units / 2**power
            expected = max(b for b in range(2, BINS) if ENDS[b] <= scaled)
            assert found[expected] == 1, (k, units)
            assert found[0] == cases.BLOCK - 1


@pytest.mark.slow
def test_no_order_of_joining_matters() -> None:
    settings = swept(plant="saturated-unit-zeroed")
    parts = [tally_of(settings, k) for k in range(4)]

    def joined(order: list[int]) -> Tally:
        with jax.enable_x64(True):
            found = tally.empty(settings.parameters, settings.floats)
            for k in order:
                found = tally.joined(found, parts[k])
            return jax.device_get(found)

    first = joined([0, 1, 2, 3])
    for order in ([3, 2, 1, 0], [2, 0, 3, 1]):
        jax.tree.map(np.testing.assert_array_equal, joined(order), first)
    assert first.disagreements.sum() > 0


@pytest.mark.slow
def test_of_equal_ratios_the_first_case_counts() -> None:
    one = tally_of(SMALL)
    later = one._replace(case=one.case + 5)
    with jax.enable_x64(True):
        for pair in ((one, later), (later, one)):
            assert np.asarray(tally.joined(*pair).case).tolist() == one.case.tolist()
    found = counted(2.0, 1.0, 0.5, at=([3, 7, 9], 5))
    assert (found.case[5], found.ratio[5], found.disagreements[5]) == (3 * cases.LANES + 5, 2, 3)
