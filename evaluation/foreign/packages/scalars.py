"""Functions of one number beside their hand-written derivatives, elementwise in each package.

The loss is Σ c·f(x). A formula of `x` that names a function of the package's own runs in NumPy.
"""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from evaluation.foreign.subject import Subject
from evaluation.formulas import filled, formula, modules

C = np.array([0.7, -1.1, 1.6, 0.4, -0.9])
REAL = np.array([-2.3, -0.7, 0.2, 1.1, 2.9])
UNIT = np.array([0.12, 0.37, 0.55, 0.81, 0.93])
POSITIVE = np.array([0.21, 0.8, 1.3, 2.9, 6.1])
TARGETS, COUNTS = np.array([0.3, -1.0, 2.0, 0.5, -0.4]), POSITIVE.round() + 1
LABELS, AMOUNTS = np.array([0.0, 1, 1, 0, 1]), np.array([0.5, 1.5, 2.5, 0.5, 4.5])
SIGNS, PI = np.array([1.0, -1, 1, 1, -1]), np.pi
NORMS = "LeastSquares HuberT RamsayE AndrewWave TrimmedMean Hampel TukeyBiweight StudentT"

#: Tables, each below what a row of it makes: a subject's name, a function, the package's derivative
#: and where.
#:
#: Of `scipy.optimize.least_squares`: the function, and its first derivative. Distribution functions
#: and distributions, whose densities are the derivatives.
SCIPY = """
least_squares {0}         | {1} | _rho("{0}", 1, x) | POSITIVE
least_squares {0}, second | {2} | _rho("{0}", 2, x) | POSITIVE

huber   | where(x <= 1, x, 2 * sqrt(abs(x)) - 1) | where(x <= 1, x**0, abs(x) ** -0.5)
soft_l1 | 2 * (sqrt(1 + x) - 1)                  | (1 + x) ** -0.5
cauchy  | log1p(x)                               | 1 / (1 + x)
arctan  | arctan(x)                              | 1 / (1 + x**2)

{0} | {1} | special.{0}(x) | {2}

digamma | gammaln(x) | POSITIVE
i1      | i0(x)      | REAL

polygamma({0}) | {1} | special.polygamma({0}, x) | POSITIVE

1 | digamma(x)

{0}.pdf | {1} | stats.{2}.pdf(x) | {3}

norm        | ndtr(x)                                | norm                  | REAL
logistic    | expit(x)                               | logistic              | REAL
expon       | -expm1(-x)                             | expon                 | POSITIVE
cauchy      | arctan(x) / PI                         | cauchy                | REAL
gumbel_r    | exp(-exp(-x))                          | gumbel_r              | REAL
gumbel_l    | -exp(-exp(x))                          | gumbel_l              | REAL
weibull_min | -expm1(-(x**1.7))                      | weibull_min(1.7)      | POSITIVE
lomax       | -((1 + x) ** -1.7)                     | lomax(1.7)            | POSITIVE
rayleigh    | -expm1(-(x**2) / 2)                    | rayleigh              | POSITIVE
fisk        | 1 / (1 + x**-1.7)                      | fisk(1.7)             | POSITIVE
burr12      | -((1 + x**1.7) ** -0.6)                | burr12(1.7, 0.6)      | POSITIVE
gompertz    | -exp(-1.7 * expm1(x))                  | gompertz(1.7)         | UNIT
hypsecant   | 2 / PI * arctan(exp(x))                | hypsecant             | REAL
invweibull  | exp(-(x**-1.7))                        | invweibull(1.7)       | POSITIVE
gamma       | gammainc(1.7 + 0 * x, x)               | gamma(1.7)            | POSITIVE
genextreme  | exp(-((1 - 0.3 * x) ** (1 / 0.3)))     | genextreme(0.3)       | REAL
kappa3      | x * (1.7 + x**1.7) ** (-1 / 1.7)       | kappa3(1.7)           | POSITIVE
genlogistic | (1 + exp(-x)) ** -1.7                  | genlogistic(1.7)      | REAL
powernorm   | -(ndtr(-x) ** 1.7)                     | powernorm(1.7)        | REAL
exponweib   | (-expm1(-(x**1.7))) ** 0.6             | exponweib(0.6, 1.7)   | POSITIVE
johnsonsu   | ndtr(0.4 + 1.7 * arcsinh(x))           | johnsonsu(0.4, 1.7)   | REAL
johnsonsb   | ndtr(0.4 + 1.7 * logit(x))             | johnsonsb(0.4, 1.7)   | UNIT
fatiguelife | ndtr((sqrt(x) - 1 / sqrt(x)) / 1.7)    | fatiguelife(1.7)      | POSITIVE
arcsine     | 2 / PI * arcsin(sqrt(x))               | arcsine               | UNIT
alpha       | ndtr(1.7 - 1 / x) / ndtr(1.7 + 0 * x)  | alpha(1.7)            | POSITIVE
exponpow    | -exp(-expm1(x**1.7))                   | exponpow(1.7)         | UNIT
"""

