"""The points at which a gradient is judged: the caller's own, and others around it.

Only the parameters vary. The inputs stay the same, since labels must go on summing to one and
matrices must stay positive definite.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from handgrad.data.domains.domain import Domain
from handgrad.data.domains.named import check_inside
from handgrad.data.point import Point, shortly, sizes_of, vector

#: The distances from the caller's point, relative to the size of the parameters, in turn.
SCALES = (0.1, 1.0, 0.01, 3.0)


def points(
    given: Point,
    more: int | Sequence[Any],
    seed: int,
    domains: Sequence[Domain] = (),
    own_sizes: bool = False,
) -> Iterator[Point]:
    """Return the caller's point, then `more` points: a number, or a list of (params, *inputs).

    Args:
        given: the caller's point.
        more: the others.
        seed: of those that are drawn.
        domains: of each leaf, if not all numbers.
        own_sizes: whether each element moves by its own size, and not by that of its leaf. So it
            stays where differences, whose steps have the size of the element, resolve the loss.

    Raises:
        TypeError: `more` is neither.
        ValueError: a listed point is not shaped and typed like the caller's, or not in the domains,
            or the number is negative.
    """
    if isinstance(more, bool) or not isinstance(more, int | np.integer):
        if not isinstance(more, Sequence) or isinstance(more, str):
            got = shortly(more)
            raise TypeError(f"points: got {got}, expected a number, or a list of (params, *inputs)")
        return chain([given], _listed(given, more, domains))
    if more < 0:
        raise ValueError(f"points: got {more}, expected 0 or more")
    return chain([given], _drawn(given, int(more), seed, domains, own_sizes))


def _drawn(
    given: Point, more: int, seed: int, domains: Sequence[Domain], own_sizes: bool
) -> Iterator[Point]:
    rng = np.random.default_rng(seed)
    domains = domains or [Domain()] * len(given.leaves)
    own = [sizes_of([leaf]).reshape(leaf.shape) for leaf in given.leaves]
    sizes = own if own_sizes else _sizes(given.leaves)
    for i in range(more):
        scale, triples = SCALES[i % len(SCALES)], zip(given.leaves, domains, sizes, strict=True)
        yield given.moved(
            [
                np.asarray(domain.drawn(leaf, scale, size, rng)) if leaf.size else leaf
                for leaf, domain, size in triples
            ]
        )


def _sizes(leaves: Sequence[np.ndarray]) -> list[float]:
    everything = _size(vector(leaves)) or 1.0
    return [_size(leaf) or everything for leaf in leaves]


def _size(values: np.ndarray) -> float:
    """Return the root mean square, without overflow."""
    largest = float(np.max(np.abs(values), initial=0.0))
    return largest and largest * float(np.sqrt(np.mean((values.astype(float) / largest) ** 2)))


def _listed(given: Point, more: Sequence[Any], domains: Sequence[Domain]) -> Iterator[Point]:
    for i, point in enumerate(more):
        if not isinstance(point, tuple | list) or not point:
            raise TypeError(f"points[{i}]: got {shortly(point)}, expected (params, *inputs)")
        if len(point) != 1 + len(given.inputs):
            got = f"got a tuple of {len(point)}, expected one of {1 + len(given.inputs)}"
            raise ValueError(f"points[{i}]: {got}, as the first ones")
        try:
            other = given.at(point[0], point[1:])
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"points[{i}]: {error}") from None
        if (off := _unlike(given, other)) is not None:
            raise ValueError(f"points[{i}]: {off}, as the first ones")
        check_inside(other, domains or [Domain()] * len(other.leaves), f"points[{i}]: ")
        yield other


def _unlike(given: Point, other: Point) -> str | None:
    """Say which leaf of another point is not shaped or typed like the caller's; None if all are."""
    if other.paths != given.paths:
        return f"got {', '.join(other.paths)}, expected {', '.join(given.paths)}"
    for path, due, got in zip(given.paths, given.leaves, other.leaves, strict=True):
        if (got.shape, got.dtype) != (due.shape, due.dtype):
            said = (f"{leaf.dtype}{list(leaf.shape)}" for leaf in (got, due))
            return "{}: got {}, expected {}".format(path, *said)
    return None
