"""Wrong derivatives in released packages, each with its exact value and a minimal reproduction.

They were found by `python -m evaluation.foreign`, which puts the packages' gradients before the
judge. `released` calls the package, which need not be installed to read this; `exact` computes the
same derivative in 50 digits, by differences of the function itself.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np
from mpmath import cos, diff, exp, fabs, log, log1p, mp, mpf, sin, sqrt, tanh, workdps


class Mistake(NamedTuple):
    """One derivative by one number."""

    #: The package, the release in which it was seen, and what is wrong.
    package: str
    release: str
    about: str
    #: What the release answers, and its call.
    answer: float
    released: Callable[[], Any]
    #: The function, and where it is differentiated.
    function: Callable[[Any], Any]
    at: float

    def exact(self) -> Any:
        """Compute the derivative in 50 digits."""
        with workdps(50):
            return diff(self.function, mpf(self.at))

    def installed(self) -> str | None:
        """Return the release that is installed, if any."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def _home(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def _lstm() -> Any:
    """One unit, two tokens; the loss is what comes out at the first."""
    ops, zero, sizes = _home("thinc.api").NumpyOps(), np.zeros((1, 1, 1), "f"), np.ones(2, "i")
    x, params = np.array([[0.5], [0.25]], "f"), np.full(16, 0.5, "f")
    state = ops.lstm_forward_training(params, zero, zero, x, sizes)[1]
    return ops.backprop_lstm(np.array([[1.0], [0.0]], "f"), sizes, params, state)[0][0, 0]


def _lstm_output(x: Any) -> Any:
    gate = 1 / (1 + exp(-(x / 2 + 1)))
    return gate * tanh(gate * tanh(x / 2 + 1))


def _dish_layer() -> Any:
    """One number in, one out: dish(2·x + 1) at x = ½."""
    layer = _home("thinc.api").Dish(1, 1).initialize()
    layer.set_param("W", np.array([[2.0]], "f"))
    layer.set_param("b", np.array([1.0], "f"))
    return layer(np.array([[0.5]], "f"), is_train=True)[1](np.array([[1.0]], "f"))[0, 0]


def _dish(x: Any) -> Any:
    z = 2 * x + 1
    return z / 2 * (1 + z / sqrt(1 + z * z))


def _umap(name: str, x: list[float], y: list[float], element: int) -> Callable[[], Any]:
    def released() -> Any:
        return getattr(_home("umap.distances"), name)(np.array(x), np.array(y))[1][element]

    return released


def _symmetric_kl(x: Any) -> Any:
    p = [x / (x + mpf("0.75")), mpf("0.75") / (x + mpf("0.75"))]
    return (
        sum((a - mpf(b)) * (log(a) - log(mpf(b))) for a, b in zip(p, (0.5, 0.5), strict=True)) / 2
    )


def _gaussian_energy(width: Any) -> Any:
    """Two Gaussians, one wide by `width` and 1 at the angle ½, the other by 1 and 1 at 0."""
    c, s = cos(mpf("0.5")), sin(mpf("0.5"))
    a, b, d = width * c**2 + s**2 + 1, (width - 1) * s * c, width * s**2 + c**2 + 1
    m, n, det = mpf(1), mpf("0.5"), a * d - b**2
    return (d * m**2 - 2 * b * m * n + a * n**2) / det + log(det)


def _bray_curtis(x: Any) -> Any:
    y, other, theirs = mpf("0.25"), mpf(1), mpf("0.5")
    return (fabs(x - y) + fabs(other - theirs)) / (fabs(x + y) + fabs(other + theirs))


def _copula(name: str, derivative: str, theta: float) -> Callable[[], Any]:
    def released() -> Any:
        generator = getattr(_home("statsmodels.distributions.copula.transforms"), name)()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.real(getattr(generator, derivative)(np.array([0.5]), theta)[0])

    return released


def _dotsort() -> Any:
    """Five times the largest element and once the next, of a matrix; by that at [1, 0]."""
    cp = _home("cvxpy")
    x = cp.Variable((2, 2))
    x.value = np.array([[1.0, 2.0], [4.0, 3.0]])
    slopes = cp.dotsort(x, np.array([1.0, 5.0])).grad[x].toarray()
    return slopes.reshape(2, 2, order="F")[1, 0]


def _lsml() -> Any:
    """One quadruplet, of weight ¼, in one dimension."""
    model = _home("metric_learn").LSML()
    model.w_ = np.array([0.25])
    one = np.array([[1.0]])
    return model._gradient(one, np.array([[2.0]]), one, one)[0, 0]


