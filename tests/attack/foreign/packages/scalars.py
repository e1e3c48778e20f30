"""Functions of one number beside their hand-written derivatives, elementwise in each package.

The loss is Σ c·f(x). A formula of `x` that names a function of the package's own runs in NumPy.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject
from tests.corpus.formulas import formula, modules, table

#: A name, the function, the package's derivative and where.
Row = tuple[str, str, str, str]

C = np.array([0.7, -1.1, 1.6, 0.4, -0.9])
REAL = np.array([-2.3, -0.7, 0.2, 1.1, 2.9])
UNIT = np.array([0.12, 0.37, 0.55, 0.81, 0.93])
POSITIVE = np.array([0.21, 0.8, 1.3, 2.9, 6.1])
TARGETS, COUNTS = np.array([0.3, -1.0, 2.0, 0.5, -0.4]), POSITIVE.round() + 1
LABELS, AMOUNTS = np.array([0.0, 1, 1, 0, 1]), np.array([0.5, 1.5, 2.5, 0.5, 4.5])
SIGNS, PI = np.array([1.0, -1, 1, 1, -1]), np.pi

#: Of `scipy.optimize.least_squares`: the function, and its first derivative.
LEAST_SQUARES = """
huber   | where(x <= 1, x, 2 * sqrt(abs(x)) - 1) | where(x <= 1, x**0, abs(x) ** -0.5)
soft_l1 | 2 * (sqrt(1 + x) - 1)                  | (1 + x) ** -0.5
cauchy  | log1p(x)                               | 1 / (1 + x)
arctan  | arctan(x)                              | 1 / (1 + x**2)
"""

#: Distribution functions and distributions, whose densities are the derivatives.
DISTRIBUTIONS = """
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

#: Links of statsmodels and their inverses.
LINKS = """
Logit            | log(x / (1 - x))       | expit(x)
Probit           | ndtri(x)               | ndtr(x)
Cauchy           | tan(PI * (x - 0.5))    | arctan(x) / PI + 0.5
CLogLog          | log(-log1p(-x))        | -expm1(-exp(x))
LogLog           | -log(-log(x))          | exp(-exp(-x))
Log              | log(x)                 | exp(x)
LogC             | log1p(-x)              | -expm1(x)
Power(1.7)       | x**1.7                 | x ** (1 / 1.7)
InverseSquared   | x**-2.0                | x**-0.5
NegativeBinomial | log(x / (x + 1 / 0.6)) | -1 / (0.6 * (1 - exp(-x)))
"""
NORMS = "LeastSquares HuberT RamsayE AndrewWave TrimmedMean Hampel TukeyBiweight StudentT"

#: Generators of copulas, with a parameter, and their derivatives by hand beside the first.
COPULAS = """
Frank   | 2.3 | log(expm1(-2.3 + 0 * x) / expm1(-2.3 * x)) | deriv2 deriv3_inverse
Clayton | 1.7 | x**-1.7 - 1     | deriv2 deriv_inverse deriv2_inverse deriv3_inverse
Gumbel  | 1.7 | (-log(x)) ** 1.7 | deriv2 deriv3_inverse
"""
BELOW = {
    "deriv2": "deriv",
    "deriv_inverse": "inverse",
    "deriv2_inverse": "deriv_inverse",
    "deriv3_inverse": "deriv2_inverse",
}

