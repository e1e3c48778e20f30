"""Models of data beside their derivatives by the parameters, and potentials beside their slopes."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from evaluation.foreign.subject import Subject, tabled

C = np.array([0.7, -1.1, 1.6, 0.4])
X, Y = np.array([-1.3, 0.4, 1.1, 2.7]), np.array([0.8, -0.6, 1.9, 0.3])
POSITIVE = np.array([0.4, 1.1, 2.3, 3.7])
TIMES = np.array([0.5, 1.0, 2.0, 3.5])
PI, TURN, MAGNITUDE = np.pi, 2 * np.pi, 0.4 * np.log(10)


#: Models of astropy, in one dimension and two: parameters and values, x, and what they are.
MODELS = """
{0}.fit_deriv | sum(C * (lambda {1}: {3})(*p))
    | np.array([np.sum(C * slope) for slope in models.{0}().fit_deriv(x, *p)])
    | np.array([*dict({1}).values()]) | p, x | ({2},)

Gaussian1D   | a=1.3, m=0.4, s=0.9        | X        | a * exp(-(((x - m) / s) ** 2) / 2)
RedshiftScaleFactor | z=0.4 | X | (1 + z) * x
Sine1D       | a=1.3, f=0.4, h=0.1        | X        | a * sin(TURN * (f * x + h))
Cosine1D     | a=1.3, f=0.4, h=0.1        | X        | a * cos(TURN * (f * x + h))
Tangent1D    | a=1.3, f=0.4, h=0.1        | X        | a * tan(TURN * (f * x + h))
ArcSine1D    | a=3.9, f=0.4, h=0.1        | X        | (arcsin(x / a) / TURN - h) / f
ArcCosine1D  | a=3.9, f=0.4, h=0.1        | X        | (arccos(x / a) / TURN - h) / f
ArcTangent1D | a=3.9, f=0.4, h=0.1        | X        | (arctan(x / a) / TURN - h) / f
Linear1D     | a=1.3, b=0.4               | X        | a * x + b
Lorentz1D    | a=1.3, m=0.4, w=0.9        | X        | a * w**2 / 4 / ((x - m) ** 2 + w**2 / 4)
Moffat1D     | a=1.3, m=0.4, w=0.9, k=1.7 | X        | a * (1 + ((x - m) / w) ** 2) ** -k
KingProjectedAnalytic1D | a=1.3, r=0.9, t=7.5 | POSITIVE
    | a * r**2 * (1 / sqrt(x**2 + r**2) - 1 / sqrt(t**2 + r**2)) ** 2
Logarithmic1D | a=1.3, t=0.9 | POSITIVE | a * log(x / t)
Exponential1D | a=1.3, t=0.9 | X | a * exp(x / t)
PowerLaw1D   | a=1.3, m=0.9, k=1.7        | POSITIVE | a * (x / m) ** -k
BrokenPowerLaw1D | a=1.3, m=1.9, k=1.7, l=0.6 | POSITIVE
    | a * where(x < m, (x / m) ** -k, (x / m) ** -l)
SmoothlyBrokenPowerLaw1D | a=1.3, m=1.9, k=1.7, l=0.6, d=0.3 | POSITIVE
    | a * (x / m) ** -k * ((1 + (x / m) ** (1 / d)) / 2) ** ((k - l) * d)
ExponentialCutoffPowerLaw1D | a=1.3, m=0.9, k=1.7, c=2.1 | POSITIVE
    | a * (x / m) ** -k * exp(-x / c)
LogParabola1D | a=1.3, m=0.9, k=1.7, b=0.6 | POSITIVE
    | a * (x / m) ** (-k - b * log(x / m))
Schechter1D  | a=1.3, m=0.9, k=-0.6       | X
    | MAGNITUDE * a * exp(-MAGNITUDE * (x - m)) ** (k + 1) * exp(-exp(-MAGNITUDE * (x - m)))

