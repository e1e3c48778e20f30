"""What a report on a matrix says besides its elements: symmetry, and what a sparse one stores."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.findings import Finding
from handgrad.data.numerals import plural
from handgrad.judging.judgement import Judgement
from handgrad.judging.matrix_parts import Matrix
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import WRONG

#: The most elements to name.
FEW = 3

Report = TypeVar("Report", bound=Judgement)


def with_remarks(report: Report) -> Report:
    """Return a report with the remarks on its matrix."""
    trial = report.trial
    part = None if trial is None else trial.case.part
    if trial is None or not isinstance(part, Matrix):
        return report
    found, warnings = list(report.observed), list(report.warnings)
    ruling = trial.outcomes[trial.deciding].ruling
    if ruling is not None and len(ruling.given.leaves) == 1:
        found += _asymmetric(ruling, part)
        # In a tangent space other elements are 0 than in the whole.
        if trial.case.tangent(ruling.given) is None:
            missing, superfluous = _structure(part, trial.outcomes)
            found += missing
            warnings += superfluous
    return replace(report, observed=tuple(found), warnings=tuple(warnings))


def _asymmetric(ruling: Ruling, matrix: Matrix) -> list[Finding]:
    """Say which mirrored elements of a Hessian differ by more than rounding explains."""
    if not matrix.symmetric or ruling.yours.worst != WRONG:
        return []
    (leaf,), (path,) = ruling.given.leaves, ruling.given.paths
    yours = ruling.yours.answer.reshape(leaf.shape)
    allowed = np.fmax(ruling.tolerance.sharp, ruling.tolerance.loose).reshape(leaf.shape)
    apart = np.abs(yours - yours.T) - (allowed + allowed.T)
    if not (apart > 0).any():
        return []
    size = np.maximum(np.abs(yours), np.abs(yours.T))
    relative = np.where(apart > 0, apart / np.where(size > 0, size, 1), 0)
    i, j = sorted(int(k) for k in np.unravel_index(int(np.argmax(relative)), leaf.shape))
    count = int((np.triu(apart) > 0).sum())
    above, below = float(yours[i, j]), float(yours[j, i])
    what = f"it is not symmetric: [{i}, {j}] is {above!r} and [{j}, {i}] {below!r}"
    what += f", and {count - 1} more pairs differ" if count > 1 else ""
    return [Finding("symmetry", path, (i, j), what, 1.0)]


def _structure(matrix: Matrix, outcomes: Any) -> tuple[list[Finding], list[str]]:
    """Say which elements a sparse matrix lacks, and which it stores although they are always 0."""
    stored = next(iter(matrix.structures.values()), None)
    rulings = [outcome.ruling for outcome in outcomes if outcome.ruling is not None]
    if stored is None or not rulings or rulings[0].given.leaves[0].shape != stored.shape:
        return [], []
    shape, path = stored.shape, rulings[0].given.paths[0]
    nonzero, vanishes = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    for ruling in rulings:
        exact = ruling.reference.gradient
        nonzero |= ~balls.contains_zero(exact).reshape(shape)
        vanishes &= balls.is_zero(exact).reshape(shape)
    found, warnings = [], []
    if (lacking := nonzero & ~stored).any():
        what = f"its structure lacks {_some(lacking)}, which {_is(lacking)} not 0"
        found.append(Finding("structure", path, _first(lacking), what, 1.0))
    if (idle := stored & vanishes).any():
        warnings.append(f"{path} stores {_some(idle)}, which {_is(idle)} 0 everywhere")
    return found, warnings


def _is(which: np.ndarray) -> str:
    return "is" if which.sum() == 1 else "are"


def _first(which: np.ndarray) -> tuple[int, ...]:
    return tuple(int(k) for k in np.argwhere(which)[0])


def _some(which: np.ndarray) -> str:
    """Write how many elements these are, and the first ones."""
    places = [str(place) for place in np.argwhere(which)[:FEW].tolist()]
    more = int(which.sum()) - len(places)
    return f"{plural(int(which.sum()), 'element')}, {', '.join(places)}" + (
        f" and {more} more" if more else ""
    )