#: Losses of scikit-learn of a raw prediction, their first derivatives, and the target.
LOSSES = """
HalfSquaredError()        | (x - TARGETS) ** 2 / 2            | x - TARGETS           | TARGETS
AbsoluteError()           | abs(x - TARGETS)                  |                       | TARGETS
PinballLoss(quantile=0.3) | maximum(0.3 * (TARGETS - x), -0.7 * (TARGETS - x)) |      | TARGETS
HuberLoss(delta=1.0)
    | where(abs(x - TARGETS) <= 1, (x - TARGETS) ** 2 / 2, abs(x - TARGETS) - 0.5) |  | TARGETS
HalfPoissonLoss()         | exp(x) - COUNTS * x               | exp(x) - COUNTS       | COUNTS
HalfGammaLoss()           | x + COUNTS * exp(-x)              | 1 - COUNTS * exp(-x)  | COUNTS
HalfTweedieLoss(power=1.5) | exp(0.5 * x) / 0.5 + COUNTS * exp(-0.5 * x) / 0.5
                          | exp(0.5 * x) - COUNTS * exp(-0.5 * x)                     | COUNTS
HalfBinomialLoss()        | softplus(x) - LABELS * x          | expit(x) - LABELS     | LABELS
ExponentialLoss()         | LABELS * exp(-x) + (1 - LABELS) * exp(x)
                          | (1 - LABELS) * exp(x) - LABELS * exp(-x)                  | LABELS
"""
SGD = """
Hinge(1.0)                     | maximum(0, 1 - x * SIGNS)                 | SIGNS
SquaredHinge(1.0)              | maximum(0, 1 - x * SIGNS) ** 2            | SIGNS
ModifiedHuber()
    | where(x * SIGNS < -1, -4 * x * SIGNS, maximum(0, 1 - x * SIGNS) ** 2)  | SIGNS
EpsilonInsensitive(0.1)        | maximum(0, abs(TARGETS - x) - 0.1)        | TARGETS
SquaredEpsilonInsensitive(0.1) | maximum(0, abs(TARGETS - x) - 0.1) ** 2   | TARGETS
"""

