"""Whether what is linear in a vector is: a backward pass in its cotangent, a product in its vector.

At a cotangent of the size of 1 nobody sees that one is clipped at 5, or dropped below 1e-8. So what
is judged is called at a few others, where a linear one's answers follow from the first. This is
only a sieve: where they do not, it is judged as at any point.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from handgrad.clock import SECONDS, Clock, time_left
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.numerals import short
from handgrad.data.point import Point, alike, real_inputs, slices, vector
from handgrad.data.pytrees import split
from handgrad.data.silent import quiet
from handgrad.judging import form
from handgrad.judging.case import Case, Vector

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: Vectors are at most 2⁴⁰ times as large, and as small: beyond any clip or threshold that is meant
#: to do something, and a complex step of 1e-20 along them is still a small one.
MOST = 40

#: So many powers of 2 are left free below the largest number, and above the smallest normal one.
FREE = 3

#: The part of the time that is left after which no further vector is tried: so many calls are a
#: trifle, unless one takes more than a sixtieth of it, and then the point needs the time.
PART = 1 / 10


@dataclass(frozen=True, eq=False)
class Other:
    """A case at another vector, which is the given one times factors."""

    case: Case
    given: Point
    answer: np.ndarray | None  #: (size,); None if it raised, or has another form
    small: bool  #: whether all of the vector is small, as what a solver's tolerance drops is

    def overflows(self) -> bool:
        """Tell whether something in the answer is not finite."""
        return self.answer is not None and not np.isfinite(self.answer).all()

    def follows(self, *terms: np.ndarray) -> bool:
        """Tell whether the answer is the sum of these terms in half of its digits, if it is finite.

        Rounding is less but where they cancel, which costs a ruling and no more.
        """
        if self.answer is None or self.overflows():
            return True
        eps, normal = (formats.of_elements(self.given.leaves, name) for name in ("eps", "normal"))
        size = sum(map(np.abs, terms))
        return bool((np.abs(self.answer - sum(terms)) <= np.sqrt(eps) * size + normal).all())


def suspects(case: Case, given: Point, answer: form.Answer) -> list[Other]:
    """Call what is linear in a vector at up to six others; return where it does not seem to be.

    If its answer is the same at all of them, and the vector a single cotangent, it is judged at the
    given one alone: the backward pass of a loss may take its cotangent to be 1.

    Args:
        case: the case.
        given: a point.
        answer: what the caller's function gives there.
    """
    along, a = _vector(case, given), vector(answer)
    c = vector(along.arrays) if along and along.arrays else np.zeros(1)
    if along is None or not c.any() or not np.isfinite(a).all():
        return []
    clock, tried, found = Clock(time_left(SECONDS) * PART), [], []

    def other(words: str, factors: Any, small: bool = False) -> Other:
        there, at = along.at(_times(along.arrays, factors))
        got = None if clock.over else _answer(there, at)
        condition = ", ".join(filter(None, (case.condition, words.format(along.name))))
        there = replace(there, condition=condition, nonlinear=along.name)
        tried.append(Other(there, at, got, small))
        return tried[-1]

    def scaled(factor: float) -> Other:
        asked = other(f"for {short(factor, 2)} times the {{}}", factor, abs(factor) < 1)
        found.extend([] if asked.follows(factor * a) else [asked])
        return asked

    up, down, apart = _powers(case, given, along, a)
    while up and scaled(-(2.0**up)).overflows():
        up //= 2
    if up and (c >= 0).all() | (c <= 0).all():
        scaled(2.0**up)  # a bound may be on one side
    if down:
        scaled(2.0**-down)
    nothing = other("for a {} of 0", 0.0)
    found += [] if nothing.follows(0 * a) else [nothing]
    if c.size > 1:
        largest, apart = np.arange(c.size) == np.argmax(np.abs(c)), 2.0**apart
        alone = other("for the largest element of the {} alone", largest)
        words = f"where the largest element of the {{}} is {short(apart)} times as large"
        both = other(words, np.where(largest, apart, 1.0))
        if alone.answer is not None and not both.follows(a, (apart - 1) * alone.answer):
            found += [both, alone]
    varies = any(one.answer is not None and not np.array_equal(one.answer, a) for one in tried)
    return found if varies or c.size > 1 or along.name != "cotangent" else []


def seems_linear(case: Case, given: Point) -> bool:
    """Tell whether `suspects` finds nothing at a point."""
    answer = _answer(case, given)
    return answer is None or not suspects(case, given, [answer])


def _vector(case: Case, given: Point) -> Vector | None:
    """Return the vector that a case should be linear in, or None."""
    if case.vector is not None or not case.claim.contracted_with:
        return case.vector
    first, *others = given.inputs
    real, together = split(first)

    def at(arrays: list[np.ndarray]) -> tuple[Case, Point]:
        with jax.enable_x64(given.wide):
            first = together([alike(a, leaf) for a, leaf in zip(arrays, real, strict=True)])
        return case, case.claim.along(case.domains, replace(given, inputs=(first, *others)))

    return Vector(case.claim.contracted_with, [np.asarray(leaf) for leaf in real], at)


def _times(arrays: list[np.ndarray], factors: Any) -> list[np.ndarray]:
    """Multiply arrays by factors, one or one for each element: 0 or powers of 2, which is exact."""
    flat = vector(arrays) * factors
    pairs = zip(arrays, slices(arrays), strict=True)
    return [flat[part].reshape(x.shape).astype(x.dtype) for x, part in pairs]


def _powers(case: Case, given: Point, along: Vector, a: np.ndarray) -> tuple[int, int, int]:
    """Return how many powers of 2 vectors may be larger and smaller, and elements of one apart.

    Vectors and answers stay within the range of every format, and what elements so far apart add to
    one another within the digits.
    """
    arrays = [*along.arrays, *given.leaves, *real_inputs(given)]
    used = {formats.of(x.dtype) for x in arrays}
    used |= {f for f in case.arithmetic or () if isinstance(f, formats.Format)}
    with np.errstate(divide="ignore"):
        size, of_answer = (np.log2(np.abs(x).max()) for x in (vector(along.arrays), a))
    up = min(np.log2(f.largest) for f in used) - max(size, of_answer) - FREE
    down = of_answer - max(np.log2(f.normal) for f in used) - FREE
    up, down = (int(np.clip(power, 0, MOST)) for power in (up, down))
    return up, down, min(f.bits for f in used) // 3


def _answer(case: Case, given: Point) -> np.ndarray | None:
    """Call a case; None if the caller's function raises, or what it returns has another form."""
    with best_effort(), quiet():
        _, leaves, findings = form.call_gradient(case, given)
        return None if findings else vector(leaves)
    return None
