"""Jacobians, Hessians and products of functions that can only be called."""

import ctypes
import ctypes.util
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as sp
from scipy.integrate import solve_ivp

from handgrad import check_hessian, check_hvp, check_jacobian, check_scipy
from handgrad import report as reports
from handgrad.clock import Clock
from handgrad.judging import by_differences
from handgrad.shrinking import counterexample
from tests.handgrad.only_called import OnlyCalled
from tests.tiers import one_of_each, slowly

X = np.array([1.3, 2.2, 0.7])
T, W = np.linspace(0.1, 1, 5), np.linspace(1, 2, 5)


def fun(x: Any, t: Any, w: Any) -> Any:
    return sp.gammaln(x[0] + t) * w + sp.kv(1.5, x[1] + t) * x[2]


def jac(x: Any, t: Any, w: Any) -> Any:
    parts = [sp.digamma(x[0] + t) * w, sp.kvp(1.5, x[1] + t) * x[2], sp.kv(1.5, x[1] + t)]
    return np.stack(parts, axis=1)


@OnlyCalled
def loss(x: Any) -> float:
    return float(sp.gammaln(x).sum() - sp.gammaln(x.sum()) + x[0] * x[1] ** 2 * x[2])


def gradient(x: Any) -> Any:
    a, b, c = x
    of_product = np.array([b**2 * c, 2 * a * b * c, a * b**2])
    return sp.digamma(x) - sp.digamma(x.sum()) + of_product


def hess(x: Any) -> Any:
    a, b, c = x
    of_product = [[0, 2 * b * c, b**2], [2 * b * c, 2 * a * c, 2 * a * b], [b**2, 2 * a * b, 0]]
    return np.diag(sp.polygamma(1, x)) - sp.polygamma(1, x.sum()) + np.array(of_product)


def hessp(x: Any, v: Any) -> Any:
    return hess(x) @ v


def edited(function: Any, edit: Any) -> Any:
    """What a function returns, once something is done to it."""

    def wrong(*args: Any) -> Any:
        found = function(*args)
        return edit(found)

    return wrong


def times(where: Any, factor: float) -> Any:
    def edit(matrix: Any) -> Any:
        matrix[where] *= factor
        return matrix

    return edit


RIGHT = {
    "jacobian": lambda: check_jacobian(jac, fun, X, T, W, points=1),
    "hessian": lambda: check_hessian(hess, loss, X, points=1),
    "product": lambda: check_hvp(hessp, loss, X, points=1),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_agree_and_nothing_is_certified(name: str) -> None:
    report = RIGHT[name]()
    assert (report.verdict, report.blame, report.certified) == ("agree", None, False)
    assert report.points == 2
    assert 0 < report.leaves[0].detection_limit < 1e-7
    assert "JAX cannot trace sp.gammaln(x" in report.warnings[-1]
    of = "differences of fun (" if name == "jacobian" else "differences of second order of the loss"
    assert of in report.certificate


#: Mistakes in the Jacobian, and the words of the report.
WRONG = {
    "sign": (times(..., -1), "yours has the wrong sign in every element"),
    "column": (times(np.s_[:, 1], 2), "column 1 of jac is 2 times exact"),
    "row": (times(3, 0), "row 3 of jac is 0"),
    "exchanged": (lambda j: j[:, [1, 0, 2]], "columns 0 and 1 of jac are exchanged"),
    "element": (times((4, 1), 1.1), "jac[4, 1] alone is off, by 0.1 of itself"),
    "zero": (times((1, 2), 0), "yours is 0 in jac[1, 2]"),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG), ["element"]))
def test_a_wrong_jacobian(name: str) -> None:
    edit, says = WRONG[name]
    report = check_jacobian(edited(jac, edit), fun, X, T, W, points=3)
    assert report.verdict == "disagree"
    assert "by an estimate it is" in report.headline
    assert [says in diagnosis.says for diagnosis in report.diagnoses] == [True]


