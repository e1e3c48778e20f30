"""Statistical models: scores, objectives of classifiers, kernels, and metric learning."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject

_RNG = np.random.default_rng(11)
X = np.column_stack([np.ones(8), np.linspace(-1, 1, 8), _RNG.normal(size=8).round(2)])
BETA = np.array([0.2, 0.5, -0.3])
LABELS = np.array([0.0, 1, 0, 1, 1, 0, 1, 1])
COUNTS = np.array([1.0, 3, 0, 2, 5, 2, 7, 4])
CLASSES = np.array([0, 1, 2, 0, 2, 1, 1, 0])
TIMES = np.array([1.0, 2.5, 2.5, 3.0, 4.2, 4.2, 5.0, 6.1])
EVENTS = np.array([1.0, 1, 1, 0, 1, 1, 0, 1])


def _nb(xp: Any, params: Any, q: int) -> Any:
    mu, alpha = xp.exp(X @ params[:3]), params[3]
    size = mu**q / alpha
    prob = size / (size + mu)
    terms = (
        xp.gammaln(size + COUNTS)
        - xp.gammaln(size)
        + size * xp.log(prob)
        + COUNTS * xp.log(1 - prob)
    )
    return xp.sum(terms)


def _generalized(xp: Any, params: Any) -> Any:
    mu, alpha = xp.exp(X @ params[:3]), params[3]
    a1, a2 = 1 + alpha, mu + alpha * COUNTS
    return xp.sum(xp.log(mu) + (COUNTS - 1) * xp.log(a2) - COUNTS * xp.log(a1) - a2 / a1)


def _zero_inflated(xp: Any, params: Any) -> Any:
    """P(0) = w + (1 - w)·e^-μ; the inflation is a logit of its own."""
    w, mu = xp.expit(params[0] + 0 * COUNTS), xp.exp(X @ params[1:])
    zero = xp.log(w + (1 - w) * xp.exp(-mu))
    return xp.sum(xp.where(COUNTS == 0, zero, xp.log(1 - w) + COUNTS * xp.log(mu) - mu))


def _multinomial(xp: Any, params: Any) -> Any:
    scores = X @ xp.reshape(params, (2, 3)).T
    return xp.sum(scores[:, 0] * (CLASSES == 1) + scores[:, 1] * (CLASSES == 2)) - xp.sum(
        xp.log(1 + xp.exp(scores[:, 0]) + xp.exp(scores[:, 1]))
    )


def _beta_model(xp: Any, params: Any) -> Any:
    y = np.linspace(0.1, 0.8, 8)
    mu, phi = xp.expit(X @ params[:3]), xp.exp(params[3])
    a, b = mu * phi, (1 - mu) * phi
    return xp.sum(
        xp.gammaln(phi + 0 * a)
        - xp.gammaln(a)
        - xp.gammaln(b)
        + (a - 1) * np.log(y)
        + (b - 1) * np.log1p(-y)
    )


def _cox(ties: str) -> Callable[..., Any]:
    """The partial log-likelihood, without an intercept."""

    def loss(xp: Any, beta: Any) -> Any:
        eta = X[:, 1:] @ beta
        total = xp.sum(eta * EVENTS)
        for time in np.unique(TIMES[EVENTS == 1]):
            dead = (time == TIMES) & (EVENTS == 1)
            risk, tied, count = (
                xp.sum(xp.exp(eta) * (time <= TIMES)),
                xp.sum(xp.exp(eta) * dead),
                int(dead.sum()),
            )
            for i in range(count):
                total = total - xp.log(risk - (i / count if ties == "efron" else 0) * tied)
        return total

    return loss


def _statsmodels() -> Iterator[Subject]:
    import statsmodels.api as sm
    from statsmodels.discrete import count_model, truncated_model
    from statsmodels.discrete.conditional_models import ConditionalLogit, ConditionalPoisson
    from statsmodels.duration.hazard_regression import PHReg
    from statsmodels.miscmodels.ordinal_model import OrderedModel
    from statsmodels.othermod.betareg import BetaModel

    longer = np.append(BETA, 0.6)
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1])

    def conditional(xp: Any, beta: Any) -> Any:
        """Σ y·η - log of the sum over all choices of as many ones in each group."""
        from itertools import combinations

        eta, total = X[:, 1:] @ beta, 0
        for g in (0, 1):
            rows = np.flatnonzero(groups == g)
            ones = int(LABELS[rows].sum())
            total += xp.sum(eta[rows] * LABELS[rows]) - xp.log(
                sum(xp.exp(sum(eta[i] for i in chosen)) for chosen in combinations(rows, ones))
            )
        return total

    def conditional_poisson(xp: Any, beta: Any) -> Any:
        eta, total = X[:, 1:] @ beta, 0
        for g in (0, 1):
            rows = np.flatnonzero(groups == g)
            total += xp.sum(eta[rows] * COUNTS[rows]) - COUNTS[rows].sum() * xp.log(
                xp.sum(xp.exp(eta[rows]))
            )
        return total

    def ordered(xp: Any, p: Any) -> Any:
        """Thresholds are p2 and p2 + exp(p3)."""
        eta = X[:, 1:] @ p[:2]
        low, high = xp.expit(p[2] - eta), xp.expit(p[2] + xp.exp(p[3]) - eta)
        return xp.sum(
            xp.log(xp.where(CLASSES == 0, low, xp.where(CLASSES == 1, high - low, 1 - high)))
        )

    def truncated(xp: Any, beta: Any) -> Any:
        mu, y = xp.exp(X @ beta), COUNTS + 1
        return xp.sum(y * xp.log(mu) - mu - xp.log(-xp.expm1(-mu)))

    plain = {which: sm.NegativeBinomial(COUNTS, X, which) for which in ("nb2", "nb1")}
    for model in plain.values():
        model._transparams = False  # else the last parameter is the logarithm while it fits
    models: dict[str, tuple[Any, Callable[..., Any], np.ndarray]] = {
        "Logit": (
            sm.Logit(LABELS, X),
            lambda xp, b: xp.sum(LABELS * (X @ b) - xp.softplus(X @ b)),
            BETA,
        ),
        "Probit": (
            sm.Probit(LABELS, X),
            lambda xp, b: xp.sum(xp.log_ndtr((2 * LABELS - 1) * (X @ b))),
            BETA,
        ),
        "Poisson": (
            sm.Poisson(COUNTS, X),
            lambda xp, b: xp.sum(COUNTS * (X @ b) - xp.exp(X @ b)),
            BETA,
        ),
        "MNLogit": (sm.MNLogit(CLASSES, X), _multinomial, np.append(BETA, [0.4, -0.2, 0.1])),
        "NegativeBinomial nb2": (plain["nb2"], lambda xp, p: _nb(xp, p, 0), longer),
        "NegativeBinomial nb1": (plain["nb1"], lambda xp, p: _nb(xp, p, 1), longer),
        "NegativeBinomialP 2": (
            sm.NegativeBinomialP(COUNTS, X, p=2),
            lambda xp, p: _nb(xp, p, 0),
            longer,
        ),
        "NegativeBinomialP 1": (
            sm.NegativeBinomialP(COUNTS, X, p=1),
            lambda xp, p: _nb(xp, p, 1),
            longer,
        ),
        "GeneralizedPoisson": (sm.GeneralizedPoisson(COUNTS, X), _generalized, longer),
        "ZeroInflatedPoisson": (
            count_model.ZeroInflatedPoisson(COUNTS, X),
            _zero_inflated,
            np.append(-0.4, BETA),
        ),
        "TruncatedLFPoisson": (truncated_model.TruncatedLFPoisson(COUNTS + 1, X), truncated, BETA),
        "BetaModel": (BetaModel(np.linspace(0.1, 0.8, 8), X), _beta_model, np.append(BETA, 0.6)),
        "OrderedModel": (
            OrderedModel(CLASSES, X[:, 1:], distr="logit"),
            ordered,
            np.array([0.5, -0.3, -0.4, 0.2]),
        ),
        "ConditionalLogit": (
            ConditionalLogit(LABELS, X[:, 1:], groups=groups),
            conditional,
            BETA[1:],
        ),
        "ConditionalPoisson": (
            ConditionalPoisson(COUNTS, X[:, 1:], groups=groups),
            conditional_poisson,
            BETA[1:],
        ),
        "PHReg breslow": (
            PHReg(TIMES, X[:, 1:], status=EVENTS, ties="breslow"),
            _cox("breslow"),
            BETA[1:],
        ),
        "PHReg efron": (
            PHReg(TIMES, X[:, 1:], status=EVENTS, ties="efron"),
            _cox("efron"),
            BETA[1:],
        ),
    }
    for name, (model, f, at) in models.items():
        yield Subject(
            "statsmodels", f"{name}.score", f, lambda p, m=model: np.asarray(m.score(p)), at
        )
    families: dict[str, tuple[Any, Callable[..., Any]]] = {
        "Gamma log": (
            sm.families.Gamma(sm.families.links.Log()),
            lambda xp, e: -e - (COUNTS + 1) * xp.exp(-e),
        ),
        "Gaussian": (sm.families.Gaussian(), lambda xp, e: -((COUNTS + 1 - e) ** 2) / 2),
        "InverseGaussian log": (
            sm.families.InverseGaussian(sm.families.links.Log()),
            lambda xp, e: -((COUNTS + 1 - xp.exp(e)) ** 2) / (2 * (COUNTS + 1) * xp.exp(2 * e)),
        ),
        "Poisson sqrt": (
            sm.families.Poisson(sm.families.links.Sqrt()),
            lambda xp, e: (COUNTS + 1) * xp.log(e**2) - e**2,
        ),
    }
    for name, (family, f) in families.items():
        model, at = sm.GLM(COUNTS + 1, X, family=family), np.array([1.3, 0.2, -0.1])
        yield Subject(
            "statsmodels",
            f"GLM {name}.score",
            lambda xp, b, f=f: xp.sum(f(xp, X @ b)),
            lambda p, m=model: np.asarray(m.score(p, scale=1.0)),
            at,
        )


def _sklearn() -> Iterator[Subject]:
    from sklearn._loss import loss as losses
    from sklearn.gaussian_process import kernels
    from sklearn.linear_model._huber import _huber_loss_and_gradient
    from sklearn.linear_model._linear_loss import LinearModelLoss
    from sklearn.manifold._t_sne import _kl_divergence
    from sklearn.neighbors import NeighborhoodComponentsAnalysis

    points, weights = X[:, 1:], _RNG.uniform(0.5, 2, (8, 8)).round(2)
    squares = np.sum((points[:, None] - points[None]) ** 2, axis=2)
    distances = np.sqrt(squares)
    forms: dict[str, tuple[Any, Callable[..., Any]]] = {
        "RBF": (kernels.RBF(0.8), lambda xp, t: xp.exp(-squares / (2 * xp.exp(2 * t[0])))),
        "Matern 0.5": (
            kernels.Matern(0.8, nu=0.5),
            lambda xp, t: xp.exp(-distances / xp.exp(t[0])),
        ),
        "Matern 1.5": (
            kernels.Matern(0.8, nu=1.5),
            lambda xp, t: (
                (1 + np.sqrt(3) * distances / xp.exp(t[0]))
                * xp.exp(-np.sqrt(3) * distances / xp.exp(t[0]))
            ),
        ),
        "Matern 2.5": (
            kernels.Matern(0.8, nu=2.5),
            lambda xp, t: (
                (1 + np.sqrt(5) * distances / xp.exp(t[0]) + 5 * squares / (3 * xp.exp(2 * t[0])))
                * xp.exp(-np.sqrt(5) * distances / xp.exp(t[0]))
            ),
        ),
        "RationalQuadratic": (
            kernels.RationalQuadratic(0.8, 1.7),
            lambda xp, t: (1 + squares / (2 * xp.exp(t[0]) * xp.exp(2 * t[1]))) ** -xp.exp(t[0]),
        ),
        "ExpSineSquared": (
            kernels.ExpSineSquared(0.8, 1.7),
            lambda xp, t: xp.exp(
                -2 * (xp.sin(np.pi * distances / xp.exp(t[1])) / xp.exp(t[0])) ** 2
            ),
        ),
        "DotProduct": (kernels.DotProduct(0.8), lambda xp, t: points @ points.T + xp.exp(2 * t[0])),
        "Constant × RBF": (
            kernels.ConstantKernel(1.7) * kernels.RBF(0.8),
            lambda xp, t: xp.exp(t[0]) * xp.exp(-squares / (2 * xp.exp(2 * t[1]))),
        ),
        "RBF ** 3": (
            kernels.RBF(0.8) ** 3,
            lambda xp, t: xp.exp(-squares / (2 * xp.exp(2 * t[0]))) ** 3,
        ),
        "RBF + White": (
            kernels.RBF(0.8) + kernels.WhiteKernel(0.3),
            lambda xp, t: xp.exp(-squares / (2 * xp.exp(2 * t[0]))) + xp.exp(t[1]) * np.eye(8),
        ),
    }
    for name, (kernel, f) in forms.items():

        def slopes(theta: Any, kernel: Any = kernel) -> Any:
            return np.einsum(
                "ij,ijk->k", weights, kernel.clone_with_theta(theta)(points, eval_gradient=True)[1]
            )

        yield Subject(
            "scikit-learn",
            f"kernel {name}",
            lambda xp, t, f=f: xp.sum(weights * f(xp, t)),
            slopes,
            np.array(kernel.theta),
        )

    def huber(xp: Any, w: Any) -> Any:
        sigma, eps, y = w[3], 1.35, COUNTS / 3
        z = xp.abs(y - points @ w[:2] - w[2]) / sigma
        return xp.sum(sigma + sigma * xp.where(z < eps, z**2, 2 * eps * z - eps**2)) + 0.1 * xp.sum(
            w[:2] ** 2
        )

    def huber_slopes(w: Any) -> Any:
        return _huber_loss_and_gradient(w, points, COUNTS / 3, 1.35, 0.1, np.ones(8))[1]

    yield Subject(
        "scikit-learn",
        "_huber_loss_and_gradient",
        huber,
        huber_slopes,
        np.array([0.5, -0.3, 0.2, 0.4]),
    )
    multinomial = LinearModelLoss(losses.HalfMultinomialLoss(n_classes=3), fit_intercept=True)

    def softmax(xp: Any, w: Any) -> Any:
        scores = points @ w[:, :2].T + w[:, 2]
        chosen = xp.sum(scores * np.eye(3)[CLASSES], axis=1)
        return xp.mean(xp.logsumexp(scores, axis=1) - chosen) + 0.3 / 2 * xp.sum(w[:, :2] ** 2)

    def softmax_slopes(w: Any) -> Any:
        return multinomial.gradient(w, points, CLASSES.astype(float), l2_reg_strength=0.3)

    yield Subject(
        "scikit-learn",
        "LinearModelLoss multinomial",
        softmax,
        softmax_slopes,
        _RNG.normal(size=(3, 3)).round(2),
    )
    yield Subject(
        "scikit-learn",
        "NCA",
        lambda xp, a: -_neighbours(xp, a),
        _nca(NeighborhoodComponentsAnalysis()),
        0.5 * np.eye(2),
    )
    joint = np.exp(-squares[:4, :4])
    np.fill_diagonal(joint, 0)
    joint /= joint.sum()
    upper = np.triu_indices(4, 1)

    def divergence(xp: Any, y: Any) -> Any:
        q = 1 / (1 + xp.sum((y[upper[0]] - y[upper[1]]) ** 2, axis=1))
        p = joint[upper]
        return 2 * xp.sum(p * (np.log(p) - xp.log(q / (2 * xp.sum(q)))))

    def divergence_slopes(y: Any) -> Any:
        return _kl_divergence(y.ravel(), joint[upper], 1, 4, 2)[1].reshape(y.shape)

    yield Subject(
        "scikit-learn", "t-SNE _kl_divergence", divergence, divergence_slopes, points[:4] * 1.0
    )


def _neighbours(xp: Any, a: Any) -> Any:
    """Σ over samples of the probability that the softmax neighbour is of the same class."""
    z = X[:, 1:] @ a.T
    total = 0
    for i in range(8):
        others = np.array([j for j in range(8) if j != i])
        e = xp.exp(-xp.sum((z[others] - z[i]) ** 2, axis=1))
        total = total + xp.sum(e * (CLASSES[others] == CLASSES[i])) / xp.sum(e)
    return total


def _nca(model: Any) -> Callable[..., Any]:
    model.n_iter_, model.verbose = 0, 0

    def slopes(a: Any) -> Any:
        same = CLASSES[:, None] == CLASSES[None]
        return model._loss_grad_lbfgs(a.ravel(), X[:, 1:], same, -1.0)[1].reshape(a.shape)

    return slopes


def _metric_learn() -> Iterator[Subject]:
    from metric_learn import LSML, MLKR, NCA

    yield Subject(
        "metric-learn", "NCA", lambda xp, a: -_neighbours(xp, a), _nca(NCA()), 0.5 * np.eye(2)
    )
    y = COUNTS / 3
    mlkr = MLKR()
    mlkr.n_iter_, mlkr.verbose = 0, 0

    def regression(xp: Any, a: Any) -> Any:
        z, total = X[:, 1:] @ a.T, 0
        for i in range(8):
            others = np.array([j for j in range(8) if j != i])
            e = xp.exp(-xp.sum((z[others] - z[i]) ** 2, axis=1))
            total = total + (xp.sum(e * y[others]) / xp.sum(e) - y[i]) ** 2
        return total

    def regression_slopes(a: Any) -> Any:
        return mlkr._loss(a.ravel(), X[:, 1:], y)[1].reshape(a.shape)

    yield Subject("metric-learn", "MLKR", regression, regression_slopes, 0.5 * np.eye(2) + 0.1)
    first, second, inverse = X[:4, 1:] * 2, X[4:, 1:] * 0.8, np.array([[1.0, 0.2], [0.2, 0.7]])
    for name, weights in {
        "LSML": np.ones(4),
        "LSML weighted": np.array([0.1, 0.4, 0.2, 0.3]),
    }.items():
        lsml = LSML()
        lsml.w_ = weights

        def quadruplets(xp: Any, m: Any, w: Any = weights) -> Any:
            ab = xp.sum((first @ m) * first, axis=1)
            cd = xp.sum((second @ m) * second, axis=1)
            terms = w * xp.where(ab > cd, (xp.sqrt(ab) - xp.sqrt(cd)) ** 2, 0 * ab)
            return xp.sum(terms) + xp.sum(m * inverse) - xp.linalg.slogdet(m)[1]

        def matrix(m: Any, lsml: Any = lsml) -> Any:
            return lsml._gradient(m, first, second, inverse)

        yield Subject("metric-learn", name, quadruplets, matrix, np.array([[1.5, 0.3], [0.3, 0.9]]))


def _skglm() -> Iterator[Subject]:
    from skglm import datafits

    y, signs = COUNTS / 3 + 0.2, 2 * LABELS - 1
    fits: dict[str, tuple[Any, Any, Callable[..., Any]]] = {
        "Quadratic": (datafits.Quadratic(), y, lambda xp, e: xp.sum((y - e) ** 2) / 16),
        "Logistic": (datafits.Logistic(), signs, lambda xp, e: xp.sum(xp.softplus(-signs * e)) / 8),
        "Poisson": (datafits.Poisson(), COUNTS, lambda xp, e: xp.sum(xp.exp(e) - COUNTS * e) / 8),
        "Gamma": (datafits.Gamma(), y, lambda xp, e: xp.sum(e + y * xp.exp(-e)) / 8),
        "Huber": (
            datafits.Huber(0.5),
            y,
            lambda xp, e: (
                xp.sum(xp.where(xp.abs(y - e) < 0.5, (y - e) ** 2 / 2, 0.5 * xp.abs(y - e) - 0.125))
                / 8
            ),
        ),
    }
    for name, (fit, target, f) in fits.items():

        def slopes(w: Any, fit: Any = fit, target: Any = target) -> Any:
            if hasattr(fit, "initialize"):
                fit.initialize(X, target)
            return np.array([fit.gradient_scalar(X, target, w, X @ w, j) for j in range(3)])

        yield Subject(
            "skglm", f"{name}.gradient_scalar", lambda xp, w, f=f: f(xp, X @ w), slopes, BETA
        )
    for efron in (False, True):
        cox, target = datafits.Cox(efron), np.column_stack([TIMES, EVENTS])
        cox.initialize(X[:, 1:], target)
        likelihood = _cox("efron" if efron else "breslow")
        yield Subject(
            "skglm",
            f"Cox efron={efron}",
            lambda xp, w, f=likelihood: -f(xp, w) / 8,
            lambda w, cox=cox, target=target: cox.gradient(X[:, 1:], target, X[:, 1:] @ w),
            BETA[1:],
        )


def _lifelines() -> Iterator[Subject]:
    import pandas as pd
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

    frame, t, e = pd.DataFrame(X[:, 1:]), pd.Series(TIMES), pd.Series(EVENTS.astype(bool))
    fitter = SemiParametricPHFitter()
    for name, method in {
        "single": fitter._get_efron_values_single,
        "batch": fitter._get_efron_values_batch,
    }.items():

        def slopes(beta: Any, method: Any = method) -> Any:
            return np.asarray(method(frame, t, e, pd.Series(np.ones(8)), None, beta)[1])

        yield Subject("lifelines", f"efron, {name}", _cox("efron"), slopes, BETA[1:])


def _pot() -> Iterator[Subject]:
    from ot import smooth

    a, b = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4])
    cost = np.array([[0.3, 1.2], [0.9, 0.4], [1.5, 0.7]])
    parts: dict[str, tuple[Any, Callable[..., Any]]] = {
        "NegEntropy": (smooth.NegEntropy(0.7), lambda xp, z: 0.7 * xp.sum(xp.exp(z / 0.7 - 1))),
        "SquaredL2": (smooth.SquaredL2(0.7), lambda xp, z: xp.sum(xp.maximum(z, 0) ** 2) / 1.4),
    }
    for name, (regularizer, f) in parts.items():

        def loss(xp: Any, p: Any, f: Any = f) -> Any:
            gaps = xp.stack([p["alpha"] + p["beta"][j] - cost[:, j] for j in range(2)], axis=1)
            return xp.sum(p["alpha"] * a) + xp.sum(p["beta"] * b) - f(xp, gaps)

        def slopes(p: Any, r: Any = regularizer) -> Any:
            _, alpha, beta = smooth.dual_obj_grad(p["alpha"], p["beta"], a, b, cost, r)
            return {"alpha": alpha, "beta": beta}

        at = {"alpha": np.array([0.4, 0.8, 1.9]), "beta": np.array([0.3, 0.5])}
        yield Subject("pot", f"dual_obj_grad {name}", loss, slopes, at)

    def semi_dual(xp: Any, alpha: Any) -> Any:
        top = [0.7 * b[j] * xp.logsumexp((alpha - cost[:, j]) / 0.7) for j in range(2)]
        return xp.sum(alpha * a) - sum(top)

    def semi_slopes(alpha: Any) -> Any:
        return smooth.semi_dual_obj_grad(alpha, a, b, cost, smooth.NegEntropy(0.7))[1]

    yield Subject(
        "pot", "semi_dual_obj_grad NegEntropy", semi_dual, semi_slopes, np.array([0.4, 0.8, 1.9])
    )


GROUPS = {
    "statsmodels": _statsmodels,
    "scikit-learn": _sklearn,
    "metric-learn": _metric_learn,
    "skglm": _skglm,
}
GROUPS |= {"lifelines": _lifelines, "pot": _pot}


def subjects(package: str) -> Iterator[Subject]:
    """Those of one package."""
    yield from GROUPS[package]()
