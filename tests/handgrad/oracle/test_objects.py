"""NumPy's own lines on object arrays of power series."""

import math
import operator
from collections.abc import Callable
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.special
from flint import arb
from scipy.linalg import cho_solve, solve, solve_triangular

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.data import formats
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.numpy_losses.dispatch import NumpyRun, UnwrittenError
from handgrad.oracle.numpy_losses.series import NotOnSeriesError, Number, Series
from handgrad.oracle.numpy_losses.stand_ins import on_series
from handgrad.oracle.random_directions import with_units
from handgrad.oracle.reference import BITS
from handgrad.tolerance.perturbed_numpy import OtherData, Rounding
from handgrad.tolerance.tolerances import LOOSE
from handgrad.tolerance.tolerances_numpy import measure

X = np.array([0.3, -0.7, 1.2])
A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])


def lines(disturbance: Any = None, final: bool = True) -> NumpyRun:
    return NumpyRun(Comparisons(final=final, undefined=final), {}, disturbance)


def series(session: NumpyRun, x: np.ndarray) -> Any:
    """Return an array as series, each number with its own direction."""
    tangent = balls.exact(np.eye(x.size))
    return session.unpacked(Dual(balls.exact(x), tangent.reshape(x.size, *x.shape)))


def value_and_slopes(f: Callable[[Any], Any], x: np.ndarray = X) -> tuple[float, list[float]]:
    with balls.precision(192):
        session = lines()
        found = session.packed(f(series(session, x)))
        assert found.tangent is not None
        return float(found.value.item()), [float(t) for t in found.tangent]


def quotients(f: Callable[[Any], Any]) -> list[float]:
    """Return the difference quotients of a function at X, of numbers without tangents."""
    with balls.precision(600):
        h, session = arb(2) ** -200, lines()
        steps = h * balls.exact(np.eye(X.size))
        ends = [
            [session.packed(f(session.unpacked(Dual(balls.exact(X) + s)))).value[()] for s in by]
            for by in (steps, -steps)
        ]
        return [float((a - b) / (2 * h)) for a, b in zip(*ends, strict=True)]


def filled(x: Any) -> Any:
    out = np.zeros_like(x)
    for i, xi in enumerate(x):
        out[i] += xi * x[i - 1]
    row = out[:2]
    row *= 2
    out[2:] -= 1
    np.multiply(out, x, out=out)
    first, *others = x
    return out.sum() + first * sum(others) + np.array([first, 2 * first]).sum() + abs(x[1])


def askew(x: Any) -> Any:
    """A matrix that is not symmetric; either triangle is one of a positive definite matrix."""
    return 4 * A + np.outer(x, np.array([0.5, 1.0, -0.3]))


