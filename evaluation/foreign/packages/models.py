"""Statistical models: scores, objectives of classifiers, kernels, and metric learning."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from evaluation.foreign.subject import Subject, tabled
from evaluation.formulas import formula

_RNG = np.random.default_rng(11)
X = np.column_stack([np.ones(8), np.linspace(-1, 1, 8), _RNG.normal(size=8).round(2)])
BETA = np.array([0.2, 0.5, -0.3])
LABELS = np.array([0.0, 1, 0, 1, 1, 0, 1, 1])
COUNTS = np.array([1.0, 3, 0, 2, 5, 2, 7, 4])
CLASSES = np.array([0, 1, 2, 0, 2, 1, 1, 0])
GROUPS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
TIMES = np.array([1.0, 2.5, 2.5, 3.0, 4.2, 4.2, 5.0, 6.1])
EVENTS = np.array([1.0, 1, 1, 0, 1, 1, 0, 1])
SHARES = np.linspace(0.1, 0.8, 8)
SIGNS, Z, Y = 2 * LABELS - 1, X[:, 1:], COUNTS / 3 + 0.2
S = np.sum((Z[:, None] - Z[None]) ** 2, axis=2)
D = np.sqrt(S)


def _nb(xp: Any, params: Any, q: int) -> Any:
    mu, alpha = xp.exp(X @ params[:3]), params[3]
    size = mu**q / alpha
    prob = size / (size + mu)
    normalizer = xp.gammaln(size + COUNTS) - xp.gammaln(size)
    return xp.sum(normalizer + size * xp.log(prob) + COUNTS * xp.log(1 - prob))


def _generalized(xp: Any, params: Any) -> Any:
    mu, alpha = xp.exp(X @ params[:3]), params[3]
    a1, a2 = 1 + alpha, mu + alpha * COUNTS
    return xp.sum(xp.log(mu) + (COUNTS - 1) * xp.log(a2) - COUNTS * xp.log(a1) - a2 / a1)


def _zero_inflated(xp: Any, params: Any) -> Any:
    """P(0) = w + (1 - w)·e^-μ; the inflation is a logit of its own."""
    w, mu = xp.expit(params[0] + 0 * COUNTS), xp.exp(X @ params[1:])
    zero = xp.log(w + (1 - w) * xp.exp(-mu))
    return xp.sum(xp.where(COUNTS == 0, zero, xp.log(1 - w) + COUNTS * xp.log(mu) - mu))


def _truncated(xp: Any, beta: Any) -> Any:
    mu, y = xp.exp(X @ beta), COUNTS + 1
    return xp.sum(y * xp.log(mu) - mu - xp.log(-xp.expm1(-mu)))


def _multinomial(xp: Any, params: Any) -> Any:
    scores = X @ xp.reshape(params, (2, 3)).T
    total = xp.log(1 + xp.exp(scores[:, 0]) + xp.exp(scores[:, 1]))
    return xp.sum(scores[:, 0] * (CLASSES == 1) + scores[:, 1] * (CLASSES == 2)) - xp.sum(total)


def _beta(xp: Any, params: Any) -> Any:
    mu, phi = xp.expit(X @ params[:3]), xp.exp(params[3])
    a, b = mu * phi, (1 - mu) * phi
    normalizer = xp.gammaln(phi + 0 * a) - xp.gammaln(a) - xp.gammaln(b)
    return xp.sum(normalizer + (a - 1) * np.log(SHARES) + (b - 1) * np.log1p(-SHARES))


def _ordered(xp: Any, p: Any) -> Any:
    """Thresholds are p2 and p2 + exp(p3)."""
    eta = Z @ p[:2]
    low, high = xp.expit(p[2] - eta), xp.expit(p[2] + xp.exp(p[3]) - eta)
    chances = xp.where(CLASSES == 0, low, xp.where(CLASSES == 1, high - low, 1 - high))
    return xp.sum(xp.log(chances))


def _conditional(xp: Any, beta: Any) -> Any:
    """Σ y·η - log of the sum over all choices of as many ones in each group."""
    eta, total = Z @ beta, 0
    for g in (0, 1):
        rows = np.flatnonzero(g == GROUPS)
        choices = combinations(rows, int(LABELS[rows].sum()))
        every = sum(xp.exp(sum(eta[i] for i in chosen)) for chosen in choices)
        total += xp.sum(eta[rows] * LABELS[rows]) - xp.log(every)
    return total


def _conditional_poisson(xp: Any, beta: Any) -> Any:
    eta, total = Z @ beta, 0
    for g in (0, 1):
        rows = np.flatnonzero(g == GROUPS)
        every = xp.log(xp.sum(xp.exp(eta[rows])))
        total += xp.sum(eta[rows] * COUNTS[rows]) - COUNTS[rows].sum() * every
    return total


def _cox(xp: Any, beta: Any, ties: str) -> Any:
    """The partial log-likelihood, without an intercept."""
    eta = Z @ beta
    total = xp.sum(eta * EVENTS)
    for time in np.unique(TIMES[EVENTS == 1]):
        dead = (time == TIMES) & (EVENTS == 1)
        risk, tied = xp.sum(xp.exp(eta) * (time <= TIMES)), xp.sum(xp.exp(eta) * dead)
        count = int(dead.sum())
        for i in range(count):
            total = total - xp.log(risk - (i / count if ties == "efron" else 0) * tied)
    return total


#: Models of statsmodels: how each is made, its log-likelihood of `b`, and where; families of
#: generalized linear models, with their links, and log-likelihoods of η = `e`.
SCORES = """
name     = {0}.score
of       = b
loss     = {2}
gradient = np.asarray({1}.score(b))
at       = {3}

