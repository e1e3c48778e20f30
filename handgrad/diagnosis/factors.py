"""Names of factors: the batch size, its inverse, 2, a half, the number of outputs."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from handgrad.data import formats
from handgrad.data.numerals import short
from handgrad.data.point import Point

#: The relative distance at which a factor gets a name: the accuracy of a factor fitted in float32.
#: The chance that one of the one or two hundred names is so close is a few in a thousand.
CLOSE = 1e-5

#: A factor within this distance of 1 is shown as 1 plus or minus the distance.
NEAR_ONE = 1e-3

#: Plain numbers that are forgotten or written twice.
PLAIN = (2, 3, 4)

#: Losses in float16 are scaled by a power of two from here on, so that gradients do not underflow.
SCALE = 128

#: Numbers that come with a logarithm to another base, or with a density.
CONSTANTS = (
    *(("log 2", np.log(2)), ("1/log 2", 1 / np.log(2))),
    *(("log 10", np.log(10)), ("1/log 10", 1 / np.log(10))),
    *(("π", np.pi), ("1/π", 1 / np.pi), ("2π", 2 * np.pi), ("√(2π)", np.sqrt(2 * np.pi))),
    *(("√2", np.sqrt(2)), ("1/√2", np.sqrt(0.5))),
)


class Length(NamedTuple):
    """The meaning of a length that occurs in the arrays."""

    what: str
    likely: bool  #: whether people divide by it: examples, outputs, elements

    def described(self, also: bool = False) -> str:
        """Describe the length; `also` if the number may be a coincidence."""
        return f"also {self.what}" if also or not self.likely else self.what


@dataclass(frozen=True)
class Name:
    """A factor in words."""

    text: str  #: 1/7
    about: str  #: an explanation, " (7 is the batch size)", or nothing


def name(factor: float, given: Point | None = None, constants: Sequence[float] = ()) -> Name | None:
    """Name a factor; None if it has no name.

    Args:
        factor: the number.
        given: the point, whose array lengths may be the factor; None to ignore them.
        constants: scalar constants of the loss.
    """
    for text, value, about in itertools.chain(
        _candidates(_lengths(given) if given else {}), _of_loss(constants)
    ):
        if abs(factor / value - 1) < CLOSE and abs(value - 1) > 100 * CLOSE:
            return Name(text, about)
    return None


def likely(factor: float, given: Point) -> list[float]:
    """Return what a factor may be that was fitted to numbers of a short format: few numbers.

    Those are plain ones, powers of two, and lengths that people divide by. At three digits one of
    two hundred names is always near.
    """
    unit = max(formats.of(leaf.dtype).unit for leaf in given.leaves)
    if not factor or unit < CLOSE:
        return []
    lengths = {n: length for n, length in _lengths(given).items() if length.likely}
    named = [value for n in (*PLAIN, *lengths) for value in (n, 1 / n, -n, -1 / n)]
    power = math.copysign(2.0 ** round(math.log2(abs(factor))), factor)
    return [value for value in (*named, power) if abs(factor / value - 1) < unit and value != 1]


def written(factor: float, given: Point) -> float:
    """Return a fitted factor with the digits that a short format's numbers tell of it."""
    unit = max(formats.of(leaf.dtype).unit for leaf in given.leaves)
    return factor if unit < CLOSE else float(f"{factor:.{-math.floor(math.log10(unit))}g}")


def scaled(factor: float) -> str:
    """Say of a power of two that losses are scaled by, that it looks like one; else nothing."""
    power = math.log2(factor) if factor >= SCALE else 0.5
    if power != round(power):
        return ""
    return f" (2^{round(power)}, as of a scaled loss: unscale its gradient)"


def part(factor: float, found: Name | None, of: str) -> str:
    """Write a multiple: `1/7 of exact (7 is the batch size)`, `2 times exact`."""
    if 0 < abs(factor - 1) < NEAR_ONE:
        return f"(1 {'+' if factor > 1 else '-'} {short(abs(factor - 1), 3)}) times {of}"
    found = found or Name(_nameless(factor), "")
    fraction = abs(factor) < 1 and found.text.lstrip("-")[0].isdigit()
    return f"{found.text} {'of' if fraction else 'times'} {of}{found.about}"


