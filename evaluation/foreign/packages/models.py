"""Statistical models: scores, objectives of classifiers, kernels, and metric learning."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from evaluation.foreign.subject import tabled

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
WEIGHTS, SCORES_AT = _RNG.uniform(0.5, 2, (8, 8)).round(2), _RNG.normal(size=(3, 3)).round(2)
UPPER = np.triu_indices(4, 1)
JOINT = np.exp(-S[:4, :4]) * (1 - np.eye(4))
JOINT = (JOINT / JOINT.sum())[UPPER]
FIRST, SECOND, INVERSE = X[:4, 1:] * 2, X[4:, 1:] * 0.8, np.array([[1.0, 0.2], [0.2, 0.7]])
DEATHS = np.column_stack([TIMES, EVENTS])
A, B, ALPHA = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4]), np.array([0.4, 0.8, 1.9])
COST = np.array([[0.3, 1.2], [0.9, 0.4], [1.5, 0.7]])


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


#: Models of statsmodels: how each is made, its log-likelihood of `b`, and where (the last parameter
#: of a negative binomial is not taken for its logarithm); families of generalized linear models,
#: with their links, and log-likelihoods of η = `e`.
SCORES = """
{0}.score | {2} | np.asarray({1}.score(b)) | {3} | b

Logit   | api.Logit(LABELS, X)    | sum(LABELS * (X @ b) - softplus(X @ b))   | BETA
Probit  | api.Probit(LABELS, X)   | sum(log_ndtr(SIGNS * (X @ b)))            | BETA
Poisson | api.Poisson(COUNTS, X)  | sum(COUNTS * (X @ b) - exp(X @ b))        | BETA
MNLogit | api.MNLogit(CLASSES, X) | _multinomial(xp, b)  | np.append(BETA, [0.4, -0.2, 0.1])
NegativeBinomial nb2 | _with(api.NegativeBinomial(COUNTS, X, "nb2"), _transparams=False)
    | _nb(xp, b, 0) | np.append(BETA, 0.6)
NegativeBinomial nb1 | _with(api.NegativeBinomial(COUNTS, X, "nb1"), _transparams=False)
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

GLM {0}.score | sum((lambda e: {2})(X @ b))
    | np.asarray(api.GLM(COUNTS + 1, X, family=families.{1}).score(b, scale=1.0))
    | np.array([1.3, 0.2, -0.1]) | b

Gamma log           | Gamma(families.links.Log())           | -e - (COUNTS + 1) * exp(-e)
Gaussian            | Gaussian()                   | -((COUNTS + 1 - e) ** 2) / 2
InverseGaussian log | InverseGaussian(families.links.Log())
    | -((COUNTS + 1 - exp(e)) ** 2) / (2 * (COUNTS + 1) * exp(2 * e))
Poisson sqrt        | Poisson(families.links.Sqrt())        | (COUNTS + 1) * log(e**2) - e**2
"""


def _with(made: Any, **values: Any) -> Any:
    """A model as it is while it fits."""
    vars(made).update(values)
    return made


def _slopes(kernel: Any, theta: Any) -> Any:
    slopes = kernel.clone_with_theta(theta)(Z, eval_gradient=True)[1]
    return np.einsum("ij,ijk->k", WEIGHTS, slopes)


def _robust(xp: Any, w: Any) -> Any:
    sigma, eps, y = w[3], 1.35, COUNTS / 3
    z = xp.abs(y - Z @ w[:2] - w[2]) / sigma
    each = sigma + sigma * xp.where(z < eps, z**2, 2 * eps * z - eps**2)
    return xp.sum(each) + 0.1 * xp.sum(w[:2] ** 2)


def _softmax(xp: Any, w: Any) -> Any:
    scores = Z @ w[:, :2].T + w[:, 2]
    chosen = xp.sum(scores * np.eye(3)[CLASSES], axis=1)
    return xp.mean(xp.logsumexp(scores, axis=1) - chosen) + 0.3 / 2 * xp.sum(w[:, :2] ** 2)


def _divergence(xp: Any, y: Any) -> Any:
    q = 1 / (1 + xp.sum((y[UPPER[0]] - y[UPPER[1]]) ** 2, axis=1))
    return 2 * xp.sum(JOINT * (np.log(JOINT) - xp.log(q / (2 * xp.sum(q)))))


def _neighbours(xp: Any, a: Any) -> Iterator[tuple[int, Any, Any]]:
    """By sample: the others, and the softmax of their distances under the map a."""
    z = Z @ a.T
    for i in range(8):
        others = np.array([j for j in range(8) if j != i])
        e = xp.exp(-xp.sum((z[others] - z[i]) ** 2, axis=1))
        yield i, others, e / xp.sum(e)


def _nca(xp: Any, a: Any) -> Any:
    return -sum(xp.sum(p * (CLASSES[at] == CLASSES[i])) for i, at, p in _neighbours(xp, a))


def _nca_slopes(model: Any, a: Any) -> Any:
    same = CLASSES[:, None] == CLASSES[None]
    made = _with(model, n_iter_=0, verbose=0)
    return made._loss_grad_lbfgs(a.ravel(), Z, same, -1.0)[1].reshape(a.shape)


#: Kernels of Gaussian processes by their logarithmic parameters `t`, of distances D, squares S; and
#: other objectives.
SKLEARN = """
kernel {0} | sum(WEIGHTS * ({2})) | _slopes(kernels.{1}, t) | np.array((kernels.{1}).theta) | t

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
Constant × RBF  | ConstantKernel(1.7) * kernels.RBF(0.8)
    | exp(t[0]) * exp(-S / (2 * exp(2 * t[1])))
