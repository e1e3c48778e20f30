"""GPy's kernels, likelihoods, links, mappings, priors and bounds; paramz's transformations."""

# pyright: reportMissingImports=false
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import jax
import numpy as np
from mpmath import mpf

from tests.attack.foreign.subject import JAX, Subject, tabled
from tests.attack.formulas import Namespace, formula, modules, table

_RNG = np.random.default_rng(37)
X, Z = (_RNG.normal(size=(n, 4)).round(2) for n in (5, 3))
W, PAIRS, EACH = (_RNG.uniform(0.5, 2, shape).round(2) for shape in ((5, 3), (5, 5), 5))
#: Weights of a symmetric matrix: what a symmetric gradient is for.
PAIRS = PAIRS + PAIRS.T
C = np.array([0.7, -1.1, 1.6, 0.4, -0.9])
REAL = np.array([-1.3, -0.7, 0.2, 1.1, 1.9])
POSITIVE = np.array([0.21, 0.8, 1.3, 2.9, 4.1])
UNIT = np.array([0.12, 0.37, 0.55, 0.81, 0.93])
CENTRES, OUTPUTS = np.array([0.1, 0.9]), np.array([[0], [2], [1], [1], [0]])
LABELS, COUNTS = np.array([0.0, 1, 1, 0, 1]), np.array([1.0, 3, 0, 2, 4])
#: A trial more than successes at least, so that both outcomes occur.
METADATA = {"trials": COUNTS[:, None] + 2, "censored": LABELS[:, None]}


def _squares(xp: Any, a: Any, b: Any, l: Any) -> Any:  # noqa: E741
    return xp.sum(((a - b) / l) ** 2, axis=-1)


def _r(xp: Any, a: Any, b: Any, l: Any) -> Any:  # noqa: E741
    return xp.sqrt(_squares(xp, a, b, l))


def _arc(xp: Any, a: Any, b: Any, w: Any, bias: Any) -> Any:
    ab, aa, bb = (xp.sum(w * u * v, axis=-1) + bias for u, v in ((a, b), (a, a), (b, b)))
    return 2 / np.pi * xp.arcsin(ab / xp.sqrt((aa + 1) * (bb + 1)))


def _standard(xp: Any, a: Any, b: Any, period: Any, l: Any) -> Any:  # noqa: E741
    return xp.exp(-xp.sum((xp.sin(np.pi * (a - b) / period) / l) ** 2, axis=-1) / 2)


def _integrals(xp: Any, t: Any, u: Any, s: Any, v: Any, l: Any) -> Any:  # noqa: E741
    """The integral of exp(-(x - y)²/l²) for x from s to t and y from v to u."""

    def g(z: Any) -> Any:
        z = z / l
        return z * xp.sqrt(xp.pi + 0 * z) * xp.erf(z) + xp.exp(-(z**2))

    return l**2 / 2 * (g(t - v) + g(u - s) - g(t - u) - g(s - v))


def _spline(xp: Any, a: Any, b: Any, c: Any) -> Any:
    s, t = (a + 8) / 16, (b + 8) / 16
    return 1 + (1 + c) * 16 * s * t + c / 3 * (xp.abs(s - t) ** 3 - s**3 - t**3)


#: By the order of the Matérn kernel: the coefficients of f, f', f'' and so on of its operator,
#: what its integral is divided by, and what is added of f, f' and f'' at the lower end.
def _operator(order: int, l: Any) -> tuple[Any, ...]:  # noqa: E741
    if order == 1:
        return (1 / l, 1), 2 / l, {(0, 0): 1}
    if order == 3:
        return (3 / l**2, 2 * np.sqrt(3) / l, 1), 12 * np.sqrt(3) / l**3, {(0, 0): 1, (1, 1): l**2 / 3}
    ends = {(0, 0): 9 / 8, (2, 2): 9 * l**4 / 200, (1, 1): 3 * l**2 / 5}
    ends |= {(2, 0): 3 * l**2 / 40, (0, 2): 3 * l**2 / 40}
    root = np.sqrt(5)
    return (5 * root / l**3, 15 / l**2, 3 * root / l, 1), 400 * root / (3 * l**5), ends


