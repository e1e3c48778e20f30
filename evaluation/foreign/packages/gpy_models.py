"""GPy's likelihoods, links, priors, mappings, warpings and bounds; paramz's transformations."""

# pyright: reportMissingImports=false
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from evaluation.foreign.packages.gpy_kernels import (
    X,
    Z,
    assign,
    gradients_of,
    parameters_of,
    slope,
    squares,
    with_parameters,
)
from evaluation.foreign.subject import Subject, tabled, weighed
from evaluation.formulas import Namespace, formula, table

_RNG = np.random.default_rng(41)
C = np.array([0.7, -1.1, 1.6, 0.4, -0.9])
REAL = np.array([-1.3, -0.7, 0.2, 1.1, 1.9])
POSITIVE = np.array([0.21, 0.8, 1.3, 2.9, 4.1])
UNIT = np.array([0.12, 0.37, 0.55, 0.81, 0.93])
LABELS, COUNTS = np.array([0.0, 1, 1, 0, 1]), np.array([1.0, 3, 0, 2, 4])
#: A trial more than successes at least, so that both outcomes occur.
METADATA = {"trials": COUNTS[:, None] + 2, "censored": LABELS[:, None]}


#: Likelihoods: how each is made, its parameters with their names in methods, log p of the link's
#: value f, where, and the value of a link that is not the identity.
LIKELIHOODS = """
Gaussian    | Gaussian(variance=0.7)          | variance var
    | -((COUNTS - f) ** 2) / (2 * variance) - log(2 * np.pi * variance) / 2       | REAL
StudentT    | StudentT(deg_free=4.3, sigma2=1.7) | sigma2 var v v
    | gammaln((v + 1) / 2) - gammaln(v / 2) - log(sigma2 * v * np.pi) / 2
      - (v + 1) / 2 * log(1 + (COUNTS - f) ** 2 / (v * sigma2))                   | REAL
Bernoulli   | Bernoulli()   |  | LABELS * log(f) + (1 - LABELS) * log(1 - f) | UNIT | ndtr(f)
Binomial    | Binomial()    |  | COUNTS * log(f) + 2 * log(1 - f) | UNIT | ndtr(f)
Poisson     | Poisson()     |  | COUNTS * log(f) - f | POSITIVE | exp(f)
Exponential | Exponential()                   |     | log(f) - COUNTS * f | POSITIVE | exp(f)
Gamma       | Gamma(beta=1.7)                 | beta beta
    | f * beta * log(beta) - gammaln(f * beta) + (f * beta - 1) * log(AMOUNTS)
      - beta * AMOUNTS | POSITIVE | exp(f)
Weibull     | Weibull(beta=1.7)               | r r
    | (1 - LABELS) * (log(r / f) + (r - 1) * log(AMOUNTS)) - AMOUNTS**r / f | POSITIVE | exp(f)
LogGaussian | LogGaussian(sigma=0.9)          | variance var
    | (1 - LABELS) * (-log(2 * np.pi * variance) / 2 - (np.log(AMOUNTS) - f) ** 2 / (2 * variance))
      + LABELS * log_ndtr((f - np.log(AMOUNTS)) / sqrt(variance))                 | REAL
LogLogistic | LogLogistic(r=1.7)              | r r
    | (1 - LABELS) * (log(r / f) + (r - 1) * (np.log(AMOUNTS) - log(f)))
      - (2 - LABELS) * log1p((AMOUNTS / f) ** r) | POSITIVE | exp(f)
"""
AMOUNTS = COUNTS / 2 + 0.3

