"""Counts and largest values, against NumPy; what is no number; the end of a sweep."""

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compare.sweep import cases, tally
from compare.sweep.distributions import FLOATS
from compare.sweep.subject import Compared, in_memory
from compare.sweep.tally import BINS, ENDS, Tally
from handgrad import ulp_distance
from manual.network import Network
from tests.compare.sweep.blocks import Block, block, swept
from tests.tiers import one_of_each, slowly

SETTINGS = {
    "article": swept(),
    "single": swept(dtype="float32"),
    "network": swept(Network((3, 4, 2), "tanh"), 2, weights="uniform:2", inputs="uniform:3"),
    "network, single": swept(Network((3, 4, 2), "tanh"), 2, "float32", "uniform:2", "uniform:3"),
}


def in_ulps(found: Block) -> np.ndarray:
    larger = np.maximum(np.abs(found.by_hand), np.abs(found.autodiff))
    tiny = np.finfo(larger.dtype).tiny
    apart = np.abs(found.by_hand - found.autodiff)
    apart = np.where(apart < tiny, 0, apart)  # as XLA has it
    return apart / np.spacing(np.maximum(larger, tiny))


@pytest.mark.parametrize("of", one_of_each(SETTINGS, ["article"]))
def test_a_tally_is_what_numpy_counts(of: str) -> None:
    """With an end within the block: only the cases before it are counted."""
    settings = SETTINGS[of]
    total = 7 * cases.BLOCK + 1500
    found = block(settings, 7, total)
    assert found.cases[:1500].tolist() == [*range(7 * cases.BLOCK, total)]
    assert set(found.cases[1500:]) == {total - 1}
    ulps, counted = in_ulps(found), found.tally
    assert counted.ulps.max(axis=1).tolist() == ulps.max(axis=1).tolist()
    histogram = np.histogram(ulps[:, :1500], [*ENDS[2:], np.inf])[0]
    assert counted.histogram.sum(axis=1)[2:].tolist() == histogram.tolist()
    assert counted.histogram[0].sum() == (ulps[:, :1500] == 0).sum()
    assert counted.histogram[1].sum() == 0
    assert counted.histogram.sum() == 1500 * settings.parameters
    ratios = (np.abs(found.by_hand - found.autodiff) / found.allowed).max(axis=0)
    assert counted.ratio.max() == pytest.approx(ratios.max(), rel=1e-6)
    worst = counted.case[np.argmax(counted.ratio)]
    assert worst == found.cases[np.argmax(ratios)]
    assert counted.disagreements.sum() == 0
    is_told = np.maximum(np.abs(found.by_hand), np.abs(found.autodiff)) > found.allowed
    assert counted.judged.sum(axis=1).tolist() == is_told[:, :1500].sum(axis=1).tolist()
    assert counted.judged.sum() > 0


def test_ulps_are_those_of_the_house() -> None:
    found = block(SETTINGS["article"])
    ours, theirs = in_ulps(found), ulp_distance(found.autodiff, found.by_hand)
    # The house takes the first one's ulp, where the tally takes the larger one's.
    assert np.all((ours == theirs) | (2 * ours == theirs) | (ours > 2**51))


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

    with jax.enable_x64(True):
        which, is_case = cases.of_block(0, 10**6)
        compared = Compared(*([jnp.asarray(full(v))] for v in (by_hand, autodiff, allowed)))
        return jax.device_get(_counting(dtype)(compared, which, is_case, np.int64(0)))


@cache
def _counting(dtype: str) -> Any:
    return jax.jit(
        lambda compared, which, is_case, never: tally.of_block(
            compared, which, is_case, FLOATS[dtype], in_memory(never)
        )
    )


@pytest.mark.parametrize("dtype", ["float32", slowly("float64")])
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
    parts = [block(settings, k).tally for k in range(4)]

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


def test_of_equal_ratios_the_first_case_counts() -> None:
    one = block(swept(), 0).tally
    later = one._replace(case=one.case + 5)
    with jax.enable_x64(True):
        for pair in ((one, later), (later, one)):
            assert np.asarray(tally.joined(*pair).case).tolist() == one.case.tolist()
    found = counted(2.0, 1.0, 0.5, at=([3, 7, 9], 5))
    assert (found.case[5], found.ratio[5], found.disagreements[5]) == (3 * cases.LANES + 5, 2, 3)