@pytest.mark.slow
def test_arguments_in_each_others_place_and_a_transpose() -> None:
    report = check_jacobian(lambda x, t, w: jac(x, w, t), fun, X, T, W, points=3)
    assert "the arguments in the order w, t" in report.diagnoses[0].says
    square = check_jacobian(
        lambda x: jac(x, T[:3], W[:3]).T, lambda x: fun(x, T[:3], W[:3]), X, points=3
    )
    assert "yours is the transpose of exact" in square.diagnoses[0].says


WRONG_HESSIANS = {
    "half": (lambda h: h / 2, "every element is 1/2 of exact"),
    "triangle": (np.triu, "only half of a symmetric matrix is filled"),
    "diagonal": (lambda h: h - np.diag(np.diag(h)), "the diagonal of hess is 0"),
    "element": (times((0, 1), 1.5), "hess[0, 1] is 3/2 times exact"),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG_HESSIANS), []))
def test_a_wrong_hessian(name: str) -> None:
    edit, says = WRONG_HESSIANS[name]
    report = check_hessian(edited(hess, edit), loss, X, points=3)
    assert report.verdict == "disagree"
    assert says in report.diagnoses[0].says
    asymmetric = any("it is not symmetric" in found.detail for found in report.observed)
    assert asymmetric == (name in ("triangle", "element"))


WRONG_PRODUCTS = {
    "last": (lambda x, v: hess(x)[:, :-1] @ v[:-1], "yours takes v[2] for 0"),
    "diagonal": (lambda x, v: np.diag(hess(x)) * v, "the diagonal of the Hessian alone"),
    "sign": (lambda x, v: -hessp(x, v), "the wrong sign in every element"),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG_PRODUCTS), []))
def test_a_wrong_product(name: str) -> None:
    wrong, says = WRONG_PRODUCTS[name]
    report = check_hvp(wrong, loss, X, points=3)
    assert report.verdict == "disagree"
    assert says in report.diagnoses[0].says


def test_a_small_mistake_is_undecidable() -> None:
    """Solvers may be off by as much, in the same way at all steps."""
    for report in (
        check_jacobian(edited(jac, times((4, 1), 1.01)), fun, X, T, W, points=0),
        check_hessian(lambda x: 1.01 * hess(x), loss, X, points=0),
        check_hvp(lambda x, v: 1.01 * hessp(x, v), loss, X, points=0),
    ):
        assert report.verdict == "undecidable"


def test_a_whole_call() -> None:
    report = check_scipy(loss, X, jac=gradient, hess=hess, hessp=hessp, points=1)
    assert report.headline == "agree: jac, hess and hessp"
    wrong = check_scipy(fun, X, jac=lambda *a: -jac(*a), args=(T, W), points=0)
    assert wrong["jac"].verdict == "disagree"


def test_a_library_in_c() -> None:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.tgamma.restype, library.tgamma.argtypes = ctypes.c_double, [ctypes.c_double]

    def of_each(x: Any) -> list[float]:
        return [library.tgamma(v) for v in x]

    def right(x: Any) -> Any:
        return np.diag(sp.gamma(x) * sp.digamma(x))

    report = check_jacobian(right, of_each, X, points=1)
    assert report.verdict == "agree"
    # What does not depend on an element is exactly 0, so that no relative error is asked of it.
    assert report.leaves[0].detection_limit < 1e-7
    assert check_jacobian(lambda x: 1.2 * right(x), of_each, X, points=0).verdict == "disagree"


def test_a_pytree_with_a_block_of_zeros() -> None:
    """Of a function that does not move, 0 is exact."""

    def of_two(x: Any) -> Any:
        return {"u": sp.gammaln(x["a"]), "v": float(sp.kv(1.5, x["b"]))}

    def right(x: Any, zero: float = 0.0) -> Any:
        of_u = {"a": np.diag(sp.digamma(x["a"])), "b": np.zeros(2)}
        return {"u": of_u, "v": {"a": np.full(2, zero), "b": sp.kvp(1.5, x["b"])}}

    at = {"a": np.array([1.5, 2.0]), "b": 0.3}
    assert check_jacobian(right, of_two, at, points=1).verdict == "agree"
    wrong = check_jacobian(lambda x: right(x, 5.0), of_two, at, points=0)
    assert wrong.headline.startswith("disagree: jac['v']['a']: 2 of 2 elements")