#: What is a function of numbers, and its derivative; links, each differentiated three times.
SCALARS = """
{0} | sum(C * ({1})) | C * ({2}) | {3}

prior Gaussian | -((x - 0.3) ** 2) / (2 * 0.7**2)
    | priors.Gaussian(0.3, 0.7).lnpdf_grad(x) | REAL
prior LogGaussian  | -((log(x) - 0.3) ** 2) / (2 * 0.7**2) - log(x)
    | priors.LogGaussian(0.3, 0.7).lnpdf_grad(x)  | POSITIVE
prior Gamma | 0.7 * log(x) - 1.3 * x
    | priors.Gamma(1.7, 1.3).lnpdf_grad(x) | POSITIVE
prior InverseGamma | -2.7 * log(x) - 1.3 / x
    | priors.InverseGamma(1.7, 1.3).lnpdf_grad(x) | POSITIVE
prior HalfT        | where(x > 0, -log(1 + x**2 / (2.3 * 0.7**2)) * 3.3 / 2, 0)
    | priors.HalfT(0.7, 2.3).lnpdf_grad(x)        | POSITIVE
prior StudentT     | -log(1 + (x - 0.3) ** 2 / (2.3 * 0.7**2)) * 3.3 / 2
    | priors.StudentT(0.3, 0.7, 2.3).lnpdf_grad(x) | REAL
prior Exponential | -1.7 * x
    | priors.Exponential(1.7).lnpdf_grad(x) | POSITIVE
LogFunction.fgrad_y | log(x)
    | warping_functions.LogFunction().fgrad_y(x) | POSITIVE

{0}.dtransf_df | sum(C * ({2})) | C * link_functions.{1}.dtransf_df(x) | {3}
{0}.d2transf_df2 | sum(C * slope(lambda xp, x: {2}, 1)(xp, x))
    | C * link_functions.{1}.d2transf_df2(x) | {3}
{0}.d3transf_df3 | sum(C * slope(lambda xp, x: {2}, 2)(xp, x))
    | C * link_functions.{1}.d3transf_df3(x) | {3}

Probit       | Probit()          | ndtr(x)          | REAL
ScaledProbit | ScaledProbit(1.3) | ndtr(1.3 * x)    | REAL
Cloglog      | Cloglog()         | -exp(-exp(x))    | REAL
Log          | Log()             | exp(x)           | REAL
Log_ex_1     | Log_ex_1()        | log1p(exp(x))    | REAL
Reciprocal   | Reciprocal()      | 1 / x            | POSITIVE
"""

#: Transformations of paramz: what each computes. `gradfactor` takes the value for its argument.
TRANSFORMATIONS = """
{0}.gradfactor | sum(C * ({2})) | (lambda t: t.gradfactor(t.f(x), C))(transformations.{0}({1}))
    | {3}

Logexp           |          | log1p(exp(x))        | REAL
Exponent         |          | exp(x)               | REAL
NegativeLogexp   |          | -log1p(exp(x))       | REAL
NegativeExponent |          | -exp(x)              | REAL
Square           |          | x**2                 | POSITIVE
Logistic         | 0.25, 1.75 | 0.25 + 1.5 * expit(x) | REAL

{0}.log_jacobian_grad | sum(C * ({1})) | C * transformations.{0}().log_jacobian_grad(x) | POSITIVE

Logexp   | log(-expm1(-x))
Exponent | log(x)
"""

