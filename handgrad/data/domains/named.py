"""The domains by their names, and a pytree of names spread over the parameters."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from handgrad.data.domains.domain import Domain, Interval, Mask, Positive
from handgrad.data.domains.matrices import (
    LowerTriangular,
    Orthogonal,
    PositiveDefinite,
    Symmetric,
)
from handgrad.data.domains.rows import Simplex, UnitSphere
from handgrad.data.numerals import place
from handgrad.data.point import Point, shortly

#: Those without settings. An interval is ("interval", low, high), of numbers or of arrays
#: shaped like the parameter; a mask is a boolean array.
BY_NAME: dict[str, Domain] = {
    kind.name: kind()
    for kind in (
        Positive,
        Simplex,
        Symmetric,
        PositiveDefinite,
        LowerTriangular,
        Orthogonal,
        UnitSphere,
    )
}

NAMES = ", ".join(map(repr, BY_NAME))
ALL = f'{NAMES}, ("interval", low, high), a boolean array, or None'


def domains_of(spec: Any, tree: Any) -> list[Domain]:
    """Return the domain of each leaf of a pytree.

    Args:
        spec: one for all leaves, or a pytree of them that is a prefix of `tree`, a list for a
            tuple or the like; None is none.
        tree: the pytree.

    Raises:
        TypeError, ValueError: there is no such domain, or it is no prefix.
    """
    found: list[Domain] = []
    if type(tree) in (tuple, list) and is_list(spec):
        spec = type(tree)(spec)

    def spread(one: Any, part: Any) -> None:
        found.extend([_domain(one)] * len(jax.tree_util.tree_leaves(part)))

    try:
        jax.tree_util.tree_map(spread, spec, tree, is_leaf=_is_one)
    except ValueError as error:
        if str(error).startswith("domain: "):
            raise
        what = "expected a name for all parameters, or a pytree of names as they have"
        raise ValueError(f"domain: got {shortly(spec)}, {what}") from None
    return found


def check_inside(given: Point, domains: Sequence[Domain], where: str = "") -> None:
    """Raise ValueError if a parameter is not in its domain; `where` is before its name."""
    for path, leaf, domain in zip(given.paths, given.leaves, domains, strict=True):
        check_array_inside(f"{where}{path}", leaf, domain)


def check_array_inside(name: str, leaf: np.ndarray, domain: Domain) -> None:
    """Raise ValueError if an array is not in a domain; `name` is what messages call it."""
    said = f"; its domain is {domain.words}"
    if leaf.size and not domain.fits(leaf):
        raise ValueError(f"{name}: got shape {leaf.shape}, expected {domain.expected}{said}")
    inside = domain.inside(leaf)
    if not inside.all():
        index = tuple(int(i) for i in np.argwhere(~inside)[0])
        what = f"got {domain.seen(leaf, index)}, expected {domain.wanted(leaf, index)}"
        raise ValueError(f"{name}{place(index)}: {what}{said}")


def written(spec: Any) -> str:
    """Write what `domain=` was given as code that imports NumPy as np."""
    return repr(jax.tree_util.tree_map(_Written, spec, is_leaf=_is_one))


class _Written:
    """A domain that prints as code."""

    def __init__(self, one: Any) -> None:
        self._one = one

    def __repr__(self) -> str:
        if _is_mask(self._one):
            return f"np.array({np.asarray(self._one).tolist()})"
        if _is_interval(self._one):
            ends = (_end(np.asarray(end).tolist()) for end in self._one[1:])
            return f"('{Interval.name}', {', '.join(ends)})"
        return repr(self._one)


def _end(end: Any) -> str:
    """Write an end of an interval, or those of all elements, as code."""
    if isinstance(end, list):
        return f"[{', '.join(map(_end, end))}]"
    if np.isinf(end):
        return f"float('{end}')"
    return f"{end:g}" if float(f"{end:g}") == end else repr(end)


def _is_mask(value: Any) -> bool:
    return hasattr(value, "dtype") and np.asarray(value).dtype == bool


def _is_interval(value: Any) -> bool:
    named = isinstance(value, tuple | list) and bool(value) and isinstance(value[0], str)
    return named and value[0] == Interval.name


def is_list(spec: Any) -> bool:
    """Tell whether `domain=` was given a list or a tuple of domains."""
    return type(spec) in (list, tuple) and not _is_interval(spec)


def _is_one(value: Any) -> bool:
    return value is None or isinstance(value, str | Domain) or _is_interval(value)


def _domain(one: Any) -> Domain:
    """Return a domain by what `domain=` has for it.

    Raises:
        TypeError, ValueError: there is none.
    """
    if one is None:
        return Domain()
    if isinstance(one, str) and one in BY_NAME:
        return BY_NAME[one]
    if _is_mask(one):
        return Mask(np.asarray(one))
    if isinstance(one, str) and one != Interval.name:
        raise ValueError(f"domain: got {shortly(one)}, expected {ALL}")
    if one == Interval.name or _is_interval(one):
        return _interval(one)
    raise TypeError(f"domain: got {shortly(one)}, expected {ALL}")


def _interval(one: Any) -> Interval:
    what = "two numbers or arrays as the parameter, the lower ones first"
    wrong = ValueError(f'domain: got {shortly(one)}, expected ("interval", low, high), {what}')
    try:
        low, high = map(np.asarray, one[1:] if _is_interval(one) else ())
        numbers = all(ends.size and ends.dtype.kind in "iuf" for ends in (low, high))
        shapes = {ends.shape for ends in (low, high)} - {()}
        valid = numbers and len(shapes) <= 1 and bool((low < high).all())
    except ValueError:  # not two, or rows of other lengths
        raise wrong from None
    if not valid:
        raise wrong
    return Interval(low, high)