#: Functions of NumPy and SciPy, on objects and by their counterparts in JAX.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda x: np.sum(np.exp(A @ x) ** 2),
    "softplus": lambda x: np.mean(np.log1p(np.exp(x))),
    "tanh": lambda x: np.tanh(x).sum() + np.sinh(x[0]) / np.cosh(x[1]),
    "sqrt": lambda x: np.sqrt(np.square(x) + 1).sum(),
    "maximum": lambda x: np.maximum(x, 0) @ np.minimum(x, 1),
    "where": lambda x: np.sum(np.where(x > 0, x**2, 3 * x)),
    "where with floats": lambda x: np.sum(np.where(x > 0, x, 1.0) * x),
    "abs": lambda x: np.prod(np.abs(x)),
    "norm": lambda x: np.linalg.norm(x) + np.linalg.norm(x, 1),
    "dot": lambda x: np.dot(x, A) @ x + np.dot(x, x) + np.vdot(x, x) + np.inner(x, x),
    "cumsum": lambda x: np.cumsum(x)[1] * np.cumprod(x)[-1],
    "clip": lambda x: np.clip(x, -0.5, 0.5).sum() + np.clip(x, None, 1.0).sum(),
    "logaddexp": lambda x: np.logaddexp(x, 0).sum() + np.logaddexp(x[0], x[1]),
    "arctan2": lambda x: np.arctan2(x[0], x[1]) + np.hypot(x[0], x[2]),
    "power": lambda x: np.power(np.abs(x), 1.7).sum() + 2.0 ** x[0] + x[0] ** x[1] + x[1] ** 0,
    "whole powers": lambda x: x[0] ** 3 + x[1] ** -2 + np.power(x[2], 4),
    "logarithms": lambda x: np.log2(x[2]) + np.log10(x[2]) + np.log(x[0]) + np.reciprocal(x[1]),
    "extremes": lambda x: (
        np.max(x) * np.min(x) + x.max() + np.ptp(x) + np.max(A * x, axis=1, keepdims=True)[2, 0]
    ),
    "sorting": lambda x: np.sort(x)[1] * np.median(x) + x[np.argsort(x)[0]] * x[np.argmax(x)],
    "moments": lambda x: np.var(x) + np.std(x) + np.average(x, weights=np.arange(1.0, 4.0)),
    "einsum": lambda x: np.einsum("i,ij,j->", x, A, x) + np.trace(np.outer(x, x)),
    "tensordot": lambda x: np.tensordot(np.outer(x, x), A, 2) + np.kron(x, x).sum(),
    "solve": lambda x: np.linalg.solve(A + np.outer(x, x), x)[1] + np.linalg.inv(A).sum() * x[0],
    "slogdet": lambda x: np.linalg.slogdet(A + np.outer(x, x))[1] + np.linalg.det(A * x[0]),
    "Cholesky of one triangle": lambda x: (
        np.linalg.cholesky(np.stack([askew(x), A * x[2]])).sum() * np.linalg.cholesky(askew(x).T)[2]
        + np.linalg.cholesky(askew(x), upper=True)[1]
    )[1],
    "eigenvalues of one triangle": lambda x: (
        np.linalg.eigvalsh(askew(x))[0] * np.linalg.eigvalsh(askew(x), UPLO="u")[1]
        + np.abs(np.linalg.eigh(askew(x), "U").eigenvectors[0, 1] * np.linalg.eigh(askew(x))[1][2])
    )[0],
    "Hermitian by one triangle": lambda x: (
        np.linalg.svd(askew(x), hermitian=True).S[1]
        * np.linalg.svd(askew(x), True, False, True)[0]
        * np.linalg.pinv(askew(x), 1e-12, True)[0, 1]
        * np.linalg.matrix_rank(askew(x), 1e-9, True)
    ),
    "moving": lambda x: (x.reshape(3, 1) * A).T.sum(axis=0).max() + np.roll(x, 1) @ x,
    "joining": lambda x: np.concatenate([x, 2 * x]).sum() * np.stack([x, x])[1, 2],
    "differences": lambda x: np.diff(x) @ np.diff(x) + np.polyval(np.array([1.0, 2.0]), x[0]),
    "convolve": lambda x: np.convolve(x, x)[2] + np.interp(x[0] + 0.1, X[::2], X[::2] ** 2),
    "sums": lambda x: (A * x).sum(axis=1, keepdims=True)[2, 0] + np.sum(A * x, axis=(0, 1)),
    "sums in a format": lambda x: x.sum(dtype=float) * np.mean(A * x, dtype=np.float64),
    "some": lambda x: np.sum(x, where=np.array([True, False, True])) * x[x > 0].sum(),
    "remainder": lambda x: np.mod(x[2], 0.5) + np.sinc(x[0]) + np.float64(2.0) * x[1],
    "expit": lambda x: np.sum(scipy.special.expit(x) * scipy.special.gammaln(x + 2)),
    "xlogy": lambda x: scipy.special.xlogy(x[2], x[0]) + scipy.special.erf(x[1]),
    "options that differ": lambda x: (
        np.einsum("ij,j->i", A * x, X)[0] - np.einsum("ij,i->j", A * x, X)[0]
    ),
    "ranks and dtypes that differ": lambda x: np.logaddexp(A, x).sum() + np.hypot(x, 2).sum(),
    "an array that is written to": filled,
    "where of a function": lambda x: (
        np.divide(1, x, where=x > 0, out=2 * x) @ np.power(x, 2, where=X > 1, out=x.copy())
        + np.log(x, where=x > 0, out=None)[::2].sum()
        + np.dot(x, x, out=np.zeros_like(x[:1])[0:1].reshape(()))
    ),
    "copies in a format": lambda x: (
        np.empty_like(x, dtype=np.float64).shape[0] * x.astype(float)[1]
    ),
}