@jax.custom_jvp
def called(x: Any) -> Any:
    like = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(lambda v: np.sin(np.asarray(v)) ** 2, like, x)


called.defjvp(lambda at, tangent: (called(*at), 2 * jnp.sin(2 * at[0]) * tangent[0]))


@pytest.mark.parametrize(
    "fun_", [called, slowly(called.__wrapped__)], ids=["wrong rule", "no rule"]
)
def test_a_callback_is_judged_by_what_it_returns(fun_: Any) -> None:
    """And by no rule that its author gave to JAX."""
    report = check_jacobian(lambda x: np.diag(np.sin(2 * x)), fun_, X, points=0)
    assert report.verdict == "agree", str(report)
    assert "`pure_callback` calls what is not JAX's" in report.warnings[-1]


@pytest.mark.slow
def test_what_is_stopped_beside_a_callback() -> None:
    def fun(x: Any) -> Any:
        return called.__wrapped__(x) + jax.lax.stop_gradient(x) * x**2

    def hessian(x: Any, factor: float = 2.0) -> Any:
        return np.diag(2 * np.cos(2 * x) + factor * x)

    right = check_jacobian(lambda x: np.diag(np.sin(2 * x) + 2 * x**2), fun, X, points=0)
    wrong = check_jacobian(lambda x: np.diag(np.sin(2 * x) + 3 * x**2), fun, X, points=0)
    assert (right.verdict, wrong.verdict) == ("agree", "disagree")
    assert check_hessian(hessian, lambda x: fun(x).sum(), X, points=0).verdict == "agree"
    wrong = check_hessian(lambda x: hessian(x, 6.0), lambda x: fun(x).sum(), X, points=0)
    assert wrong.verdict == "disagree"


@pytest.mark.slow
def test_hessians_of_callbacks() -> None:
    def hessian(x: Any) -> Any:
        return np.diag(2 * np.cos(2 * x))

    def summed(x: Any) -> Any:
        return called(x).sum()

    assert check_hessian(hessian, summed, X, points=0).verdict == "agree"
    assert check_hvp(lambda x, v: hessian(x) @ v, summed, X, points=0).verdict == "agree"
    assert check_hessian(lambda x: 2 * hessian(x), summed, X, points=0).verdict == "disagree"


@pytest.mark.slow
def test_an_estimate_by_jax_is_held_to_differences_of_the_function() -> None:
    """A wrong rule inside is contradicted, and decides nothing."""

    @jax.custom_jvp
    def shifted(x: Any) -> Any:
        return x**2 + 1

    shifted.defjvp(lambda at, d: (shifted(*at), 3 * at[0] * d[0]))

    def fun_(square: Any) -> Any:
        return lambda x: jax.scipy.special.gammainc(2.5, square(x)).sum()

    at = np.array([0.5, -1.2])
    of_jax = jax.hessian(fun_(lambda x: x**2 + 1))
    for square, verdict in ((lambda x: x**2 + 1, "agree"), (shifted, "undecidable")):
        report = check_hessian(of_jax, fun_(square), at, points=0)
        assert report.verdict == verdict, str(report)


def test_at_a_jump_of_the_second_derivative_none_is_wrong() -> None:
    @OnlyCalled
    def bent(x: Any) -> float:
        return max(x[0], 0.0) ** 2 + math.exp(x[1])

    at = np.array([0.0, 0.7])
    for there, verdict in ((0.0, "undecidable"), (2.0, "undecidable"), (400.0, "disagree")):
        report = check_hessian(lambda x, h=there: np.diag([h, math.exp(x[1])]), bent, at, points=0)
        assert report.verdict == verdict, str(report)