#: Mappings: how each is made, its parameters, and its value.
MAPPINGS = """
Linear    | Linear(4, 2)                  | A             | x @ A
MLP       | MLP(4, 2, 3)                  | W1 b1 W2 b2   | tanh(x @ W1 + b1) @ W2 + b2
MLPext tanh | MLPext(4, 2, [3, 5])        | W0 b0 W1 b1 W2 b2
    | tanh(tanh(x @ W0 + b0) @ W1 + b1) @ W2 + b2
MLPext sigmoid | MLPext(4, 2, [3], activation="sigmoid") | W0 b0 W1 b1
    | expit(x @ W0 + b0) @ W1 + b1
MLPext relu | MLPext(4, 2, [3], activation="relu") | W0 b0 W1 b1
    | maximum(x @ W0 + b0, 0) @ W1 + b1
Constant  | Constant(4, 2)                | C             | 0 * x[:, :2] + C
Kernel    | Kernel(4, 2, Z, kern.RBF(4))  | A
    | exp(-squares(xp, x[:, None], Z[None], 1) / 2) @ A
Additive  | Additive(Linear(4, 2), MLP(4, 2, 3)) | linmap.A mlpmap.W1 mlpmap.b1 mlpmap.W2 mlpmap.b2
    | x @ linmap_A + tanh(x @ mlpmap_W1 + mlpmap_b1) @ mlpmap_W2 + mlpmap_b2
Compound  | Compound(Linear(4, 3), MLP(3, 2, 2)) | linmap.A mlpmap.W1 mlpmap.b1 mlpmap.W2 mlpmap.b2
    | tanh(x @ linmap_A @ mlpmap_W1 + mlpmap_b1) @ mlpmap_W2 + mlpmap_b2
PiecewiseLinear | PiecewiseLinear(1, 1, [0.3, 1.1, 0.4], [-0.8, 0.1, 1.2]) | values breaks
    | _pieces(xp, x, values, breaks)
"""


def _pieces(xp: Any, x: Any, v: Any, b: Any) -> Any:
    """Linear between the breaks, of slope 1 outside."""
    between = [v[i] + (x - b[i]) * (v[i + 1] - v[i]) / (b[i + 1] - b[i]) for i in (0, 1)]
    right = xp.where(x < b[2], between[1], x + v[2] - b[2])
    return xp.where(x < b[0], x + v[0] - b[0], xp.where(x < b[1], between[0], right))


#: How GPy writes the orders of derivatives.
_ORDERS = ("d", "d2", "d3")


def _likelihoods() -> Iterator[Subject]:
    from GPy import likelihoods
    from GPy.likelihoods import loggaussian

    home = Namespace(likelihoods, loggaussian)
    for name, text, parameters, value, where, *link in table(LIKELIHOODS):
        make, at = partial(formula("", text), home), eval(where, globals())
        named = dict(zip(parameters.split()[::2], parameters.split()[1::2], strict=True))
        f = with_parameters(value, "f", " ".join(named), globals())
        p = {key: np.array(getattr(make(), key)) for key in named}
        y = AMOUNTS if "AMOUNTS" in value else LABELS if name == "Bernoulli" else COUNTS
        of = _Likelihood(name, make, f, p, y[:, None])
        for order, d in enumerate(_ORDERS):
            number = d[1:]
            if (name, d) != ("Gaussian", "d3"):  # zero, which differences of differences are not
                yield of.by_f(f"{d}logpdf_dlink{number}", order, at)
            if link:
                yield of.by_f(f"{d}logpdf_df{number}", order, REAL, formula("f", link[0]))
        for key, short in named.items():
            below = ("dlogpdf_link", *(f"{d}logpdf_dlink{d[1:]}" for d in _ORDERS))
            for order, top in enumerate(below):
                if hasattr(make(), f"{top}_d{short}"):
                    yield of.by_parameter(f"{top}_d{short}", order, key, at)


class _Likelihood(NamedTuple):
    name: str
    make: Callable[[], Any]
    f: Callable[..., Any]  #: log p, by its parameters and the link's value
    p: dict[str, Any]
    y: np.ndarray

    def slopes(self, method: str, made: Any, c: Any, f: Any) -> Any:
        return c * np.asarray(getattr(made, method)(f[:, None], self.y, METADATA))[:, 0]

    def by_f(self, method: str, order: int, at: Any, link: Any = lambda xp, f: f) -> Subject:
        """Differentiate once more what is differentiated so often by f already."""
        below = slope(lambda xp, f: self.f(xp, self.p, link(xp, f)), order)
        # Other points would leave (0, 1), or come so near to 0 and 1 that what guards the package's
        # logarithms, 1e-9, counts.
        options = {"points": [(0.9 * at + 0.03,)]} if self.name in ("Bernoulli", "Binomial") else {}
        slopes = partial(self.slopes, method, self.make())
        return weighed(f"{self.name}.{method}", C, below, slopes, at, options=options)

    def by_parameter(self, method: str, order: int, key: str, at: Any) -> Subject:
        """Differentiate by a parameter what is differentiated so often by f already."""

        def below(xp: Any, x: Any) -> Any:
            return slope(lambda xp, f: self.f(xp, self.p | {key: x}, f), order)(xp, xp.asarray(at))

        def slopes(c: Any, x: Any) -> Any:
            made = assign(self.make(), {key: x})
            return np.sum(self.slopes(method, made, c, at)).reshape(x.shape)

        return weighed(f"{self.name}.{method}", C, below, slopes, self.p[key])