def _periodic(xp: Any, a: Any, b: Any, l: Any, period: Any, order: int) -> Any:  # noqa: E741
    """The kernel of the span of sin and cos of two frequencies on [0, 5]."""
    upper, waves = 5.0, [(k, shift) for k in (1, 2) for shift in (-np.pi / 2, 0.0)]
    terms, scale, ends = _operator(order, l)

    def f(x: Any, wave: Any, derivative: int = 0) -> Any:
        k, shift = wave
        omega = 2 * np.pi * k / period
        return omega**derivative * xp.cos(omega * x + (shift + derivative * np.pi / 2))

    def integral(one: Any, two: Any) -> Any:
        """Of f's product with another one's, after the operator."""
        total = 0
        for i, p in enumerate(terms):
            for j, q in enumerate(terms):
                (k, s), (m, t) = one, two
                s, t, base = s + i * np.pi / 2, t + j * np.pi / 2, 2 * np.pi / period
                part = (xp.sin((k + m) * base * upper + s + t) - np.sin(s + t)) / ((k + m) * base)
                if k == m:
                    part = part + upper * np.cos(s - t)
                else:
                    fast = (k - m) * base
                    part = part + (xp.sin(fast * upper + s - t) - np.sin(s - t)) / fast
                total = total + p * q * (k * base) ** i * (m * base) ** j * part / 2
        return total

    def gram(one: Any, two: Any) -> Any:
        lower = (c * f(0.0, one, i) * f(0.0, two, j) for (i, j), c in ends.items())
        return (integral(one, two) / scale + sum(lower))[0]

    rows = xp.stack([xp.stack([gram(one, two) for two in waves]) for one in waves])
    left, right = (xp.stack([f(v[..., 0], wave) for wave in waves], axis=-1) for v in (a, b))
    return xp.sum((left @ xp.linalg.inv(rows)) * right, axis=-1)


