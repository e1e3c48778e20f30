"""The quick look at a gradient: its slopes along a few random directions, not its elements.

Judged is the loss as a function of the distances t along the directions D, at t = 0: its gradient
is D·g, which costs the oracle one run of the loss, however many elements g has. Each direction
weights the elements by the inverse of their sizes, so that an error shows in whichever it is.

**What goes unseen.** An entry of a direction is ±r·2⁻ᵉ, where r is uniform in [1, 2) and 2ᵉ is the
least power of two above the size of the element. An error of δ times that size adds ±m·r·δ to the
slope, where m is in [1/2, 1). Whatever the other errors are, it goes unseen only if that falls into
an interval of twice the tolerance, of all that is at least δ/2 long on either side of 0: with a
probability of at most 2·tolerance/δ. The directions are independent. The sizes are those of the
answer that is judged; an element that is 0 there has that of the largest in its leaf, or of all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.levels import WRONG
from handgrad.data.attempts import best_effort
from handgrad.data.domains.domain import Domain
from handgrad.data.formats import is_half
from handgrad.data.names import Names
from handgrad.data.numerals import plural
from handgrad.data.point import Point, point_at, shortly, vector
from handgrad.data.silent import quiet
from handgrad.judging import form
from handgrad.judging.case import Case, check_case
from handgrad.judging.claim import Claim
from handgrad.judging.domains import check_all_directions, in_domains
from handgrad.judging.ruling import Ruling
from handgrad.oracle.reference import sizes_about

#: The most directions: of so many parameters every one is certified by series.
MOST = 24

#: The error of an element, relative to its size, whose probability to go unseen is stated; of a
#: larger one, if that one would be seen less surely than `RARE`.
STATED, RARE = 1e-3, 1e-6

#: If no smaller error is seen that surely, right slopes show nothing.
TOO_LARGE = 0.1

#: What the distances along the directions are called, for elements of one dtype and of several.
NAME, NAME_OF = "random direction", "random direction of {}"


@dataclass(frozen=True, eq=False)
class RandomDirections(Claim):
    """The slopes of a gradient along random directions, instead of its elements."""

    is_gradient = False
    own_points = True
    along_directions = True
    whole_case: Case
    given: Point  #: the caller's
    count: int  #: the number of directions

    def asked(self, case: Case) -> Case:  # noqa: ARG002 (of other claims)
        """Return the case of the gradient."""
        return self.whole_case

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the parameters of one of the case."""
        params, _, *inputs = given.inputs
        return self.given.at(params, inputs)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of the case at other parameters."""
        return replace(given, inputs=(moved.params, *given.inputs[1:]))

    def points(
        self,
        around: Iterable[Point],
        given: Point,  # noqa: ARG002 (of other claims)
        domains: Sequence[Domain],  # noqa: ARG002 (as above)
    ) -> Iterator[Point]:
        """Yield a point of the case, with directions of its own, for each of the caller's."""
        case, leaves, names = self.whole_case, self.given.leaves, self.given.names
        rng, numbers = np.random.default_rng(case.seed), range(1, self.count + 1)
        dtypes = dict(zip(_names(self.given), (leaf.dtype for leaf in leaves), strict=True))
        zero = {name: [np.zeros((), dtype)] * self.count for name, dtype in dtypes.items()}
        labels = [
            name.replace("direction", f"direction {i}", 1) for name in sorted(zero) for i in numbers
        ]
        names = Names(inputs=(names.params, "directions", *names.inputs), leaves=tuple(labels))
        for moved in around:
            directions = [_drawn(rng, self.count, size) for size in _sizes(case, moved)]
            yield point_at(zero, (moved.params, directions, *moved.inputs), names)

    def _unseen(self, ruling: Ruling) -> tuple[float, float]:
        """Return an error, relative to an element, and a bound of its probability to go unseen."""
        window = 2 * float(np.max((ruling.sufficed or ruling.tolerance).sharp))
        if (chance := (window / STATED) ** self.count) <= RARE:
            return STATED, chance
        return window / RARE ** (1 / self.count), RARE

    def certificate(self, ruling: Ruling, loss: str) -> str:
        """Say how the slopes are known, and what they show."""
        if not ruling.reference.certified:
            return super().certificate(ruling, loss)
        error, chance = map(_rounded_up, self._unseen(ruling))
        return (
            f"the slope of the loss along {plural(self.count, 'random direction')} by power series "
            f"in ball arithmetic: an error of {error} times one element or more goes unseen with "
            f"probability below {chance}"
        )

    def what_is_right(self, ruling: Ruling) -> str:
        """Say what is right, where the slopes are."""
        error = _rounded_up(self._unseen(ruling)[0])
        slope = f"the slope along {plural(self.count, 'random direction')} is right"
        return f"{slope}, where an error of {error} times one element shows,"

    def why_not_shown(self, ruling: Ruling) -> str | None:
        """Return why slopes do not show that a gradient is right, or wrong; None if they do.

        Where numbers are equal, gradients of sides that no direction meets are right as well.
        """
        refuted, reference = ruling.yours.worst == WRONG, ruling.reference
        if reference.kink is not None or (refuted and reference.ties):
            every = self.whole_case.wording.every_element
            return (
                "numbers that are equal at this point may make it a kink, where slopes along "
                "random directions do not show whether every element is right; "
                f"{every} each is judged"
            )
        if refuted or (error := self._unseen(ruling)[0]) <= TOO_LARGE:
            return None
        return (
            f"rounding of so many elements may hide an error of {_rounded_up(error)} times one of "
            f"them along {plural(self.count, 'random direction')}; more directions show more"
        )

    def check(self, case: Case) -> None:
        """Return None: no test is written of directions."""