#: Links of statsmodels and their inverses; those whose first derivatives are not compiled;
#: variances; generators of copulas with a parameter, and their derivatives by hand; norms.
STATSMODELS = """
{0}.deriv         | {2} | links.{1}.deriv(x)         | UNIT
{0}.inverse_deriv | {3} | links.{1}.inverse_deriv(x) | links.{1}(UNIT)

Logit            | Logit()               | log(x / (1 - x))       | expit(x)
Probit           | Probit()              | ndtri(x)               | ndtr(x)
Cauchy           | Cauchy()              | tan(PI * (x - 0.5))    | arctan(x) / PI + 0.5
CLogLog          | CLogLog()             | log(-log1p(-x))        | -expm1(-exp(x))
LogLog           | LogLog()              | -log(-log(x))          | exp(-exp(-x))
Log              | Log()                 | log(x)                 | exp(x)
LogC             | LogC()                | log1p(-x)              | -expm1(x)
Power(1.7)       | Power(1.7)            | x**1.7                 | x ** (1 / 1.7)
InverseSquared   | InverseSquared()      | x**-2.0                | x**-0.5
NegativeBinomial | NegativeBinomial(0.6) | log(x / (x + 1 / 0.6)) | -1 / (0.6 * (1 - exp(-x)))

{0}.deriv2         | links.{1}.deriv(x)         | links.{1}.deriv2(x)         | UNIT
{0}.inverse_deriv2 | links.{1}.inverse_deriv(x) | links.{1}.inverse_deriv2(x) | links.{1}(UNIT)

Logit            | Logit()
CLogLog          | CLogLog()
LogLog           | LogLog()
Log              | Log()
LogC             | LogC()
Power(1.7)       | Power(1.7)
InverseSquared   | InverseSquared()
NegativeBinomial | NegativeBinomial(0.6)

variance {0}.deriv | varfuncs.{1}(x) | varfuncs.{1}.deriv(x) | UNIT

Power(1.7)       | Power(1.7)
Binomial         | Binomial(3)
NegativeBinomial | NegativeBinomial(0.6)

copula {0}.deriv          | {2} | transforms.Transf{0}().deriv(x, {1}) | UNIT
copula {0}.deriv2
    | transforms.Transf{0}().deriv(x, {1}) | transforms.Transf{0}().deriv2(x, {1}) | UNIT
copula {0}.deriv3_inverse
    | transforms.Transf{0}().deriv2_inverse(x, {1})
    | transforms.Transf{0}().deriv3_inverse(x, {1}) | UNIT

Frank   | 2.3 | log(expm1(-2.3 + 0 * x) / expm1(-2.3 * x))
Clayton | 1.7 | x**-1.7 - 1
Gumbel  | 1.7 | (-log(x)) ** 1.7

copula Clayton.{1} | transforms.TransfClayton().{0}(x, 1.7)
    | transforms.TransfClayton().{1}(x, 1.7) | UNIT

inverse       | deriv_inverse
deriv_inverse | deriv2_inverse

norm {0}.psi       | norms.{0}().rho(x) | norms.{0}().psi(x)       | REAL * 1.5
norm {0}.psi_deriv | norms.{0}().psi(x) | norms.{0}().psi_deriv(x) | REAL * 1.5

"""
STATSMODELS += "\n".join(NORMS.split())

