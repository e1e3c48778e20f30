"""The search for one wrong rule among so many that they are not compiled: other arrays, other axes.

Where rounding hides the difference between several, one of them must stand out.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from handgrad.diagnosis.backprop import Edit
from handgrad.diagnosis.other_arrays import other_arrays
from handgrad.diagnosis.statistics import statistics
from handgrad.diagnosis.theory import Search, Theory, explains
from handgrad.diagnosis.wording import of_node, of_nodes

#: The most rules that are tried in all.
MOST = 1000

#: What the next theory leaves must be so many times what the best one leaves. Of what rounding
#: leaves of the right theory the root mean square is known to a third or so, from a few points.
CLEARLY = 2

#: Predictions that differ by less than this, relative to the gap, are those of one theory.
ALIKE = 1e-3


def other_operands(search: Search) -> Iterator[Theory]:
    """Propose another array where a derivative takes one."""
    values = search.engine.values(search.evidence.fit[0].given)
    yield from _unrivalled(search, other_arrays(search.engine.rewired, values))


def other_axes(search: Search) -> Iterator[Theory]:
    """Propose other axes for one statistic, or for two: the mean and what is centred by it."""
    yield from _unrivalled(search, statistics(search.engine.rewired))


def _theories(search: Search, edits: Iterable[Edit]) -> Iterator[Theory]:
    """Yield the edits that explain the first point, alone or for the wrong leaves, then pairs."""
    evidence, first = search.evidence, search.evidence.fit[0]
    parts = evidence.given.parts()
    leaves = [k for k, part in enumerate(parts) if (evidence.wrong & search.within)[part].any()]
    concerned = search.within & search.of_leaves(leaves)
    groups: dict[object, list[tuple[Edit, np.ndarray]]] = defaultdict(list)
    for edit in itertools.islice(edits, MOST):
        predicted = search.engine.changed(first.given, edits=[edit])
        whole = first.explained(predicted, search.within)
        if whole or first.explained(predicted, concerned):
            theory = _theory(search, [edit])
            yield theory if whole else search.in_part(theory, leaves)
        if edit.group is not None:
            groups[edit.group].append((edit, predicted - search.engine.right(first.given)))
    for some in groups.values():
        for (one, moved), (other, too) in itertools.combinations(some, 2):
            predicted = search.engine.right(first.given) + moved + too
            apart = (one.node, one.operand) != (other.node, other.operand)
            if apart and first.explained(predicted, search.within):
                yield _theory(search, [one, other])


def _theory(search: Search, edits: Sequence[Edit]) -> Theory:
    nodes = list(dict.fromkeys(edit.about for edit in edits))
    names = " and ".join(dict.fromkeys(of_node(node) for node in nodes))
    return search.theory(edits[0].kind, edits[0].says(names + of_nodes(nodes)), edits=edits)


def _unrivalled(search: Search, edits: Iterable[Edit]) -> Iterator[Theory]:
    """Yield the theories; in short formats only one that explains clearly more than the others.

    There an array may be within rounding of another one at every point.
    """
    theories, samples = _theories(search, edits), search.evidence.all
    if any(sample.stated is None for sample in samples):
        yield from theories
        return
    found = [t for t in theories if explains(t, search.evidence, search.within)]
    concerned = [search.within & sample.judged & sample.wrong for sample in samples]

    def together(arrays: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate([a[some] for a, some in zip(arrays, concerned, strict=True)])

    predicted = [together(theory.predict(sample) for sample in samples) for theory in found]
    yours, allowed = together(s.yours for s in samples), together(s.allowed for s in samples)
    far = ALIKE * np.linalg.norm(together(sample.gap for sample in samples))
    left = [float(np.sqrt(np.mean(np.square((p - yours) / allowed)))) for p in predicted]
    for theory, mine, least in zip(found, predicted, left, strict=True):
        others = [k for k, other in enumerate(predicted) if np.linalg.norm(other - mine) > far]
        if least == min(left) and all(left[k] >= CLEARLY * least for k in others):
            yield theory
