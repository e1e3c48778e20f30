"""GPy's kernels, by their parameters and by the points."""

# pyright: reportMissingImports=false
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any

import jax
import numpy as np
from mpmath import mpf

from evaluation.foreign.subject import JAX, Subject
from evaluation.formulas import formula, table

_RNG = np.random.default_rng(37)
X, Z = (_RNG.normal(size=(n, 4)).round(2) for n in (5, 3))
W, PAIRS, EACH = (_RNG.uniform(0.5, 2, shape).round(2) for shape in ((5, 3), (5, 5), 5))
#: Weights of a symmetric matrix: what a symmetric gradient is for.
PAIRS = PAIRS + PAIRS.T
CENTRES, OUTPUTS = np.array([0.1, 0.9]), np.array([[0], [2], [1], [1], [0]])


def squares(xp: Any, a: Any, b: Any, length: Any) -> Any:
    return xp.sum(((a - b) / length) ** 2, axis=-1)


def _r(xp: Any, a: Any, b: Any, length: Any) -> Any:
    return xp.sqrt(squares(xp, a, b, length))


def _arc(xp: Any, a: Any, b: Any, w: Any, bias: Any) -> Any:
    ab, aa, bb = (xp.sum(w * u * v, axis=-1) + bias for u, v in ((a, b), (a, a), (b, b)))
    return 2 / np.pi * xp.arcsin(ab / xp.sqrt((aa + 1) * (bb + 1)))


def _standard(xp: Any, a: Any, b: Any, period: Any, length: Any) -> Any:
    return xp.exp(-xp.sum((xp.sin(np.pi * (a - b) / period) / length) ** 2, axis=-1) / 2)


def _integrals(xp: Any, t: Any, u: Any, s: Any, v: Any, length: Any) -> Any:
    """The integral of exp(-(x - y)²/l²) for x from s to t and y from v to u."""

    def g(z: Any) -> Any:
        z = z / length
        return z * xp.sqrt(xp.pi) * xp.erf(z) + xp.exp(-(z**2))

    return length**2 / 2 * (g(t - v) + g(u - s) - g(t - u) - g(s - v))


def _spline(xp: Any, a: Any, b: Any, c: Any) -> Any:
    s, t = (a + 8) / 16, (b + 8) / 16
    return 1 + (1 + c) * 16 * s * t + c / 3 * (xp.abs(s - t) ** 3 - s**3 - t**3)


def _operator(order: int, length: Any) -> tuple[Any, ...]:
    """The norm of the Matérn kernel of an order over 2.

    By the coefficients of f, f', f'' and so on of its operator, what the integral is divided by,
    and what is added of products of f, f' and f'' at the lower end.
    """
    if order == 1:
        return (1 / length, 1), 2 / length, {(0, 0): 1}
    if order == 3:
        root, ends = np.sqrt(3), {(0, 0): 1, (1, 1): length**2 / 3}
        return (3 / length**2, 2 * root / length, 1), 12 * root / length**3, ends
    root, ends = np.sqrt(5), {(0, 0): 9 / 8, (2, 2): 9 * length**4 / 200, (1, 1): 3 * length**2 / 5}
    ends |= {(2, 0): 3 * length**2 / 40, (0, 2): 3 * length**2 / 40}
    return (
        (5 * root / length**3, 15 / length**2, 3 * root / length, 1),
        400 * root / (3 * length**5),
        ends,
    )


def _periodic(xp: Any, a: Any, b: Any, length: Any, period: Any, order: int) -> Any:
    """The kernel of the span of sin and cos of two frequencies on [0, 5]."""
    upper, waves = 5.0, [(k, shift) for k in (1, 2) for shift in (-np.pi / 2, 0.0)]
    terms, scale, ends = _operator(order, length)

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


