"""A domain: a set of arrays that contains a leaf, and its tangent space at each of its points.

A gradient is a covector on the space of all arrays. On a domain only the directions of its tangent
space count, and two gradients whose projections on that are equal are the same one. The projection
is P, a symmetric matrix: a gradient g is right exactly if P·g = P·∇L.
"""

from typing import Any, ClassVar

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats

#: The size of all elements of an array, or an array of that of each.
Size = float | np.ndarray


class Domain:
    """The set of all arrays, and what other domains have in common with it.

    Leaves are arrays in their own format; what is returned for one is of that format, too.
    """

    name: ClassVar[str] = "any"  #: what `domain=` calls it
    #: Whether some directions leave it. Of an open set none does, and P is the identity.
    projects: ClassVar[bool] = False
    axes: ClassVar[int] = 0  #: how many its arrays have at least
    expected: str = "any number"  #: what an element, or an array, is expected to be, for messages
    left: str = ""  #: says of a leaf that it is no longer in the domain
    of_one: str = "{}"  #: calls a leaf what it is in the domain

    @property
    def spec(self) -> Any:
        """What `domain=` is given for it."""
        return self.name

    @property
    def words(self) -> str:
        """The same in words, as the command line takes it."""
        return self.name

    @property
    def key(self) -> Any:
        """What tells it from others."""
        return self.spec

    def fits(self, leaf: np.ndarray) -> bool:
        """Tell whether it has arrays of this shape; all but `inside` is asked of these alone."""
        return leaf.ndim >= self.axes

    def inside(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are as the domain wants them, to within their rounding."""
        if not leaf.size or not self.fits(leaf):
            return np.zeros(leaf.shape, dtype=bool)
        return np.broadcast_to(self.holds(leaf), leaf.shape)

    def holds(self, leaf: np.ndarray) -> Any:
        """Tell the same of an array of its shapes; or for each row or matrix, or for all."""
        return True

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what an element is that is not inside, for messages."""
        return str(leaf[index])

    def wanted(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what an element is expected to be that is not inside, for messages."""
        return self.expected

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return an array of the domain near `leaf`; `before` is the one that was moved there."""
        return leaf

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Move an array of the domain at random, within it.

        Args:
            leaf: the array.
            scale: how far, relative to its elements.
            size: of an element, or of each.
            rng: draws the move.
        """
        return self.nearest(added(leaf, scale * size, rng.standard_normal(leaf.shape)), leaf)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return P·changes at a leaf; numbers or balls, shape (..., *leaf.shape)."""
        return changes

    def widened(self, leaf: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return |P|·errors, or a little more: how far P·g is off where g is off by `errors`.

        These are P·errors where no number in P is below 0.
        """
        return self.projected(leaf, errors)


class Positive(Domain):
    """Numbers above 0."""

    name = "positive"
    expected = "a number above 0"
    left = "is no longer positive"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are above 0."""
        return leaf > 0

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the sizes of the elements, and 1 for 0."""
        return np.where(leaf == 0, np.ones_like(leaf), np.abs(leaf))

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Multiply every element by a random factor."""
        form = formats.of(leaf.dtype)
        with np.errstate(over="ignore"):
            moved = leaf.astype(np.float64) * np.exp(scale * rng.standard_normal(leaf.shape))
        return np.clip(moved, form.normal, form.largest).astype(leaf.dtype)


class Interval(Domain):
    """Numbers between two ends, or at them; an end may be infinite.

    Each is one number, or an array of the leaf's shape, with an end for each element.
    """

    name = "interval"

    def __init__(self, low: Any, high: Any) -> None:
        self.low, self.high = np.broadcast_arrays(*(np.asarray(e, np.float64) for e in (low, high)))
        self.shape = self.low.shape  #: (), or that of the leaf
        if self.shape:
            self.expected = f"an array of shape {self.shape}, as the ends have"
        else:
            self.expected = self.wanted(self.low, ())
            self.left = f"is no longer in [{low:g}, {high:g}]"
            if np.isinf(high):
                self.left = f"is no longer {low:g} or more"
            elif np.isinf(low):
                self.left = f"is no longer {high:g} or less"

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper ends."""
        return self.low, self.high

    @property
    def spec(self) -> Any:
        """The name and both ends."""
        return (self.name, self.low.tolist(), self.high.tolist())

    @property
    def key(self) -> Any:
        """The name, and all ends."""
        return self.name, self.shape, self.low.tobytes(), self.high.tobytes()

    @property
    def words(self) -> str:
        """The name and both ends, or that each element has its own."""
        if self.shape:
            return f"{self.name} with ends of shape {self.shape}"
        return f"{self.name} {self.low:g} {self.high:g}"

    def fits(self, leaf: np.ndarray) -> bool:
        """Tell whether there is one interval, or one for each element."""
        return self.shape in ((), leaf.shape)

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are between the ends, or are the numbers nearest to one."""
        low, high = (ends.astype(leaf.dtype) for ends in (self.low, self.high))
        return (leaf >= low) & (leaf <= high)

    def wanted(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say between which ends an element is expected."""
        low, high = (np.broadcast_to(ends, leaf.shape)[index] for ends in (self.low, self.high))
        return f"a number from {low:g} to {high:g}"

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the elements, those beyond an end at the middle between it and before."""
        wide, was = leaf.astype(np.float64), np.clip(before.astype(np.float64), self.low, self.high)
        wide = np.where(wide < self.low, self.low / 2 + was / 2, wide)
        return np.where(wide > self.high, self.high / 2 + was / 2, wide).astype(leaf.dtype)

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Move the logit of each element between the ends; one that is at an end stays there.

        With one end, multiply the distance from it; without, move it as any number.
        """
        wide, step = leaf.astype(np.float64), scale * rng.standard_normal(leaf.shape)
        form, low, high = formats.of(leaf.dtype), self.low, self.high
        # Each element is taken from what is computed for its ends; the others may be NaN.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            from_low = low + (wide - low) * np.exp(step)
            from_high = high - (high - wide) * np.exp(step)
            part = (wide - low) / (high - low)
            odds = part / (1 - part) * np.exp(step)
            part = np.where(np.isinf(odds), 1.0, odds / (1 + odds))
            between = low + (high - low) * np.clip(part, form.eps, 1 - form.eps)
            one_sided = np.where(np.isinf(low), from_high, from_low)
            bounded = np.where(np.isinf(low) | np.isinf(high), one_sided, between)
            moved = np.where(np.isinf(low) & np.isinf(high), wide + size * step, bounded)
        at_end = (wide <= low) | (wide >= high)
        moved = np.clip(np.where(at_end, wide, moved), -form.largest, form.largest)
        return moved.astype(leaf.dtype)


class Mask(Domain):
    """Arrays some of whose elements are parameters; the others stay as they are."""

    name = "mask"
    projects = True
    of_one = "{} where the mask is True"

    def __init__(self, free: np.ndarray) -> None:
        self.free = np.asarray(free, dtype=bool)
        self.expected = f"an array of shape {self.free.shape}, as the mask has"

    @property
    def spec(self) -> Any:
        """The mask."""
        return self.free

    @property
    def key(self) -> Any:
        """Its shape and elements."""
        return self.name, self.free.shape, self.free.tobytes()

    def fits(self, leaf: np.ndarray) -> bool:
        """Tell whether the array is of the mask's shape."""
        return leaf.shape == self.free.shape

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the array with what the mask does not free as it was."""
        return np.where(self.free, leaf, before)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return the changes where the mask is True, and 0 elsewhere."""
        return kept(self.free, changes)


def kept(where: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return numbers, or balls, where a mask is True, and 0 of their kind elsewhere."""
    zeros = balls.zeros(values.shape) if values.dtype == object else np.zeros_like(values)
    return np.where(where, values, zeros)


def added(leaf: np.ndarray, scale: Size, steps: np.ndarray) -> np.ndarray:
    """Return a leaf plus scale·steps of float64, in its own format and without overflow."""
    largest = formats.of(leaf.dtype).largest
    with np.errstate(over="ignore"):
        moved = leaf.astype(np.float64) + scale * steps
    return np.clip(moved, -largest, largest).astype(leaf.dtype)


def rounding(dtype: Any, terms: int, own: float = 4.0) -> float:
    """Return how far a sum of rounded numbers may be off that is exactly 1, or 0.

    Of n numbers divided by their sum, or by the root of that of their squares, each is off by the
    n/2 roundoffs of that sum at most, n with the ones of the division; twice that is allowed. Sums
    of short formats are made in float32; there the `own` roundoff of the numbers counts as well.

    Args:
        dtype: of the numbers.
        terms: how many there are.
        own: how many spacings at 1 the sum is off by their own rounding, besides.
    """
    form = formats.of(dtype)
    of_sums = formats.of(np.float32) if form.half else form
    return own * form.eps + terms * of_sums.eps
