"""What is believed where rounding is large: of evidence that is made up, in a short format."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from handgrad.data.point import point_at
from handgrad.diagnosis import factors, kinds
from handgrad.diagnosis.rearranged import exchanged_leaves
from handgrad.diagnosis.rivals import unrivalled
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory, explains
from handgrad.tolerance.stated import Stated

SIZE, NOISE = 8, 0.01
EVERYTHING = np.ones(SIZE, dtype=bool)


def sample(factor: float, at: int = 0, loose: float = 0.0, **changes: Any) -> Sample:
    """Yours is `factor` times exact, and rounding explains 1% of an element."""
    leaf = np.ones(SIZE, dtype=ml_dtypes.bfloat16)
    exact = np.random.default_rng(at).uniform(1, 2, SIZE)
    nothing = np.zeros(1)
    stated = Stated(NOISE * exact, 0.0, loose * exact, 0.0, nothing, nothing, np.full(SIZE, NOISE))
    made = Sample(
        point_at((leaf,), ()),
        *(factor * exact, exact, NOISE * exact, EVERYTHING, EVERYTHING, stated),
    )
    return replace(made, **changes)


def evidence_of(samples: list[Sample]) -> Evidence:
    case = SimpleNamespace(is_linear=True, takes_cotangent=False)
    outcome = SimpleNamespace(given=samples[0].given)
    trial: Any = SimpleNamespace(case=case, outcomes=[outcome], deciding=0)
    return Evidence(trial, tuple(samples[:2]), tuple(samples[2:]))


def times(factor: float) -> Theory:
    return Theory("factor", f"{factor} times", lambda s: factor * s.exact)


def search_of(found: Evidence) -> Any:
    return SimpleNamespace(evidence=found, within=EVERYTHING)


@pytest.mark.parametrize(("factor", "stands_out"), [(1.4, True), (1.2, True), (1.04, False)])
def test_gaps_stand_out_together(factor: float, stands_out: bool) -> None:
    """At 1.2 none is eight times what is allowed; at 1.04 none is even twice that."""
    found = sample(factor)
    assert found.stands_out(EVERYTHING) == stands_out
    alone = np.arange(SIZE) == 0
    assert found.stands_out(alone) == (factor > 1.3)


def test_in_full_digits_one_gap_must_stand_out() -> None:
    assert not sample(1.2, stated=None).stands_out(EVERYTHING)


@pytest.mark.parametrize(
    ("off", "loose", "believed"),
    [(0, 0.0, True), (1, 0.4, True), (1, 0.0, False), (2, 0.4, False)],
)
def test_sums_in_a_short_format_may_explain_what_is_left_at_one_point(
    off: int, loose: float, believed: bool
) -> None:
    """Beside a factor of 1.5 they leave a fifth at some points; 2 of 6 are too many."""
    samples = [sample(1.5, at) for at in range(6 - off)]
    samples += [sample(1.7, 10 + at, loose) for at in range(off)]
    assert explains(times(1.5), evidence_of(samples), EVERYTHING) == believed


def test_leaves_are_exchanged_up_to_rounding() -> None:
    leaf = np.ones(SIZE // 2, dtype=ml_dtypes.bfloat16)
    samples = []
    for at in range(6):
        found = sample(1.0, at)
        order = np.roll(np.arange(SIZE), SIZE // 2)
        yours = found.exact[order] * (1 + NOISE / 2)
        samples.append(replace(found, given=point_at((leaf, leaf), ()), yours=yours))
    found = evidence_of(samples)
    (theory,) = exchanged_leaves(found, EVERYTHING)
    assert theory.kind == "exchanged"
    assert explains(theory, found, EVERYTHING)


def test_a_fitted_factor_has_the_digits_that_the_format_tells() -> None:
    short, full = (
        point_at((np.ones(3, dtype=dtype),), ()) for dtype in (ml_dtypes.bfloat16, np.float32)
    )
    assert factors.written(0.44693524, short) == 0.447
    assert factors.written(0.44693524, full) == 0.44693524
    found = evidence_of([sample(0.44693524, at) for at in range(6)])
    assert next(kinds._factor(found, EVERYTHING)).says == "every element is 0.447 of exact"


@pytest.mark.parametrize(
    ("factor", "near"),
    [
        *((0.5009, {0.5}), (-2.001, {-2}), (5.01, {5}), (0.2003, {1 / 5}), (1024.5, {1024})),
        *((2.02, set()), (1.001, set()), (12.02, set()), (0.0, set())),
    ],
)
def test_three_digits_tell_plain_numbers_powers_of_two_and_what_people_divide_by(
    factor: float, near: set[float]
) -> None:
    """2.02 is off by more than they round, and 12 a width, by which nobody divides."""
    short, full = (
        point_at((np.ones((8, 12), dtype=dtype),), (np.ones((5, 8)),))
        for dtype in (ml_dtypes.bfloat16, np.float32)
    )
    assert set(factors.likely(factor, short)) == near
    assert factors.likely(min(near, default=factor), full) == []


@pytest.mark.parametrize(("other", "named"), [(1.52, False), (1.5 + 1e-5, True), (1.6, True)])
def test_one_of_several_theories_must_explain_clearly_more(other: float, named: bool) -> None:
    """1.52 may be it as well as 1.5, 1.6 is none, and 1.50001 is the same theory."""
    rng = np.random.default_rng(0)
    samples = [sample(1.0, at) for at in range(6)]
    moved = [
        replace(s, yours=(1.51 + 0.01 * rng.uniform(-1, 1, SIZE)) * s.exact)
        if other == 1.52
        else replace(s, yours=1.5 * s.exact)
        for s in samples
    ]
    search = search_of(evidence_of(moved))
    assert bool(list(unrivalled([times(1.5), times(other)], search))) == named


def test_with_all_digits_the_first_theory_is_taken() -> None:
    found = evidence_of([sample(1.5, at, stated=None) for at in range(6)])
    theories = [times(1.5), times(1.52)]
    assert list(unrivalled(theories, search_of(found))) == theories