def _mappings() -> Iterator[Subject]:
    import GPy

    names = vars(GPy.mappings) | globals() | {"kern": GPy.kern, "Linear": GPy.mappings.Linear}
    for name, text, parameters, said in table(MAPPINGS):
        f = with_parameters(said, "x", parameters, globals())
        make = partial(eval, text, dict(names))
        p = parameters_of(make(), parameters)
        x = X[:, : make().input_dim]
        options = {}
        if "Piecewise" in name:  # other points would have the breaks in another order
            p = {key: np.array(attrgetter(key)(make())) for key in p}
            moved = {"parameters": {key: 0.9 * p[key] for key in p}, "x": 0.9 * x + 0.01}
            options = {"points": [(moved,)]}
        c = _RNG.uniform(0.5, 2, make().f(x).shape).round(2)

        def value(xp: Any, q: Any, f: Any = f) -> Any:
            return f(xp, q["parameters"], q["x"])

        def slopes(c: Any, q: Any, make: Any = make) -> Any:
            made = assign(make(), q["parameters"])
            made.update_gradients(c, q["x"])
            return {
                "parameters": gradients_of(made, q["parameters"]),
                "x": np.asarray(made.gradients_X(c, q["x"])),
            }

        at = {"parameters": p, "x": x}
        yield weighed(f"mapping {name}", c, value, slopes, at, options=options)


def _warpings() -> Iterator[Subject]:
    from GPy.util.input_warping_functions import KumarWarping
    from GPy.util.warping_functions import TanhFunction

    y, c = X[:, :1], C[:, None]
    at = {"y": y, "psi": np.array([[0.7, 1.3, 0.2], [1.1, 0.6, -0.4]]), "d": np.array([0.8])}

    def warped(xp: Any, p: Any) -> Any:
        terms = (a * xp.tanh(b * (p["y"] + s)) for a, b, s in p["psi"])
        return p["d"] * p["y"] + sum(terms)

    def made(p: Any) -> Any:
        return assign(TanhFunction(2), {"psi": p["psi"], "d": p["d"]})

    def by_psi(slopes: Any) -> Any:
        found = np.einsum("ij,ijkl->kl", c, slopes)
        return {"psi": found[:, :3], "d": found[:1, 3]}

    def first(c: Any, p: Any) -> Any:
        chain = made(p).fgrad_y_psi(p["y"], return_covar_chain=True)[1]
        return {"y": c * np.asarray(made(p).fgrad_y(p["y"])), **by_psi(chain)}

    yield weighed("TanhFunction.fgrad_y", c, warped, first, at)
    psi = {key: at[key] for key in ("psi", "d")}

    def rise(xp: Any, p: Any) -> Any:
        return slope(lambda xp, y: warped(xp, p | {"y": y}))(xp, xp.asarray(y))

    def second(_: Any, p: Any) -> Any:
        return by_psi(made(p).fgrad_y_psi(y))

    yield weighed("TanhFunction.fgrad_y_psi", c, rise, second, psi)
    low, high = -3.0 * np.ones(2), 3.0 * np.ones(2)
    weights = _RNG.uniform(0.5, 2, (5, 2)).round(2)
    names, values = ("a0", "b0", "a1", "b1"), np.array([[0.7], [1.3], [1.6], [0.9]])
    powers = dict(zip(names, values, strict=True))

    def kumar(xp: Any, p: Any) -> Any:
        u = (p["x"] - (low - 1e-6)) / (high + 1e-6 - (low - 1e-6))
        parts = (weights[:, i] * (1 - (1 - u[:, i] ** p[f"a{i}"]) ** p[f"b{i}"]) for i in (0, 1))
        return xp.sum(sum(parts))

    def kumar_slopes(p: Any) -> Any:
        made = KumarWarping(p["x"], Xmin=low, Xmax=high)
        assign(made, {key: p[key] for key in powers}).update_grads(p["x"], weights)
        return {"x": weights * made.fgrad_X(p["x"]), **gradients_of(made, powers)}

    yield Subject("KumarWarping", kumar, kumar_slopes, powers | {"x": X[:, :2]})