{0}.fit_deriv | sum(C * (lambda {1}: {2})(*p))
    | np.array([np.sum(C * slope) for slope in models.{0}().fit_deriv(x, y, *p)])
    | np.array([*dict({1}).values()]) | p, x, y | (X, Y)

Gaussian2D | a=1.3, m=0.4, n=-0.2, s=0.9, t=1.7, h=0.6
    | a * exp(-((((x - m) * cos(h) + (y - n) * sin(h)) / s) ** 2
              + ((-(x - m) * sin(h) + (y - n) * cos(h)) / t) ** 2) / 2)
Planar2D     | a=1.3, b=0.4, c=0.9        | a * x + b * y + c
Lorentz2D    | a=1.3, m=0.4, n=-0.2, w=0.9 | a * w**2 / 4 / ((x - m) ** 2 + (y - n) ** 2 + w**2 / 4)
Moffat2D | a=1.3, m=0.4, n=-0.2, w=0.9, k=1.7 | a * (1 + ((x - m) ** 2 + (y - n) ** 2) / w**2) ** -k
"""


def _nfw(xp: Any, r: Any, scale: Any, alpha: Any) -> Any:
    x = r / scale
    rho = alpha / (4 * scale**2 * (1 + np.log(0.5)))
    inside = xp.arccosh(xp.maximum(1 / x, 1)) ** 2
    outside = -(xp.arccos(xp.minimum(1 / x, 1)) ** 2)
    return 2 * rho * scale**3 * (xp.log(x / 2) ** 2 - xp.where(x < 1, inside, outside))


#: Lenses of lenstronomy: the class, its settings, where, and the potential at x, y.
LENSES = """
{0} | (lambda x, y, {2}: {4})(p[0], p[1])
    | np.array((lambda **s: {1}().derivatives(*p, *s.values()))({2})).ravel()
    | np.array([[0.7, -0.4], [1.9, 0.8]][{3}]) | p

SIS.derivatives 1         | sis.SIS                      | a=1.3                     | 0
    | a * sqrt(x * x + y * y)
PointMass.derivatives 1   | point_mass.PointMass         | a=1.3                     | 0
    | a**2 * log(sqrt(x * x + y * y))
Shear.derivatives 1       | shear.Shear                  | a=0.1, b=-0.2             | 0
    | (a * x * x + 2 * b * x * y - a * y * y) / 2
Convergence.derivatives 1 | convergence.Convergence      | a=0.3                     | 0
    | a * (x * x + y * y) / 2
Gaussian.derivatives 1    | gaussian_potential.GaussianPotential | a=1.3, s=0.9, t=1.7 | 0
    | a / (2 * PI * s * t) * exp(-((x / s) ** 2 + (y / t) ** 2) / 2)
Flexion.derivatives 1     | flexion.Flexion              | a=0.1, b=-0.2, c=0.3, d=0.05 | 0
    | (a * x**3 + 3 * b * x**2 * y + 3 * c * x * y**2 + d * y**3) / 6
Hessian.derivatives 1     | hessian.Hessian              | a=0.1, b=-0.2, c=0.3, d=0.3 | 0
    | (a * x**2 + (c + d) * x * y + b * y**2) / 2
NFW.derivatives 1         | nfw.NFW                      | s=0.9, a=1.3              | 0
    | _nfw(xp, sqrt(x * x + y * y), s, a)
NFW.derivatives 2         | nfw.NFW                      | s=0.9, a=1.3              | 1
    | _nfw(xp, sqrt(x * x + y * y), s, a)
"""


#: Densities of pints, their points, and their logarithms, but for a constant; a model of growth.
DENSITIES = """
{0} | {3} | np.asarray({1}.evaluateS1(x)[1]).reshape(x.shape) | np.array({2})