Logit   | api.Logit(LABELS, X)    | sum(LABELS * (X @ b) - softplus(X @ b))   | BETA
Probit  | api.Probit(LABELS, X)   | sum(log_ndtr(SIGNS * (X @ b)))            | BETA
Poisson | api.Poisson(COUNTS, X)  | sum(COUNTS * (X @ b) - exp(X @ b))        | BETA
MNLogit | api.MNLogit(CLASSES, X) | _multinomial(xp, b)  | np.append(BETA, [0.4, -0.2, 0.1])
NegativeBinomial nb2 | _as_it_is(api.NegativeBinomial(COUNTS, X, "nb2"))
    | _nb(xp, b, 0) | np.append(BETA, 0.6)
NegativeBinomial nb1 | _as_it_is(api.NegativeBinomial(COUNTS, X, "nb1"))
    | _nb(xp, b, 1) | np.append(BETA, 0.6)
NegativeBinomialP 2  | api.NegativeBinomialP(COUNTS, X, p=2) | _nb(xp, b, 0) | np.append(BETA, 0.6)
NegativeBinomialP 1  | api.NegativeBinomialP(COUNTS, X, p=1) | _nb(xp, b, 1) | np.append(BETA, 0.6)
GeneralizedPoisson   | api.GeneralizedPoisson(COUNTS, X)
    | _generalized(xp, b)         | np.append(BETA, 0.6)
ZeroInflatedPoisson  | count_model.ZeroInflatedPoisson(COUNTS, X)
    | _zero_inflated(xp, b)       | np.append(-0.4, BETA)
TruncatedLFPoisson   | truncated_model.TruncatedLFPoisson(COUNTS + 1, X)
    | _truncated(xp, b)           | BETA
BetaModel            | betareg.BetaModel(SHARES, X)
    | _beta(xp, b)                | np.append(BETA, 0.6)
OrderedModel         | ordinal_model.OrderedModel(CLASSES, Z, distr="logit")
    | _ordered(xp, b)             | np.array([0.5, -0.3, -0.4, 0.2])
ConditionalLogit     | conditional_models.ConditionalLogit(LABELS, Z, groups=GROUPS)
    | _conditional(xp, b)         | BETA[1:]
ConditionalPoisson   | conditional_models.ConditionalPoisson(COUNTS, Z, groups=GROUPS)
    | _conditional_poisson(xp, b) | BETA[1:]
PHReg breslow        | hazard_regression.PHReg(TIMES, Z, status=EVENTS, ties="breslow")
    | _cox(xp, b, "breslow")      | BETA[1:]
PHReg efron          | hazard_regression.PHReg(TIMES, Z, status=EVENTS, ties="efron")
    | _cox(xp, b, "efron")        | BETA[1:]

name     = GLM {0}.score
of       = b
loss     = sum((lambda e: {2})(X @ b))
gradient = np.asarray(api.GLM(COUNTS + 1, X, family=families.{1}).score(b, scale=1.0))
at       = np.array([1.3, 0.2, -0.1])

