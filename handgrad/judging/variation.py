"""Results that vary from call to call: within what rounding may cost, or beyond it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.data import formats
from handgrad.data.findings import Finding
from handgrad.data.numerals import place, plural, ulps
from handgrad.data.point import Point, index_of, vector
from handgrad.data.ulps import ulp_distance
from handgrad.judging import form
from handgrad.judging.leaf_errors import own_rounding
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.repeatability import calls
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import ROUNDED

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
    ulps: float  #: how far any two calls lie apart
    explained: float  #: as many as rounding may cost there; infinite if that is not known
    within: bool  #: whether no element varies by more than that, or else every call is right

    def __str__(self) -> str:
        where = "the loss beside it" if self.path is None else self.path + place(self.index)
        return f"{self._how_far} in {where}, {self._why}"

    @property
    def finding(self) -> Finding:
        """What is wrong with it, if it is more than rounding explains."""
        what = "the loss " if self.path is None else ""
        detail = f"another call gave {what}{self.other!s}, the first one {self.first!s}"
        detail += f"; {self._how_far}, {self._why}"
        return Finding("not-repeatable", self.path, self.index, detail, 1.0)

    @property
    def _how_far(self) -> str:
        return f"{plural(self.calls, 'call')} differ by up to {_ulps(self.ulps)}"

    @property
    def _why(self) -> str:
        if not np.isfinite(self.explained) or (self.within and self.ulps > self.explained):
            return "by no more than rounding, as sums in another order do"
        return f"where rounding explains up to {_ulps(self.explained)}"


def _ulps(distance: float) -> str:
    return f"{ulps(distance)} ulp" + "s" * (distance != 1)


def between_calls(
    loss: PreparedLoss, given: Point, ruling: Ruling, results: Sequence[form.Called]
) -> tuple[Variation, np.ndarray] | None:
    """Return how far calls of a gradient lie apart, and the result of the worst of them.

    None if the result of some call has not the form of a gradient.

    Args:
        loss: the loss.
        given: the point.
        ruling: what was ruled there on the first call.
        results: what `form.repeated` returned there, two that are not equal.
    """
    case = loss.case
    others = list(calls(lambda: form.call_gradient(case, given), case.calls, least=2))
    if any(faults for _, _, faults in others):
        return None
    results = [*results, *others]
    answers = np.array([vector(leaves) for _, leaves, _ in results])
    values = np.array([value if case.has_value else 0.0 for value, _, _ in results], dtype=float)
    projected = [case.projected(given, answer) for answer in answers]
    levels = [ruling.worst_of(answer) for answer in projected]
    apart = np.append(_apart(values), _apart(answers))
    tolerance = ruling.tolerance
    explained = np.append(tolerance.of_loss, np.fmax(tolerance.sharp, tolerance.loose))
    within = bool((apart <= explained).all())
    if not within and (not case.has_value or all(map(ruling.explains_value, values))):
        within = max(levels) <= ROUNDED
        # Of a gradient whose part in the tangent space is right, the rest may be anything.
        within &= case.tangent(given) is None or _is_rounding(given, answers)
    of_loss = _in_ulps_of_loss(values, np.asarray(results[0][0] or 0.0).dtype)
    distances = np.append(of_loss, _in_ulps(given, answers))
    i = int(np.argmax(distances if within else _ratio(apart, explained)))
    most = float(_ratio(explained, apart)[i] * distances[i])
    place, there = _there(given, results, i)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(there.astype(np.float64) - there[0].astype(np.float64))
    other = there[int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))]
    found = Variation(len(results), *place, there[0], other, float(distances[i]), most, within)
    return found, projected[int(np.argmax(levels))]


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


def _in_ulps(given: Point, answers: np.ndarray) -> np.ndarray:
    """Return how far elements lie apart in ulps, shape (size,)."""
    low, high = np.min(answers, axis=0), np.max(answers, axis=0)
    pairs = zip(given.leaves, given.parts(), strict=True)
    each = [
        ulp_distance(*(x[part].astype(leaf.dtype) for x in (low, high))) for leaf, part in pairs
    ]
    return np.where(_apart(answers) > 0, np.nan_to_num(np.concatenate(each), nan=np.inf), 0.0)


def _in_ulps_of_loss(values: np.ndarray, dtype: Any) -> float:
    low, high = (np.asarray(x, dtype) for x in (np.min(values), np.max(values)))
    distance = ulp_distance(low, high) if formats.is_floating(dtype) else _apart(values)
    return float(np.nan_to_num(distance, nan=np.inf))


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, and 0 for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(a == 0, 0.0, a / b)


def _there(
    given: Point, results: Sequence[form.Called], i: int
) -> tuple[tuple[str | None, tuple[int, ...] | None], np.ndarray]:
    """Return the path and index of an element, and what each call gave; before all is the loss."""
    if not i:
        return (None, None), np.array([value for value, _, _ in results])
    k = next(k for k, part in enumerate(given.parts()) if i - 1 < part.stop)
    path = given.paths[k]
    index = index_of(given, path, i - 1 - given.parts()[k].start)
    return (path, index), np.array([leaves[k][index] for _, leaves, _ in results])