#: Losses of scikit-learn of a raw prediction, and the target; the first derivatives of some; losses
#: and activations that are compiled or work in place.
SKLEARN = """
{0} | {2} | loss.{0}({1}).gradient({3}.copy(), np.ascontiguousarray(x)) | REAL

AbsoluteError |               | abs(x - TARGETS)                                   | TARGETS
PinballLoss   | quantile=0.3  | maximum(0.3 * (TARGETS - x), -0.7 * (TARGETS - x)) | TARGETS
HuberLoss     | delta=1.0
    | where(abs(x - TARGETS) <= 1, (x - TARGETS) ** 2 / 2, abs(x - TARGETS) - 0.5)   | TARGETS

{0} | {2} | loss.{0}({1}).gradient({3}.copy(), np.ascontiguousarray(x)) | REAL
{0}, second | {4}
    | loss.{0}({1}).gradient_hessian({3}.copy(), np.ascontiguousarray(x))[1] | REAL

HalfSquaredError |           | (x - TARGETS) ** 2 / 2    | TARGETS | x - TARGETS
HalfPoissonLoss  |           | exp(x) - COUNTS * x       | COUNTS  | exp(x) - COUNTS
HalfGammaLoss    |           | x + COUNTS * exp(-x)      | COUNTS  | 1 - COUNTS * exp(-x)
HalfTweedieLoss  | power=1.5 | exp(0.5 * x) / 0.5 + COUNTS * exp(-0.5 * x) / 0.5
    | COUNTS | exp(0.5 * x) - COUNTS * exp(-0.5 * x)
HalfBinomialLoss |           | softplus(x) - LABELS * x  | LABELS  | expit(x) - LABELS
ExponentialLoss  |           | LABELS * exp(-x) + (1 - LABELS) * exp(x)
    | LABELS | (1 - LABELS) * exp(x) - LABELS * exp(-x)

SGD {0} | {2} | np.vectorize(_sgd_fast.{0}({1}).py_dloss)(x, {3}) | REAL

Hinge                     | 1.0 | maximum(0, 1 - x * SIGNS)               | SIGNS
SquaredHinge              | 1.0 | maximum(0, 1 - x * SIGNS) ** 2          | SIGNS
ModifiedHuber             |  | where(x * SIGNS < -1, -4 * x * SIGNS, maximum(0, 1 - x * SIGNS) ** 2)
    | SIGNS
EpsilonInsensitive        | 0.1 | maximum(0, abs(TARGETS - x) - 0.1)      | TARGETS
SquaredEpsilonInsensitive | 0.1 | maximum(0, abs(TARGETS - x) - 0.1) ** 2 | TARGETS

MLP {0} | {1} | _mlp("{0}", x) | REAL

logistic | expit(x)
tanh     | tanh(x)
relu     | maximum(x, 0)
"""

#: Links of glum and their inverses; deviances by distribution.
GLUM = """
{0}.derivative         | {2} | _link.{0}({1}).derivative(x)         | UNIT
{0}.inverse_derivative | {3} | _link.{0}({1}).inverse_derivative(x) | {4}

TweedieLink | 1.5 | x**-0.5         | x**-2.0         | POSITIVE
LogLink     |     | log(x)          | exp(x)          | REAL
LogitLink   |     | logit(x)        | expit(x)        | REAL
CloglogLink |     | log(-log1p(-x)) | -expm1(-exp(x)) | REAL

{0}.unit_deviance_derivative | {2}
    | _distribution.{0}Distribution({1}).unit_deviance_derivative(AMOUNTS, x) | POSITIVE
{0}.unit_variance_derivative | _distribution.{0}Distribution({1}).unit_variance(x)
    | _distribution.{0}Distribution({1}).unit_variance_derivative(x) | POSITIVE

Normal          |     | (AMOUNTS - x) ** 2
Poisson         |     | 2 * (AMOUNTS * log(AMOUNTS / x) - AMOUNTS + x)
Gamma           |     | 2 * (log(x / AMOUNTS) + AMOUNTS / x - 1)
InverseGaussian |     | (AMOUNTS - x) ** 2 / (x**2 * AMOUNTS)
NegativeBinomial | 0.6 | 2 * (AMOUNTS * log(AMOUNTS / x)
    - (AMOUNTS + 1 / 0.6) * log((0.6 * AMOUNTS + 1) / (0.6 * x + 1)))
"""


def _rho(name: str, order: int, z: Any) -> Any:
    found = np.empty((3, len(z)))
    getattr(import_module("scipy.optimize._lsq.least_squares"), name)(z, found, False)
    return found[order]


def _mlp(name: str, x: Any) -> Any:
    from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

    value, delta = x.copy(), np.ones_like(x)
    ACTIVATIONS[name](value)
    DERIVATIVES[name](value, delta)
    return delta


def subjects(text: str, *homes: str) -> Iterator[Subject]:
    """Those of one package: its tables, and the modules that they name."""
    names = globals() | modules(*homes)
    for name, *texts, where in filled(text):
        f, df = (formula("x", text, names) for text in texts)
        x = eval(where, names)

        def loss(xp: Any, x: Any, c: Any, f: Any = f) -> Any:
            return (c * f(xp, x)).sum()  # in NumPy where f is the package's own

        def gradient(x: Any, c: Any, df: Any = df) -> Any:
            return c * df(np, x)

        # Other points would leave (0, 1), where some packages clip and some are not defined.
        options = {"points": [(0.9 * x + 0.03, C)]} if where == "UNIT" else {}
        yield Subject(name, loss, gradient, x, (C,), options)


#: By package: its tables, and the modules that they name.
PACKAGES = {
    "scipy": partial(subjects, SCIPY, "scipy.special", "scipy.stats"),
    "statsmodels": partial(
        *(subjects, STATSMODELS),
        "statsmodels.genmod.families.links",
        "statsmodels.genmod.families.varfuncs",
        "statsmodels.robust.norms",
        "statsmodels.distributions.copula.transforms",
    ),
    "scikit-learn": partial(
        *(subjects, SKLEARN), "sklearn._loss.loss", "sklearn.linear_model._sgd_fast"
    ),
    "glum": partial(subjects, GLUM, "glum._distribution", "glum._link"),
}