def test_a_mixed_derivative_beside_a_curve_in_one_element() -> None:
    """Of which it takes no third derivative for a change of its own."""

    @OnlyCalled
    def curved(x: Any) -> float:
        return math.exp(5 * x[1]) + x[0] * x[1]

    for mixed, verdict in ((1.0, "agree"), (2.0, "disagree")):
        report = check_hessian(
            lambda x, m=mixed: np.array([[0, m], [m, 25 * math.exp(5 * x[1])]]),
            curved,
            np.array([0.8, 1.1]),
            points=0,
        )
        assert report.verdict == verdict, str(report)


def test_float32_is_judged_by_the_function_in_float64() -> None:
    x = X.astype(np.float32)
    report = check_hessian(lambda x: hess(x).astype(np.float32), loss, x, points=0)
    assert report.verdict == "agree"
    assert report.leaves[0].detection_limit < 1e-3


@pytest.mark.slow
def test_scales_that_differ() -> None:
    scales = np.array([1e-6, 1.0, 1e7])

    def of_scaled(x: Any) -> float:
        return loss(x / scales)

    def right(x: Any) -> Any:
        return hess(x / scales) / np.outer(scales, scales)

    x, v = scales * X, np.array([1.0, -2.0, 0.5])
    assert check_hessian(right, of_scaled, x, points=1).verdict == "agree"
    assert check_hvp(lambda x, v: right(x) @ v, of_scaled, x, v=scales * v, points=1)
    report = check_hvp(lambda x, v: right(x) @ v, of_scaled, x, v=v, points=1)
    assert report.verdict in ("agree", "undecidable")


def test_with_too_little_time_some_columns_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that counts calls: after the first column it says that each takes 4 of 10 s."""

    class Counting(Clock):
        @property
        def spent(self) -> float:
            return 4.0

    monkeypatch.setattr(by_differences, "Clock", Counting)
    monkeypatch.setattr(by_differences, "time_left", lambda _: 12.0)
    report = check_jacobian(jac, fun, X, T, W, points=0)
    assert report.leaves[0].judged == 10
    assert "10 of 15 elements, drawn at random" in report.certificate


def test_where_the_function_is_not_finite_around_the_point() -> None:
    def here_alone(x: Any) -> Any:
        if not np.array_equal(x, X):
            raise ValueError("here alone")
        return np.array([math.lgamma(x[0])])

    report = check_jacobian(lambda x: np.ones((1, 3)), here_alone, X, points=0)
    assert "fun is not finite around this point" in report.headline


SECONDS = np.linspace(0.2, 2, 6)


def residuals(p: Any, rtol: float) -> Any:
    """Those of u' = -a·u + b·sin(t), u(0) = c, beside data."""
    found = solve_ivp(
        lambda t, u: -p[0] * u + p[1] * np.sin(t),
        (0, 2), [p[2]], t_eval=SECONDS, rtol=rtol, atol=1e-3 * rtol,
    )  # fmt: skip
    return found.y[0] - np.sin(SECONDS)


def sensitivities(p: Any) -> Any:
    """The slopes of the solution, with it, by the parameters."""

    def rhs(t: float, s: Any) -> Any:
        u, by_a, by_b, by_c = s
        a, b, _ = p
        return [-a * u + b * np.sin(t), -a * by_a - u, -a * by_b + np.sin(t), -a * by_c]

    start = [p[2], 0, 0, 1]
    options: Any = {"rtol": 1e-11, "atol": 1e-13, "method": "DOP853"}
    return solve_ivp(rhs, (0, 2), start, t_eval=SECONDS, **options).y[1:].T


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
def test_sensitivities_of_a_solution(rtol: float) -> None:
    p = np.array([0.8, 0.3, 1.1])
    right = check_jacobian(lambda p, _: sensitivities(p), residuals, p, rtol, points=0)
    # At first a solver is off by more than its few steps show.
    assert right.verdict in (("agree",) if rtol < 1e-6 else ("agree", "undecidable")), str(right)
    for edit in (times(np.s_[:, 0], -1), times(np.s_[:, 1], 2), lambda j: j[:, [2, 1, 0]]):
        wrong = check_jacobian(
            lambda p, _, e=edit: e(sensitivities(p)), residuals, p, rtol, points=0
        )
        assert wrong.verdict == "disagree"