def _expectations() -> Iterator[Subject]:
    """Of kernels, over Gaussian points: what variational bounds are made of."""
    from GPy.core.parameterization.variational import NormalPosterior, NormalPrior
    from GPy.kern.src.psi_comp import linear_psi_comp, rbf_psi_comp

    at = {"variance": np.array([1.3]), "l": np.array([0.8, 1.4]), "z": Z[:, :2], "mu": X[:, :2]}
    at |= {"s": _RNG.uniform(0.3, 0.9, (5, 2)).round(2)}
    w0, w1, w2 = (_RNG.uniform(0.5, 2, shape).round(2) for shape in (5, (5, 3), (3, 3)))

    def rbf(xp: Any, p: Any) -> Any:
        squared, s, mu, z = p["l"] ** 2, p["s"][:, None], p["mu"][:, None], p["z"]
        near = xp.sum((mu - z[None]) ** 2 / (s + squared), axis=2)
        psi1 = p["variance"] * xp.exp(-near / 2) / xp.sqrt(xp.prod(s / squared + 1, axis=2))
        s, mu, gap, mid = s[:, None], mu[:, None], z[:, None] - z[None], (z[:, None] + z[None]) / 2
        far = xp.sum(gap**2 / squared / 4 + (mu - mid) ** 2 / (2 * s + squared), axis=3)
        psi2 = p["variance"] ** 2 * xp.exp(-far) / xp.sqrt(xp.prod(2 * s / squared + 1, axis=3))
        return xp.sum(w0 * p["variance"]) + xp.sum(w1 * psi1) + xp.sum(w2 * psi2)

    def rbf_slopes(p: Any) -> Any:
        q = NormalPosterior(p["mu"].copy(), p["s"].copy())
        found = rbf_psi_comp.psiDerivativecomputations(w0, w1, w2, p["variance"], p["l"], p["z"], q)
        named = dict(zip(("variance", "l", "z", "mu", "s"), map(np.asarray, found), strict=True))
        return named | {"variance": named["variance"].reshape(1)}

    yield Subject("psi statistics of RBF", rbf, rbf_slopes, at)
    at = {"v": at["l"], **{key: at[key] for key in ("z", "mu", "s")}}

    def linear(xp: Any, p: Any) -> Any:
        psi0 = xp.sum(p["v"] * (p["mu"] ** 2 + p["s"]), axis=1)
        psi1 = p["mu"] @ (p["v"] * p["z"]).T
        psi2 = (xp.sum(p["s"], axis=0) * p["v"] ** 2 * p["z"]) @ p["z"].T + psi1.T @ psi1
        return xp.sum(w0 * psi0) + xp.sum(w1 * psi1) + xp.sum(w2 * psi2)

    def linear_slopes(p: Any) -> Any:
        q = NormalPosterior(p["mu"].copy(), p["s"].copy())
        found = linear_psi_comp.psiDerivativecomputations(w0, w1, w2, p["v"], p["z"], q)
        return dict(zip(("v", "z", "mu", "s"), map(np.asarray, found), strict=True))

    yield Subject("psi statistics of Linear", linear, linear_slopes, at)

    def divergence(xp: Any, p: Any) -> Any:
        return -xp.sum(p["mu"] ** 2 + p["s"] - xp.log(p["s"])) / 2

    def divergence_slopes(p: Any) -> Any:
        q = NormalPosterior(p["mu"].copy(), p["s"].copy())
        q.mean.gradient[:] = q.variance.gradient[:] = 0
        NormalPrior().update_gradients_KL(q)
        return {"mu": np.array(q.mean.gradient), "s": np.array(q.variance.gradient)}

    at = {key: at[key] for key in ("mu", "s")}
    yield Subject("NormalPrior.update_gradients_KL", divergence, divergence_slopes, at)


