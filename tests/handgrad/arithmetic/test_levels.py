"""The level of a gap, by a table: what explains it, and what is known of the element."""

import itertools
import math
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls, levels
from handgrad.arithmetic.levels import DOUBTFUL, RIGHT, ROUNDED, WRONG, Explained


def test_levels_are_from_best_to_worst() -> None:
    """So that the worst of some is the largest; what leaves three digits leaves enough."""
    assert [RIGHT, ROUNDED, DOUBTFUL, WRONG] == [0, 1, 2, 3]
    assert levels.HALF_KNOWN == 10**-3


def test_gaps_are_rounded_up() -> None:
    answer = np.array([1.0, 2.0, np.inf, np.nan, -1.0])
    with balls.precision(100):
        right = balls.boxed([arb(1), arb(1) / 3, arb(1), arb(1), arb(1, 0.5)], (5,))
        found = levels.gaps(answer, right)
    assert found[[0, 2, 3]].tolist() == [0, math.inf, math.inf]
    assert 5 / 3 <= found[1] <= np.nextafter(5 / 3, 2)
    np.testing.assert_allclose(found[4], 2.5, rtol=1e-8)
    assert found[4] >= 2.5


def due(gap: float, by: Any, enclosed: bool, alike: bool, vague: bool, left: bool) -> int:
    """Say it in the order of what is asked: is it explained, is it rounding, may it be either?"""
    is_known = by.sharp != math.inf
    explained = is_known and (gap <= by.sharp or enclosed)
    if explained and (vague or alike):
        return DOUBTFUL if vague else RIGHT
    if gap <= by.loose and left:
        return ROUNDED
    return DOUBTFUL if explained or not is_known or gap <= max(by.loose, by.jump) else WRONG


def test_levels() -> None:
    """All ways in which a gap may lie beside what explains it."""
    limits = (0.5, 1.0, 3.0, math.inf), (1.0, math.inf), (0.25, 1.0, 2.0, 3.0), (0.0, 3.0, math.inf)
    cases = list(itertools.product(*limits, *itertools.repeat((False, True), 4)))
    gap, *numbers = (np.array(of) for of in zip(*cases, strict=True))
    by, (enclosed, *masks) = Explained(*numbers[:3]), numbers[3:]
    found = levels.judged(gap, by, levels.explained(gap, by, enclosed), *masks)
    for case, level in zip(cases, found, strict=True):
        of: Any = case
        assert level == due(of[0], Explained(*of[1:4]), *of[4:]), case


def test_a_right_formula_excuses() -> None:
    size, gap = np.full(5, 2.0), 2 * np.array([0.31, 0.3163, 0.5, 0.5, 0.5])
    known = np.array([False, False, True, False, False])
    right = np.array([True, True, True, False, True])
    level = np.array([WRONG, WRONG, DOUBTFUL, WRONG, WRONG])
    found = levels.excused(level, gap, size, known, right)
    assert found.tolist() == [ROUNDED, DOUBTFUL, RIGHT, WRONG, DOUBTFUL]