def directional_case(whole: Case, given: Point, count: Any) -> tuple[Case, Point]:
    """Build the case of the slopes of a gradient along random directions, and its point.

    A gradient without the form of one is left as it is, to be judged for that.

    Raises:
        TypeError, ValueError: the number of directions is none from 1 to `MOST`, a gradient
            program is asked for, or elements are in a short format or computed in a stated one.
        Exception: what the gradient raises.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer):
        raise TypeError(f"directions: got {shortly(count)}, expected a whole number")
    if not 1 <= count <= MOST:
        raise ValueError(f"directions: got {count}, expected 1 to {MOST}")
    check_case(whole, given)
    whole = in_domains(whole, given)
    check_all_directions(f"directions: got {count}", whole.domain, whole.tangent(given))
    if whole.referee == "program":
        raise ValueError("directions: got referee='program', expected 'auto' or 'series'")
    if whole.computed_in is not None:
        raise ValueError(
            f"directions: got computed_in={whole.computed_in!r} as well, whose rounding hides an "
            "element's error along a direction; expected one of the two"
        )
    short = next((leaf.dtype.name for leaf in given.leaves if is_half(leaf.dtype)), None)
    if short is not None:
        raise ValueError(
            f"directions: got parameters in {short}, in which rounding hides an element's error "
            "along a direction; expected float64 or float32"
        )
    if given.not_judged() or form.call_gradient(whole, given)[2]:
        return whole, given

    called = whole.gradient  # by a name of its own, so that a rerun finds it
    names, shapes = _names(given), [leaf.shape for leaf in given.leaves]

    def loss(distances: Any, params: Any, directions: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree_util.tree_flatten(params)
        moved = [
            leaf + sum(t * d for t, d in zip(distances[name], of_leaf, strict=True))
            for leaf, name, of_leaf in zip(leaves, names, directions, strict=True)
        ]
        return whole.loss(jax.tree_util.tree_unflatten(tree, moved), *inputs)

    def gradient(distances: Any, params: Any, directions: Any, *inputs: Any) -> Any:
        answer = called(params, *inputs)
        value, grads = answer if whole.has_value else (None, answer)
        slopes = {name: [0.0] * len(along) for name, along in distances.items()}
        leaves = jax.tree_util.tree_leaves(grads)
        if [np.shape(leaf) for leaf in leaves] != shapes:
            return answer  # which is told that it has not the form of a gradient
        for leaf, name, of_leaf in zip(leaves, names, directions, strict=True):
            slopes[name] = [
                slope + (d * leaf).sum() for slope, d in zip(slopes[name], of_leaf, strict=True)
            ]
        return (value, slopes) if whole.has_value else slopes

    claim = RandomDirections(whole, given, int(count))
    options = whole.handed_on(referee="series")
    # Fewer directions take no less time.
    wording = whole.wording._replace(more_time=whole.wording.more_seconds)
    case = Case(gradient, loss, **options, claim=claim, wording=wording, domains=whole.domains)
    return case, next(claim.points([given], given, ()))


def _rounded_up(number: float) -> str:
    """Write the next power of ten."""
    return f"{10.0 ** np.ceil(np.log10(number)):,g}" if number else "1e-300"


def _sizes(whole: Case, given: Point) -> list[np.ndarray]:
    """Return the size of each element of a gradient, by its own answer; of a 0, its neighbours'."""
    answer = np.ones(given.size)
    # The caller's function is called again when the point is judged.
    with best_effort(), quiet():
        _, leaves, faults = form.call_gradient(whole, given)
        answer = answer if faults else vector(leaves)
    answer = np.where(np.isfinite(answer), answer, 0.0)
    sizes = sizes_about(given.leaves, answer, answer == 0)
    sizes = np.where(sizes > 0, sizes, 1.0)  # all of it is 0
    return [
        sizes[part].reshape(leaf.shape).astype(leaf.dtype)
        for leaf, part in zip(given.leaves, given.parts(), strict=True)
    ]


def _drawn(rng: np.random.Generator, count: int, size: np.ndarray) -> list[np.ndarray]:
    """Draw the part of each direction in a leaf, shaped and typed like its sizes, all above 0."""
    info = np.finfo(size.dtype)
    most = info.maxexp // 2  # so that no slope overflows
    exponents = np.clip(np.frexp(size)[1], -most, most)
    drawn = []
    for _ in range(count):
        r = 1 + rng.integers(0, 2**info.nmant, size.shape) / 2.0**info.nmant
        signs = rng.choice([-1.0, 1.0], size.shape)
        drawn.append(np.asarray(signs * np.ldexp(r, -exponents), size.dtype))
    return drawn


def _names(given: Point) -> list[str]:
    """Return what the distances are called by which each leaf is moved: one name for a dtype."""
    dtypes = [leaf.dtype.name for leaf in given.leaves]
    return [NAME if len(set(dtypes)) == 1 else NAME_OF.format(dtype) for dtype in dtypes]