def _gaussian(xp: Any, y: Any, covariance: Any) -> Any:
    """log N(y | 0, covariance) but for a constant."""
    quadratic = xp.sum(y * (xp.linalg.inv(covariance) @ y))
    return -(xp.linalg.slogdet(covariance)[1] + quadratic) / 2


def _processes() -> Iterator[Subject]:
    """Log likelihoods of processes and their bounds, by all of their parameters."""
    import GPy
    from GPy.inference.latent_function_inference import (
        DTC,
        FITC,
        ExactGaussianInference,
        ExactStudentTInference,
        VarDTC,
    )

    y = _RNG.normal(size=(5, 1)).round(2)
    noise = "likelihood.variance"
    names = ["kern.variance", "kern.lengthscale", noise]
    at = dict(zip(names, (np.array([v]) for v in (1.3, 1.1, 0.4)), strict=True))

    def k(xp: Any, p: Any, a: Any, b: Any) -> Any:
        near = squares(xp, a[:, None], b[None], p["kern.lengthscale"])
        return p["kern.variance"] * xp.exp(-near / 2)

    def exact(xp: Any, p: Any) -> Any:
        return _gaussian(xp, y, k(xp, p, X, X) + (p[noise] + 1e-8) * np.eye(5))

    def exact_slopes(p: Any) -> Any:
        return gradients_of(assign(GPy.models.GPRegression(X, y, GPy.kern.RBF(4)), p), p)

    yield Subject("GPRegression", exact, exact_slopes, at)
    at = at | {"Z": Z}

    def sparse(xp: Any, p: Any, kind: str) -> Any:
        jitter = {"VarDTC": 1e-8, "FITC": 1e-6, "DTC": 0.0}[kind]
        some, cross = k(xp, p, p["Z"], p["Z"]) + jitter * np.eye(3), k(xp, p, X, p["Z"])
        near = cross @ xp.linalg.inv(some) @ cross.T
        left = p["kern.variance"] - xp.sum(near * np.eye(5), axis=1)
        added = p[noise] + (left if kind == "FITC" else 0)
        bound = _gaussian(xp, y, near + added * np.eye(5))
        return bound - (xp.sum(left / p[noise]) / 2 if kind == "VarDTC" else 0)

    for method in (VarDTC, FITC, DTC):

        def sparse_slopes(p: Any, method: Any = method) -> Any:
            kernel = GPy.kern.RBF(4, p["kern.variance"].copy(), p["kern.lengthscale"].copy())
            parts = p["Z"].copy(), kernel, GPy.likelihoods.Gaussian(variance=p[noise].copy())
            made = GPy.core.SparseGP(X, y, *parts, inference_method=method())
            return gradients_of(made, p)

        f = partial(sparse, kind=method.__name__)
        yield Subject(f"SparseGP {method.__name__}", f, sparse_slopes, at)
    draws = _RNG.normal(size=(5, 5))
    at = {"K": (draws @ draws.T + np.eye(5)).round(2), "y": y}

    def given(xp: Any, p: Any) -> Any:
        return _gaussian(xp, p["y"], (p["K"] + p["K"].T) / 2 + (0.4 + 1e-8) * np.eye(5))

    def given_slopes(p: Any) -> Any:
        parts = None, X, GPy.likelihoods.Gaussian(variance=0.4), p["y"]
        found = ExactGaussianInference().inference(*parts, K=(p["K"] + p["K"].T) / 2)[2]
        return {"K": found["dL_dK"], "y": -found["dL_dm"]}

    yield Subject("ExactGaussianInference", given, given_slopes, at)

    def student(xp: Any, p: Any) -> Any:
        covariance, nu = (p["K"] + p["K"].T) / 2 + 1e-8 * np.eye(5), p["nu"]
        beta = xp.sum(p["y"] * (xp.linalg.inv(covariance) @ p["y"]))
        found = -5 * xp.log(nu - 2) - xp.linalg.slogdet(covariance)[1]
        found = (found - (nu + 5) * xp.log(1 + beta / (nu - 2))) / 2
        return xp.sum(found + xp.gammaln((nu + 5) / 2) - xp.gammaln(nu / 2))

    def student_slopes(p: Any) -> Any:
        given, nu = (p["K"] + p["K"].T) / 2, p["nu"][0]
        found = ExactStudentTInference().inference(None, X, p["y"], nu, K=given)[2]
        return {"K": found["dL_dK"], "y": -found["dL_dm"], "nu": np.reshape(found["dL_dnu"], 1)}

    at = at | {"nu": np.array([5.3])}
    yield Subject("ExactStudentTInference", student, student_slopes, at)