def _pytensor_power() -> Any:
    pt, pytensor = _home("pytensor.tensor"), _home("pytensor")
    x = pt.dscalar()
    return pytensor.function([x], pytensor.grad(2**x, x), mode="FAST_COMPILE")(1.0)


def _pytensor_logaddexp() -> Any:
    pt, pytensor = _home("pytensor.tensor"), _home("pytensor")
    x = pt.dscalar()
    return pytensor.function([x], pytensor.grad(pt.logaddexp(x, 0.0), x), mode="FAST_COMPILE")(
        800.0
    )


def _autograd(name: str, x: Any, element: Any) -> Callable[[], Any]:
    def released() -> Any:
        with np.errstate(all="ignore"):
            return _home("autograd").grad(getattr(_home("autograd.numpy"), name))(np.array(x))[
                element
            ]

    return released


def _spence() -> Any:
    import jax

    return jax.grad(jax.scipy.special.spence)(1.5)


def _trigamma() -> Any:
    import jax

    with jax.enable_x64(True):
        return jax.grad(jax.lax.digamma)(-12.5)


def _glum() -> Any:
    family = _home("glum").NegativeBinomialDistribution(0.1)
    return family.unit_variance_derivative(np.array([1.0]))[0]


def _fitc() -> Any:
    """Two points, one of which is the inducing one, with noise of variance 1."""
    gpy, points = _home("GPy"), np.array([[0.0], [1.0]])
    inference = _home("GPy.inference.latent_function_inference").FITC()
    parts = gpy.kern.RBF(1, variance=0.001), gpy.likelihoods.Gaussian(variance=1.0)
    model = gpy.core.SparseGP(
        points, np.ones((2, 1)), points[:1], *parts, inference_method=inference
    )
    return model.kern.variance.gradient[0]


def _fitc_likelihood(v: Any) -> Any:
    """log N(1, 1 | 0, c) but for a constant: v + 1 on the diagonal, and what is next to it."""
    c, beside = v + 1, v * v * exp(mpf("-0.5")) / (v + mpf(1e-6))
    det = c**2 - beside**2
    return -log(det) / 2 - (c - beside) / det


def _logistic_basis() -> Any:
    kernel = _home("GPy").kern.LogisticBasisFuncKernel(1, [0.0], variance=2.0)
    one = np.array([[1.0]])
    kernel.update_gradients_full(one, one, 2 * one)
    return kernel.slope.gradient[0]


def _weibull() -> Any:
    one = np.array([[1.0]])
    return _home("GPy").likelihoods.Weibull(beta=2.0).d3logpdf_dlink3_dr(one, 2 * one)[0, 0]


def _negative_exponent() -> Any:
    transformation = _home("paramz.transformations").NegativeExponent()
    return transformation.gradfactor(np.array([-1.0]), np.array([1.0]))[0]