#: Kernels: how each is made, its parameters, its value at points a and b, the gradients of what
#: `_kernel` knows, and perhaps points of its own.
KERNELS = """
RBF              | RBF(2)                       | variance lengthscale
    | variance * exp(-_squares(xp, a, b, lengthscale) / 2)         | full both X XX
RBF ARD          | RBF(2, ARD=True)             | variance lengthscale
    | variance * exp(-_squares(xp, a, b, lengthscale) / 2)         | full both X XX
RBF inv_l        | RBF(2, inv_l=True)           | variance inv_lengthscale
    | variance * exp(-inv_lengthscale * _squares(xp, a, b, 1) / 2) | full
Exponential      | Exponential(2)               | variance lengthscale
    | variance * exp(-_r(xp, a, b, lengthscale))                   | full X
OU               | OU(2, ARD=True)              | variance lengthscale
    | variance * exp(-_r(xp, a, b, lengthscale))                   | full X
Matern32         | Matern32(2)                  | variance lengthscale
    | variance * (1 + (r := 3**0.5 * _r(xp, a, b, lengthscale))) * exp(-r) | full X both XX
Matern32 ARD     | Matern32(2, ARD=True)        | variance lengthscale
    | variance * (1 + (r := 3**0.5 * _r(xp, a, b, lengthscale))) * exp(-r) | full X
Matern52         | Matern52(2)                  | variance lengthscale
    | variance * (1 + (r := 5**0.5 * _r(xp, a, b, lengthscale)) + r**2 / 3) * exp(-r) | full X
Matern52 ARD     | Matern52(2, ARD=True)        | variance lengthscale
    | variance * (1 + (r := 5**0.5 * _r(xp, a, b, lengthscale)) + r**2 / 3) * exp(-r) | full X
ExpQuad          | ExpQuad(2)                   | variance lengthscale
    | variance * exp(-_squares(xp, a, b, lengthscale) / 2)         | full both X
Cosine           | Cosine(2)                    | variance lengthscale
    | variance * cos(_r(xp, a, b, lengthscale))                    | full X
ExpQuadCosine    | ExpQuadCosine(2)             | variance lengthscale period
    | variance * exp(-2 * np.pi**2 * (r := _r(xp, a, b, lengthscale)) ** 2)
      * cos(2 * np.pi * r / period)                                | full X
Sinc             | Sinc(2)                      | variance lengthscale
    | variance * sinc(2 * _r(xp, a, b, lengthscale))               | full X
RatQuad          | RatQuad(2)                   | variance lengthscale power
    | variance * (1 + _squares(xp, a, b, lengthscale) / 2) ** -power | full both X
RatQuad ARD      | RatQuad(2, ARD=True)         | variance lengthscale power
    | variance * (1 + _squares(xp, a, b, lengthscale) / 2) ** -power | full X
Linear           | Linear(2)                    | variances
    | sum(variances * a * b, axis=-1)              | full both diag X XX Xdiag
Linear ARD       | Linear(2, ARD=True)          | variances
    | sum(variances * a * b, axis=-1)              | full both diag X XX Xdiag
LinearFull       | LinearFull(2, 1)             | W kappa
    | sum(a @ (W @ W.T + diag(kappa)) * b, axis=-1) | full both diag X XX Xdiag
Poly             | Poly(2, order=3)             | variance scale bias
    | variance * (scale * sum(a * b, axis=-1) + bias) ** 3 | full both
MLP              | MLP(2)                       | variance weight_variance bias_variance
    | variance * _arc(xp, a, b, weight_variance, bias_variance) | full both diag X XX Xdiag
MLP ARD          | MLP(2, ARD=True)             | variance weight_variance bias_variance
    | variance * _arc(xp, a, b, weight_variance, bias_variance) | full both diag X XX Xdiag
StdPeriodic      | StdPeriodic(2)               | variance period lengthscale
    | variance * _standard(xp, a, b, period, lengthscale) | full both X XX
StdPeriodic ARD  | StdPeriodic(2, ARD1=True, ARD2=True) | variance period lengthscale
    | variance * _standard(xp, a, b, period, lengthscale) | full both X XX
PeriodicExponential | PeriodicExponential(1, n_freq=2, upper=5.0) | variance lengthscale period
    | variance * _periodic(xp, a, b, lengthscale, period, 1) | full
PeriodicMatern32 | PeriodicMatern32(1, n_freq=2, upper=5.0)      | variance lengthscale period
    | variance * _periodic(xp, a, b, lengthscale, period, 3) | full
PeriodicMatern52 | PeriodicMatern52(1, n_freq=2, upper=5.0)      | variance lengthscale period
    | variance * _periodic(xp, a, b, lengthscale, period, 5) | full
Bias             | Bias(2)                      | variance
    | variance + 0 * sum(a * b, axis=-1)           | full both diag
White            | White(2)                     | variance
    | variance * np.eye(5)                         | both
WhiteHeteroscedastic | WhiteHeteroscedastic(2, 5) | variance
    | variance * np.eye(5)                         | both
Fixed            | Fixed(2, PAIRS)              | variance
    | variance * PAIRS                             | both
Coregionalize    | Coregionalize(1, 3, rank=2)  | W kappa
    | (W @ W.T + diag(kappa))[a[..., 0], b[..., 0]] | full both diag | OUTPUTS, OUTPUTS[1:4]
Brownian         | Brownian(1)                  | variance
    | variance * where(a * b > 0, minimum(abs(a), abs(b)), 0)[..., 0] | full both
WienerVelocity   | WienerVelocity(1)            | variance
    | variance * where(a * b > 0, (m := minimum(abs(a), abs(b))) ** 3 / 3
      + abs(a - b) * m**2 / 2, 0)[..., 0]          | full both
Spline           | Spline(1)                    | variance c
    | variance**2 * _spline(xp, a[..., 0], b[..., 0], c) | full both
TruncLinear      | TruncLinear(2, ARD=True)     | variances delta
    | sum(variances * maximum((a - delta) * (b - delta), 0), axis=-1) | full both diag X XX Xdiag
TruncLinear_inf  | TruncLinear_inf(2, (-0.5, 0.7), ARD=True) | variances
    | sum(variances * (abs(a - b) ** 3 / 6 + a * b * 1.2 - (a + b) * 0.24 / 2 + 0.468 / 3), axis=-1)
                                                   | full both diag
PolynomialBasisFunc | PolynomialBasisFuncKernel(1, 2) | variance
    | sum(variance * (a * b) ** np.arange(3.0), axis=-1) | full both diag
LogisticBasisFunc | LogisticBasisFuncKernel(1, [0.1, 0.9])   | variance slope
    | variance * sum(expit((a - CENTRES) * slope) * expit((b - CENTRES) * slope), axis=-1)
                                                   | both square
Integral         | Integral(1, np.ones(1))      | variances lengthscale
    | variances * _integrals(xp, a[..., 0], b[..., 0], 0.0, 0.0, lengthscale) | both
Integral_Limits  | Integral_Limits(2, np.ones(1)) | variances lengthscale
    | variances * _integrals(xp, a[..., 0], b[..., 0], a[..., 1], b[..., 1], lengthscale) | both
Multidimensional_Integral_Limits
    | Multidimensional_Integral_Limits(4, np.ones(1), np.ones(2)) | variances lengthscale
    | variances * prod(_integrals(xp, a[..., ::2], b[..., ::2], a[..., 1::2], b[..., 1::2],
      lengthscale), axis=-1)                       | both
RBF × Linear     | RBF(2) * Linear(2)           | rbf.variance rbf.lengthscale linear.variances
    | rbf_variance * exp(-_squares(xp, a, b, rbf_lengthscale) / 2)
      * sum(linear_variances * a * b, axis=-1)     | full both X
RBF + MLP        | RBF(2) + MLP(2)
    | rbf.variance rbf.lengthscale mlp.variance mlp.weight_variance mlp.bias_variance
    | rbf_variance * exp(-_squares(xp, a, b, rbf_lengthscale) / 2)
      + mlp_variance * _arc(xp, a, b, mlp_weight_variance, mlp_bias_variance) | full both X
"""