Gamma log           | Gamma(families.links.Log())           | -e - (COUNTS + 1) * exp(-e)
Gaussian            | Gaussian()                   | -((COUNTS + 1 - e) ** 2) / 2
InverseGaussian log | InverseGaussian(families.links.Log())
    | -((COUNTS + 1 - exp(e)) ** 2) / (2 * (COUNTS + 1) * exp(2 * e))
Poisson sqrt        | Poisson(families.links.Sqrt())        | (COUNTS + 1) * log(e**2) - e**2
"""


HOMES = (
    "statsmodels.api",
    "statsmodels.genmod.families",
    "statsmodels.discrete.count_model",
    "statsmodels.discrete.truncated_model",
    "statsmodels.discrete.conditional_models",
    "statsmodels.duration.hazard_regression",
    "statsmodels.miscmodels.ordinal_model",
    "statsmodels.othermod.betareg",
)


def _as_it_is(model: Any) -> Any:
    """A model whose last parameter is not taken for its logarithm, as it is while it fits."""
    model._transparams = False
    return model


#: Kernels of Gaussian processes by their logarithmic parameters `t`, of distances D, squares S.
KERNELS = """
name     = kernel {0}
of       = t
loss     = sum(weights * ({2}))
gradient = np.einsum("ij,ijk->k", weights, slopes({1}, t))
at       = np.array(({1}).theta)

RBF             | RBF(0.8)                           | exp(-S / (2 * exp(2 * t[0])))
Matern 0.5      | Matern(0.8, nu=0.5)                | exp(-D / exp(t[0]))
Matern 1.5      | Matern(0.8, nu=1.5)
    | (1 + np.sqrt(3) * D / exp(t[0])) * exp(-np.sqrt(3) * D / exp(t[0]))
Matern 2.5      | Matern(0.8, nu=2.5)
    | (1 + np.sqrt(5) * D / exp(t[0]) + 5 * S / (3 * exp(2 * t[0])))
      * exp(-np.sqrt(5) * D / exp(t[0]))
RationalQuadratic | RationalQuadratic(0.8, 1.7)
    | (1 + S / (2 * exp(t[0]) * exp(2 * t[1]))) ** -exp(t[0])
ExpSineSquared  | ExpSineSquared(0.8, 1.7)
    | exp(-2 * (sin(np.pi * D / exp(t[1])) / exp(t[0])) ** 2)
DotProduct      | DotProduct(0.8)                    | Z @ Z.T + exp(2 * t[0])
Constant × RBF  | ConstantKernel(1.7) * RBF(0.8)     | exp(t[0]) * exp(-S / (2 * exp(2 * t[1])))
RBF ** 3        | RBF(0.8) ** 3                      | exp(-S / (2 * exp(2 * t[0]))) ** 3
RBF + White     | RBF(0.8) + WhiteKernel(0.3)
    | exp(-S / (2 * exp(2 * t[0]))) + exp(t[1]) * np.eye(8)