#: Kernels: how each is made, its parameters, its value at points a and b, its gradients, and
#: perhaps points of its own; another variant stands behind a semicolon. `full` is by the
#: parameters, of two sets of points; `both` of a set with itself, `square` of two of a size, `diag`
#: of each point with itself; with X, by the points.
KERNELS = """
RBF; RBF ARD | RBF(2); RBF(2, ARD=True) | variance lengthscale
    | variance * exp(-squares(xp, a, b, lengthscale) / 2) | full both X XX
RBF inv_l        | RBF(2, inv_l=True)           | variance inv_lengthscale
    | variance * exp(-inv_lengthscale * squares(xp, a, b, 1) / 2) | full
Exponential      | Exponential(2)               | variance lengthscale
    | variance * exp(-_r(xp, a, b, lengthscale))                   | full X
OU               | OU(2, ARD=True)              | variance lengthscale
    | variance * exp(-_r(xp, a, b, lengthscale))                   | full X
Matern32; Matern32 ARD | Matern32(2); Matern32(2, ARD=True) | variance lengthscale
    | variance * (1 + (r := 3**0.5 * _r(xp, a, b, lengthscale))) * exp(-r) | full X both XX; full X
Matern52; Matern52 ARD | Matern52(2); Matern52(2, ARD=True) | variance lengthscale
    | variance * (1 + (r := 5**0.5 * _r(xp, a, b, lengthscale)) + r**2 / 3) * exp(-r) | full X
ExpQuad          | ExpQuad(2)                   | variance lengthscale
    | variance * exp(-squares(xp, a, b, lengthscale) / 2)         | full both X
Cosine           | Cosine(2)                    | variance lengthscale
    | variance * cos(_r(xp, a, b, lengthscale))                    | full X
ExpQuadCosine    | ExpQuadCosine(2)             | variance lengthscale period
    | variance * exp(-2 * np.pi**2 * (r := _r(xp, a, b, lengthscale)) ** 2)
      * cos(2 * np.pi * r / period)                                | full X
Sinc             | Sinc(2)                      | variance lengthscale
    | variance * sinc(2 * _r(xp, a, b, lengthscale))               | full X
RatQuad; RatQuad ARD | RatQuad(2); RatQuad(2, ARD=True) | variance lengthscale power
    | variance * (1 + squares(xp, a, b, lengthscale) / 2) ** -power | full both X; full X
Linear; Linear ARD | Linear(2); Linear(2, ARD=True) | variances
    | sum(variances * a * b, axis=-1) | full both diag X XX Xdiag
LinearFull       | LinearFull(2, 1)             | W kappa
    | sum(a @ (W @ W.T + diag(kappa)) * b, axis=-1) | full both diag X XX Xdiag
Poly             | Poly(2, order=3)             | variance scale bias
    | variance * (scale * sum(a * b, axis=-1) + bias) ** 3 | full both
MLP; MLP ARD | MLP(2); MLP(2, ARD=True) | variance weight_variance bias_variance
    | variance * _arc(xp, a, b, weight_variance, bias_variance) | full both diag X XX Xdiag
StdPeriodic; StdPeriodic ARD | StdPeriodic(2); StdPeriodic(2, ARD1=True, ARD2=True)
    | variance period lengthscale | variance * _standard(xp, a, b, period, lengthscale)
    | full both X XX
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
    | rbf_variance * exp(-squares(xp, a, b, rbf_lengthscale) / 2)
      * sum(linear_variances * a * b, axis=-1)     | full both X
RBF + MLP        | RBF(2) + MLP(2)
    | rbf.variance rbf.lengthscale mlp.variance mlp.weight_variance mlp.bias_variance
    | rbf_variance * exp(-squares(xp, a, b, rbf_lengthscale) / 2)
      + mlp_variance * _arc(xp, a, b, mlp_weight_variance, mlp_bias_variance) | full both X
"""


