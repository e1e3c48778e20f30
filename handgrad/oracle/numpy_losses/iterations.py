"""Loops of NumPy code that stop at a tolerance: where their comparisons are, and going on.

A comparison of numbers that depend on the parameters ends a loop if the code comes there once more
when it is decided the other way. So each place in the code where numbers are compared again and
again is tried. A place is a position in the source, with those of the calls that lead there from
the loop.
"""

import dis
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import (
    EQUAL,
    GREATER,
    LESS,
    Comparisons,
    MorePrecisionNeededError,
)
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.data.attempts import raise_internal
from handgrad.data.frames import is_handgrads
from handgrad.oracle import evaluate
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.random_directions import generic_direction
from handgrad.oracle.reference import Reference
from handgrad.oracle.truncation import Changes, check_slopes, truncation
from handgrad.program.interpreter import EndlessLoopError

#: A position in the code of each frame, from that of a comparison to that of the loop around it.
Place = tuple[tuple[CodeType, Any], ...]

#: The frames of these end by what they go through, and never by a comparison.
_COMPREHENSIONS = {"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"}

#: A loop that goes on may compare that many times as often, and that much more, before it counts as
#: one that does not end. Going on once costs one more round of each loop, so twice as often at most
#: but for those inside, and a thousand comparisons on series take a tenth of a second.
TIMES, MORE = 4, 1000

#: What calls a loss on series.
UNTIL = (Untraced.on_series.__code__, certify.in_one_run.__code__)

_OF_JAX = str(Path(jax.__file__).parent)


