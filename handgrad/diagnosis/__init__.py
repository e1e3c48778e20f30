"""What kind of mistake a gradient has: found by fitting, believed after fresh points confirm it.

The simplest explanation is looked for first: one for the whole gradient, one for each of its
leaves, and then one link of backpropagation that is wrong. What explains the gap at fresh points,
element by element, is said; where nothing does, the kind is `unknown`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import kinds, links
from handgrad.diagnosis.engine import Clock
from handgrad.diagnosis.samples import Evidence, evidence
from handgrad.diagnosis.search import Search
from handgrad.diagnosis.theory import Theory, explains
from handgrad.judging.outcome import Trial

#: How long to look for the link.
SECONDS = 30.0

#: Kinds that are what they are whatever else is wrong in other leaves.
STANDS_ALONE = frozenset({"sign", "zero", "factor", "transposed", "exchanged", "unknown"})


def diagnose(trial: Trial) -> tuple[Diagnosis, ...]:
    """What kinds of mistake explain a wrong gradient; nothing where none does."""
    found = evidence(trial)
    if found is None:
        return ()
    wrong = _wrong_leaves(found)
    everything = np.ones(found.wrong.size, dtype=bool)
    whole = _first(kinds.OF_THE_WHOLE, found, everything)
    if whole and not _nearly_zero(whole, found):
        return (_diagnosis(whole, found, wrong),)
    by_leaf = {k: _first(kinds.OF_A_LEAF, found, _mask(found, k)) for k in wrong}
    together = _merged(found, by_leaf)
    explained = all(by_leaf.values())
    nothing = any(_nearly_zero(theory, found) for theory in by_leaf.values())
    if explained and len(together) == 1 and not nothing:
        return together
    link = _link(found, everything, but=("unknown",) if explained and nothing else ())
    if link:
        return (_diagnosis(link, found, wrong),)
    if explained:
        return together
    # Some leaves alone may look as if they had a decay, or were 0 but for rounding, where all of
    # them have another mistake.
    exactly = {k: t for k, t in by_leaf.items() if not _nearly_zero(t, found)}
    return tuple(d for d in _merged(found, exactly) if d.kind in STANDS_ALONE)


def _nearly_zero(theory: Theory | None, found: Evidence) -> bool:
    """Whether what is said to be 0 is so up to rounding, as sums over the wrong axis may be."""
    if theory is None or theory.kind != "zero":
        return False
    return any((s.yours[found.wrong & (theory.predict(s) == 0)] != 0).any() for s in found.all)


def _wrong_leaves(found: Evidence) -> list[int]:
    return [k for k, part in enumerate(found.given.parts()) if found.wrong[part].any()]


def _mask(found: Evidence, leaf: int) -> np.ndarray:
    mask = np.zeros(found.wrong.size, dtype=bool)
    mask[found.given.parts()[leaf]] = True
    return mask


def _first(table: Sequence[kinds.Kind], found: Evidence, within: np.ndarray) -> Theory | None:
    """The first theory that explains what is asked."""
    theories: Iterator[Theory] = (t for kind in table for t in kind.proposes(found, within))
    return next((theory for theory in theories if explains(theory, found, within)), None)


def _link(found: Evidence, within: np.ndarray, but: Sequence[str]) -> Theory | None:
    """The first link that explains everything, of a kind that is not one of `but`."""
    if found.engine is None:
        return None
    try:
        search = Search(found.engine, found, within, Clock(SECONDS))
        theories = (theory for rule in links.RULES for theory in rule(search))
        named = (theory for theory in theories if theory.kind not in but)
        return next((theory for theory in named if explains(theory, found, within)), None)
    except Exception:  # whatever it is, it must not stand between the caller and the verdict
        return None


def _merged(found: Evidence, by_leaf: dict[int, Theory | None]) -> tuple[Diagnosis, ...]:
    """What is said of several leaves, once."""
    leaves: dict[tuple[str, str], list[int]] = {}
    for k, theory in by_leaf.items():
        if theory is not None:
            leaves.setdefault((theory.kind, theory.says), []).append(k)
    return tuple(
        Diagnosis(kind, says, tuple(found.given.paths[k] for k in some))
        for (kind, says), some in leaves.items()
    )


def _diagnosis(theory: Theory, found: Evidence, wrong: Sequence[int]) -> Diagnosis:
    return Diagnosis(theory.kind, theory.says, tuple(found.given.paths[k] for k in wrong))
