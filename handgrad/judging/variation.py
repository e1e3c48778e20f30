"""Results that vary from call to call: within what rounding may cost, or beyond it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.arithmetic.levels import ROUNDED
from handgrad.data import formats
from handgrad.data.findings import Finding
from handgrad.data.numerals import place, plural, ulps
from handgrad.data.point import Point, index_of, vector
from handgrad.data.ulps import ulp_distance
from handgrad.judging import form
from handgrad.judging.case import Case
from handgrad.judging.leaf_errors import own_rounding
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.repeatability import calls
from handgrad.judging.ruling import Ruling

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True)
class Variation:
    """How far the results of a function at one point lie apart, in the farthest element."""

    calls: int
    path: str | None  #: of the leaf; None for the loss beside the gradient
    index: tuple[int, ...] | None  #: of the element within the leaf
    first: np.generic  #: what the first call gave
    other: np.generic  #: what the call gave that is farthest from it
    ulps: float = np.nan  #: how far any two calls lie apart
    #: As many as rounding may cost there; infinite if that is not known, None if nothing was ruled.
    explained: float | None = None
    within: bool = False  #: whether none varies by more than that, or else every call is right

    def __str__(self) -> str:
        where = "the loss beside it" if self.path is None else self.path + place(self.index)
        return f"{self._how_far} in {where}, {self._why}"

    @property
    def finding(self) -> Finding:
        """What is wrong with it, if it is more than rounding explains."""
        what = "the loss " if self.path is None else ""
        detail = f"another call gave {what}{self.other!s}, the first one {self.first!s}"
        detail += "" if self.explained is None else f"; {self._how_far}, {self._why}"
        return Finding("not-repeatable", self.path, self.index, detail, 1.0)

    @property
    def _how_far(self) -> str:
        return f"{plural(self.calls, 'call')} differ by up to {_ulps(self.ulps)}"

    @property
    def _why(self) -> str:
        explained = np.inf if self.explained is None else self.explained
        if np.isinf(explained) or (self.within and self.ulps > explained):
            return "by no more than rounding, as sums in another order do"
        return f"where rounding explains up to {_ulps(explained)}"


def _ulps(distance: float) -> str:
    return f"{ulps(distance)} ulp" + "s" * (distance != 1)


def repeated(
    case: Case,
    given: Point,
    most: int | None = None,
    least: int = 2,
    first: form.Called | None = None,
) -> tuple[form.Called, list[form.Called]]:
    """Call the gradient several times at a point; return the first result, and one that differs.

    The findings of the first are what is wrong in the form of any, and its difference from the
    other one, if there is one.

    Args:
        case: the case.
        given: the point.
        most, least: how many calls; see `handgrad.judging.repeatability.calls`. By default as many
            as the case has.
        first: the first result, if it is there.
    """
    results = calls(lambda: form.call_gradient(case, given), most or case.calls, least)
    value, leaves, findings = first or next(results)
    for other in () if findings else results:
        if other[2]:
            return (value, leaves, other[2]), [other]
        both = [(value, leaves, findings), other]
        apart = _apart(_numbers(both))
        if apart.any():
            i = int(np.argmax(apart[1:])) + 1 if apart[1:].any() else 0
            return (value, leaves, [_in_element(i, given, both).finding]), [other]
    return (value, leaves, findings), []


def between_calls(
    loss: PreparedLoss, given: Point, ruling: Ruling, results: Sequence[form.Called]
) -> tuple[Variation, np.ndarray] | None:
    """Return how far calls of a gradient lie apart, and the result of the worst of them.

    None if the result of some call has not the form of a gradient.

    Args:
        loss: the loss.
        given: the point.
        ruling: what was ruled there on the first call.
        results: what `repeated` returned there, two that are not equal.
    """
    case = loss.case
    others = list(calls(lambda: form.call_gradient(case, given), case.calls, least=2))
    if any(faults for _, _, faults in others):
        return None
    results = [*results, *others]
    numbers = _numbers(results)
    values, answers = numbers[:, 0], numbers[:, 1:]
    projected = [case.projected(given, answer) for answer in answers]
    levels = [ruling.worst_of(answer) for answer in projected]
    apart, tolerance = _apart(numbers), ruling.tolerance
    explained = np.append(tolerance.of_loss, np.fmax(tolerance.sharp, tolerance.loose))
    within = bool((apart <= explained).all())
    if not within and (not case.has_value or all(map(ruling.explains_value, values))):
        within = max(levels) <= ROUNDED
        # Of a gradient whose part in the tangent space is right, the rest may be anything.
        within &= case.tangent(given) is None or _is_rounding(given, answers)
    distances = _in_ulps(given, numbers, np.asarray(results[0][0] or 0.0).dtype)
    i = int(np.argmax(distances if within else _ratio(apart, explained)))
    most = float(_ratio(explained, apart)[i] * distances[i])
    found = _in_element(i, given, results, float(distances[i]), most, within)
    return found, projected[int(np.argmax(levels))]


def _numbers(results: Sequence[form.Called]) -> np.ndarray:
    """Return what calls gave, (calls, 1 + size): the loss, 0 if there is none, and the gradient."""
    return np.array(
        [np.append(0.0 if value is None else value, vector(leaves)) for value, leaves, _ in results]
    )


def _apart(numbers: np.ndarray) -> np.ndarray:
    """Return how far numbers lie apart along axis 0; NaN is equal to NaN, and far from others."""
    with np.errstate(invalid="ignore"):
        apart = np.max(numbers, axis=0) - np.min(numbers, axis=0)
    same = (numbers == numbers[0]).all(axis=0) | np.isnan(numbers).all(axis=0)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _is_rounding(given: Point, answers: np.ndarray) -> bool:
    """Tell whether elements lie apart by no more than rounding of the largest in their leaf."""
    sizes = np.max(np.abs(answers), axis=0)
    for part in given.parts():
        sizes[part] = np.max(sizes[part], initial=0.0)
    return bool((_apart(answers) <= own_rounding(given.leaves) * sizes).all())


def _in_ulps(given: Point, numbers: np.ndarray, of_loss: Any) -> np.ndarray:
    """Return how far numbers, (calls, 1 + size), lie apart in ulps, with the dtype of the loss."""
    low, high, apart = np.min(numbers, axis=0), np.max(numbers, axis=0), _apart(numbers)
    parts = [slice(0, 1), *(slice(p.start + 1, p.stop + 1) for p in given.parts())]
    dtypes = [of_loss, *(leaf.dtype for leaf in given.leaves)]
    each = [
        ulp_distance(low[p].astype(d), high[p].astype(d)) if formats.is_floating(d) else apart[p]
        for p, d in zip(parts, dtypes, strict=True)
    ]
    return np.where(apart > 0, np.nan_to_num(np.concatenate(each), nan=np.inf), 0.0)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, and 0 for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(a == 0, 0.0, a / b)


def _in_element(i: int, given: Point, results: Sequence[form.Called], *explained: Any) -> Variation:
    """Return how results differ in an element; before all others, as number 0, is the loss."""
    path, index, there = None, None, np.array([value for value, _, _ in results])
    if i:
        k = next(k for k, part in enumerate(given.parts()) if i - 1 < part.stop)
        path = given.paths[k]
        index = index_of(given, path, i - 1 - given.parts()[k].start)
        there = np.array([leaves[k][index] for _, leaves, _ in results])
    with np.errstate(invalid="ignore"):
        gaps = np.abs(there.astype(np.float64) - there[0].astype(np.float64))
    other = there[int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))]
    return Variation(len(results), path, index, there[0], other, *explained)
