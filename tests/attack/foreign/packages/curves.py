"""Models of data beside their derivatives by the parameters, and potentials beside their slopes.

The loss is Σ c·f(p; data), for a packages's Jacobian that comes as one array for each parameter.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject

X, Y = np.array([-1.3, 0.4, 1.1, 2.7]), np.array([0.8, -0.6, 1.9, 0.3])
POSITIVE = np.array([0.4, 1.1, 2.3, 3.7])
C = np.array([0.7, -1.1, 1.6, 0.4])


def curve(
    package: str, name: str, f: Callable[..., Any], slopes: Callable[..., Any], p: Any, *data: Any
) -> Subject:
    """A subject from f(xp, p, *data) and slopes(p, *data), an array for each parameter."""

    def loss(xp: Any, p: Any, *data: Any) -> Any:
        return xp.sum(C * f(xp, p, *data))

    def gradient(p: Any, *data: Any) -> Any:
        return np.array([np.sum(C * slope) for slope in slopes(p, *data)])

    return Subject(package, name, loss, gradient, np.asarray(p, float), data)


def _gaussian_2d(xp: Any, p: Any, x: Any, y: Any) -> Any:
    a, x0, y0, s, t, angle = (p[i] for i in range(6))
    cos, sin = xp.cos(angle), xp.sin(angle)
    u, v = (x - x0) * cos + (y - y0) * sin, -(x - x0) * sin + (y - y0) * cos
    return a * xp.exp(-((u / s) ** 2 + (v / t) ** 2) / 2)


def _king(xp: Any, p: Any, x: Any) -> Any:
    core = 1 / xp.sqrt(x**2 + p[1] ** 2) - 1 / xp.sqrt(p[2] ** 2 + p[1] ** 2)
    return p[0] * p[1] ** 2 * core**2


def _broken(xp: Any, p: Any, x: Any) -> Any:
    return p[0] * xp.where(x < p[1], (x / p[1]) ** -p[2], (x / p[1]) ** -p[3])


def _smoothly_broken(_: Any, p: Any, x: Any) -> Any:
    a, x0, a1, a2, d = (p[i] for i in range(5))
    return a * (x / x0) ** -a1 * ((1 + (x / x0) ** (1 / d)) / 2) ** ((a1 - a2) * d)


def _schechter(xp: Any, p: Any, x: Any) -> Any:
    factor = xp.exp(-0.4 * np.log(10) * (x - p[1]))
    return 0.4 * np.log(10) * p[0] * factor ** (p[2] + 1) * xp.exp(-factor)


TURN = 2 * np.pi
ASTROPY: dict[str, tuple[Callable[..., Any], list[float], tuple[Any, ...]]] = {
    "Gaussian1D": (
        lambda xp, p, x: p[0] * xp.exp(-(((x - p[1]) / p[2]) ** 2) / 2),
        [1.3, 0.4, 0.9],
        (X,),
    ),
    "Gaussian2D": (_gaussian_2d, [1.3, 0.4, -0.2, 0.9, 1.7, 0.6], (X, Y)),
    "RedshiftScaleFactor": (lambda _, p, x: (1 + p[0]) * x, [0.4], (X,)),
    "Sine1D": (lambda xp, p, x: p[0] * xp.sin(TURN * (p[1] * x + p[2])), [1.3, 0.4, 0.1], (X,)),
    "Cosine1D": (lambda xp, p, x: p[0] * xp.cos(TURN * (p[1] * x + p[2])), [1.3, 0.4, 0.1], (X,)),
    "Tangent1D": (lambda xp, p, x: p[0] * xp.tan(TURN * (p[1] * x + p[2])), [1.3, 0.4, 0.1], (X,)),
    "ArcSine1D": (
        lambda xp, p, x: (xp.arcsin(x / p[0]) / TURN - p[2]) / p[1],
        [3.9, 0.4, 0.1],
        (X,),
    ),
    "ArcCosine1D": (
        lambda xp, p, x: (xp.arccos(x / p[0]) / TURN - p[2]) / p[1],
        [3.9, 0.4, 0.1],
        (X,),
    ),
    "ArcTangent1D": (
        lambda xp, p, x: (xp.arctan(x / p[0]) / TURN - p[2]) / p[1],
        [3.9, 0.4, 0.1],
        (X,),
    ),
    "Linear1D": (lambda xp, p, x: p[0] * x + p[1], [1.3, 0.4], (X,)),
    "Planar2D": (lambda xp, p, x, y: p[0] * x + p[1] * y + p[2], [1.3, 0.4, 0.9], (X, Y)),
    "Lorentz1D": (
        lambda xp, p, x: p[0] * p[2] ** 2 / 4 / ((x - p[1]) ** 2 + p[2] ** 2 / 4),
        [1.3, 0.4, 0.9],
        (X,),
    ),
    "Lorentz2D": (
        lambda xp, p, x, y: (
            p[0] * p[3] ** 2 / 4 / ((x - p[1]) ** 2 + (y - p[2]) ** 2 + p[3] ** 2 / 4)
        ),
        [1.3, 0.4, -0.2, 0.9],
        (X, Y),
    ),
    "Moffat1D": (
        lambda xp, p, x: p[0] * (1 + ((x - p[1]) / p[2]) ** 2) ** -p[3],
        [1.3, 0.4, 0.9, 1.7],
        (X,),
    ),
    "Moffat2D": (
        lambda xp, p, x, y: p[0] * (1 + ((x - p[1]) ** 2 + (y - p[2]) ** 2) / p[3] ** 2) ** -p[4],
        [1.3, 0.4, -0.2, 0.9, 1.7],
        (X, Y),
    ),
    "KingProjectedAnalytic1D": (_king, [1.3, 0.9, 7.5], (POSITIVE,)),
    "Logarithmic1D": (lambda xp, p, x: p[0] * xp.log(x / p[1]), [1.3, 0.9], (POSITIVE,)),
    "Exponential1D": (lambda xp, p, x: p[0] * xp.exp(x / p[1]), [1.3, 0.9], (X,)),
    "PowerLaw1D": (lambda xp, p, x: p[0] * (x / p[1]) ** -p[2], [1.3, 0.9, 1.7], (POSITIVE,)),
    "BrokenPowerLaw1D": (_broken, [1.3, 1.9, 1.7, 0.6], (POSITIVE,)),
    "SmoothlyBrokenPowerLaw1D": (_smoothly_broken, [1.3, 1.9, 1.7, 0.6, 0.3], (POSITIVE,)),
    "ExponentialCutoffPowerLaw1D": (
        lambda xp, p, x: p[0] * (x / p[1]) ** -p[2] * xp.exp(-x / p[3]),
        [1.3, 0.9, 1.7, 2.1],
        (POSITIVE,),
    ),
    "LogParabola1D": (
        lambda xp, p, x: p[0] * (x / p[1]) ** (-p[2] - p[3] * xp.log(x / p[1])),
        [1.3, 0.9, 1.7, 0.6],
        (POSITIVE,),
    ),
    "Schechter1D": (_schechter, [1.3, 0.9, -0.6], (X,)),
}


def _astropy() -> Iterator[Subject]:
    from astropy.modeling import functional_models, powerlaws

    for name, (f, p, data) in ASTROPY.items():
        model = getattr(functional_models, name, None) or getattr(powerlaws, name)
        slopes = model().fit_deriv
        yield curve(
            "astropy", f"{name}.fit_deriv", f, lambda p, *data, s=slopes: s(*data, *p), p, *data
        )


def _r(xp: Any, x: Any, y: Any) -> Any:
    return xp.sqrt(x * x + y * y)


def _nfw(xp: Any, r: Any, scale: Any, alpha: Any) -> Any:
    x = r / scale
    rho = alpha / (4 * scale**2 * (1 + np.log(0.5)))
    h = xp.log(x / 2) ** 2 - xp.where(
        x < 1,
        xp.arccosh(xp.maximum(1 / x, 1)) ** 2,
        -(xp.arccos(xp.minimum(1 / x, 1)) ** 2),
    )
    return 2 * rho * scale**3 * h


LENSES: dict[str, tuple[str, str, Callable[..., Any], tuple[float, ...]]] = {
    "SIS": ("sis", "SIS", lambda xp, x, y, t: t * _r(xp, x, y), (1.3,)),
    "PointMass": (
        "point_mass",
        "PointMass",
        lambda xp, x, y, t: t**2 * xp.log(_r(xp, x, y)),
        (1.3,),
    ),
    "Shear": (
        "shear",
        "Shear",
        lambda xp, x, y, a, b: (a * x * x + 2 * b * x * y - a * y * y) / 2,
        (0.1, -0.2),
    ),
    "Convergence": (
        "convergence",
        "Convergence",
        lambda xp, x, y, k: k * (x * x + y * y) / 2,
        (0.3,),
    ),
    "Gaussian": (
        "gaussian_potential",
        "GaussianPotential",
        lambda xp, x, y, a, s, t: (
            a / (2 * np.pi * s * t) * xp.exp(-((x / s) ** 2 + (y / t) ** 2) / 2)
        ),
        (1.3, 0.9, 1.7),
    ),
    "Flexion": (
        "flexion",
        "Flexion",
        lambda xp, x, y, a, b, c, d: (
            (a * x**3 + 3 * b * x**2 * y + 3 * c * x * y**2 + d * y**3) / 6
        ),
        (0.1, -0.2, 0.3, 0.05),
    ),
    "Hessian": (
        "hessian",
        "Hessian",
        lambda xp, x, y, a, b, c, d: (a * x**2 + (c + d) * x * y + b * y**2) / 2,
        (0.1, -0.2, 0.3, 0.3),
    ),
    "NFW": ("nfw", "NFW", lambda xp, x, y, s, a: _nfw(xp, _r(xp, x, y), s, a), (0.9, 1.3)),
}


def _lenstronomy() -> Iterator[Subject]:
    from importlib import import_module

    for name, (module, kind, potential, settings) in LENSES.items():
        profile = getattr(import_module(f"lenstronomy.LensModel.Profiles.{module}"), kind)()
        for i, (x, y) in enumerate([(0.7, -0.4), (1.9, 0.8)][: 2 if name == "NFW" else 1]):

            def loss(xp: Any, p: Any, f: Any = potential, s: Any = settings) -> Any:
                return f(xp, p[0], p[1], *s)

            def gradient(p: Any, g: Any = profile.derivatives, s: Any = settings) -> Any:
                return np.array(g(p[0], p[1], *s)).ravel()

            yield Subject(
                "lenstronomy", f"{name}.derivatives {i + 1}", loss, gradient, np.array([x, y])
            )


def _pints() -> Iterator[Subject]:
    """Log-densities, as the package wrote them in NumPy, and their sensitivities."""
    import pints
    from pints import toy

    x2, x3 = np.array([0.7, -0.4]), np.array([0.7, -0.4, 1.2])
    one = np.array([0.37])
    densities: dict[str, tuple[Any, Any, Callable[..., Any] | None]] = {
        "toy Rosenbrock": (toy.RosenbrockLogPDF(), x2, None),
        "toy Cone": (toy.ConeLogPDF(2, 0.9), x2, lambda xp, x: -(xp.sqrt(xp.sum(x * x)) ** 0.9)),
        "toy NealsFunnel": (
            toy.NealsFunnelLogPDF(3),
            x3,
            lambda xp, x: -(x[2] ** 2) / 18 - xp.sum(x[:2] ** 2) * xp.exp(-x[2]) / 2 - x[2],
        ),
        "toy TwistedGaussian": (
            toy.TwistedGaussianLogPDF(2, 0.1, 100),
            x2,
            lambda xp, x: -(x[0] ** 2) / 20000 - (x[1] + 0.1 * x[0] ** 2 - 10) ** 2 / 2,
        ),
        "toy Annulus": (
            toy.AnnulusLogPDF(2, 10, 1),
            x2,
            lambda xp, x: -((xp.sqrt(xp.sum(x * x)) - 10) ** 2) / 2,
        ),
        "toy Gaussian": (
            toy.GaussianLogPDF([1, 2], [1.5, 0.7]),
            x2,
            lambda xp, x: -((x[0] - 1) ** 2 / 1.5 + (x[1] - 2) ** 2 / 0.7) / 2,
        ),
        "toy Multimodal": (
            toy.MultimodalGaussianLogPDF([[0, 0], [3, 4]]),
            x2,
            lambda xp, x: xp.log(
                xp.exp(-xp.sum(x * x) / 2) + xp.exp(-((x[0] - 3) ** 2 + (x[1] - 4) ** 2) / 2)
            ),
        ),
        "toy SimpleEggBox": (
            toy.SimpleEggBoxLogPDF(2, 6),
            x2,
            lambda xp, x: xp.log(
                sum(
                    xp.exp(-((x[0] - 12 * a) ** 2 + (x[1] - 12 * b) ** 2) / 4)
                    for a in (-1, 1)
                    for b in (-1, 1)
                )
            ),
        ),
        "Beta prior": (
            pints.BetaLogPrior(1.7, 0.6),
            one,
            lambda xp, x: xp.sum(0.7 * xp.log(x) - 0.4 * xp.log(1 - x)),
        ),
        "Cauchy prior": (
            pints.CauchyLogPrior(0.5, 0.8),
            one,
            lambda xp, x: -xp.sum(xp.log1p(((x - 0.5) / 0.8) ** 2)),
        ),
        "Exponential prior": (pints.ExponentialLogPrior(1.7), one, lambda xp, x: xp.sum(-1.7 * x)),
        "Gamma prior": (
            pints.GammaLogPrior(1.7, 0.6),
            one,
            lambda xp, x: xp.sum(0.7 * xp.log(x) - 0.6 * x),
        ),
        "Gaussian prior": (
            pints.GaussianLogPrior(1.7, 0.6),
            one,
            lambda xp, x: xp.sum(-((x - 1.7) ** 2) / 0.72),
        ),
        "HalfCauchy prior": (
            pints.HalfCauchyLogPrior(0.2, 0.8),
            one,
            lambda xp, x: -xp.sum(xp.log(0.8**2 + (x - 0.2) ** 2)),
        ),
        "InverseGamma prior": (
            pints.InverseGammaLogPrior(1.7, 0.6),
            one,
            lambda xp, x: xp.sum(-2.7 * xp.log(x) - 0.6 / x),
        ),
        "LogNormal prior": (
            pints.LogNormalLogPrior(1.7, 0.6),
            one,
            lambda xp, x: xp.sum(-xp.log(x) - (xp.log(x) - 1.7) ** 2 / 0.72),
        ),
        "StudentT prior": (
            pints.StudentTLogPrior(0.5, 3, 0.8),
            one,
            lambda xp, x: xp.sum(-2 * xp.log1p(((x - 0.5) / 0.8) ** 2 / 3)),
        ),
        "TruncatedGaussian prior": (
            pints.TruncatedGaussianLogPrior(1.7, 0.6, 0, 3),
            one,
            lambda xp, x: xp.sum(-((x - 1.7) ** 2) / 0.72),
        ),
        "MultivariateGaussian prior": (
            pints.MultivariateGaussianLogPrior([1, 2], [[1.5, 0.3], [0.3, 0.7]]),
            x2,
            lambda xp, x: (
                -(0.7 * (x[0] - 1) ** 2 - 0.6 * (x[0] - 1) * (x[1] - 2) + 1.5 * (x[1] - 2) ** 2)
                / 1.92
            ),
        ),
    }
    for name, (density, x, f) in densities.items():
        loss = f or (lambda _, x, d=density: d(x))
        yield Subject(
            "pints",
            name,
            loss,
            lambda x, d=density: np.asarray(d.evaluateS1(x)[1]).reshape(x.shape),
            x,
        )
    times = np.array([0.5, 1.0, 2.0, 3.5])

    def growth(xp: Any, p: Any) -> Any:
        return p[1] / (1 + (p[1] / 2 - 1) * xp.exp(-p[0] * times))

    def growth_slopes(p: Any) -> Any:
        return toy.LogisticModel(2).simulateS1(p, times)[1].T

    yield curve("pints", "toy LogisticModel", growth, growth_slopes, [0.8, 5.0])


def _skfem() -> Iterator[Subject]:
    """Finite elements: basis functions and their gradients by the local coordinates."""
    import skfem.element as home

    names = "LineP1 LineP2 LineMini TriP1 TriP2 TriP3 TriP4 TriCR TriMini TriCCR "
    names += "Quad1 Quad2 QuadS2 TetP1 TetP2 TetCR TetMini TetCCR Hex1 Hex2 HexS2 Wedge1"
    for name in names.split():
        element = getattr(home, f"Element{name}", None)
        if element is None:
            continue
        element = element()
        count = len(element.doflocs)
        x = np.array([0.31, 0.23, 0.17])[: element.dim]

        def loss(_: Any, x: Any, e: Any = element, n: int = count) -> Any:
            parts = [e.lbasis(x[:, None], i)[0] for i in range(n)]
            return sum(
                (1 + i / 7) ** 2 * (part[0] if getattr(part, "shape", ()) else part)
                for i, part in enumerate(parts)
            )

        def gradient(x: Any, e: Any = element, n: int = count) -> Any:
            return sum(
                (1 + i / 7) ** 2 * np.asarray(e.lbasis(x[:, None], i)[1]).reshape(len(x))
                for i in range(n)
            )

        yield Subject("scikit-fem", f"Element{name}", loss, gradient, x)


def _cma() -> Iterator[Subject]:
    from cma import ff

    forms: dict[str, Callable[..., Any]] = {
        "sphere": lambda xp, x: xp.sum(x * x),
        "rosen": lambda xp, x: xp.sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (1 - x[:-1]) ** 2),
        "elli": lambda xp, x: xp.sum(np.array([1.0, 1e3, 1e6]) * x * x),
        "tablet": lambda xp, x: 1e6 * x[0] ** 2 + xp.sum(x[1:] ** 2),
        "cigar": lambda xp, x: x[0] ** 2 + 1e6 * xp.sum(x[1:] ** 2),
    }
    for name, f in forms.items():
        slopes = getattr(ff, f"grad_{name}")
        yield Subject(
            "cma",
            f"grad_{name}",
            f,
            lambda x, slopes=slopes: np.asarray(slopes(x), float),
            np.array([0.7, -1.3, 0.4]),
        )


def _smt() -> Iterator[Subject]:
    """Test problems of surrogate models, as the package wrote them, differentiated by it, too."""
    import smt.problems as home

    problems: dict[str, tuple[Any, Callable[..., Any]]] = {
        "Sphere": (home.Sphere(ndim=3), lambda xp, x: xp.sum(x * x)),
        "Rosenbrock": (
            home.Rosenbrock(ndim=3),
            lambda xp, x: xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        ),
        "Branin": (
            home.Branin(ndim=2),
            lambda xp, x: (
                (x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6) ** 2
                + 10 * (1 - 1 / (8 * np.pi)) * xp.cos(x[0])
                + 10
            ),
        ),
        "TensorProduct cos": (
            home.TensorProduct(ndim=3, func="cos"),
            lambda xp, x: xp.prod(xp.cos(np.pi * x)),
        ),
        "TensorProduct exp": (
            home.TensorProduct(ndim=3, func="exp"),
            lambda xp, x: xp.prod(xp.exp(x)),
        ),
        "TensorProduct tanh": (
            home.TensorProduct(ndim=3, func="tanh"),
            lambda xp, x: xp.prod(xp.tanh(x)),
        ),
        "TensorProduct gaussian": (
            home.TensorProduct(ndim=3, func="gaussian"),
            lambda xp, x: xp.prod(xp.exp(-2 * x**2)),
        ),
        "LpNorm": (home.LpNorm(ndim=3, order=3), lambda xp, x: xp.sum(xp.abs(x) ** 3) ** (1 / 3)),
    }
    for name, (problem, f) in problems.items():
        ndim = problem.options["ndim"]
        x = np.array([0.7, -0.3, 0.4])[:ndim]

        def gradient(x: Any, problem: Any = problem) -> Any:
            return np.array([problem(x[None], kx=i)[0, 0] for i in range(len(x))])

        yield Subject("smt", f"{name} derivatives", f, gradient, x)


PACKAGES = {
    name[1:]: value
    for name, value in globals().items()
    if name[1:] in ["astropy", "lenstronomy", "pints", "skfem", "cma", "smt"]
}


def subjects(package: str) -> Iterator[Subject]:
    """Those of one package."""
    yield from PACKAGES[package]()
