"""Propose that the derivative through a statistic is summed over other axes than the statistic."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from handgrad.diagnosis.rivals import unrivalled
from handgrad.diagnosis.search import Search
from handgrad.diagnosis.statistic_links import Statistic
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import of_node, of_nodes

#: The most options that are tried in all.
MOST = 1000

#: The option of a switch: their numbers.
Choice = tuple[int, int]


def other_axes(search: Search) -> Iterator[Theory]:
    """Propose other axes for one statistic, then for two: the mean and what is centred by it."""
    yield from unrivalled(_theories(search), search)


def _theories(search: Search) -> Iterator[Theory]:
    first, engine = search.evidence.fit[0], search.engine
    concerned = search.within & first.judged
    allowed = first.allowed[concerned]
    gap = (first.yours - engine.right(first.given))[concerned]
    by_axes: dict[object, list[tuple[Choice, np.ndarray]]] = defaultdict(list)
    tried = 0
    for i, switch in enumerate(engine.rewired.switches):
        for k, axes in enumerate(switch.axes if isinstance(switch, Statistic) else ()):
            tried += 1
            if tried > MOST:
                return
            moved = (search.taking({i: k + 1}, first) - engine.right(first.given))[concerned]
            if (np.abs(moved - gap) <= allowed).all():
                yield _theory(search, {i: k + 1})
            by_axes[axes].append(((i, k + 1), moved))
    for some in by_axes.values():
        for ((i, k), one), ((j, m), other) in itertools.combinations(some, 2):
            if i != j and (np.abs(one + other - gap) <= allowed).all():
                yield _theory(search, {i: k, j: m})


def _theory(search: Search, choice: dict[int, int]) -> Theory:
    switches = [(search.engine.rewired.switches[i], k - 1) for i, k in choice.items()]
    found = [(s, s.axes[k]) for s, k in switches if isinstance(s, Statistic)]
    sums = list(dict.fromkeys(s.sum for s, _ in found))
    axes = found[0][1]
    along = f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"
    own = " and ".join(dict.fromkeys(of_node(s) for s in sums))
    says = f"what comes back through {own}{of_nodes(sums)} is summed over {along} of its array"
    return search.theory("axis", says, choice=choice)
