"""What a report on a matrix says besides its elements: symmetry."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.findings import Finding
from handgrad.data.numerals import short
from handgrad.judging.judgement import Judgement
from handgrad.judging.matrix_parts import Matrix
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import WRONG

Report = TypeVar("Report", bound=Judgement)


def with_remarks(report: Report) -> Report:
    """Return a report with the remarks on its matrix."""
    trial = report.trial
    part = None if trial is None else trial.case.part
    if trial is None or not isinstance(part, Matrix):
        return report
    found = list(report.observed)
    ruling = trial.outcomes[trial.deciding].ruling
    if ruling is not None:
        found += _not_holomorphic(ruling, part)
    if ruling is not None and len(ruling.given.leaves) == 1:
        found += _asymmetric(ruling, part)
    return replace(report, observed=tuple(found))


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


def _not_holomorphic(ruling: Ruling, matrix: Matrix) -> Iterator[Finding]:
    """Say that one matrix cannot be the derivative: Cauchy's and Riemann's equations do not hold.

    In balls, so that rounding makes none of it.
    """
    if ruling.yours.worst != WRONG:
        return
    given, exact = ruling.given, ruling.reference.gradient
    for whole in matrix.wholes:
        if whole.places[0] not in matrix.holomorphic:
            continue
        ux, uy, vx, vy = (exact[given.parts()[k]] for k in whole.places)
        shape = given.leaves[whole.places[0]].shape
        for a, b, x, y in ((ux, vy, "real", "imaginary"), (vx, -uy, "imaginary", "real")):
            apart = ~balls.contains_zero(a - b)
            if not apart.any():
                continue
            i = int(np.argmax(np.abs(balls.midpoints(a - b))))
            index = tuple(int(j) for j in np.unravel_index(i, shape))
            one, other = (short(float(balls.midpoints(v[i : i + 1])[0])) for v in (a, b))
            minus = "" if x == "real" else "minus "
            what = (
                f"the function is not holomorphic: the derivative of its {x} part by the real part "
                f"is {one} and {minus}that of its {y} part by the imaginary one {other}; expected "
                "a tuple of two matrices, those of its real and of its imaginary part"
            )
            yield Finding("structure", given.paths[whole.places[0]], index, what, 1.0)
            break