#: Likelihoods: how each is made, its parameters with their names in methods, log p of the link's
#: value f, and where.
LIKELIHOODS = """
Gaussian    | Gaussian(variance=0.7)          | variance var
    | -((COUNTS - f) ** 2) / (2 * variance) - log(2 * np.pi * variance) / 2       | REAL
StudentT    | StudentT(deg_free=4.3, sigma2=1.7) | sigma2 var v v
    | gammaln((v + 1) / 2) - gammaln(v / 2) - log(sigma2 * v * np.pi) / 2
      - (v + 1) / 2 * log(1 + (COUNTS - f) ** 2 / (v * sigma2))                   | REAL
Bernoulli   | Bernoulli()                     |     | LABELS * log(f) + (1 - LABELS) * log(1 - f)                                 | UNIT
Binomial    | Binomial()                      |     | COUNTS * log(f) + 2 * log(1 - f)                                            | UNIT
Poisson     | Poisson()                       |     | COUNTS * log(f) - f                                                         | POSITIVE
Exponential | Exponential()                   |     | log(f) - COUNTS * f               | POSITIVE
Gamma       | Gamma(beta=1.7)                 | beta beta
    | f * beta * log(beta) - gammaln(f * beta) + (f * beta - 1) * log(AMOUNTS)
      - beta * AMOUNTS                                                            | POSITIVE
Weibull     | Weibull(beta=1.7)               | r r
    | (1 - LABELS) * (log(r / f) + (r - 1) * log(AMOUNTS)) - AMOUNTS**r / f       | POSITIVE
LogGaussian | LogGaussian(sigma=0.9)          | variance var
    | (1 - LABELS) * (-log(2 * np.pi * variance) / 2 - (np.log(AMOUNTS) - f) ** 2 / (2 * variance))
      + LABELS * log_ndtr((f - np.log(AMOUNTS)) / sqrt(variance))                 | REAL
LogLogistic | LogLogistic(r=1.7)              | r r
    | (1 - LABELS) * (log(r / f) + (r - 1) * (np.log(AMOUNTS) - log(f)))
      - (2 - LABELS) * log1p((AMOUNTS / f) ** r)                                  | POSITIVE
"""
AMOUNTS = COUNTS / 2 + 0.3

#: Likelihoods with links that are not the identity: the link's value.
COMPOSED = """
Bernoulli   | ndtr(f)
Binomial    | ndtr(f)
Poisson     | exp(f)
Exponential | exp(f)
Gamma       | exp(f)
Weibull     | exp(f)
LogLogistic | exp(f)
"""

