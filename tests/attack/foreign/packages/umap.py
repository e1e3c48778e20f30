"""umap-learn's distances, each of which returns its gradient by the first point."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject

X, Y = np.array([0.7, 0.2, 0.5, 0.9]), np.array([0.3, 0.6, 0.8, 0.4])
W = np.array([0.5, 1.5, 2.0, 0.7])
V = np.array(
    [[2.0, 0.3, 0.1, 0.0], [0.3, 1.5, 0.2, 0.1], [0.1, 0.2, 1.0, 0.4], [0.0, 0.1, 0.4, 3.0]]
)
G, H = np.array([0.7, 0.2, 0.5, 0.9, 0.4]), np.array([0.3, 0.6, 0.8, 0.4, 0.2])


def _cosine(xp: Any, x: Any, y: Any) -> Any:
    return 1 - xp.sum(x * y) / xp.sqrt(xp.sum(x * x) * xp.sum(y * y))


def _hellinger(xp: Any, x: Any, y: Any) -> Any:
    return xp.sqrt(1 - xp.sum(xp.sqrt(x * y)) / xp.sqrt(xp.sum(x) * xp.sum(y)))


def _softmax(xp: Any, x: Any) -> Any:
    return xp.exp(x) / xp.sum(xp.exp(x))


def _haversine(xp: Any, x: Any, y: Any) -> Any:
    """The latitudes are moved by a quarter, as the package does."""
    a = (
        xp.sin(x[0]) * xp.sin(y[0]) * xp.sin((x[1] - y[1]) / 2) ** 2
        + xp.sin((x[0] - y[0]) / 2) ** 2
    )
    return 2 * xp.arcsin(xp.sqrt(a))


def _hyperboloid(xp: Any, x: Any, y: Any) -> Any:
    return xp.arccosh(xp.sqrt(1 + xp.sum(x**2)) * xp.sqrt(1 + xp.sum(y**2)) - xp.sum(x * y))


def _symmetric_kl(xp: Any, x: Any, y: Any) -> Any:
    p, q = (v + 1e-11 for v in (x, y))
    p, q = p / xp.sum(p), q / xp.sum(q)
    return xp.sum((p - q) * (xp.log(p) - xp.log(q))) / 2


def _spherical(xp: Any, x: Any, y: Any) -> Any:
    sigma = xp.abs(x[2]) + xp.abs(y[2])
    return xp.sum((x[:2] - y[:2]) ** 2) / (2 * sigma) + xp.log(sigma)


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


def _spherical_plain(xp: Any, x: Any, y: Any) -> Any:
    sigma = xp.abs(x[2] + y[2])
    return xp.sum((x[:2] - y[:2]) ** 2) / sigma + 2 * xp.log(sigma)


def _norm(p: float, w: Any = 1.0) -> Callable[..., Any]:
    return lambda xp, x, y: xp.sum(w * xp.abs(x - y) ** p) ** (1 / p)


LOSSES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "euclidean": (lambda xp, x, y: xp.sqrt(xp.sum((x - y) ** 2)), ()),
    "standardised_euclidean": (lambda xp, x, y: xp.sqrt(xp.sum((x - y) ** 2 / W)), (W,)),
    "manhattan": (lambda xp, x, y: xp.sum(xp.abs(x - y)), ()),
    "chebyshev": (lambda xp, x, y: xp.max(xp.abs(x - y)), ()),
    "minkowski": (_norm(3.0), (3.0,)),
    "weighted_minkowski": (_norm(3.0, W), (W, 3.0)),
    "mahalanobis": (lambda xp, x, y: xp.sqrt((x - y) @ V @ (x - y)), (V,)),
    "canberra": (lambda xp, x, y: xp.sum(xp.abs(x - y) / (xp.abs(x) + xp.abs(y))), ()),
    "bray_curtis": (lambda xp, x, y: xp.sum(xp.abs(x - y)) / xp.sum(xp.abs(x + y)), ()),
    "cosine": (_cosine, ()),
    "correlation": (lambda xp, x, y: _cosine(xp, x - xp.mean(x), y - xp.mean(y)), ()),
    "hellinger": (_hellinger, ()),
    "softmax_hellinger": (lambda xp, x, y: _hellinger(xp, _softmax(xp, x), _softmax(xp, y)), ()),
    "haversine": (_haversine, ()),
    "hyperboloid": (_hyperboloid, ()),
    "symmetric_kl": (_symmetric_kl, ()),
    "spherical_gaussian_energy": (_spherical, ()),
    "diagonal_gaussian_energy": (_diagonal, ()),
    "gaussian_energy": (_gaussian, ()),
    "spherical_gaussian": (_spherical_plain, ()),
}
SIZES = {
    "haversine": 2,
    "spherical_gaussian": 3,
    "spherical_gaussian_energy": 3,
    "diagonal_gaussian_energy": 4,
}


def subjects() -> Iterator[Subject]:
    """Each distance with a gradient."""
    from umap import distances

    for name, (loss, options) in LOSSES.items():
        function = getattr(distances, f"{name}_grad")
        size = 5 if name == "gaussian_energy" else SIZES.get(name, 4)

        def gradient(x: Any, y: Any, function: Any = function, options: Any = options) -> Any:
            return function(x, y, *options)[1][: len(x)]

        yield Subject("umap-learn", f"{name}_grad", loss, gradient, G[:size], (H[:size],))