RBF ** 3        | RBF(0.8) ** 3                      | exp(-S / (2 * exp(2 * t[0]))) ** 3
RBF + White     | RBF(0.8) + kernels.WhiteKernel(0.3)
    | exp(-S / (2 * exp(2 * t[0]))) + exp(t[1]) * np.eye(8)

{0} | {1}(xp, x) | {2} | {3}

_huber_loss_and_gradient | _robust
    | _huber._huber_loss_and_gradient(x, Z, COUNTS / 3, 1.35, 0.1, np.ones(8))[1]
    | np.array([0.5, -0.3, 0.2, 0.4])
LinearModelLoss multinomial | _softmax
    | _linear_loss.LinearModelLoss(loss.HalfMultinomialLoss(n_classes=3), fit_intercept=True)
      .gradient(x, Z, CLASSES.astype(float), l2_reg_strength=0.3) | SCORES_AT
NCA | _nca | _nca_slopes(neighbors.NeighborhoodComponentsAnalysis(), x) | 0.5 * np.eye(2)
t-SNE _kl_divergence | _divergence
    | _t_sne._kl_divergence(x.ravel(), JOINT, 1, 4, 2)[1].reshape(x.shape) | Z[:4] * 1.0
"""


def _regression(xp: Any, a: Any) -> Any:
    y = COUNTS / 3
    return sum((xp.sum(p * y[at]) - y[i]) ** 2 for i, at, p in _neighbours(xp, a))


def _quadruplets(xp: Any, m: Any, w: Any) -> Any:
    ab, cd = (xp.sum((v @ m) * v, axis=1) for v in (FIRST, SECOND))
    terms = w * xp.where(ab > cd, (xp.sqrt(ab) - xp.sqrt(cd)) ** 2, 0 * ab)
    return xp.sum(terms) + xp.sum(m * INVERSE) - xp.linalg.slogdet(m)[1]


METRIC_LEARN = """
{0} | {1} | {2} | {3}

NCA  | _nca(xp, x) | _nca_slopes(metric_learn.NCA(), x) | 0.5 * np.eye(2)
MLKR | _regression(xp, x)
    | _with(metric_learn.MLKR(), n_iter_=0, verbose=0)._loss(x.ravel(), Z, COUNTS / 3)[1]
      .reshape(x.shape) | 0.5 * np.eye(2) + 0.1

{0} | _quadruplets(xp, x, {1})
    | _with(metric_learn.LSML(), w_={1})._gradient(x, FIRST, SECOND, INVERSE)
    | np.array([[1.5, 0.3], [0.3, 0.9]])

