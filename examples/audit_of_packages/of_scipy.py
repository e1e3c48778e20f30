"""What SciPy differentiates: test functions, robust losses, special functions, distributions."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import interpolate, optimize, special, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

from handgrad import check_gradient, check_hessian, check_hvp, check_jacobian

#: Points, none of which lies where two formulas of one function meet.
Z = np.array([-3.1, -0.7, 0.2, 0.9, 2.3])
POSITIVE = np.array([0.08, 0.6, 1.7, 5.3])
X = np.array([1.3, 0.7, 0.8, 1.9, 1.2])

#: Knots of an interpolation, and places between them.
KNOTS, BETWEEN = np.arange(8.0), np.array([0.3, 1.2, 2.7, 3.1, 5.9])


def checks() -> dict[str, Callable[..., Any]]:
    """Return the checks by their names."""
    rosen = optimize.rosen
    return {
        "scipy.optimize:rosen_der": partial(check_gradient, optimize.rosen_der, rosen, X),
        "scipy.optimize:rosen_hess": partial(check_hessian, optimize.rosen_hess, rosen, X),
        "scipy.optimize:rosen_hess_prod": partial(check_hvp, optimize.rosen_hess_prod, rosen, X),
        **_robust_losses(),
        **_special_functions(),
        **_distributions(),
        **_interpolations(),
    }


def _robust_losses() -> dict[str, Callable[..., Any]]:
    """The losses of `least_squares`, which fill an array with ρ(z), ρ'(z) and ρ''(z)."""
    found: dict[str, Callable[..., Any]] = {}
    for name in ("huber", "soft_l1", "cauchy", "arctan"):

        def row(z: Any, k: int, loss: Any = IMPLEMENTED_LOSSES[name]) -> Any:
            rho = np.empty((3, len(z)), z.dtype)
            loss(z, rho, cost_only=False)
            return rho[k]

        def loss(z: Any, row: Any = row) -> Any:
            return np.sum(row(z, 0))

        def hessian(z: Any, row: Any = row) -> Any:
            return np.diag(row(z, 2))

        slope = partial(row, k=1)
        found[f"scipy.optimize:{name} gradient"] = partial(check_gradient, slope, loss, POSITIVE)
        found[f"scipy.optimize:{name} hessian"] = partial(check_jacobian, hessian, slope, POSITIVE)
    return found


def _special_functions() -> dict[str, Callable[..., Any]]:
    def summed(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda z: np.sum(function(z))

    def legendre_slope(z: np.ndarray) -> np.ndarray:
        return np.asarray(special.legendre_p(4, z, diff_n=1))[1]

    positive = {"domain": "positive"}
    inside = {"domain": ("interval", -1, 1)}
    found: dict[str, tuple[Any, Any, np.ndarray, dict[str, Any]]] = {
        "digamma": (special.digamma, summed(special.gammaln), POSITIVE, positive),
        "softmax": (special.softmax, special.logsumexp, Z, {}),
        "jvp": (partial(special.jvp, 1.5), summed(partial(special.jv, 1.5)), POSITIVE, positive),
        "kvp": (partial(special.kvp, 1.5), summed(partial(special.kv, 1.5)), POSITIVE, positive),
        "airy": (lambda z: special.airy(z)[1], summed(lambda z: special.airy(z)[0]), Z, {}),
        "legendre_p": (legendre_slope, summed(partial(special.legendre_p, 4)), Z / 4, inside),
        "expit (formula)": (special.expit, lambda z: jnp.sum(jax.nn.softplus(z)), Z, {}),
    }
    return {
        f"scipy.special:{name}": partial(check_gradient, slope, function, at, **options)
        for name, (slope, function, at, options) in found.items()
    }


def _distributions() -> dict[str, Callable[..., Any]]:
    """Densities, which are the derivatives of distribution functions."""
    found = {
        "norm": (stats.norm.pdf, stats.norm.cdf),
        "gumbel_r": (stats.gumbel_r._pdf, stats.gumbel_r._cdf),
        "hypsecant": (stats.hypsecant._pdf, stats.hypsecant._cdf),
    }
    return {
        f"scipy.stats:{name}.pdf": partial(
            check_gradient, density, lambda z, below=below: np.sum(below(z)), Z
        )
        for name, (density, below) in found.items()
    }


def _interpolations() -> dict[str, Callable[..., Any]]:
    spline = interpolate.CubicSpline(KNOTS, np.sin(KNOTS))
    polynomial = interpolate.BarycentricInterpolator(KNOTS, np.sin(KNOTS))
    found: dict[str, tuple[Any, Any]] = {
        "CubicSpline": (spline.derivative(), spline),
        "Barycentric": (polynomial.derivative, polynomial),
    }
    return {
        f"scipy.interpolate:{name}": partial(
            check_gradient,
            slope,
            lambda z, function=function: np.sum(function(z)),
            BETWEEN,
            domain=("interval", 0, 7),
        )
        for name, (slope, function) in found.items()
    }