def slope(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative of a function of numbers: JAX's for the judge, differences for the truth."""
    if not order:
        return f
    below, step = slope(f, order - 1), mpf(2) ** -50

    def found(xp: Any, x: Any) -> Any:
        if xp is JAX:
            return jax.grad(lambda x: xp.sum(below(xp, x)))(x)
        return (below(xp, x + step) - below(xp, x - step)) / (2 * step)

    return found


def assign(made: Any, values: dict[str, Any]) -> Any:
    """Something of GPy's with parameters that are named, perhaps by way of its parts."""
    for name, value in values.items():
        attrgetter(name)(made)[...] = value
    return made


def gradients_of(made: Any, names: Any) -> dict[str, Any]:
    return {name: np.array(attrgetter(name)(made).gradient) for name in names}


def parameters_of(made: Any, names: str) -> dict[str, Any]:
    """By name, values like those that are there."""
    shapes = {name: np.shape(attrgetter(name)(made)) for name in names.split()}
    return {name: _RNG.uniform(0.6, 1.7, shape).round(2) for name, shape in shapes.items()}


def with_parameters(
    text: str, arguments: str, names: str, known: dict[str, Any]
) -> Callable[..., Any]:
    """A formula of a dictionary of parameters and of arguments."""
    plain = names.replace(".", "_").split()
    f = formula(", ".join([*arguments.split(), *plain]), text, known)
    return lambda xp, p, *args: f(xp, *args, *(p[name] for name in names.split()))


def _variants() -> Iterator[list[str]]:
    for cells in table(KERNELS):
        for at in range(1 + cells[0].count("; ")):
            yield [cell.split("; ")[at % (1 + cell.count("; "))] for cell in cells]


def _kernels() -> Iterator[Subject]:
    import GPy

    for name, text, parameters, value, kinds, *given in _variants():
        make, k = formula("", text, globals()), with_parameters(value, "a b", parameters, globals())
        dimensions = make(GPy.kern).input_dim
        x, z = eval(given[0], globals()) if given else (X[:, :dimensions], Z[:, :dimensions])
        p = parameters_of(make(GPy.kern), parameters)
        for kind in kinds.split():
            yield _kernel(name, kind, partial(make, GPy.kern), k, p, x, z)


def _kernel(
    name: str, kind: str, make: Callable[..., Any], k: Any, p: Any, x: Any, z: Any
) -> Subject:
    """The gradient of a weighted sum of values; see `KERNELS` for what there is."""
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
        made = assign(make(), values)
        found = getattr(made, method)(weights.copy(), one, *(others(one) or ()))
        return np.asarray(found) if of_x else gradients_of(made, p)

    label = {"both": ", symmetric", "XX": ", symmetric"}.get(kind, "")
    return Subject(f"{name}.{method}{label}", loss, gradient, x if of_x else p)


#: Derivatives of kernels with names of their own: those that are differentiated already, by point
#: and dimension, and by what they are differentiated then.
PARTIALS = """
dK_dX                 |         | X
dK_dX2                |         | X2
dK2_dXdX2             | X0      | X2
dK2_dXdX              | X1      | X
dK3_dXdXdX2           | X0 X1   | X2
dK3_dXdXdX2           | X1 X1   | X2
dK_dvariance          |         | variance
dK_dlengthscale       |         | lengthscale
dK_dperiod            |         | period
dK2_dvariancedX       | X1      | variance
dK2_dvariancedX2      | X21     | variance
dK2_dlengthscaledX    | X1      | lengthscale
dK2_dlengthscaledX2   | X20     | lengthscale
dK2_dperioddX         | X0      | period
dK2_dperioddX2        | X21     | period
dK3_dvariancedXdX2    | X0 X20  | variance
dK3_dlengthscaledXdX2 | X0 X21  | lengthscale
dK3_dlengthscaledXdX2 | X1 X21  | lengthscale
dK3_dperioddXdX2      | X0 X21  | period
dK3_dperioddXdX2      | X1 X21  | period
"""


def _partial(k: Any, point: str, dimension: int) -> Callable[..., Any]:
    """The derivative of a kernel, for each pair of points, by a coordinate of one of them."""

    def found(xp: Any, p: Any, a: Any, b: Any) -> Any:
        def moved(xp: Any, by: Any) -> Any:
            by = by[..., None] * np.eye(2)[dimension]
            return k(xp, p, a + by, b) if point == "X" else k(xp, p, a, b + by)

        return slope(moved)(xp, xp.zeros(W.shape))

    return found


def _partials() -> Iterator[Subject]:
    import GPy

    for name, text, parameters, value, *_ in _variants():
        if name.removesuffix(" ARD") not in ("RBF", "StdPeriodic"):
            continue
        make, k = formula("", text), with_parameters(value, "a b", parameters, globals())
        at = parameters_of(make(GPy.kern), parameters) | {"X": X[:, :2], "X2": Z[:, :2]}
        for method, lower, last in table(PARTIALS):
            if not hasattr(make(GPy.kern), method):
                continue
            below, known = k, []
            for point, dimension in ((part[:-1], int(part[-1])) for part in lower.split()):
                below, known = _partial(below, point, dimension), [*known, dimension]

            def loss(xp: Any, x: Any, last: str = last, below: Any = below, at: Any = at) -> Any:
                p = at | {last: x}
                return xp.sum(W * below(xp, p, p["X"][:, None], p["X2"][None]))

            def gradient(
                x: Any, last: str = last, at: Any = at, known: Any = known, of: Any = (make, method)
            ) -> Any:
                p, (make, method) = at | {last: x}, of
                made = assign(make(GPy.kern), {key: p[key] for key in p if key[0] != "X"})
                call = partial(getattr(made, method), p["X"], p["X2"])
                if last[0] != "X":
                    found = call(*known)
                    found = found if isinstance(found, list) else [found]
                    return np.array([np.sum(W * part) for part in found])
                axis = 1 if last == "X" else 0
                return np.stack([np.sum(W * call(*known, d), axis=axis) for d in (0, 1)], axis=-1)

            label = f" of {lower}" if lower else ""
            yield Subject(f"{name}.{method}{label}", loss, gradient, at[last])


def _gpy() -> Iterator[Subject]:
    yield from _kernels()
    yield from _partials()


PACKAGES = {"gpy": _gpy}