def filled_inside(x: Any) -> Any:
    out, n = np.ones((2, 3)), np.full(3, 0.5, float)
    view = out[1]
    view *= x
    n += x
    rest = np.empty(3)
    for i in range(3):
        rest[i] = math.exp(x[i]) * out[1, i]
    data = DATA.copy()
    data -= rest.mean()
    return (out * n).sum() + rest @ data


def caught(x: Any) -> Any:
    try:
        x = 2 * np.asarray(x, "float64")
        return float(x[0]) * sum(math.exp(v) for v in x)
    except (TypeError, ValueError):
        return 0.0


def asked(x: Any) -> Any:
    kinds = type(x) is np.ndarray, type(x[0]) is np.float64, isinstance(x[1], float)
    kinds += isinstance(x[1], np.floating | int), np.isscalar(x[2]), isinstance(x[0], Real)
    return sum(kinds) * np.float64(x[0]) + np.finfo(np.float64).eps * x[1]


def of_math(x: Any) -> Any:
    several = math.hypot(x[0], x[1], x[2]) + math.fsum(v * v for v in x) + math.log(x[2], 3)
    special_ones = math.lgamma(x[2]) * math.gamma(x[2]) + math.erf(x[0]) * math.erfc(x[1])
    return several + special_ones + math.fabs(x[1]) * math.atan2(x[0], x[1]) + math.sqrt(2.0)


def of_scipy(x: Any) -> Any:
    lower = scipy.linalg.cholesky(askew(x), lower=True)
    solved = solve_triangular(lower, x, lower=True) @ cho_solve((lower, True), np.ones(3))
    return solved + scipy.special.logsumexp(x) + solve(askew(x), x, assume_a="pos")[0]


#: Data of this module, which code may copy and write to.
DATA = np.array([0.5, 1.5, -2.0])

#: Functions whose copies with stand-ins alone take series.
WITH_STAND_INS: dict[str, Callable[[Any], Any]] = {
    "arrays made inside": filled_inside,
    "errors that are caught": caught,
    "types that are asked for": asked,
    "math": of_math,
    "SciPy": of_scipy,
    "JAX": lambda x: jnp.sum(jnp.tanh(x) * np.ones(3)) + jax.nn.softplus(x[0]) + jnp.exp(1.0),
    "an iterator": lambda x: (
        np.fromiter((v * v for v in x), float).sum() * np.array([*x], float)[0]
    ),
}


@pytest.mark.parametrize("name", WITH_STAND_INS)
def test_code_with_stand_ins(name: str) -> None:
    own = WITH_STAND_INS[name]
    f = on_series(own)
    value, slopes = value_and_slopes(f)
    with jax.enable_x64(True):
        assert value == pytest.approx(float(own(X)), rel=1e-12)
        assert float(f(X)) == float(own(X))
    assert slopes == pytest.approx(quotients(f), rel=1e-15, abs=1e-30)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.divide(1, x, where=X > 0, out=None).sum(),
        lambda x: (np.empty(3) * x).sum(),
        lambda x: np.empty_like(x)[0] + x[0],
    ],
)
def test_memory_that_nothing_was_written_to(f: Any) -> None:
    with balls.precision(192), pytest.raises((UnwrittenError, TypeError)):
        lines().packed(on_series(f)(series(lines(), X)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_value_is_numpys_and_the_slopes_are_its_quotients(name: str) -> None:
    f = FUNCTIONS[name]
    value, slopes = value_and_slopes(f)
    assert value == pytest.approx(float(f(X)), rel=1e-12)
    assert slopes == pytest.approx(quotients(f), rel=1e-15, abs=1e-30)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: x + 2, 1), (lambda x: 2 - x, -1), (lambda x: x - np.float64(3), 1),
        (lambda x: x * x, 6), (lambda x: np.float32(0.5) * x, 0.5), (lambda x: 1 / x, -1 / 9),
        (lambda x: x / (1 + x), 1 / 16), (lambda x: x**3, 27), (lambda x: x**2.0, 6),
        (lambda x: 2**x, 8 * math.log(2)), (lambda x: -(+x), -1), (lambda x: abs(-x), 1),
        (lambda x: np.exp(-x), -math.exp(-3)), (lambda x: x.real.item().conjugate(), 1),
        (lambda x: max(x, 1) + min(x, 4), 2), (lambda x: np.sum(x) + np.mean(x), 2),
    ],
)  # fmt: skip
def test_a_number_by_itself(f: Any, slope: float) -> None:
    assert value_and_slopes(f, np.array(3.0))[1] == [pytest.approx(slope, rel=1e-15)]