LINKS = """
Probit       | Probit()          | ndtr(x)          | REAL
ScaledProbit | ScaledProbit(1.3) | ndtr(1.3 * x)    | REAL
Cloglog      | Cloglog()         | -exp(-exp(x))    | REAL
Log          | Log()             | exp(x)           | REAL
Log_ex_1     | Log_ex_1()        | log1p(exp(x))    | REAL
Reciprocal   | Reciprocal()      | 1 / x            | POSITIVE
"""

#: What is a function of numbers, and its derivative.
SCALARS = """
name     = {0}
loss     = sum(C * ({1}))
gradient = C * ({2})
at       = {3}

prior Gaussian     | -((x - 0.3) ** 2) / (2 * 0.7**2)    | priors.Gaussian(0.3, 0.7).lnpdf_grad(x)     | REAL
prior LogGaussian  | -((log(x) - 0.3) ** 2) / (2 * 0.7**2) - log(x)
    | priors.LogGaussian(0.3, 0.7).lnpdf_grad(x)  | POSITIVE
prior Gamma        | 0.7 * log(x) - 1.3 * x              | priors.Gamma(1.7, 1.3).lnpdf_grad(x)        | POSITIVE
prior InverseGamma | -2.7 * log(x) - 1.3 / x             | priors.InverseGamma(1.7, 1.3).lnpdf_grad(x) | POSITIVE
prior HalfT        | -log(1 + x**2 / (2.3 * 0.7**2)) * 3.3 / 2
    | priors.HalfT(0.7, 2.3).lnpdf_grad(x)        | POSITIVE
prior StudentT     | -log(1 + (x - 0.3) ** 2 / (2.3 * 0.7**2)) * 3.3 / 2
    | priors.StudentT(0.3, 0.7, 2.3).lnpdf_grad(x) | REAL
prior Exponential  | -1.7 * x                            | priors.Exponential(1.7).lnpdf_grad(x)       | POSITIVE
LogFunction.fgrad_y | log(x)                             | warping_functions.LogFunction().fgrad_y(x)  | POSITIVE
"""

#: Transformations of paramz: what each computes. `gradfactor` takes the value for its argument.
TRANSFORMATIONS = """
name     = {0}.gradfactor
loss     = sum(C * ({2}))
gradient = (lambda t: t.gradfactor(t.f(x), C))(transformations.{0}({1}))
at       = {3}

Logexp           |          | log1p(exp(x))        | REAL
Exponent         |          | exp(x)               | REAL
NegativeLogexp   |          | -log1p(exp(x))       | REAL
NegativeExponent |          | -exp(x)              | REAL
Square           |          | x**2                 | POSITIVE
Logistic         | 0.3, 1.7 | 0.3 + 1.4 * expit(x) | REAL
"""
JACOBIANS = """
name     = {0}.log_jacobian_grad
loss     = sum(C * ({1}))
gradient = C * transformations.{0}().log_jacobian_grad(x)
at       = POSITIVE

Logexp   | log(-expm1(-x))
Exponent | log(x)
"""

#: Mappings: how each is made, its parameters, and its value.
MAPPINGS = """
Linear    | Linear(4, 2)                  | A             | x @ A
MLP       | MLP(4, 2, 3)                  | W1 b1 W2 b2   | tanh(x @ W1 + b1) @ W2 + b2
MLPext tanh | MLPext(4, 2, [3, 5])        | W0 b0 W1 b1 W2 b2
    | tanh(tanh(x @ W0 + b0) @ W1 + b1) @ W2 + b2
MLPext sigmoid | MLPext(4, 2, [3], activation="sigmoid") | W0 b0 W1 b1 | expit(x @ W0 + b0) @ W1 + b1
MLPext relu | MLPext(4, 2, [3], activation="relu") | W0 b0 W1 b1 | maximum(x @ W0 + b0, 0) @ W1 + b1
Constant  | Constant(4, 2)                | C             | 0 * x[:, :2] + C
Kernel    | Kernel(4, 2, Z, kern.RBF(4))  | A
    | exp(-_squares(xp, x[:, None], Z[None], 1) / 2) @ A
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


def _slope(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative of a function of numbers: JAX's for the judge, differences for the truth."""
    if not order:
        return f
    below, step = _slope(f, order - 1), mpf(2) ** -50

    def slope(xp: Any, x: Any) -> Any:
        if xp is JAX:
            return jax.grad(lambda x: xp.sum(below(xp, x)))(x)
        return (below(xp, x + step) - below(xp, x - step)) / (2 * step)

    return slope


