"""Functions of one number beside their hand-written derivatives, elementwise in each package.

A row is a name, the function in `xp`, the package's derivative, and where. The loss is Σ c·f(x).
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject

Row = tuple[str, Callable[..., Any], Callable[..., Any], Any]
C = np.array([0.7, -1.1, 1.6, 0.4, -0.9])
REAL = np.array([-2.3, -0.7, 0.2, 1.1, 2.9])
UNIT = np.array([0.12, 0.37, 0.55, 0.81, 0.93])
POSITIVE = np.array([0.21, 0.8, 1.3, 2.9, 6.1])


def table(package: str, rows: Iterator[Row]) -> Iterator[Subject]:
    """A subject for each row."""
    for name, f, df, x in rows:

        def loss(xp: Any, x: Any, c: Any, f: Any = f) -> Any:
            return (c * f(xp, x)).sum()  # in NumPy where f is the package's own

        def gradient(x: Any, c: Any, df: Any = df) -> Any:
            return c * df(x)

        # Other points would leave (0, 1), where some packages clip and some are not defined.
        options = {"points": [(0.9 * UNIT + 0.03, C)]} if x is UNIT else {}
        yield Subject(package, name, loss, gradient, np.asarray(x, float), (C[: len(x)],), options)


def _scipy() -> Iterator[Row]:
    from scipy import special, stats

    home = import_module("scipy.optimize._lsq.least_squares")

    losses: dict[str, Callable[..., Any]] = {
        "huber": lambda xp, z: xp.where(z <= 1, z, 2 * xp.sqrt(xp.abs(z)) - 1),
        "soft_l1": lambda xp, z: 2 * (xp.sqrt(1 + z) - 1),
        "cauchy": lambda xp, z: xp.log1p(z),
        "arctan": lambda xp, z: xp.arctan(z),
    }

    def rho(name: str, order: int) -> Callable[..., Any]:
        def at(z: Any) -> Any:
            found = np.empty((3, len(z)))
            getattr(home, name)(z, found, False)
            return found[order]

        return at

    for name, f in losses.items():
        yield f"least_squares {name}", f, rho(name, 1), POSITIVE
    slopes: dict[str, Callable[..., Any]] = {
        "huber": lambda xp, z: xp.where(z <= 1, z**0, xp.abs(z) ** -0.5),
        "soft_l1": lambda xp, z: (1 + z) ** -0.5,
        "cauchy": lambda xp, z: 1 / (1 + z),
        "arctan": lambda xp, z: 1 / (1 + z**2),
    }
    for name, f in slopes.items():
        yield f"least_squares {name}, second", f, rho(name, 2), POSITIVE
    yield "digamma", lambda xp, x: xp.gammaln(x), special.digamma, POSITIVE
    yield "polygamma(1)", lambda xp, x: xp.digamma(x), lambda x: special.polygamma(1, x), POSITIVE
    yield "i1", lambda xp, x: xp.i0(x), special.i1, REAL
    distributions: dict[str, tuple[Callable[..., Any], Any, Any]] = {
        "norm": (lambda xp, x: xp.ndtr(x), stats.norm, REAL),
        "logistic": (lambda xp, x: xp.expit(x), stats.logistic, REAL),
        "expon": (lambda xp, x: -xp.expm1(-x), stats.expon, POSITIVE),
        "cauchy": (lambda xp, x: xp.arctan(x) / np.pi, stats.cauchy, REAL),
        "gumbel_r": (lambda xp, x: xp.exp(-xp.exp(-x)), stats.gumbel_r, REAL),
        "gumbel_l": (lambda xp, x: -xp.exp(-xp.exp(x)), stats.gumbel_l, REAL),
        "weibull_min": (lambda xp, x: -xp.expm1(-(x**1.7)), stats.weibull_min(1.7), POSITIVE),
        "lomax": (lambda xp, x: -((1 + x) ** -1.7), stats.lomax(1.7), POSITIVE),
        "rayleigh": (lambda xp, x: -xp.expm1(-(x**2) / 2), stats.rayleigh, POSITIVE),
        "fisk": (lambda xp, x: 1 / (1 + x**-1.7), stats.fisk(1.7), POSITIVE),
        "burr12": (lambda xp, x: -((1 + x**1.7) ** -0.6), stats.burr12(1.7, 0.6), POSITIVE),
        "gompertz": (lambda xp, x: -xp.exp(-1.7 * xp.expm1(x)), stats.gompertz(1.7), UNIT),
        "hypsecant": (lambda xp, x: 2 / np.pi * xp.arctan(xp.exp(x)), stats.hypsecant, REAL),
        "invweibull": (lambda xp, x: xp.exp(-(x**-1.7)), stats.invweibull(1.7), POSITIVE),
        "gamma": (lambda xp, x: xp.gammainc(1.7 + 0 * x, x), stats.gamma(1.7), POSITIVE),
        "genextreme": (
            lambda xp, x: xp.exp(-((1 - 0.3 * x) ** (1 / 0.3))),
            stats.genextreme(0.3),
            REAL,
        ),
        "kappa3": (lambda xp, x: x * (1.7 + x**1.7) ** (-1 / 1.7), stats.kappa3(1.7), POSITIVE),
        "genlogistic": (lambda xp, x: (1 + xp.exp(-x)) ** -1.7, stats.genlogistic(1.7), REAL),
        "powernorm": (lambda xp, x: -(xp.ndtr(-x) ** 1.7), stats.powernorm(1.7), REAL),
        "exponweib": (
            lambda xp, x: (-xp.expm1(-(x**1.7))) ** 0.6,
            stats.exponweib(0.6, 1.7),
            POSITIVE,
        ),
        "johnsonsu": (
            lambda xp, x: xp.ndtr(0.4 + 1.7 * xp.arcsinh(x)),
            stats.johnsonsu(0.4, 1.7),
            REAL,
        ),
        "johnsonsb": (
            lambda xp, x: xp.ndtr(0.4 + 1.7 * xp.logit(x)),
            stats.johnsonsb(0.4, 1.7),
            UNIT,
        ),
        "fatiguelife": (
            lambda xp, x: xp.ndtr((xp.sqrt(x) - 1 / xp.sqrt(x)) / 1.7),
            stats.fatiguelife(1.7),
            POSITIVE,
        ),
        "arcsine": (lambda xp, x: 2 / np.pi * xp.arcsin(xp.sqrt(x)), stats.arcsine, UNIT),
        "alpha": (
            lambda xp, x: xp.ndtr(1.7 - 1 / x) / xp.ndtr(1.7 + 0 * x),
            stats.alpha(1.7),
            POSITIVE,
        ),
        "exponpow": (lambda xp, x: -xp.exp(-xp.expm1(x**1.7)), stats.exponpow(1.7), UNIT),
    }
    for name, (cdf, distribution, x) in distributions.items():
        yield f"{name}.pdf", cdf, distribution.pdf, x


def _statsmodels() -> Iterator[Row]:
    from statsmodels.distributions.copula import transforms
    from statsmodels.genmod.families import links, varfuncs
    from statsmodels.robust import norms

    rows: dict[str, tuple[Any, Callable[..., Any], Callable[..., Any]]] = {
        "Logit": (links.Logit(), lambda xp, p: xp.log(p / (1 - p)), lambda xp, z: xp.expit(z)),
        "Probit": (links.Probit(), lambda xp, p: xp.ndtri(p), lambda xp, z: xp.ndtr(z)),
        "Cauchy": (
            links.Cauchy(),
            lambda xp, p: xp.tan(np.pi * (p - 0.5)),
            lambda xp, z: xp.arctan(z) / np.pi + 0.5,
        ),
        "CLogLog": (
            links.CLogLog(),
            lambda xp, p: xp.log(-xp.log1p(-p)),
            lambda xp, z: -xp.expm1(-xp.exp(z)),
        ),
        "LogLog": (
            links.LogLog(),
            lambda xp, p: -xp.log(-xp.log(p)),
            lambda xp, z: xp.exp(-xp.exp(-z)),
        ),
        "Log": (links.Log(), lambda xp, p: xp.log(p), lambda xp, z: xp.exp(z)),
        "LogC": (links.LogC(), lambda xp, p: xp.log1p(-p), lambda xp, z: -xp.expm1(z)),
        "Power(1.7)": (links.Power(1.7), lambda xp, p: p**1.7, lambda xp, z: z ** (1 / 1.7)),
        "InverseSquared": (links.InverseSquared(), lambda xp, p: p**-2.0, lambda xp, z: z**-0.5),
        "NegativeBinomial": (
            links.NegativeBinomial(0.6),
            lambda xp, p: xp.log(p / (p + 1 / 0.6)),
            lambda xp, z: -1 / (0.6 * (1 - xp.exp(-z))),
        ),
    }
    for name, (link, f, inverse) in rows.items():
        yield f"{name}.deriv", f, link.deriv, UNIT
        yield f"{name}.inverse_deriv", inverse, link.inverse_deriv, link(UNIT)
        if name not in ("Probit", "Cauchy"):  # whose first derivatives are compiled
            yield f"{name}.deriv2", lambda _, p, link=link: link.deriv(p), link.deriv2, UNIT
            yield (
                f"{name}.inverse_deriv2",
                lambda _, z, link=link: link.inverse_deriv(z),
                link.inverse_deriv2,
                link(UNIT),
            )
    for name, v in {
        "Power(1.7)": varfuncs.Power(1.7),
        "Binomial": varfuncs.Binomial(3),
        "NegativeBinomial": varfuncs.NegativeBinomial(0.6),
    }.items():
        yield f"variance {name}.deriv", lambda _, p, v=v: v(p), v.deriv, UNIT
    start: dict[str, tuple[float, Callable[..., Any]]] = {
        "Frank": (2.3, lambda xp, t: xp.log(xp.expm1(-2.3 + 0 * t) / xp.expm1(-2.3 * t))),
        "Clayton": (1.7, lambda xp, t: t**-1.7 - 1),
        "Gumbel": (1.7, lambda xp, t: (-xp.log(t)) ** 1.7),
    }
    for name, (theta, f) in start.items():
        generator = getattr(transforms, f"Transf{name}")()
        own = {
            order: lambda _, t, g=generator, o=order, a=theta: getattr(g, o)(t, a)
            for order in [
                "deriv",
                "deriv2",
                "inverse",
                "deriv_inverse",
                "deriv2_inverse",
                "deriv3_inverse",
            ]
        }
        for below, above in (
            *((f, "deriv"), (own["deriv"], "deriv2"), (own["inverse"], "deriv_inverse")),
            *((own["deriv_inverse"], "deriv2_inverse"), (own["deriv2_inverse"], "deriv3_inverse")),
        ):
            if above in vars(type(generator)) and (name == "Clayton" or above != "deriv2_inverse"):
                slope = getattr(generator, above)
                yield f"copula {name}.{above}", below, lambda t, g=slope, a=theta: g(t, a), UNIT
    for name in [
        "LeastSquares",
        "HuberT",
        "RamsayE",
        "AndrewWave",
        "TrimmedMean",
        "Hampel",
        "TukeyBiweight",
        "StudentT",
    ]:
        norm = getattr(norms, name)()
        yield f"norm {name}.psi", lambda _, z, norm=norm: norm.rho(z), norm.psi, REAL * 1.5
        yield (
            f"norm {name}.psi_deriv",
            lambda _, z, norm=norm: norm.psi(z),
            norm.psi_deriv,
            REAL * 1.5,
        )


def _sklearn() -> Iterator[Row]:
    from sklearn._loss import loss as losses
    from sklearn.linear_model import _sgd_fast
    from sklearn.neural_network._base import DERIVATIVES

    y, counts, labels = (
        np.array([0.3, -1.0, 2.0, 0.5, -0.4]),
        POSITIVE.round() + 1,
        np.array([0.0, 1, 1, 0, 1]),
    )
    rows: dict[str, tuple[Any, Callable[..., Any], Any]] = {
        "HalfSquaredError": (losses.HalfSquaredError(), lambda xp, f: (f - y) ** 2 / 2, y),
        "AbsoluteError": (losses.AbsoluteError(), lambda xp, f: xp.abs(f - y), y),
        "PinballLoss": (
            losses.PinballLoss(quantile=0.3),
            lambda xp, f: xp.maximum(0.3 * (y - f), -0.7 * (y - f)),
            y,
        ),
        "HuberLoss": (
            losses.HuberLoss(delta=1.0),
            lambda xp, f: xp.where(xp.abs(f - y) <= 1, (f - y) ** 2 / 2, xp.abs(f - y) - 0.5),
            y,
        ),
        "HalfPoissonLoss": (losses.HalfPoissonLoss(), lambda xp, f: xp.exp(f) - counts * f, counts),
        "HalfGammaLoss": (losses.HalfGammaLoss(), lambda xp, f: f + counts * xp.exp(-f), counts),
        "HalfTweedieLoss": (
            losses.HalfTweedieLoss(power=1.5),
            lambda xp, f: xp.exp(0.5 * f) / 0.5 + counts * xp.exp(-0.5 * f) / 0.5,
            counts,
        ),
        "HalfBinomialLoss": (
            losses.HalfBinomialLoss(),
            lambda xp, f: xp.softplus(f) - labels * f,
            labels,
        ),
        "ExponentialLoss": (
            losses.ExponentialLoss(),
            lambda xp, f: labels * xp.exp(-f) + (1 - labels) * xp.exp(f),
            labels,
        ),
    }
    for name, (loss, f, target) in rows.items():
        yield (
            name,
            f,
            lambda x, loss=loss, t=target: loss.gradient(t.copy(), np.ascontiguousarray(x)),
            REAL,
        )
        if hasattr(loss, "gradient_hessian") and name not in (
            "AbsoluteError",
            "PinballLoss",
            "HuberLoss",
        ):
            yield (
                f"{name}, second",
                {
                    "HalfSquaredError": lambda xp, f: f - y,
                    "HalfPoissonLoss": lambda xp, f: xp.exp(f) - counts,
                    "HalfGammaLoss": lambda xp, f: 1 - counts * xp.exp(-f),
                    "HalfTweedieLoss": lambda xp, f: xp.exp(0.5 * f) - counts * xp.exp(-0.5 * f),
                    "HalfBinomialLoss": lambda xp, f: xp.expit(f) - labels,
                    "ExponentialLoss": lambda xp, f: (1 - labels) * xp.exp(f) - labels * xp.exp(-f),
                }[name],
                lambda x, loss=loss, t=target: loss.gradient_hessian(
                    t.copy(), np.ascontiguousarray(x)
                )[1],
                REAL,
            )
    signs = np.array([1.0, -1, 1, 1, -1])
    sgd: dict[str, tuple[Any, Callable[..., Any], Any]] = {
        "Hinge": (_sgd_fast.Hinge(1.0), lambda xp, p: xp.maximum(0, 1 - p * signs), signs),
        "SquaredHinge": (
            _sgd_fast.SquaredHinge(1.0),
            lambda xp, p: xp.maximum(0, 1 - p * signs) ** 2,
            signs,
        ),
        "ModifiedHuber": (
            _sgd_fast.ModifiedHuber(),
            lambda xp, p: xp.where(
                p * signs < -1, -4 * p * signs, xp.maximum(0, 1 - p * signs) ** 2
            ),
            signs,
        ),
        "EpsilonInsensitive": (
            _sgd_fast.EpsilonInsensitive(0.1),
            lambda xp, p: xp.maximum(0, xp.abs(y - p) - 0.1),
            y,
        ),
        "SquaredEpsilonInsensitive": (
            _sgd_fast.SquaredEpsilonInsensitive(0.1),
            lambda xp, p: xp.maximum(0, xp.abs(y - p) - 0.1) ** 2,
            y,
        ),
    }
    for name, (loss, f, target) in sgd.items():
        yield (
            f"SGD {name}",
            f,
            lambda p, loss=loss, t=target: np.array(
                [loss.py_dloss(a, b) for a, b in zip(p, t, strict=True)]
            ),
            REAL,
        )
    activations: dict[str, Callable[..., Any]] = {
        "logistic": lambda xp, x: xp.expit(x),
        "tanh": lambda xp, x: xp.tanh(x),
        "relu": lambda xp, x: xp.maximum(x, 0),
    }
    from sklearn.neural_network._base import ACTIVATIONS

    for name, f in activations.items():

        def slope(x: Any, name: str = name) -> Any:
            value, delta = x.copy(), np.ones_like(x)
            ACTIVATIONS[name](value)
            DERIVATIVES[name](value, delta)
            return delta

        yield f"MLP {name}", f, slope, REAL


def _glum() -> Iterator[Row]:
    from glum import _distribution, _link

    rows: dict[str, tuple[Any, Callable[..., Any], Callable[..., Any], Any]] = {
        "TweedieLink": (
            _link.TweedieLink(1.5),
            lambda xp, m: m**-0.5,
            lambda xp, e: e**-2.0,
            POSITIVE,
        ),
        "LogLink": (_link.LogLink(), lambda xp, m: xp.log(m), lambda xp, e: xp.exp(e), REAL),
        "LogitLink": (
            _link.LogitLink(),
            lambda xp, m: xp.logit(m),
            lambda xp, e: xp.expit(e),
            REAL,
        ),
        "CloglogLink": (
            _link.CloglogLink(),
            lambda xp, m: xp.log(-xp.log1p(-m)),
            lambda xp, e: -xp.expm1(-xp.exp(e)),
            REAL,
        ),
    }
    for name, (link, f, inverse, x) in rows.items():
        yield f"{name}.derivative", f, link.derivative, UNIT
        yield f"{name}.inverse_derivative", inverse, link.inverse_derivative, x
    y = np.array([0.0, 1.0, 2.0, 0.0, 4.0]) + 0.5
    deviances: dict[str, tuple[Any, Callable[..., Any]]] = {
        "Normal": (_distribution.NormalDistribution(), lambda xp, m: (y - m) ** 2),
        "Poisson": (
            _distribution.PoissonDistribution(),
            lambda xp, m: 2 * (y * xp.log(y / m) - y + m),
        ),
        "Gamma": (_distribution.GammaDistribution(), lambda xp, m: 2 * (xp.log(m / y) + y / m - 1)),
        "InverseGaussian": (
            _distribution.InverseGaussianDistribution(),
            lambda xp, m: (y - m) ** 2 / (m**2 * y),
        ),
        "NegativeBinomial": (
            _distribution.NegativeBinomialDistribution(0.6),
            lambda xp, m: (
                2 * (y * xp.log(y / m) - (y + 1 / 0.6) * xp.log((0.6 * y + 1) / (0.6 * m + 1)))
            ),
        ),
    }
    for name, (family, f) in deviances.items():
        yield (
            f"{name}.unit_deviance_derivative",
            f,
            lambda m, d=family: d.unit_deviance_derivative(y, m),
            POSITIVE,
        )
        v = family.unit_variance
        yield (
            f"{name}.unit_variance_derivative",
            lambda _, m, v=v: v(m),
            family.unit_variance_derivative,
            POSITIVE,
        )


PACKAGES = {
    "scipy": _scipy,
    "statsmodels": _statsmodels,
    "scikit-learn": _sklearn,
    "glum": _glum,
}


def subjects(package: str) -> Iterator[Subject]:
    """Those of one package."""
    yield from table(package, PACKAGES[package]())