"""


def _sklearn() -> Iterator[Subject]:
    from sklearn._loss import loss as losses
    from sklearn.gaussian_process import kernels
    from sklearn.linear_model._huber import _huber_loss_and_gradient
    from sklearn.linear_model._linear_loss import LinearModelLoss
    from sklearn.manifold._t_sne import _kl_divergence
    from sklearn.neighbors import NeighborhoodComponentsAnalysis

    weights = _RNG.uniform(0.5, 2, (8, 8)).round(2)

    def slopes(kernel: Any, theta: Any) -> Any:
        return kernel.clone_with_theta(theta)(Z, eval_gradient=True)[1]

    names = vars(kernels) | globals() | {"weights": weights, "slopes": slopes}
    yield from tabled(KERNELS, names)

    def huber(xp: Any, w: Any) -> Any:
        sigma, eps, y = w[3], 1.35, COUNTS / 3
        z = xp.abs(y - Z @ w[:2] - w[2]) / sigma
        each = sigma + sigma * xp.where(z < eps, z**2, 2 * eps * z - eps**2)
        return xp.sum(each) + 0.1 * xp.sum(w[:2] ** 2)

    def huber_slopes(w: Any) -> Any:
        return _huber_loss_and_gradient(w, Z, COUNTS / 3, 1.35, 0.1, np.ones(8))[1]

    at = np.array([0.5, -0.3, 0.2, 0.4])
    yield Subject("_huber_loss_and_gradient", huber, huber_slopes, at)
    multinomial = LinearModelLoss(losses.HalfMultinomialLoss(n_classes=3), fit_intercept=True)

    def softmax(xp: Any, w: Any) -> Any:
        scores = Z @ w[:, :2].T + w[:, 2]
        chosen = xp.sum(scores * np.eye(3)[CLASSES], axis=1)
        return xp.mean(xp.logsumexp(scores, axis=1) - chosen) + 0.3 / 2 * xp.sum(w[:, :2] ** 2)

    def softmax_slopes(w: Any) -> Any:
        return multinomial.gradient(w, Z, CLASSES.astype(float), l2_reg_strength=0.3)

    at = _RNG.normal(size=(3, 3)).round(2)
    yield Subject("LinearModelLoss multinomial", softmax, softmax_slopes, at)
    yield _nca(NeighborhoodComponentsAnalysis())
    joint = np.exp(-S[:4, :4])
    np.fill_diagonal(joint, 0)
    upper = np.triu_indices(4, 1)
    p = (joint / joint.sum())[upper]

    def divergence(xp: Any, y: Any) -> Any:
        q = 1 / (1 + xp.sum((y[upper[0]] - y[upper[1]]) ** 2, axis=1))
        return 2 * xp.sum(p * (np.log(p) - xp.log(q / (2 * xp.sum(q)))))

    def divergence_slopes(y: Any) -> Any:
        return _kl_divergence(y.ravel(), p, 1, 4, 2)[1].reshape(y.shape)

    at = Z[:4] * 1.0
    yield Subject("t-SNE _kl_divergence", divergence, divergence_slopes, at)


def _neighbours(xp: Any, a: Any) -> Iterator[tuple[int, Any, Any]]:
    """By sample: the others, and the softmax of their distances under the map a."""
    z = Z @ a.T
    for i in range(8):
        others = np.array([j for j in range(8) if j != i])
        e = xp.exp(-xp.sum((z[others] - z[i]) ** 2, axis=1))
        yield i, others, e / xp.sum(e)


def _nca(model: Any) -> Subject:
    model.n_iter_, model.verbose = 0, 0

    def loss(xp: Any, a: Any) -> Any:
        found = _neighbours(xp, a)
        return -sum(xp.sum(p * (CLASSES[at] == CLASSES[i])) for i, at, p in found)

    def slopes(a: Any) -> Any:
        same = CLASSES[:, None] == CLASSES[None]
        return model._loss_grad_lbfgs(a.ravel(), Z, same, -1.0)[1].reshape(a.shape)

    return Subject("NCA", loss, slopes, 0.5 * np.eye(2))


def _metric_learn() -> Iterator[Subject]:
    from metric_learn import LSML, MLKR, NCA

    yield _nca(NCA())
    y, mlkr = COUNTS / 3, MLKR()
    mlkr.n_iter_, mlkr.verbose = 0, 0

    def regression(xp: Any, a: Any) -> Any:
        return sum((xp.sum(p * y[at]) - y[i]) ** 2 for i, at, p in _neighbours(xp, a))

    def regression_slopes(a: Any) -> Any:
        return mlkr._loss(a.ravel(), Z, y)[1].reshape(a.shape)

    yield Subject("MLKR", regression, regression_slopes, 0.5 * np.eye(2) + 0.1)
    first, second, inverse = X[:4, 1:] * 2, X[4:, 1:] * 0.8, np.array([[1.0, 0.2], [0.2, 0.7]])
    for name, weights in (("LSML", np.ones(4)), ("LSML weighted", np.array([0.1, 0.4, 0.2, 0.3]))):
        lsml = LSML()
        lsml.w_ = weights

        def quadruplets(xp: Any, m: Any, w: Any = weights) -> Any:
            ab = xp.sum((first @ m) * first, axis=1)
            cd = xp.sum((second @ m) * second, axis=1)
            terms = w * xp.where(ab > cd, (xp.sqrt(ab) - xp.sqrt(cd)) ** 2, 0 * ab)
            return xp.sum(terms) + xp.sum(m * inverse) - xp.linalg.slogdet(m)[1]

        def matrix(m: Any, lsml: Any = lsml) -> Any:
            return lsml._gradient(m, first, second, inverse)

        yield Subject(name, quadruplets, matrix, np.array([[1.5, 0.3], [0.3, 0.9]]))


#: Data fits of skglm: the target, and the loss of η = `e`.
DATAFITS = """
name     = {0}.gradient_scalar
of       = w
loss     = (lambda e: {3})(X @ w)
gradient = slopes(datafits.{1}, {2}, w)
at       = BETA

