"""Propose that a leaf, or a small number in the loss, was left out of the forward pass."""

from collections.abc import Iterator, Sequence
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
SMALL, MOST = 1e-2, 4

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


def number_left_out(search: Search, small: bool) -> Iterator[Theory]:
    """Propose that a number was left out: w for 1 + w; if `small`, log p for log(p + ε)."""
    found = _numbers(search, ("add", "sub", "max", "clamp") if small else ("add", "sub"))
    wanted = [n for n, (value, _) in found.items() if not small or abs(value) < SMALL]
    for number in wanted[:MOST]:
        value, node = found[number]
        says = f"the {short(value)} in the loss were 0{of_nodes([node])}"
        yield search.of_another_loss(search.engine.without(number), "constant", says)


def _numbers(search: Search, operations: Sequence[str]) -> dict[int, tuple[float, Node]]:
    """Return the constants but 0 that operations take, each with its operation."""
    known = search.engine.rewired.numbering.known
    found: dict[int, tuple[float, Node]] = {}
    for node in search.engine.rewired.graph.nodes:
        for o in node.operands if node.name in operations else ():
            values = np.unique(np.asarray(known.get(o, 0.0)))
            if values.size == 1 and values.dtype.kind == "f" and values[0] != 0:
                found.setdefault(o, (float(values[0]), node))
    return found