def test_comparisons_of_numbers() -> None:
    with balls.precision(192):
        session = lines(final=False)
        small, large = series(session, np.array([1.0, 2.0]))
        orders = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
        assert [f(small, large) for f in orders] == [True, True, False, False, False, True]
        assert [f(small, 1.0) for f in (operator.eq, operator.ne)] != [False, False]
        assert (np.array([0.0, 3.0]) < small).tolist() == [True, False]
        assert bool(large)
        assert not session.unpacked(Dual(balls.zeros(())))


def test_what_cannot_be_told_apart_is_no_silent_false() -> None:
    with balls.precision(192):
        unknown = arb(0, 1e-40)
        for f in (operator.lt, operator.gt, operator.eq, operator.ne, max):
            number = Number(lines(final=False), unknown, balls.zeros((1,)))
            with pytest.raises(MorePrecisionNeededError):
                f(number, 0)
        array = lines(final=False).unpacked(Dual(balls.boxed([unknown], (1,))))
        for f in (lambda x: np.maximum(x, 0), np.abs, np.sort, lambda x: x > 0, np.max):
            with pytest.raises(MorePrecisionNeededError):
                f(np.concatenate([array, array * 2]))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: float(x[0]),
        lambda x: int(x[0]),
        lambda x: math.exp(x[0]),
        lambda x: np.asarray(x, dtype=float),
        lambda x: x.astype(int),
        lambda x: np.zeros(3).__setitem__(0, x[0]),
        lambda x: operator.iadd(np.zeros(3), x),
        lambda x: x + 1j,
        lambda x: x + np.array(["a", "b", "c"]),
        lambda x: range(x[0]),
        lambda x: np.fft.fft(x),
    ],
)
def test_what_a_series_cannot_be(f: Any) -> None:
    with balls.precision(192), pytest.raises((TypeError, NotImplementedError)):
        f(series(lines(), X))


def test_what_a_series_is_and_is_not() -> None:
    with balls.precision(192), pytest.raises(NotOnSeriesError, match="is no float"):
        float(series(lines(), X)[0])
    # Arrays remain series.
    with balls.precision(192):
        x = series(lines(), X)
        for array in (x[1:], x * 2, x.T, np.concatenate([x, x]), np.zeros_like(x), 1 - x, x.copy()):
            assert isinstance(array, Series)
        assert isinstance(x[0], Number)
        assert isinstance(np.dot(x, x), Number)
        for copy in (x.astype(np.float32), x.astype(object), x.astype(object, order="F")):
            assert copy is not x
            assert copy.tolist() == x.tolist()
    # Whole numbers are exact.
    with balls.precision(192):
        session = lines()
        x = series(session, X)
        large = 2**60 + 1
        assert (x[0] + large - large).value.overlaps(arb(0.3))
        assert session.packed(np.array([large])).value[0] == arb(large)


