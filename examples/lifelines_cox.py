"""Right derivatives in lifelines: Cox's partial likelihood with ties, weights and left truncation.

`CoxPHFitter` and `CoxTimeVaryingFitter` follow a gradient and a Hessian that their classes compute
beside the log-likelihood (lifelines 0.30.3), with Efron's correction for ties. The likelihood is
written anew here, from its formula, so that the verdict is certified.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import AuditReport, audit, check_gradient, check_hessian

#: Imported by name, as lifelines and what comes with it are no dependencies of the checkout's.
pd = import_module("pandas")
Fitter = import_module("lifelines.fitters.coxph_fitter").SemiParametricPHFitter
VaryingFitter = import_module("lifelines").CoxTimeVaryingFitter

TIMES = np.array([1.0, 2, 2, 3, 3, 3, 4, 5])
DIED = np.array([1, 1, 1, 0, 1, 1, 1, 0], dtype=bool)
WEIGHTS = np.array([1.0, 2.0, 1.0, 1.5, 0.5, 1.0, 3.0, 1.0])
X = np.array([[0.3, -1.2], [1.1, 0.4], [-0.6, 0.9], [0.2, 0.1]] * 2) + np.linspace(0, 1, 8)[:, None]
ENTRIES = np.maximum(TIMES - 1.5, 0)
BETA = np.array([0.3, -0.4])


def log_likelihood(beta: Any, entries: np.ndarray) -> Any:
    """Σ w xᵀβ - Σ mean(w) log(Σ w exp(xᵀβ) at risk - k/d of the tied), over times with deaths."""
    eta, total = X @ beta, 0.0
    for time in np.unique(TIMES[DIED]):
        tied = DIED & (time == TIMES)
        risk = (entries < time) & (time <= TIMES)
        at_risk = jnp.sum(jnp.where(risk, WEIGHTS * jnp.exp(eta), 0))
        share = np.arange(tied.sum()) / tied.sum() * jnp.sum(WEIGHTS[tied] * jnp.exp(eta[tied]))
        total += jnp.sum(WEIGHTS[tied] * eta[tied])
        total -= np.mean(WEIGHTS[tied]) * jnp.sum(jnp.log(at_risk - share))
    return total


def by_fitter(beta: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, ...]:  # noqa: ARG001 (it has none)
    """Compute Hessian and gradient as `CoxPHFitter` does without left truncation."""
    given = pd.DataFrame(X), pd.Series(TIMES), pd.Series(DIED), pd.Series(WEIGHTS)
    return Fitter()._get_efron_values_single(*given, None, beta)


def by_varying_fitter(beta: np.ndarray, entries: np.ndarray) -> tuple[np.ndarray, ...]:
    """Compute both as `CoxTimeVaryingFitter` does."""
    return VaryingFitter._get_gradients(X, DIED, entries, TIMES, WEIGHTS, beta)


def report() -> AuditReport:
    """Check gradient and Hessian of both."""
    checks: dict[str, Callable[..., Any]] = {}
    for both, entries in ((by_fitter, np.zeros(8)), (by_varying_fitter, ENTRIES)):
        for kind, k, check in (("gradient", 1, check_gradient), ("hessian", 0, check_hessian)):

            def derivative(*point: Any, both: Any = both, k: int = k) -> np.ndarray:
                return both(*point)[k]

            name = f"{both.__name__}, {kind}"
            checks[name] = partial(check, derivative, log_likelihood, BETA, entries)
    return audit(checks, points=2)


if __name__ == "__main__":
    print(report())