class Counted:
    """A function that counts its calls, and clocks by which each takes so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.calls, self.seconds = 0, seconds

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return fun(x, T, W)

    def as_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let all clocks go by the calls."""

        def start(clock: Any, seconds: float) -> None:
            clock.seconds, clock.began = seconds, self.calls

        passed = property(lambda clock: self.seconds * (self.calls - clock.began))
        monkeypatch.setattr(Clock, "__init__", start)
        monkeypatch.setattr(Clock, "passed", passed)
        monkeypatch.setattr(Clock, "spent", passed)


def here_alone_wrong(x: Any) -> Any:
    """Right at all points but one, so that there is no second one to confirm a mistake at."""
    return (1.5 if np.array_equal(x, X) else 1) * jac(x, T, W)


def test_a_mistake_is_looked_for_at_few_points() -> None:
    counted = Counted(0)
    report = check_jacobian(here_alone_wrong, counted, X, points=1)
    of_two_points, counted.calls = counted.calls, 0
    assert report.diagnoses == ()
    assert 0 < counted.calls < 1.2 * of_two_points
    assert "was cut" not in str(report)


def test_what_is_said_of_a_mistake_is_found_in_limited_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reports, "FOR_READING", 1 / 4)
    counted = Counted(0.1)
    found = check_jacobian(here_alone_wrong, counted, X, points=0, seconds=160)
    counted.calls = 0
    counted.as_clock(monkeypatch)
    text = " ".join(str(found).split())
    assert "The search for the kind of mistake was cut when its time was up; seconds= gives" in text
    assert 0 < counted.calls <= 201  # 20 s for evidence, of which a second point would take 23
    assert found.verdict == "disagree"


@pytest.mark.slow
def test_a_smaller_point_is_looked_for_in_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterexample, "FOR_SEARCH", 1 / 2)
    counted = Counted(1.0)
    wrong = edited(lambda x: jac(x, T, W), np.negative)
    report = check_jacobian(wrong, counted, X, points=0, seconds=20)
    of_a_point, counted.calls = counted.calls, 0
    counted.as_clock(monkeypatch)
    found = report.counterexample
    assert found.cut == "the search for a smaller point was cut; seconds= gives it more"
    assert found.cut in " ".join(found.as_code().replace("\n    #", "").split())
    assert 0 < counted.calls < of_a_point + 50  # 10 s for the search, and what it found is judged


@pytest.mark.slow
def test_zeros_beside_what_a_solver_is_off_by() -> None:
    """Of -a·u the second parameter changes nothing, but the solver's steps do."""

    def solved(p: Any, rtol: float = 1e-3) -> Any:
        def rhs(_: float, u: Any) -> Any:
            return [-p[0] * u[0], p[0] * u[0] - p[1] * u[1]]

        options: Any = {"t_eval": SECONDS, "rtol": rtol, "atol": 1e-3 * rtol}
        return solve_ivp(rhs, (0, 2), [1.2, 0.0], **options).y

    def right(p: Any) -> Any:
        (a, b), t = p, SECONDS
        ea, eb = np.exp(-a * t), np.exp(-b * t)
        apart = eb - ea
        by_a = 1.2 * (-b * apart / (a - b) ** 2 + a * t * ea / (a - b))
        by_b = 1.2 * a * (apart / (a - b) ** 2 - t * eb / (a - b))
        zero = np.zeros_like(t)
        return np.stack([np.r_[-1.2 * t * ea, by_a], np.r_[zero, by_b]], axis=1)

    def fun(p: Any) -> Any:
        return solved(p).ravel()

    p = np.array([3.0, 0.8])
    report = check_jacobian(right, fun, p, points=0)
    assert report.verdict in ("agree", "undecidable"), str(report)
    assert any("tighten its tolerance (rtol=1e-13) in fun" in line for line in report.warnings)
    for edit in (times(np.s_[:, 1], -1), times(np.s_[7], 2)):
        assert check_jacobian(edited(right, edit), fun, p, points=0).verdict == "disagree"