toy Rosenbrock      | toy.RosenbrockLogPDF()          | [0.7, -0.4] | toy.RosenbrockLogPDF()(x)
toy Cone            | toy.ConeLogPDF(2, 0.9)          | [0.7, -0.4] | -(sqrt(sum(x * x)) ** 0.9)
toy NealsFunnel     | toy.NealsFunnelLogPDF(3)        | [0.7, -0.4, 1.2]
    | -(x[2] ** 2) / 18 - sum(x[:2] ** 2) * exp(-x[2]) / 2 - x[2]
toy TwistedGaussian | toy.TwistedGaussianLogPDF(2, 0.1, 100) | [0.7, -0.4]
    | -(x[0] ** 2) / 20000 - (x[1] + 0.1 * x[0] ** 2 - 10) ** 2 / 2
toy Annulus         | toy.AnnulusLogPDF(2, 10, 1)     | [0.7, -0.4]
    | -((sqrt(sum(x * x)) - 10) ** 2) / 2
toy Gaussian        | toy.GaussianLogPDF([1, 2], [1.5, 0.7]) | [0.7, -0.4]
    | -((x[0] - 1) ** 2 / 1.5 + (x[1] - 2) ** 2 / 0.7) / 2
toy Multimodal      | toy.MultimodalGaussianLogPDF([[0, 0], [3, 4]]) | [0.7, -0.4]
    | log(exp(-sum(x * x) / 2) + exp(-((x[0] - 3) ** 2 + (x[1] - 4) ** 2) / 2))
toy SimpleEggBox    | toy.SimpleEggBoxLogPDF(2, 6)    | [0.7, -0.4] | _egg_box(xp, x)
Beta prior          | pints.BetaLogPrior(1.7, 0.6)    | [0.37]
    | sum(0.7 * log(x) - 0.4 * log(1 - x))
Cauchy prior        | pints.CauchyLogPrior(0.5, 0.8)  | [0.37] | -sum(log1p(((x - 0.5) / 0.8) ** 2))
Exponential prior   | pints.ExponentialLogPrior(1.7)  | [0.37] | sum(-1.7 * x)
Gamma prior         | pints.GammaLogPrior(1.7, 0.6)   | [0.37] | sum(0.7 * log(x) - 0.6 * x)
Gaussian prior      | pints.GaussianLogPrior(1.7, 0.6) | [0.37] | sum(-((x - 1.7) ** 2) / 0.72)
HalfCauchy prior    | pints.HalfCauchyLogPrior(0.2, 0.8) | [0.37]
    | -sum(log(0.8**2 + (x - 0.2) ** 2))
InverseGamma prior  | pints.InverseGammaLogPrior(1.7, 0.6) | [0.37] | sum(-2.7 * log(x) - 0.6 / x)
LogNormal prior     | pints.LogNormalLogPrior(1.7, 0.6) | [0.37]
    | sum(-log(x) - (log(x) - 1.7) ** 2 / 0.72)
StudentT prior      | pints.StudentTLogPrior(0.5, 3, 0.8) | [0.37]
    | sum(-2 * log1p(((x - 0.5) / 0.8) ** 2 / 3))
TruncatedGaussian prior | pints.TruncatedGaussianLogPrior(1.7, 0.6, 0, 3) | [0.37]
    | sum(-((x - 1.7) ** 2) / 0.72)
MultivariateGaussian prior
    | pints.MultivariateGaussianLogPrior([1, 2], [[1.5, 0.3], [0.3, 0.7]]) | [0.7, -0.4]
    | -(0.7 * (x[0] - 1) ** 2 - 0.6 * (x[0] - 1) * (x[1] - 2) + 1.5 * (x[1] - 2) ** 2) / 1.92

toy {0}Model | sum(C * {1}) | C @ toy.{0}Model(2).simulateS1(x, TIMES)[1] | np.array([0.8, 5.0])

