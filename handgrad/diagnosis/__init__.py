"""Diagnose what kind of mistake a wrong gradient has; a new kind is one row of a table here.

Rows about the numbers of a gradient are in `kinds`, rows about one link of backpropagation in
`links`. The simplest explanation is tried first: one for the whole gradient, one for each leaf,
then one wrong link. It is fitted at some points and reported only if it explains every element at
fresh ones; if none does, the kind is `unknown`.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from handgrad.clock import OutOfTimeError, limited, time_left
from handgrad.data.attempts import best_effort
from handgrad.data.brake import braked
from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import kinds, links, matrices
from handgrad.diagnosis.samples import Evidence, collected, is_enough
from handgrad.diagnosis.stopped import stopped, wrong_leaves
from handgrad.diagnosis.theory import Search, Theory, explains
from handgrad.judging.outcome import Trial

#: Kinds that are reported for some leaves even if the other wrong leaves are not explained.
STANDS_ALONE = frozenset({"sign", "zero", "factor", "transposed", "exchanged", "unknown"})

#: Kinds that a missing contribution to some elements of a leaf may look like.
BY_CHANCE = frozenset({"factor", "weight-decay"})

#: The part of the time in which evidence is collected; in the rest it is explained.
FOR_EVIDENCE = 1 / 2


class Diagnosed(NamedTuple):
    """The mistakes that explain a wrong gradient, and whether the search for them was cut."""

    diagnoses: tuple[Diagnosis, ...] = ()  #: empty if none does
    cut: str = ""  #: one sentence if it was


def nonlinear(trial: Trial) -> tuple[Diagnosis, ...]:
    """Return that a case is not linear in what it should be linear in, if that was seen."""
    case, ruling = trial.case, trial.outcomes[trial.deciding].ruling
    if not case.nonlinear or ruling is None:
        return ()
    says = (
        f"yours is right for the given {case.nonlinear}, and not for another: it is clipped, say, "
    )
    says += "or what is small is left out, or a constant added"
    return (Diagnosis("nonlinear", says, wrong_leaves(ruling)),)


def diagnosed(trial: Trial) -> Diagnosed:
    """Return the mistakes that explain a wrong gradient, found in the time that there is."""
    more = trial.case.wording.more_seconds
    cut = f"The search for the kind of mistake was cut when its time was up; {more}."
    try:
        if known := nonlinear(trial) or stopped(trial):
            return Diagnosed(known)
        with limited(FOR_EVIDENCE * time_left(trial.seconds)) as clock, braked(clock):
            found, late = collected(trial)
        shown = mistakes(found)
        return Diagnosed(shown, cut if late or found.cut else "")
    except OutOfTimeError:
        return Diagnosed((), cut)


@np.errstate(over="ignore")  # what is fitted may be as large as the largest float
def mistakes(found: Evidence) -> tuple[Diagnosis, ...]:
    """Return the mistakes that the evidence shows; empty if there is none."""
    if not is_enough(found):
        return ()
    wrong = [k for k, part in enumerate(found.given.parts()) if found.wrong[part].any()]
    everything = np.ones(found.wrong.size, dtype=bool)
    if found.trial.case.claim.is_matrix:
        return _of_a_matrix(found, wrong)
    whole = _first((matrices.normalised, *kinds.OF_THE_WHOLE), found, everything)
    whole = whole or _first((matrices.products,), found, everything)
    if whole and not _nearly_zero(whole, found):
        of = range(len(found.given.paths)) if whole.kind == "convention" else wrong
        return _unless_overwritten(found, [whole.kind], (_diagnosis(whole, found, of),))
    by_leaf = {k: _first(kinds.OF_A_LEAF, found, _mask(found, k)) for k in wrong}
    together = _merged(found, by_leaf)
    explained = all(by_leaf.values())
    nothing = any(_nearly_zero(theory, found) for theory in by_leaf.values())
    if explained and len(together) == 1 and not nothing:
        return _unless_overwritten(found, [d.kind for d in together], together)
    link = _link(found, everything, but=("unknown",) if explained and nothing else ())
    if link:
        return (_diagnosis(link, found, wrong),)
    if explained:
        return together
    # A single leaf may look like a weight decay, or like 0 up to rounding, although one other
    # mistake affects all of them.
    exactly = {k: t for k, t in by_leaf.items() if not _nearly_zero(t, found)}
    alone = tuple(d for d in _merged(found, exactly) if d.kind in STANDS_ALONE)
    return alone + _links_of_some(found, _untold(found, wrong, alone))


def _of_a_matrix(found: Evidence, wrong: Sequence[int]) -> tuple[Diagnosis, ...]:
    """Return what explains each wrong matrix: it has no program whose links could be wrong."""
    table = (*matrices.OF_A_MATRIX, *kinds.OF_A_MATRIX)
    return _merged(found, {k: _first(table, found, _mask(found, k)) for k in wrong})


def _untold(found: Evidence, wrong: Sequence[int], diagnoses: Sequence[Diagnosis]) -> list[int]:
    told = {path for diagnosis in diagnoses for path in diagnosis.leaves}
    return [k for k in wrong if found.given.paths[k] not in told]


def _nearly_zero(theory: Theory | None, found: Evidence) -> bool:
    """Tell whether a `zero` theory holds only up to rounding, as for a sum over a wrong axis."""
    if theory is None or theory.kind != "zero":
        return False
    return any((s.yours[found.wrong & (theory.predict(s) == 0)] != 0).any() for s in found.all)


def _unless_overwritten(
    found: Evidence, names: Collection[str], simple: tuple[Diagnosis, ...]
) -> tuple[Diagnosis, ...]:
    """Return the simple diagnoses, unless some elements lack contributions, as with = for +=.

    What is missing then may be a multiple of the element or of its derivative by chance.
    """
    wrong = [found.wrong[part] for part in found.given.parts()]
    partly = any(some.any() and not some.all() for some in wrong)
    if not partly or BY_CHANCE.isdisjoint(names) or found.engine is None:
        return simple
    options = (option for switch in found.engine.rewired.switches for option in switch.options)
    if all(option.kind != "overwritten" for option in options):
        return simple
    link = _link(found, np.ones(found.wrong.size, dtype=bool))
    if link is None or link.kind != "overwritten":
        return simple
    return (_diagnosis(link, found, [k for k, some in enumerate(wrong) if some.any()]),)


def _mask(found: Evidence, leaf: int) -> np.ndarray:
    mask = np.zeros(found.wrong.size, dtype=bool)
    mask[found.given.parts()[leaf]] = True
    return mask


def _first(table: Sequence[kinds.Proposes], found: Evidence, within: np.ndarray) -> Theory | None:
    """Return the first theory that explains the elements `within`."""
    theories = (theory for proposes in table for theory in proposes(found, within))
    return next((theory for theory in theories if explains(theory, found, within)), None)


def _link(found: Evidence, within: np.ndarray, but: Sequence[str] = ()) -> Theory | None:
    """Return the first wrong link that explains the elements, of a kind that is not in `but`.

    None once the time is up, which the evidence then says.
    """
    if found.cut or found.engine is None:
        return None
    search = Search(found.engine, found, within)
    with found.in_time():
        for rule in links.RULES:
            with best_effort():  # an error in one rule says nothing of the others
                for theory in rule(search):
                    if theory.kind not in but and explains(theory, found, within):
                        return theory
    return None


def _links_of_some(found: Evidence, leaves: Sequence[int]) -> tuple[Diagnosis, ...]:
    """Return a wrong link for each leaf, and for the others that it explains as well.

    Of two mistakes neither explains all that is wrong, but each may explain a leaf.
    """
    left, diagnoses = list(leaves), []
    while left and len(leaves) > 1 and not found.cut:
        theory = _link(found, _mask(found, left[0]))
        explained = [k for k in left if theory and explains(theory, found, _mask(found, k))]
        if theory and explained:
            diagnoses.append(_diagnosis(theory, found, explained))
        left = [k for k in left[1:] if k not in explained]
    return tuple(diagnoses)


def _merged(found: Evidence, by_leaf: dict[int, Theory | None]) -> tuple[Diagnosis, ...]:
    """Merge diagnoses that say the same of several leaves."""
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
