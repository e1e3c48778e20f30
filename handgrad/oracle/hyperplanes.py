"""The hyperplanes that decide ties, and the cells between them.

Near the point a tie is decided by the sign of normal·direction. The directions in which all ties
are decided alike form a cell: a cone between hyperplanes. Parameters may have very different
scales, so each is scaled here such that no component of a normal exceeds 1.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Tie, Where

#: A hyperplane is a wall of the cell if some point on it, in the cube ±1, lies this deep inside all
#: others.
SHALLOWEST = 1e-6


def hyperplanes(ties: Mapping[Where, Tie], most: float = math.inf) -> list[list[Where]]:
    """Group the ties by the hyperplane that decides them: those with parallel normals.

    Of more than `most` hyperplanes some are left out.
    """
    normals, _ = _measured(ties)
    groups: list[tuple[np.ndarray, list[Where]]] = []
    for where, normal in zip(ties, normals, strict=True):
        for other, members in groups:
            if _parallel(normal, other):
                members.append(where)
                break
        else:
            groups.append((normal, [where]))
            if len(groups) > most:
                break
    return [members for _, members in groups]


def same_hyperplanes(a: Comparisons, b: Comparisons) -> bool:
    """Tell whether two runs have the same ties with the same oriented hyperplanes."""
    if a.flat != b.flat or a.ties.keys() != b.ties.keys():
        return False
    ours, units = _measured(a.ties)
    theirs = _rows([b.ties[where] for where in a.ties]) / units
    return all(_parallel(p, q) and np.dot(p, q) > 0 for p, q in zip(ours, theirs, strict=True))


def units(ties: Mapping[Where, Tie]) -> np.ndarray:
    """Return the scale of each parameter: the largest component of a normal, floats, (size,)."""
    return _measured(ties)[1]


def beyond_the_walls(ties: Mapping[Where, Tie], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield for each wall of a cell a direction just beyond its middle, floats, (size,).

    Args:
        ties: as decided in the cell.
        rng: adds a random offset, so that no direction lies on a hyperplane that only exists
            beyond the wall.
    """
    from scipy.optimize import linprog

    normals, unit = _measured(ties)
    of, inwards = dict(zip(ties, normals, strict=True)), []
    for plane in hyperplanes(ties):
        normal = of[plane[0]]
        inwards.append(ties[plane[0]].outcome * normal / np.linalg.norm(normal))
    for i, wall in enumerate(inwards):
        others = np.array([*inwards[:i], *inwards[i + 1 :]]).reshape(-1, wall.size)
        # The point of the wall that lies deepest inside all other hyperplanes.
        best = linprog(
            np.append(np.zeros(wall.size), -1.0),
            A_ub=np.hstack([-others, np.ones((len(others), 1))]),
            b_ub=np.zeros(len(others)),
            A_eq=np.append(wall, 0.0)[None],
            b_eq=[0.0],
            bounds=[(-1.0, 1.0)] * wall.size + [(None, 1.0)],
        )
        if best.status == 0 and best.x[-1] > SHALLOWEST:
            point, depth = best.x[:-1], best.x[-1]
            aside = rng.normal(size=wall.size)
            yield (point - depth / 2 * wall + depth / 4 * aside / np.linalg.norm(aside)) / unit


def _measured(ties: Mapping[Where, Tie]) -> tuple[np.ndarray, np.ndarray]:
    """Return the normals in scaled parameters, floats, (ties, size), and the scales, (size,)."""
    rows = _rows(ties.values())
    longest = np.max(np.abs(rows), axis=0)
    unit = np.where(longest == 0, 1.0, longest)
    return rows / unit, unit


def _rows(ties: Iterable[Tie]) -> np.ndarray:
    """Return the normals by the parameters, each over a power of two: floats, (ties, size).

    The first component of `Tie.normal`, along the direction of the run, is left out.
    """
    return np.array([_as_floats(tie.normal[1:]) for tie in ties])


def _as_floats(normal: np.ndarray) -> np.ndarray:
    """Scale a vector by a power of two into the range of floats."""
    floats = balls.midpoints(normal)
    size = np.abs(floats[floats != 0])
    if ((size > 1e-200) & (size < 1e200)).all() and all(b.is_zero() for b in normal[floats == 0]):
        return np.ldexp(floats, -np.frexp(np.max(size, initial=0.0))[1])
    parts = [ball.mid().man_exp() for ball in normal]
    sizes = [int(m).bit_length() + int(e) for m, e in parts if m != 0]
    scale = arb(2) ** -max(sizes, default=0)
    return np.array([float(ball.mid() * scale) for ball in normal])


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    i = int(np.argmax(np.abs(a)))
    if b[i] == 0:
        return False
    rest = np.abs(b * (a[i] / b[i]) - a)
    return bool(np.max(rest) <= 1e-12 * np.abs(a[i]))
