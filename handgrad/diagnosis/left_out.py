"""Propose that a leaf, or a small number in the loss, was left out of the forward pass."""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from handgrad.data.numerals import short
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.search import GIVES, Search
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import of_nodes
from handgrad.program.graph import Node

#: Constants that keep a logarithm or a division from 0 are smaller than the first number; the
#: second is how many are tried.
SMALL, MOST_SMALL = 1e-2, 4

#: How far beside 0 a leaf is tried, and how much that changes a gradient that does not jump there.
TINY, JUMP = 1e-12, 1e-3


def leaf_left_out(search: Search) -> Iterator[Theory]:
    """Propose that one leaf was left out of the forward pass, as if it were 0."""
    for k, path in enumerate(search.evidence.given.paths):
        if _jumps_at_zero(search, k):
            continue
        says = f"{GIVES}{path} is left out of the forward pass, as if it were 0"
        yield Theory("unknown", says, partial(_without, search.engine, k))


def _jumps_at_zero(search: Search, k: int) -> bool:
    """Tell whether the gradient jumps where a leaf is 0: its terms are equal, and a maximum ties.

    Then what autodiff answers there is a convention, such as the mean; it says nothing of the leaf.
    """
    first, rng = search.evidence.fit[0], np.random.default_rng(0)
    beside = TINY * rng.standard_normal(first.given.leaves[k].shape)
    here, there = (_without(search.engine, k, first, value) for value in (0.0, beside))
    if not (np.isfinite(here) & np.isfinite(there)).all():
        return True
    return bool((np.abs(here - there) > JUMP * np.max(np.abs(here), initial=0.0)).any())


def _without(engine: Engine, k: int, sample: Sample, value: Any = 0.0) -> np.ndarray:
    leaves = [np.full_like(a, value) if i == k else a for i, a in enumerate(sample.given.leaves)]
    return engine.changed(sample.given, leaves=leaves)


def small_number_left_out(search: Search) -> Iterator[Theory]:
    """Propose that a small constant was left out: log p for log(p + ε)."""
    for number, (value, node) in itertools.islice(_small_numbers(search).items(), MOST_SMALL):
        says = f"{GIVES}the {short(value)} in the loss were 0{of_nodes([node])}"
        zero = search.engine.without(number)
        yield Theory("constant", says, lambda sample, zero=zero: zero.right(sample.given))


def _small_numbers(search: Search) -> dict[int, tuple[float, Node]]:
    """Return the small constants that are added or used as bounds, each with its operation."""
    known = search.engine.rewired.numbering.known
    found: dict[int, tuple[float, Node]] = {}
    for node in search.engine.rewired.graph.nodes:
        for o in node.operands if node.name in ("add", "sub", "max", "clamp") else ():
            values = np.unique(np.asarray(known.get(o, 0.0)))
            if values.size == 1 and values.dtype.kind == "f" and 0 < abs(values[0]) < SMALL:
                found.setdefault(o, (float(values[0]), node))
    return found