NAN = float("nan")
MISTAKES = (
    Mistake(
        *(
            "thinc",
            "9.1.1",
            "LSTM on the processor: the gradient of the first token is left at 0",
            0.0,
        ),
        *(_lstm, _lstm_output, 0.5),
    ),
    Mistake(
        *("thinc", "9.1.1", "Dish layer: dish' is taken at x, not at W x + b", 1.804984450340271),
        *(_dish_layer, _dish, 0.5),
    ),
    Mistake(
        *(
            "umap-learn",
            "0.5.12",
            "symmetric_kl_grad: the derivative by y; and it scales x and y in place",
            0.5965735902649727,
        ),
        *(_umap("symmetric_kl_grad", [0.25, 0.75], [0.5, 0.5], 0), _symmetric_kl, 0.25),
    ),
    Mistake(
        *(
            "umap-learn",
            "0.5.12",
            "gaussian_energy_grad: the derivatives by widths and angle",
            -0.13870543241500854,
        ),
        *(
            _umap("gaussian_energy_grad", [1.0, 0.5, 2.0, 1.0, 0.5], [0.0, 0.0, 1.0, 1.0, 0.0], 2),
            _gaussian_energy,
            2.0,
        ),
    ),
    Mistake(
        *(
            "umap-learn",
            "0.5.12",
            "bray_curtis_grad: the denominator is taken for Σ(x + y), without its sign",
            -0.7901234567901234,
        ),
        *(_umap("bray_curtis_grad", [-1.0, 1.0], [0.25, 0.5], 0), _bray_curtis, -1.0),
    ),
    Mistake(
        *(
            "metric-learn",
            "0.7.0",
            "LSML: the loss weights the quadruplets, the gradient does not",
            1.0,
        ),
        *(_lsml, lambda m: m - log(m) + (2 * sqrt(m) - sqrt(m)) ** 2 / 4, 1.0),
    ),
    Mistake(
        *(
            "statsmodels",
            "0.15.0",
            "copula TransfFrank.deriv (and deriv2): the sign",
            1.163953413738653,
        ),
        *(
            _copula("TransfFrank", "deriv", 2.0),
            lambda t: -log((1 - exp(-2 * t)) / (1 - exp(mpf(-2)))),
            0.5,
        ),
    ),
    Mistake(
        *(
            "statsmodels",
            "0.15.0",
            "copula TransfGumbel.deriv2: NaN for every θ that is no integer",
            NAN,
        ),
        *(_copula("TransfGumbel", "deriv2", 1.5), lambda t: -1.5 * sqrt(-log(t)) / t, 0.5),
    ),
    Mistake(
        *(
            "cvxpy",
            "1.9.3",
            "dotsort of a matrix: its gradient is laid out by rows, others' by columns",
            0.0,
        ),
        *(_dotsort, lambda x: 5 * x + 3, 4.0),
    ),
    Mistake(
        *(
            "pytensor",
            "3.0.7",
            "2**x: log 2 is computed in float32, as 2 is an int8",
            1.3862943649291992,
        ),
        *(_pytensor_power, lambda x: mpf(2) ** x, 1.0),
    ),
    Mistake(
        *("pytensor", "3.0.7", "logaddexp: NaN from exp(800)", NAN),
        *(_pytensor_logaddexp, lambda x: x + log1p(exp(-x)), 800.0),
    ),
    Mistake(
        *(
            "glum",
            "3.4.1",
            "NegativeBinomialDistribution: θ is kept in float32",
            1.2000000029802322,
        ),
        *(_glum, lambda m: m + mpf(0.1) * m**2, 1.0),
    ),
    Mistake(
        *("autograd", "1.9.1", "prod: NaN where an element is 0", NAN),
        *(_autograd("prod", [2.0, 0.0, 3.0], 1), lambda x: 6 * x, 0.0),
    ),
    Mistake(
        *("autograd", "1.9.1", "sinc: NaN at 0", NAN),
        *(_autograd("sinc", 0.0, ()), lambda x: 1 - (mp.pi * x) ** 2 / 6, 0.0),
    ),
    Mistake(
        *(
            "gpy",
            "1.15.0",
            "FITC: each evaluation adds jitter to the kernel's cached matrix, which its slopes use",
            0.602144191611721,
        ),
        *(_fitc, _fitc_likelihood, 0.001),
    ),
    Mistake(
        *(
            "gpy",
            "1.15.0",
            "LogisticBasisFuncKernel with two sets of points: one of two terms lacks the variance",
            0.48020106153610165,
        ),
        *(_logistic_basis, lambda s: 2 / ((1 + exp(-s)) * (1 + exp(-2 * s))), 1.0),
    ),
    Mistake(
        *(
            "gpy",
            "1.15.0",
            "Weibull.d3logpdf_dlink3_dr: that of another parameterisation, with log(1 + y)",
            1.616627499277214,
        ),
        *(_weibull, lambda r: 6 * mpf(2) ** r - 2, 2.0),
    ),
    Mistake(
        *("paramz", "0.10.0", "NegativeExponent.gradfactor: the sign", 1.0),
        *(_negative_exponent, lambda x: -exp(x), 0.0),
    ),
    Mistake(
        *("jax", "0.10.2", "spence, which has no rule of its own: NaN for 1 < x <= 2", NAN),
        *(_spence, lambda x: mp.polylog(2, 1 - x), 1.5),
    ),
    Mistake(
        *("jax", "0.10.2", "lax.digamma: its derivative below -8", -0.07687837956004479),
        *(_trigamma, mp.digamma, -12.5),
    ),
)

if __name__ == "__main__":
    for mistake in MISTAKES:
        here = mistake.installed()
        answer = f"{here} answers {float(mistake.released())!r}" if here else "it is not installed"
        print(f"{mistake.package} {mistake.release}, {mistake.about}")
        print(f"  exact {mp.nstr(mistake.exact(), 20)}, answer {mistake.answer!r}; {answer}")
