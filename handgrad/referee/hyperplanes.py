"""The hyperplanes that decide ties, and the cells between them.

Near the point a tie is decided by the sign of normal·direction. The directions in which all ties
are decided alike are a cell: a cone between hyperplanes.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from handgrad.referee import balls
from handgrad.referee.ties import Comparisons, Tie, Where

#: A wall of a cell is one if it is at least this wide, where the cell is cut off at 1.
NARROWEST = 1e-6


def hyperplanes(ties: Mapping[Where, Tie]) -> list[list[Where]]:
    """The ties by the hyperplane that decides them: those with parallel normals go together."""
    groups: list[tuple[np.ndarray, list[Where]]] = []
    for where, tie in ties.items():
        normal = _scaled(tie.normal)
        for other, members in groups:
            if _parallel(normal, other):
                members.append(where)
                break
        else:
            groups.append((normal, [where]))
    return [members for _, members in groups]


def same_hyperplanes(a: Comparisons, b: Comparisons) -> bool:
    """Whether two runs have the same ties, each with the same hyperplane and the same side up.

    The first directions of the runs may be others; what follows are the parameters.
    """
    if a.flat != b.flat or a.ties.keys() != b.ties.keys():
        return False
    pairs = ((tie.normal[1:], b.ties[where].normal[1:]) for where, tie in a.ties.items())
    return all(_same_way(*normals) for normals in pairs)


def beyond_the_walls(ties: Mapping[Where, Tie]) -> Iterator[np.ndarray]:
    """For each wall of a cell a direction that leads just through its middle: floats, (size,).

    Args:
        ties: as decided in the cell; their normals are along some first direction, which is left
            out, and then along each parameter.
    """
    from scipy.optimize import linprog

    inwards = []
    for plane in hyperplanes(ties):
        tie = ties[plane[0]]
        normal = _scaled(tie.normal[1:])
        inwards.append(tie.outcome * normal / np.linalg.norm(normal))
    for i, wall in enumerate(inwards):
        others = np.array([*inwards[:i], *inwards[i + 1 :]]).reshape(-1, wall.size)
        # The point of the wall, within a cube, that is deepest inside of all other hyperplanes.
        best = linprog(
            np.append(np.zeros(wall.size), -1.0),
            A_ub=np.hstack([-others, np.ones((len(others), 1))]),
            b_ub=np.zeros(len(others)),
            A_eq=np.append(wall, 0.0)[None],
            b_eq=[0.0],
            bounds=[(-1.0, 1.0)] * wall.size + [(None, 1.0)],
        )
        if best.status == 0 and best.x[-1] > NARROWEST:
            yield best.x[:-1] - best.x[-1] / 2 * wall


def _same_way(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = _scaled(a), _scaled(b)
    return _parallel(a, b) and bool(np.dot(a, b) > 0)


def _scaled(normal: np.ndarray) -> np.ndarray:
    normal = balls.midpoints(normal)
    return normal / np.max(np.abs(normal), initial=np.finfo(float).tiny)


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    i = int(np.argmax(np.abs(a)))
    if b[i] == 0:
        return False
    return bool(np.allclose(b * (a[i] / b[i]), a, rtol=0, atol=1e-12))