Quadratic | Quadratic() | Y      | sum((Y - e) ** 2) / 16
Logistic  | Logistic()  | SIGNS  | sum(softplus(-SIGNS * e)) / 8
Poisson   | Poisson()   | COUNTS | sum(exp(e) - COUNTS * e) / 8
Gamma     | Gamma()     | Y      | sum(e + Y * exp(-e)) / 8
Huber     | Huber(0.5)  | Y
    | sum(where(abs(Y - e) < 0.5, (Y - e) ** 2 / 2, 0.5 * abs(Y - e) - 0.125)) / 8
"""


def _skglm() -> Iterator[Subject]:
    from skglm import datafits

    def slopes(fit: Any, target: Any, w: Any) -> Any:
        if hasattr(fit, "initialize"):
            fit.initialize(X, target)
        return np.array([fit.gradient_scalar(X, target, w, X @ w, j) for j in range(3)])

    yield from tabled(DATAFITS, globals() | {"datafits": datafits, "slopes": slopes})
    for efron in (False, True):
        cox, target = datafits.Cox(efron), np.column_stack([TIMES, EVENTS])
        cox.initialize(Z, target)
        ties = "efron" if efron else "breslow"

        def cox_slopes(w: Any, cox: Any = cox, target: Any = target) -> Any:
            return cox.gradient(Z, target, Z @ w)

        likelihood = formula("b", f"-_cox(xp, b, {ties!r}) / 8", globals())
        yield Subject(f"Cox efron={efron}", likelihood, cox_slopes, BETA[1:])


def _lifelines() -> Iterator[Subject]:
    import pandas as pd
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

    frame, t, e = pd.DataFrame(Z), pd.Series(TIMES), pd.Series(EVENTS.astype(bool))
    for name in ("single", "batch"):
        method = getattr(SemiParametricPHFitter(), f"_get_efron_values_{name}")

        def slopes(beta: Any, method: Any = method) -> Any:
            return np.asarray(method(frame, t, e, pd.Series(np.ones(8)), None, beta)[1])

        likelihood = formula("b", "_cox(xp, b, 'efron')", globals())
        yield Subject(f"efron, {name}", likelihood, slopes, BETA[1:])


def _pot() -> Iterator[Subject]:
    from ot import smooth

    a, b = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4])
    cost = np.array([[0.3, 1.2], [0.9, 0.4], [1.5, 0.7]])
    at = {"alpha": np.array([0.4, 0.8, 1.9]), "beta": np.array([0.3, 0.5])}
    for name, text in (
        ("NegEntropy", "0.7 * sum(exp(z / 0.7 - 1))"),
        ("SquaredL2", "sum(maximum(z, 0) ** 2) / 1.4"),
    ):
        f, regularizer = formula("z", text), getattr(smooth, name)(0.7)

        def loss(xp: Any, p: Any, f: Any = f) -> Any:
            gaps = xp.stack([p["alpha"] + p["beta"][j] - cost[:, j] for j in range(2)], axis=1)
            return xp.sum(p["alpha"] * a) + xp.sum(p["beta"] * b) - f(xp, gaps)

        def slopes(p: Any, r: Any = regularizer) -> Any:
            _, alpha, beta = smooth.dual_obj_grad(p["alpha"], p["beta"], a, b, cost, r)
            return {"alpha": alpha, "beta": beta}

        yield Subject(f"dual_obj_grad {name}", loss, slopes, at)

    def semi_dual(xp: Any, alpha: Any) -> Any:
        top = [0.7 * b[j] * xp.logsumexp((alpha - cost[:, j]) / 0.7) for j in range(2)]
        return xp.sum(alpha * a) - sum(top)

    def semi_slopes(alpha: Any) -> Any:
        return smooth.semi_dual_obj_grad(alpha, a, b, cost, smooth.NegEntropy(0.7))[1]

    name = "semi_dual_obj_grad NegEntropy"
    yield Subject(name, semi_dual, semi_slopes, at["alpha"])


PACKAGES = {
    "statsmodels": partial(tabled, SCORES, globals(), *HOMES),
    "scikit-learn": _sklearn,
    "metric-learn": _metric_learn,
    "skglm": _skglm,
    "lifelines": _lifelines,
    "pot": _pot,
}