#: Links of glum and their inverses; deviances by distribution.
GLUM_LINKS = """
TweedieLink(1.5) | x**-0.5         | x**-2.0        | POSITIVE
LogLink()        | log(x)          | exp(x)         | REAL
LogitLink()      | logit(x)        | expit(x)       | REAL
CloglogLink()    | log(-log1p(-x)) | -expm1(-exp(x)) | REAL
"""
DEVIANCES = """
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


def _scipy() -> Iterator[Row]:
    for name, f, slope in table(LEAST_SQUARES):
        yield f"least_squares {name}", f, f"_rho({name!r}, 1, x)", "POSITIVE"
        yield f"least_squares {name}, second", slope, f"_rho({name!r}, 2, x)", "POSITIVE"
    yield "digamma", "gammaln(x)", "special.digamma(x)", "POSITIVE"
    yield "polygamma(1)", "digamma(x)", "special.polygamma(1, x)", "POSITIVE"
    yield "i1", "i0(x)", "special.i1(x)", "REAL"
    for name, f, distribution, where in table(DISTRIBUTIONS):
        yield f"{name}.pdf", f, f"stats.{distribution}.pdf(x)", where


def _statsmodels() -> Iterator[Row]:
    for name, f, inverse in table(LINKS):
        made = {"Power(1.7)": "Power(1.7)", "NegativeBinomial": "NegativeBinomial(0.6)"}
        link = f"links.{made.get(name, name + '()')}"
        yield f"{name}.deriv", f, f"{link}.deriv(x)", "UNIT"
        yield f"{name}.inverse_deriv", inverse, f"{link}.inverse_deriv(x)", f"{link}(UNIT)"
        if name not in ("Probit", "Cauchy"):  # whose first derivatives are compiled
            for order, where in (("deriv", "UNIT"), ("inverse_deriv", f"{link}(UNIT)")):
                yield f"{name}.{order}2", f"{link}.{order}(x)", f"{link}.{order}2(x)", where
    for name, v in (
        ("Power(1.7)", "varfuncs.Power(1.7)"),
        ("Binomial", "varfuncs.Binomial(3)"),
        ("NegativeBinomial", "varfuncs.NegativeBinomial(0.6)"),
    ):
        yield f"variance {name}.deriv", f"{v}(x)", f"{v}.deriv(x)", "UNIT"
    for name, theta, f, orders in table(COPULAS):
        own = f"transforms.Transf{name}().{{}}(x, {theta})"
        yield f"copula {name}.deriv", f, own.format("deriv"), "UNIT"
        for order in orders.split():
            below, above = own.format(BELOW[order]), own.format(order)
            yield f"copula {name}.{order}", below, above, "UNIT"
    for name in NORMS.split():
        for slope, f in (("psi", "rho"), ("psi_deriv", "psi")):
            norm = f"norms.{name}()"
            yield f"norm {name}.{slope}", f"{norm}.{f}(x)", f"{norm}.{slope}(x)", "REAL * 1.5"


def _sklearn() -> Iterator[Row]:
    for loss, f, slope, target in table(LOSSES):
        name, given = loss.partition("(")[0], f"{target}.copy(), np.ascontiguousarray(x)"
        yield name, f, f"loss.{loss}.gradient({given})", "REAL"
        if slope:
            hessian = f"loss.{loss}.gradient_hessian({given})[1]"
            yield f"{name}, second", slope, hessian, "REAL"
    for loss, f, target in table(SGD):
        slopes = f"np.vectorize(_sgd_fast.{loss}.py_dloss)(x, {target})"
        yield f"SGD {loss.partition('(')[0]}", f, slopes, "REAL"
    for name, f in (("logistic", "expit(x)"), ("tanh", "tanh(x)"), ("relu", "maximum(x, 0)")):
        yield f"MLP {name}", f, f"_mlp({name!r}, x)", "REAL"


def _mlp(name: str, x: Any) -> Any:
    from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

    value, delta = x.copy(), np.ones_like(x)
    ACTIVATIONS[name](value)
    DERIVATIVES[name](value, delta)
    return delta


def _glum() -> Iterator[Row]:
    for made, f, inverse, where in table(GLUM_LINKS):
        name, link = made.partition("(")[0], f"_link.{made}"
        yield f"{name}.derivative", f, f"{link}.derivative(x)", "UNIT"
        yield f"{name}.inverse_derivative", inverse, f"{link}.inverse_derivative(x)", where
    for name, setting, f in table(DEVIANCES):
        family = f"_distribution.{name}Distribution({setting})"
        slope = f"{family}.unit_deviance_derivative(AMOUNTS, x)"
        yield f"{name}.unit_deviance_derivative", f, slope, "POSITIVE"
        slope = f"{family}.unit_variance_derivative(x)"
        yield f"{name}.unit_variance_derivative", f"{family}.unit_variance(x)", slope, "POSITIVE"


#: By package: its rows, and the modules that they name.
PACKAGES = {
    "scipy": (_scipy, ("scipy.special", "scipy.stats")),
    "statsmodels": (
        _statsmodels,
        (
            "statsmodels.genmod.families.links",
            "statsmodels.genmod.families.varfuncs",
            "statsmodels.robust.norms",
            "statsmodels.distributions.copula.transforms",
        ),
    ),
    "scikit-learn": (_sklearn, ("sklearn._loss.loss", "sklearn.linear_model._sgd_fast")),
    "glum": (_glum, ("glum._distribution", "glum._link")),
}


def subjects(package: str) -> Iterator[Subject]:
    """Those of one package."""
    rows, homes = PACKAGES[package]
    names = globals() | modules(*homes)
    for name, *texts, where in rows():
        f, df = (formula("x", text, names) for text in texts)
        x = eval(where, names)

        def loss(xp: Any, x: Any, c: Any, f: Any = f) -> Any:
            return (c * f(xp, x)).sum()  # in NumPy where f is the package's own

        def gradient(x: Any, c: Any, df: Any = df) -> Any:
            return c * df(np, x)

        # Other points would leave (0, 1), where some packages clip and some are not defined.
        options = {"points": [(0.9 * x + 0.03, C)]} if where == "UNIT" else {}
        yield Subject(package, name, loss, gradient, x, (C,), options)