def test_data_half_an_ulp_away() -> None:
    rng = np.random.default_rng(0)
    other, values = OtherData(rng), rng.standard_normal((40, 3))
    with balls.precision(192):
        moved = other.constant(values).value
        gaps = balls.midpoints(np.abs(moved - balls.exact(values))) / np.spacing(np.abs(values))
        assert (gaps == 0.5).all()
        signs = balls.midpoints(moved - balls.exact(values)) > 0
        assert 0.25 < signs.mean() < 0.75
        # A slice of the same data is moved as the whole is, another draw moves it otherwise.
        assert (other.constant(values[3:, 1]).value == moved[3:, 1]).all()
        assert not (OtherData(rng).constant(values).value == moved).all()
        meant = np.array([0.0, 1.0, -1.0, np.inf])
        assert (other.constant(meant).value == balls.exact(meant)).all()
        single = other.constant(values.astype(np.float32)[:1]).value
        assert np.abs(balls.midpoints(single) / values[0] - 1).max() > 1e-9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_and_slopes_are_rounded(dtype: Any) -> None:
    """As far as a float is in its own format, and no further."""
    unit, seen = float(np.finfo(dtype).eps) / 2, []
    with balls.precision(192):
        for seed in range(8):
            session = lines(Rounding(np.random.default_rng(seed), formats.of(dtype)))
            x = series(session, X)
            for made, exact in ((x[0] * 3, 3.0), (np.sum(x), 1.0), (np.exp(x)[0], math.exp(0.3))):
                assert made.tangent is not None
                seen.append(abs(float(made.tangent[0]) / exact - 1) / unit)
    assert 0.9 < max(seen) < 4
    with balls.precision(192):
        for terms, by in ((0, 1), (1, 1), (4, 2)):
            rounding = Rounding(np.random.default_rng(0), formats.of(dtype))
            moved = rounding.before(Dual(balls.exact([3.0])), terms).value[0]
            assert abs(float(moved / 3 - 1)) == pytest.approx(by * unit, rel=1e-6)
    tiny = float(np.finfo(dtype).smallest_normal)
    with balls.precision(192):
        rounding = Rounding(np.random.default_rng(0), formats.of(dtype))
        *near, far = rounding.after(Dual(balls.exact([tiny] * 9 + [3.0]))).value
        assert {round(float(number) / tiny, 6) for number in near} == {0.0, 2.0}
        assert abs(float(far) / 3 - 1) == pytest.approx(unit, rel=1e-6)


def untraced(loss: Callable[[Any], Any], at: np.ndarray) -> Untraced:
    return NumpyLoss(Case(loss, loss)).problem(point_at(at, ()))


def test_a_loss_of_data_alone_has_a_gradient_of_zeros() -> None:
    reference = certify.certify(untraced(lambda x: 3.0, X))
    assert balls.midpoints(reference.gradient).tolist() == [0.0, 0.0, 0.0]


def test_the_direction_of_a_kink_leads_to_its_other_side() -> None:
    problem = untraced(lambda x: np.sum(np.abs(x) * np.arange(3.0)), np.zeros(3))
    kink = certify.certify(problem).kink
    assert kink is not None
    (direction,) = kink.directions
    with balls.precision(192):
        _, slopes = certify.slopes(problem, with_units(direction), Comparisons(final=True))
    assert (slopes[1:] == kink.vertex + kink.edges.sum(axis=0)).all()


def test_a_kink_is_undecidable_if_any_element_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = untraced(lambda x: np.sum(np.abs(x)), np.zeros(3))
    for known in ([1, 2], [0]):
        monkeypatch.setattr(certify, "_affordable", lambda *_, k=known: np.array(k))
        with pytest.raises(UndecidableKinkError, match="a kink in a gradient of so many elements"):
            certify.certify(problem)


def test_what_is_sorted_has_a_kink_where_two_numbers_are_equal() -> None:
    for f in (lambda x: np.sort(x) @ np.array([1.0, 5.0, 7.0]), np.median):
        kink = certify.certify(untraced(f, np.array([2.0, 2.0, 9.0]))).kink
        assert kink is not None
        assert len(kink.edges) == 1


def test_as_many_elements_are_drawn_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run takes a second, and an eighth of one for each direction."""
    monkeypatch.setattr(certify, "_seconds", lambda _problem, _bits, k: 1 + k / 8)
    problem = untraced(np.sum, np.zeros(100))
    for elements in (20, 90):
        seconds = certify.RUNS * (1 + (1 + elements) / 8)
        known = certify.certify(problem, seconds=seconds).known
        assert known.sum() == elements


def test_a_tie_that_no_precision_proves_and_that_does_not_matter() -> None:
    problem = untraced(
        lambda x: np.abs(np.exp(x[0]) / np.exp(x[1]) - 1.0) ** 2 + x[2], np.array([0.7, 0.7, 1])
    )
    reference = certify.certify(problem)
    assert reference.bits == BITS[-1]
    assert reference.kink is None
    assert measure(problem, reference, seed=0).full.unit[2] == 2.0**-53


def test_another_selection_that_rounding_may_make_is_a_jump() -> None:
    """Three times 0.1 is less than 0.1 + 0.2 by a third of an ulp."""
    problem = untraced(lambda x: np.maximum(x[0], 3.0 * x[1]), np.array([0.1 + 0.2, 0.1]))
    tolerance = measure(problem, certify.certify(problem), seed=0).full
    assert tolerance.jump.tolist() == [LOOSE, 3 * LOOSE]
