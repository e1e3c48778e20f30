"""umap-learn's distances, each of which returns its gradient by the first point."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from functools import partial
from typing import Any

import numpy as np

from evaluation.foreign.subject import tabled

X, Y = np.array([0.7, 0.2, 0.5, 0.9, 0.4]), np.array([0.3, 0.6, 0.8, 0.4, 0.2])
W = np.array([0.5, 1.5, 2.0, 0.7])
V = np.array(
    [[2.0, 0.3, 0.1, 0.0], [0.3, 1.5, 0.2, 0.1], [0.1, 0.2, 1.0, 0.4], [0.0, 0.1, 0.4, 3.0]]
)


def _cosine(xp: Any, x: Any, y: Any) -> Any:
    return 1 - xp.sum(x * y) / xp.sqrt(xp.sum(x * x) * xp.sum(y * y))


def _hellinger(xp: Any, x: Any, y: Any) -> Any:
    return xp.sqrt(1 - xp.sum(xp.sqrt(x * y)) / xp.sqrt(xp.sum(x) * xp.sum(y)))


def _symmetric_kl(xp: Any, x: Any, y: Any) -> Any:
    p, q = (v + 1e-11 for v in (x, y))
    p, q = p / xp.sum(p), q / xp.sum(q)
    return xp.sum((p - q) * (xp.log(p) - xp.log(q))) / 2


def _diagonal(xp: Any, x: Any, y: Any) -> Any:
    s, t = xp.abs(x[2]) + xp.abs(y[2]), xp.abs(x[3]) + xp.abs(y[3])
    return ((x[0] - y[0]) ** 2 / s + (x[1] - y[1]) ** 2 / t + xp.log(s) + xp.log(t)) / 2


def _gaussian(xp: Any, x: Any, y: Any) -> Any:
    def covariance(v: Any) -> Any:
        s, t, c, n = xp.abs(v[2]), xp.abs(v[3]), xp.cos(v[4]), xp.sin(v[4])
        return s * c**2 + t * n**2, (s - t) * n * c, t * c**2 + s * n**2

    a, b, c = (p + q for p, q in zip(covariance(x), covariance(y), strict=True))
    m, n, det = x[0] - y[0], x[1] - y[1], a * c - b**2
    return (c * m**2 - 2 * b * m * n + a * n**2) / det + xp.log(det)


def _softmax(xp: Any, x: Any) -> Any:
    return xp.exp(x) / xp.sum(xp.exp(x))


def _spherical(xp: Any, x: Any, y: Any, sigma: Any) -> Any:
    return xp.sum((x[:2] - y[:2]) ** 2) / (2 * sigma) + xp.log(sigma)


#: Formulas, the sizes of points, further arguments. The package moves latitudes by a quarter.
DISTANCES = """
{0}_grad | {1} | distances.{0}_grad(x, y, *{3})[1][: len(x)] | X[:{2}] | x, y | (Y[:{2}],)

euclidean                 | sqrt(sum((x - y) ** 2))                            | 4 | ()
standardised_euclidean    | sqrt(sum((x - y) ** 2 / W))                        | 4 | (W,)
manhattan                 | sum(abs(x - y))                                    | 4 | ()
chebyshev                 | max(abs(x - y))                                    | 4 | ()
minkowski                 | sum(abs(x - y) ** 3.0) ** (1 / 3.0)                | 4 | (3.0,)
weighted_minkowski        | sum(W * abs(x - y) ** 3.0) ** (1 / 3.0)            | 4 | (W, 3.0)
mahalanobis               | sqrt((x - y) @ V @ (x - y))                        | 4 | (V,)
canberra                  | sum(abs(x - y) / (abs(x) + abs(y)))                | 4 | ()
bray_curtis               | sum(abs(x - y)) / sum(abs(x + y))                  | 4 | ()
cosine                    | _cosine(xp, x, y)                                   | 4 | ()
correlation               | _cosine(xp, x - mean(x), y - mean(y))               | 4 | ()
hellinger                 | _hellinger(xp, x, y)                                | 4 | ()
softmax_hellinger         | _hellinger(xp, _softmax(xp, x), _softmax(xp, y))      | 4 | ()
haversine                 | 2 * arcsin(sqrt(sin(x[0]) * sin(y[0]) * sin((x[1] - y[1]) / 2) ** 2
    + sin((x[0] - y[0]) / 2) ** 2))                                            | 2 | ()
hyperboloid               | arccosh(sqrt(1 + sum(x**2)) * sqrt(1 + sum(y**2)) - sum(x * y)) | 4 | ()
symmetric_kl              | _symmetric_kl(xp, x, y)                             | 4 | ()
spherical_gaussian_energy | _spherical(xp, x, y, abs(x[2]) + abs(y[2]))         | 3 | ()
diagonal_gaussian_energy  | _diagonal(xp, x, y)                                 | 4 | ()
gaussian_energy           | _gaussian(xp, x, y)                                 | 5 | ()
spherical_gaussian        | 2 * _spherical(xp, x, y, abs(x[2] + y[2]))          | 3 | ()
"""


PACKAGES = {"umap-learn": partial(tabled, DISTANCES, globals(), "umap.distances")}
