"""Where a Hessian is not symmetric."""

import numpy as np

from handgrad.data.findings import Finding
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import WRONG


def asymmetric(ruling: Ruling) -> list[Finding]:
    """Say which mirrored elements of a Hessian differ by more than rounding explains."""
    if ruling.yours.worst != WRONG:
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
