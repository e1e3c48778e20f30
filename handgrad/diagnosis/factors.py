"""A factor by its name: the batch size, its inverse, 2, a half, the number of outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.arguments import Arguments
from handgrad.render.numbers import short

#: A factor has a name if it is as close as this to it.
CLOSE = 1e-5

#: A factor as close as this to 1 is shown by its distance from it.
NEAR_ONE = 1e-3

#: Plain numbers that are forgotten or written twice.
PLAIN = (2, 3, 4)


@dataclass(frozen=True)
class Name:
    """A factor in words."""

    text: str  #: 1/7
    about: str  #: what the numbers in it are, " (7 is the batch size)", or nothing


def name(factor: float, given: Arguments) -> Name | None:
    """What a factor is; None if it has no name.

    Args:
        factor: the number.
        given: the point, whose arrays have the sizes.
    """
    sizes = dict(_sizes(given))
    for text, value, about in _candidates(sizes):
        if abs(factor / value - 1) < CLOSE and abs(value - 1) > 100 * CLOSE:
            return Name(text, about)
    return None


def part(factor: float, given: Arguments, of: str) -> str:
    """`1/7 of exact (7 is the batch size)`, `2 times exact`."""
    if 0 < abs(factor - 1) < NEAR_ONE:
        return f"(1 {'+' if factor > 1 else '-'} {short(abs(factor - 1), 3)}) times {of}"
    found = name(factor, given) or Name(short(factor, 8), "")
    return f"{found.text} {'of' if abs(factor) < 1 else 'times'} {of}{found.about}"


def _candidates(sizes: dict[int, str]) -> Iterator[tuple[str, float, str]]:
    for sign, minus in ((1, ""), (-1, "-")):
        for n in PLAIN:
            about = f" ({n} is {'also ' if n == 2 else ''}{sizes[n]})" if n in sizes else ""
            yield f"{minus}{n}", sign * n, about
            yield f"{minus}1/{n}", sign / n, about
        for n, what in sizes.items():
            about = f" ({n} is {what})"
            for k in (1, 2):
                yield f"{minus}{k * n}" if k == 1 else f"{minus}2·{n}", sign * k * n, about
                yield f"{minus}{k}/{n}", sign * k / n, about
            yield f"{minus}{n}/2", sign * n / 2, about
            yield f"{minus}1/(2·{n})", sign / (2 * n), about
            yield f"{minus}{n}²", sign * n**2, about
            yield f"{minus}1/{n}²", sign / n**2, about
            yield f"{minus}√{n}", sign * n**0.5, about
            yield f"{minus}1/√{n}", sign / n**0.5, about
            if n > 2:
                yield f"{minus}{n - 1}/{n}", sign * (n - 1) / n, about
                yield f"{minus}{n}/{n - 1}", sign * n / (n - 1), about
        for (n, what), (m, other) in _pairs(list(sizes.items())):
            about = f" ({n} is {what}, {m} {other})"
            yield f"{minus}{n}·{m}", sign * n * m, about
            yield f"{minus}1/({n}·{m})", sign / (n * m), about
            yield f"{minus}{n}/{m}", sign * n / m, about
            yield f"{minus}{m}/{n}", sign * m / n, about


def _pairs(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return ((a, b) for i, a in enumerate(items) for b in items[i + 1 :])


def _sizes(given: Arguments) -> Iterator[tuple[int, str]]:
    """The lengths that occur, each by what it is, the likeliest name last."""
    found: list[tuple[int, str]] = []
    for path, leaf in zip(given.paths, given.leaves, strict=True):
        found += [(n, f"the length of axis {k} of {path}") for k, n in enumerate(leaf.shape)]
        found.append((leaf.size, f"the number of elements of {path}"))
    arrays = [np.shape(a) for a in jax.tree_util.tree_leaves(given.inputs) if np.ndim(a)]
    for shape in arrays:
        found.append((int(np.prod(shape)), "the number of elements of an input"))
        found += [(n, "the width of an input") for n in shape[1:]]
    if arrays and len(arrays[-1]) > 1:
        found.append((arrays[-1][-1], "the number of outputs"))
    if arrays:
        batch = any(len(shape) > 1 for shape in arrays)
        found.append((arrays[0][0], "the batch size" if batch else "the length of an input"))
    names = dict(found)
    return ((n, names[n]) for n in reversed(names) if n > 1)