def _matrices() -> Iterator[Subject]:
    from GPy.core.parameterization import priors
    from GPy.util import choleskies

    draws, weights = _RNG.normal(size=(4, 4)), _RNG.uniform(0.5, 2, (4, 4)).round(2)
    at = (draws @ draws.T + np.eye(4)).round(2)

    def factor(xp: Any, a: Any) -> Any:
        lower = xp.tril(a)
        return xp.sum(weights * xp.linalg.cholesky(lower + xp.tril(a, -1).T))

    for name in ("backprop_gradient", "_backprop_gradient_pure"):

        def factor_slopes(a: Any, name: str = name) -> Any:
            lower = np.linalg.cholesky(np.tril(a) + np.tril(a, -1).T)
            return np.tril(getattr(choleskies, name)(np.tril(weights), lower))

        yield Subject(f"choleskies.{name}", factor, factor_slopes, at)
    labels = np.eye(2)[[0, 1, 1, 0, 1]]

    def discriminant(xp: Any, x: Any) -> Any:
        means, middle = labels.T @ x / labels.sum(0)[:, None], xp.mean(x, axis=0)
        within, between = x - labels @ means, (means - middle) * np.sqrt(labels.sum(0))[:, None]
        inverse = xp.linalg.inv(between.T @ between / 5 + 0.1 * np.eye(2))
        return -xp.sum(inverse * (within.T @ within / 5)) / 0.7

    def discriminant_slopes(x: Any) -> Any:
        return np.asarray(priors.DGPLVM(0.7, labels, x.shape).lnpdf_grad(x))

    yield Subject("prior DGPLVM", discriminant, discriminant_slopes, X[:, :2])


def _gpy() -> Iterator[Subject]:
    homes = "core.parameterization.priors", "util.warping_functions", "likelihoods.link_functions"
    yield from _likelihoods()
    yield from tabled(SCALARS, globals(), *(f"GPy.{home}" for home in homes))
    yield from _mappings()
    yield from _warpings()
    yield from _expectations()
    yield from _processes()
    yield from _matrices()


PACKAGES = {
    "gpy": _gpy,
    "paramz": partial(tabled, TRANSFORMATIONS, globals(), "paramz.transformations"),
}