@dataclass
class AtPlaces(Comparisons):
    """Comparisons that record the places where numbers that depend on the parameters are compared.

    Where a loop ends, it goes on for `further` more comparisons of its place.
    """

    dependent: bool = True  #: whether only such numbers count; else all
    until: Sequence[CodeType] = ()  #: the functions that call the code

    ends: Mapping[Place, set[int]] = field(default_factory=dict)  #: the outcomes that end a loop
    further: int = 0
    most: float = np.inf  #: comparisons, before the run counts as one that does not end
    #: The outcomes at each place, by the frame of the loop.
    seen: dict[Place, dict[FrameType, list[np.ndarray]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _left: dict[tuple[Place, FrameType], int] = field(default_factory=dict)

    def for_rerun(self, *how: Any, **also: Any) -> Self:
        """See `Comparisons.for_rerun`; loops go on there as here."""
        there = super().for_rerun(*how, **also)
        there.dependent, there.until = self.dependent, self.until
        there.ends, there.further = self.ends, self.further
        return there

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Compare, or decide that a loop goes on; see `Comparisons.order`."""
        found = super().order(a, b)
        if self.dependent and a.tangent is None and b.tangent is None:
            return found
        self.most -= 1
        if self.most < 0:
            raise EndlessLoopError
        place: Place = ()
        for frame, position in _frames(sys._getframe(1), self.until):
            place = (*place, (frame.f_code, position))
            if frame.f_code.co_name in _COMPREHENSIONS:
                continue
            self.seen[place][frame].append(found)
            if place in self.ends:
                found = self._going_on((place, frame), found)
        return found

    def _going_on(self, key: tuple[Place, FrameType], found: np.ndarray) -> np.ndarray:
        if not np.isin(found, list(ends := self.ends[key[0]])).all():
            self._left[key] = self.further
            return found
        left = self._left.get(key, self.further)
        self._left[key] = left - 1
        goes_on = LESS if GREATER in ends else GREATER
        return np.full_like(found, goes_on) if left > 0 else found


def _frames(frame: FrameType | None, until: Sequence[CodeType]) -> Iterator[tuple[FrameType, Any]]:
    """Yield the frames of the code and of what it calls, the innermost first, and where they are.

    Those of handgrad and JAX, which compute for it, are left out.
    """
    while frame is not None and frame.f_code not in until:
        code = frame.f_code
        if not is_handgrads(code.co_filename) and not code.co_filename.startswith(_OF_JAX):
            yield frame, _positions(code)[frame.f_lasti // 2]
        frame = frame.f_back


@lru_cache(1024)
def _positions(code: CodeType) -> list[Any]:
    return list(code.co_positions())


@lru_cache(1024)
def _in_loops(code: CodeType) -> set[Any]:
    """Return the positions in the loops of a function. A `while` has its test in two places."""
    found: set[Any] = set()
    for step in dis.get_instructions(code):
        if "JUMP_BACKWARD" in step.opname:
            found.update(_positions(code)[step.argval // 2 : step.offset // 2 + 1])
    return found


@dataclass(frozen=True)
class Loops:
    """The loops of a loss at a point whose end comparisons decide."""

    ends: Mapping[Place, set[int]]  #: of those that a tolerance ends, the outcomes that do
    iterations: int  #: of the longest of them
    decided: bool  #: whether comparisons decide within a loop, be it its end or what it does
    comparisons: int  #: in all

    def going_on(self, further: int, **options: Any) -> AtPlaces:
        """Return the comparisons of a run where they go on, with other fields of `AtPlaces`."""
        most = TIMES * self.comparisons * (1 + further) + MORE if further else np.inf
        return AtPlaces(ends=self.ends, further=further, most=most, **options)


def loops(run: Callable[[AtPlaces], Any], **options: Any) -> Loops:
    """Find the loops of some code that end by comparisons.

    Args:
        run: runs the code, with these comparisons.
        options: further fields of `AtPlaces`.
    """
    options |= {"final": True, "undefined": True}
    run(first := AtPlaces(**options))
    ends, longest = {}, 0
    count = sum(len(o) for of in first.seen.values() for o in of.values())
    decided = False
    for place, by_frame in _innermost(first.seen):
        runs = [outcomes for outcomes in by_frame.values() if outcomes]
        decided |= any(map(_differ, runs))
        last = [o[-1] for o in runs if len(o) == 1 or _differ(o)]
        outcomes = {int(outcome) for o in last for outcome in o.flat}
        if not outcomes or outcomes >= {LESS, GREATER}:
            continue
        outcomes |= {EQUAL}
        try:
            one: Any = {"ends": {place: outcomes}, "further": 1, "most": TIMES * count + MORE}
            run(there := AtPlaces(**options, **one))
        except Exception as error:  # of the code, which nobody meant to go on
            raise_internal(error, Exception)
            continue
        if _visits(there.seen, place) > _visits(first.seen, place):
            ends[place] = outcomes
            longest = max(longest, *map(len, runs))
    return Loops(ends, longest, decided, count)


def _differ(outcomes: Sequence[np.ndarray]) -> bool:
    return any(not np.array_equal(a, b) for a, b in pairwise(outcomes))


def _visits(seen: Any, place: Place) -> int:
    return sum(map(len, seen[place].values())) if place in seen else 0


def _innermost(seen: Any) -> list[tuple[Place, dict[FrameType, list[np.ndarray]]]]:
    """Return the places of the innermost loops around each comparison."""

    def repeated(place: Place) -> bool:
        code, position = place[-1]
        return any(len(o) > 1 for o in seen[place].values()) or position in _in_loops(code)

    found = {place for place in seen if repeated(place)}
    inner = [p for p in found if not any(p[:k] in found for k in range(1, len(p)))]
    return [(place, of) for place, of in seen.items() if place in inner]


def further_slopes(
    found: Loops,
    problem: Untraced,
    directions: np.ndarray,
    comparisons: Comparisons,
    further: int,
    arguments: Sequence[np.ndarray] | None = None,
    most: float = np.inf,  # noqa: ARG001 (which `Loops.going_on` knows)
) -> tuple[int, np.ndarray]:
    """Return what `handgrad.oracle.evaluate.further_slopes` does; NaN where code does not go on."""
    made = found.going_on(
        further, final=comparisons.final, undefined=comparisons.undefined, until=UNTIL
    )
    count = 1 + found.iterations if found.ends else 0
    try:
        loss, slopes = _slopes(problem, directions, made, arguments)
        count = max(
            (1 + len(o) for place in found.ends for o in made.seen[place].values()), default=0
        )
    except (MorePrecisionNeededError, UndecidableKinkError):
        raise
    except Exception as error:  # of the loss, which nobody meant to go on
        raise_internal(error, Exception)
        return count, balls.boxed([arb("nan")] * (1 + len(directions)), (1 + len(directions),))
    return count, np.append(balls.boxed([loss], (1,)), slopes)


def truncation_of(
    problem: Untraced, reference: Reference, check_matrix: Callable[[], None]
) -> Changes | None:
    """Return what the loops of a loss leave out, see `truncation`; None if it has none.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        check_matrix: raises OtherSlopesError where a matrix, which is the gradient of a linear
            loss, is not that of the function.

    Raises:
        UndecidableError: as `truncation`; also if comparisons decide what a loop computes, and its
            slopes are not those of the loss: a bisection that keeps floats.
    """
    bits, n, rng = reference.bits, problem.size, np.random.default_rng(problem.size)
    along, is_matrix = generic_direction(rng, n), problem.leaves_of is not None
    if not is_matrix and not problem.memory["compares"]:
        return None
    with balls.precision(bits):
        found = loops(lambda made: _slopes(problem, along, made), until=UNTIL)
    run = partial(further_slopes, found)
    if is_matrix and found.decided:
        check_matrix()
    if found.ends:
        return truncation(problem, reference, run)
    if found.decided and not is_matrix and reference.kink is None:
        with balls.precision(bits):
            check_slopes(problem, bits, 0, rng, run)
    return None


def _slopes(
    problem: Untraced, directions: np.ndarray, comparisons: Comparisons, arguments: Any = None
) -> tuple[arb, np.ndarray]:
    """Return the loss and its slopes; those of a matrix's from the matrix, elsewhere no loss.

    The scalar that it has for one has other slopes.
    """
    if problem.leaves_of is None:
        return evaluate.slopes(problem, directions, comparisons, arguments)
    loss, leaves = certify.in_one_run(problem, comparisons, arguments)
    loss = loss if arguments is None else arb("nan")
    return loss, (directions * leaves).sum(axis=1)