LSML          | np.ones(4)
LSML weighted | np.array([0.1, 0.4, 0.2, 0.3])
"""


def _initialized(fit: Any, x: Any, target: Any) -> Any:
    if hasattr(fit, "initialize"):
        fit.initialize(x, target)
    return fit


def _by_coordinates(fit: Any, target: Any, w: Any) -> Any:
    made = _initialized(fit, X, target)
    return np.array([made.gradient_scalar(X, target, w, X @ w, j) for j in range(3)])


#: Data fits of skglm: the target, and the loss of η = `e`.
SKGLM = """
{0}.gradient_scalar | (lambda e: {3})(X @ w) | _by_coordinates(datafits.{1}, {2}, w) | BETA | w

Quadratic | Quadratic() | Y      | sum((Y - e) ** 2) / 16
Logistic  | Logistic()  | SIGNS  | sum(softplus(-SIGNS * e)) / 8
Poisson   | Poisson()   | COUNTS | sum(exp(e) - COUNTS * e) / 8
Gamma     | Gamma()     | Y      | sum(e + Y * exp(-e)) / 8
Huber     | Huber(0.5)  | Y
    | sum(where(abs(Y - e) < 0.5, (Y - e) ** 2 / 2, 0.5 * abs(Y - e) - 0.125)) / 8

Cox efron={0} | -_cox(xp, b, "{1}") / 8
    | _initialized(datafits.Cox({0}), Z, DEATHS).gradient(Z, DEATHS, Z @ b) | BETA[1:] | b

False | breslow
True  | efron
"""


def _efron(name: str, beta: Any) -> Any:
    import pandas as pd
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

    method = getattr(SemiParametricPHFitter(), f"_get_efron_values_{name}")
    columns = map(pd.Series, (TIMES, EVENTS.astype(bool), np.ones(8)))
    return np.asarray(method(pd.DataFrame(Z), *columns, None, beta)[1])


LIFELINES = """
efron, {0} | _cox(xp, b, "efron") | _efron("{0}", b) | BETA[1:] | b

single
batch
"""


def _dual(xp: Any, p: Any, f: Any) -> Any:
    gaps = xp.stack([p["alpha"] + p["beta"][j] - COST[:, j] for j in range(2)], axis=1)
    return xp.sum(p["alpha"] * A) + xp.sum(p["beta"] * B) - f(gaps)


def _named(_: Any, alpha: Any, beta: Any) -> dict[str, Any]:
    return {"alpha": alpha, "beta": beta}


def _semi_dual(xp: Any, alpha: Any) -> Any:
    top = [0.7 * B[j] * xp.logsumexp((alpha - COST[:, j]) / 0.7) for j in range(2)]
    return xp.sum(alpha * A) - sum(top)


#: Of smooth optimal transport, by regularizer.
POT = """
dual_obj_grad {0} | _dual(xp, x, lambda z: {1})
    | _named(*smooth.dual_obj_grad(*x.values(), A, B, COST, smooth.{0}(0.7)))
    | {{"alpha": ALPHA, "beta": np.array([0.3, 0.5])}}

NegEntropy | 0.7 * sum(exp(z / 0.7 - 1))
SquaredL2  | sum(maximum(z, 0) ** 2) / 1.4

semi_dual_obj_grad {0} | _semi_dual(xp, x)
    | smooth.semi_dual_obj_grad(x, A, B, COST, smooth.{0}(0.7))[1] | ALPHA

NegEntropy
"""

#: By package: its tables, and the modules that they name.
PACKAGES = {
    "statsmodels": partial(
        *(tabled, SCORES, globals()),
        "statsmodels.api",
        "statsmodels.genmod.families",
        "statsmodels.discrete.count_model",
        "statsmodels.discrete.truncated_model",
        "statsmodels.discrete.conditional_models",
        "statsmodels.duration.hazard_regression",
        "statsmodels.miscmodels.ordinal_model",
        "statsmodels.othermod.betareg",
    ),
    "scikit-learn": partial(
        *(tabled, SKLEARN, globals()),
        "sklearn._loss.loss",
        "sklearn.gaussian_process.kernels",
        "sklearn.linear_model._huber",
        "sklearn.linear_model._linear_loss",
        "sklearn.manifold._t_sne",
        "sklearn.neighbors",
    ),
    "metric-learn": partial(tabled, METRIC_LEARN, globals(), "metric_learn"),
    "skglm": partial(tabled, SKGLM, globals(), "skglm.datafits"),
    "lifelines": partial(tabled, LIFELINES, globals()),
    "pot": partial(tabled, POT, globals(), "ot.smooth"),
}