def _set(made: Any, values: dict[str, Any]) -> Any:
    """Something of GPy's with parameters that are named, perhaps by way of its parts."""
    for name, value in values.items():
        attrgetter(name)(made)[...] = value
    return made


def _gradients(made: Any, names: Any) -> dict[str, Any]:
    return {name: np.array(attrgetter(name)(made).gradient) for name in names}


def _parameters(made: Any, names: str) -> dict[str, Any]:
    """By name, values like those that are there."""
    shapes = {name: np.shape(attrgetter(name)(made)) for name in names.split()}
    return {name: _RNG.uniform(0.6, 1.7, shape).round(2) for name, shape in shapes.items()}


def _with(text: str, arguments: str, names: str) -> Callable[..., Any]:
    """A formula of arguments and of a dictionary of parameters."""
    known = names.replace(".", "_").split()
    f = formula(", ".join([*arguments.split(), *known]), text, globals())
    return lambda xp, p, *args: f(xp, *args, *(p[name] for name in names.split()))


def _kernels() -> Iterator[Subject]:
    import GPy

    for name, text, parameters, value, kinds, *given in table(KERNELS):
        make, k = formula("", text, globals()), _with(value, "a b", parameters)
        dimensions = make(GPy.kern).input_dim
        x, z = eval(given[0], globals()) if given else (X[:, :dimensions], Z[:, :dimensions])
        p = _parameters(make(GPy.kern), parameters)
        for kind in kinds.split():
            yield _kernel(name, kind, lambda make=make: make(GPy.kern), k, p, x, z)


def _kernel(
    name: str, kind: str, make: Callable[..., Any], k: Any, p: Any, x: Any, z: Any
) -> Subject:
    """The gradient of the weighted sum of the covariances of some pairs of points."""
    weights = {"full": W, "X": W, "diag": EACH, "Xdiag": EACH}.get(kind, PAIRS)
    methods = {"diag": "update_gradients_diag", "Xdiag": "gradients_X_diag"}
    of_x = kind.startswith("X")
    method = methods.get(kind, "gradients_X" if of_x else "update_gradients_full")

    def others(x: Any) -> Any:
        return {"full": (z,), "X": (z,), "square": (x + 0.3,)}.get(kind, ())

    def loss(xp: Any, params: Any) -> Any:
        one, values = (params, p) if of_x else (x, params)
        if kind in methods:
            return xp.sum(weights * k(xp, values, one, one))
        (other,) = others(one) or (one,)
        return xp.sum(weights * k(xp, values, one[:, None], other[None]))

    def gradient(params: Any) -> Any:
        one, values = (params, p) if of_x else (x, params)
        made = _set(make(), values)
        found = getattr(made, method)(weights.copy(), one, *(others(one) or ()))
        return np.asarray(found) if of_x else _gradients(made, p)

    label = {"both": ", symmetric", "XX": ", symmetric"}.get(kind, "")
    return Subject("gpy", f"{name}.{method}{label}", loss, gradient, x if of_x else p)