def _nameless(factor: float) -> str:
    """Write a factor without a name: `1/88` for the inverse of a whole number, else digits."""
    inverse = 1 / factor if factor else 0.0
    whole = round(inverse)
    if abs(whole) > 1 and abs(inverse - whole) < CLOSE * abs(whole):
        return f"{'-' if whole < 0 else ''}1/{abs(whole)}"
    return short(factor, 8)


def _candidates(lengths: dict[int, Length]) -> Iterator[tuple[str, float, str]]:
    for sign, minus in ((1, ""), (-1, "-")):
        for n in PLAIN:
            about = f" ({n} is {lengths[n].described(also=n == 2)})" if n in lengths else ""
            yield f"{minus}{n}", sign * n, about
            yield f"{minus}1/{n}", sign / n, about
        for n, length in lengths.items():
            for text, value in _of_one(n, length.likely):
                yield minus + text, sign * value, f" ({n} is {length.described()})"
        likely = [n for n, length in lengths.items() if length.likely]
        for n, m in itertools.combinations(likely, 2):
            about = f" ({n} is {lengths[n].what}, {m} {lengths[m].what})"
            if math.gcd(n, m) > 1:
                continue  # 10/15 is 2/3, which may have another reason
            for text, value in ((f"{n}·{m}", n * m), (f"{n}/{m}", n / m), (f"{m}/{n}", m / n)):
                yield minus + text, sign * value, about
            yield f"{minus}1/({n}·{m})", sign / (n * m), about
        for text, value in CONSTANTS:
            yield minus + text, sign * value, ""


def _of_loss(constants: Sequence[float]) -> Iterator[tuple[str, float, str]]:
    """Yield the constants of the loss, forgotten or applied twice."""
    for c in constants:
        text = short(c, 6)
        about = f" ({text} is a number in the loss)"
        yield text, c, about
        yield f"1/{text}", 1 / c, about


def _of_one(n: int, likely: bool) -> Iterator[tuple[str, float]]:
    """Yield the factors made of a length; an unlikely divisor gives only itself and its root."""
    yield f"{n}", n
    yield f"1/{n}", 1 / n
    # Attention scores are divided by the root of a width.
    yield f"√{n}", n**0.5
    yield f"1/√{n}", 1 / n**0.5
    if not likely:
        return
    yield f"2·{n}", 2 * n
    yield f"2/{n}", 2 / n
    yield f"{n}/2", n / 2
    yield f"1/(2·{n})", 1 / (2 * n)
    yield f"{n}²", n**2
    yield f"1/{n}²", 1 / n**2
    if n > 2:
        yield f"{n - 1}/{n}", (n - 1) / n
        yield f"{n}/{n - 1}", n / (n - 1)


def _lengths(given: Point) -> dict[int, Length]:
    """Return the lengths that occur, each with its likeliest meaning; the likeliest first."""
    found: list[tuple[int, Length]] = []
    for path, leaf in zip(given.paths, given.leaves, strict=True):
        for k, n in enumerate(leaf.shape):
            found.append((n, Length(f"the length of axis {k} of {path}", False)))
        found.append((leaf.size, Length(f"the number of elements of {path}", False)))
    shapes = [np.shape(a) for a in jax.tree_util.tree_leaves(given.inputs) if np.ndim(a)]
    for shape in shapes:
        found.append((int(np.prod(shape)), Length("the number of elements of an input", True)))
        found += [(n, Length("the width of an input", False)) for n in shape[1:]]
    # Targets come last; but two inputs of one shape are more likely two inputs of a kind.
    if shapes and len(shapes[-1]) > 1 and shapes[-1] not in shapes[:-1]:
        found.append((shapes[-1][-1], Length("the number of outputs", True)))
    if shapes:
        found.append((shapes[0][0], Length(_first_axis(shapes), True)))
    names: dict[int, Length] = {}
    for n, length in reversed(found):
        names.setdefault(n, length)
    return {n: length for n, length in names.items() if n > 1}


def _first_axis(shapes: Sequence[tuple[int, ...]]) -> str:
    """Describe axis 0 of the inputs: the batch, unless it may be time in an array of 3 axes."""
    dimensions = {len(shape) for shape in shapes}
    if dimensions == {1}:
        return "the length of an input"
    return "the length of axis 0 of an input" if 3 in dimensions else "the batch size"