Logistic | x[1] / (1 + (x[1] / 2 - 1) * exp(-x[0] * TIMES))
"""


def _egg_box(xp: Any, x: Any) -> Any:
    peaks = [(a, b) for a in (-12, 12) for b in (-12, 12)]
    return xp.log(sum(xp.exp(-((x[0] - a) ** 2 + (x[1] - b) ** 2) / 4) for a, b in peaks))


PROFILES = "sis point_mass shear convergence gaussian_potential flexion hessian nfw"
ELEMENTS = """LineP1 LineP2 LineMini TriP1 TriP2 TriP3 TriP4 TriCR TriMini TriCCR Quad1 Quad2 QuadS2
TetP1 TetP2 TetCR TetMini TetCCR Hex1 Hex2 HexS2 Wedge1"""


def _skfem() -> Iterator[Subject]:
    """Finite elements: basis functions and their gradients by the local coordinates."""
    import skfem.element as home

    for name in ELEMENTS.split():
        element = getattr(home, f"Element{name}")()
        x = np.array([0.31, 0.23, 0.17])[: element.dim]

        def loss(_: Any, x: Any, e: Any = element) -> Any:
            parts = [e.lbasis(x[:, None], i)[0] for i in range(len(e.doflocs))]
            flat = [part[0] if getattr(part, "shape", ()) else part for part in parts]
            return sum((1 + i / 7) ** 2 * part for i, part in enumerate(flat))

        def gradient(x: Any, e: Any = element) -> Any:
            slopes = [np.asarray(e.lbasis(x[:, None], i)[1]) for i in range(len(e.doflocs))]
            return sum((1 + i / 7) ** 2 * slope.reshape(len(x)) for i, slope in enumerate(slopes))

        yield Subject(f"Element{name}", loss, gradient, x)


CMA = """
grad_{0} | {1} | np.asarray(fitness_functions.ff.grad_{0}(x), float) | np.array([0.7, -1.3, 0.4])

sphere | sum(x * x)
rosen  | sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (1 - x[:-1]) ** 2)
elli   | sum(np.array([1.0, 1e3, 1e6]) * x * x)
tablet | 1e6 * x[0] ** 2 + sum(x[1:] ** 2)
cigar  | x[0] ** 2 + 1e6 * sum(x[1:] ** 2)
"""


#: Test problems of surrogate models, which the package differentiates, too.
PROBLEMS = """
{0} derivatives | {2} | np.array([problems.{1}(x[None], kx=i)[0, 0] for i in range(len(x))])
    | np.array([0.7, -0.3, 0.4])[: problems.{1}.options["ndim"]]

Sphere                 | Sphere(ndim=3)                        | sum(x * x)
Rosenbrock             | Rosenbrock(ndim=3)
    | sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
Branin                 | Branin(ndim=2)
    | (x[1] - 5.1 / (4 * PI**2) * x[0] ** 2 + 5 / PI * x[0] - 6) ** 2
      + 10 * (1 - 1 / (8 * PI)) * cos(x[0]) + 10
TensorProduct cos      | TensorProduct(ndim=3, func="cos")      | prod(cos(PI * x))
TensorProduct exp      | TensorProduct(ndim=3, func="exp")      | prod(exp(x))
TensorProduct tanh     | TensorProduct(ndim=3, func="tanh")     | prod(tanh(x))
TensorProduct gaussian | TensorProduct(ndim=3, func="gaussian") | prod(exp(-2 * x**2))
LpNorm                 | LpNorm(ndim=3, order=3)               | sum(abs(x) ** 3) ** (1 / 3)
"""


PACKAGES = {
    "astropy": partial(tabled, MODELS, globals(), "astropy.modeling.models"),
    "lenstronomy": partial(
        *(tabled, LENSES, globals()),
        *(f"lenstronomy.LensModel.Profiles.{profile}" for profile in PROFILES.split()),
    ),
    "pints": partial(tabled, DENSITIES, globals(), "pints", "pints.toy"),
    "scikit-fem": _skfem,
    "cma": partial(tabled, CMA, globals(), "cma.fitness_functions"),
    "smt": partial(tabled, PROBLEMS, globals(), "smt.problems"),
}