def _likelihoods() -> Iterator[Subject]:
    from GPy import likelihoods
    from GPy.likelihoods import loggaussian

    home = Namespace(likelihoods, loggaussian)
    links = dict(table(COMPOSED))
    for name, text, parameters, value, where in table(LIKELIHOODS):
        make, theta = formula("", text, globals()), parameters.split()[::2]
        f_of = _with(value, "f", " ".join(theta))
        p = {key: np.array(getattr(make(home), key)) for key in theta}
        f, at = lambda xp, f, g=f_of, p=p: g(xp, p, f), eval(where, globals())
        y = (AMOUNTS if "AMOUNTS" in value else LABELS if name == "Bernoulli" else COUNTS)[:, None]

        def subject(method: str, loss: Any, x: Any, key: str = "", make: Any = make, y: Any = y, at: Any = at) -> Subject:
            def gradient(x: Any) -> Any:
                made = make(home)
                if key:
                    getattr(made, key)[...] = x
                f = (at if key else x)[:, None]
                found = C * np.asarray(getattr(made, method)(f, y, METADATA))[:, 0]
                return np.sum(found, keepdims=True).reshape(x.shape) if key else found

            return Subject("gpy", f"{name}.{method}", loss, gradient, x)

        for order in (1, 2, 3):
            below = _slope(f, order - 1)
            number = str(order) if order > 1 else ""
            if (name, order) == ("Gaussian", 3):
                continue  # zero, which differences of differences are not
            loss = lambda xp, x, g=below: xp.sum(C * g(xp, x))
            yield subject(f"d{number}logpdf_dlink{number}", loss, at)
            if name in links:
                link = formula("f", links[name])
                below = _slope(lambda xp, x, link=link, f=f: f(xp, link(xp, x)), order - 1)
                loss = lambda xp, x, g=below: xp.sum(C * g(xp, x))
                yield subject(f"d{number}logpdf_df{number}", loss, REAL)
        for key, short in zip(theta, parameters.split()[1::2], strict=True):
            for order, top in enumerate(("dlogpdf_link", "dlogpdf_dlink", "d2logpdf_dlink2", "d3logpdf_dlink3")):
                method = f"{top}_d{short}"
                if not hasattr(make(home), method):
                    continue

                def loss(xp: Any, x: Any, key: str = key, order: int = order, f_of: Any = f_of, p: Any = p, at: Any = at) -> Any:
                    g = _slope(lambda xp, f: f_of(xp, p | {key: x}, f), order)
                    return xp.sum(C * g(xp, xp.asarray(at)))

                yield subject(method, loss, p[key], key)


def _links() -> Iterator[Subject]:
    from GPy.likelihoods import link_functions

    for name, text, value, where in table(LINKS):
        f, link = formula("x", value), formula("", text)(link_functions)
        for order in (1, 2, 3):
            number = str(order) if order > 1 else ""
            method, below = f"d{number}transf_df{number}", _slope(f, order - 1)

            def loss(xp: Any, x: Any, below: Any = below) -> Any:
                return xp.sum(C * below(xp, x))

            def gradient(x: Any, of: Any = getattr(link, method)) -> Any:
                return C * of(x)

            yield Subject("gpy", f"{name}.{method}", loss, gradient, eval(where, globals()))


def _mappings() -> Iterator[Subject]:
    import GPy

    names = vars(GPy.mappings) | globals() | {"kern": GPy.kern, "Linear": GPy.mappings.Linear}
    for name, text, parameters, value in table(MAPPINGS):
        f, make = _with(value, "x", parameters), lambda text=text: eval(text, dict(names))
        p = _parameters(make(), parameters)
        x = X[:, : make().input_dim]
        if "Piecewise" in name:
            p = {key: np.array(attrgetter(key)(make())) for key in p}
        c = _RNG.uniform(0.5, 2, make().f(x).shape).round(2)

        def loss(xp: Any, q: Any, f: Any = f, c: Any = c) -> Any:
            return xp.sum(c * f(xp, q["parameters"], q["x"]))

        def gradient(q: Any, make: Any = make, c: Any = c) -> Any:
            made = _set(make(), q["parameters"])
            made.update_gradients(c, q["x"])
            return {
                "parameters": _gradients(made, q["parameters"]),
                "x": np.asarray(made.gradients_X(c, q["x"])),
            }

        yield Subject("gpy", f"mapping {name}", loss, gradient, {"parameters": p, "x": x})


def subjects() -> Iterator[Subject]:
    """Those of GPy, and of paramz, which it is built on."""
    homes = modules(
        "GPy.core.parameterization.priors", "GPy.util.warping_functions", "paramz.transformations"
    )
    yield from _kernels()
    yield from _likelihoods()
    yield from _links()
    yield from tabled("gpy", SCALARS, globals() | homes)
    yield from _mappings()
    yield from tabled("paramz", TRANSFORMATIONS, globals() | homes)
    yield from tabled("paramz", JACOBIANS, globals() | homes)
