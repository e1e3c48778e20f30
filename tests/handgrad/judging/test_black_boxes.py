"""Losses that can only be called: compiled code, solvers, quadratures, callbacks."""

import ctypes
import ctypes.util
import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as sp
from scipy.integrate import quad, solve_ivp

from handgrad import (
    assert_gradient,
    check_backward,
    check_gradient,
    compare_gradients,
    exact_gradient,
)
from handgrad.clock import Clock
from handgrad.data.point import point_at
from handgrad.judging import by_differences
from handgrad.judging.by_differences import SAFE
from handgrad.oracle.differences import UNKNOWN
from tests.handgrad.only_called import OnlyCalled
from tests.tiers import slowly

AT = np.array([1.3, 2.2, 0.7])
COUNTS = np.array([3.0, 0, 5, 2, 8, 1])


@OnlyCalled
def beta(x: Any) -> Any:
    """A function that neither JAX nor power series have by this name."""
    return float(sp.gammaln(x).sum() - sp.gammaln(x.sum()))


def beta_gradient(x: Any) -> Any:
    return sp.digamma(x) - sp.digamma(x.sum())


@OnlyCalled
def negative_binomial(p: Any, counts: Any) -> float:
    """A log likelihood by the shape p[0] and the probability p[1]."""
    r, q = p
    terms = sp.gammaln(r + counts) - sp.gammaln(r) + r * np.log(q) + counts * np.log1p(-q)
    return float(-np.sum(terms))


def of_negative_binomial(p: Any, counts: Any) -> Any:
    r, q = p
    by_r = np.sum(sp.digamma(r + counts) - sp.digamma(r) + np.log(q))
    return -np.array([by_r, np.sum(r / q - counts / (1 - q))])


def with_bessel(x: Any) -> float:
    return float(np.log(sp.kv(1.5, x[0])) + sp.hyp2f1(0.5, x[1] / x[1], 2.5, -x[2]) + x[1] ** 2)


def of_bessel(x: Any) -> Any:
    by_0 = sp.kvp(1.5, x[0]) / sp.kv(1.5, x[0])
    return np.array([by_0, 2 * x[1], -0.2 * sp.hyp2f1(1.5, 2.0, 3.5, -x[2])])


def integral(p: Any) -> float:
    return quad(lambda t: math.exp(-p[0] * t) * math.cos(p[1] * t), 0, p[2])[0]


def of_integral(p: Any, boundary: float = 1.0) -> Any:
    def under(f: Callable[[float], float]) -> float:
        return quad(lambda t: -t * math.exp(-p[0] * t) * f(p[1] * t), 0, p[2])[0]

    end = boundary * math.exp(-p[0] * p[2]) * math.cos(p[1] * p[2])
    return np.array([under(math.cos), under(math.sin), end])


RIGHT: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "scipy.special": (beta_gradient, beta, (AT,)),
    "a log likelihood": (of_negative_binomial, negative_binomial, (np.array([2.5, 0.4]), COUNTS)),
    "Bessel and hypergeometric functions": (of_bessel, with_bessel, (AT,)),
    "a quadrature": (of_integral, integral, (AT,)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_agree_and_nothing_is_certified(name: str) -> None:
    gradient, loss, at = RIGHT[name]
    report = check_gradient(gradient, loss, *at, points=2)
    assert (report.verdict, report.blame, report.certified) == ("agree", None, False)
    assert report.headline.endswith("; not certified")
    assert report.to_dict()["certified"] is False
    assert "JAX cannot trace" in report.warnings[-1]
    (leaf,) = report.leaves
    assert 0 < leaf.detection_limit < 1e-8
    assert not leaf.exact.certified
    assert "scipy.differentiate" in report.certificate
    assert "would have been caught" in str(report)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (lambda g: g * [1, -1, 1], "sign"),
        (lambda g: g * [1, 1, 0], "zero"),
        slowly(lambda g: 2 * g, "factor"),
        slowly(lambda g: g[[1, 0, 2]], "exchanged"),
        slowly(lambda g: g * [1, 0.5, 1], "factor"),
    ],
)
def test_wrong_ones_disagree_by_their_kind(edit: Any, kind: str) -> None:
    report = check_gradient(lambda x: edit(beta_gradient(x)), beta, AT, points=3)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert "by an estimate it is " in report.headline
    assert [diagnosis.kind for diagnosis in report.diagnoses] == [kind]


SIZES = np.array([1e-8, 1.0, 1e8])


@OnlyCalled
def of_all_sizes(x: Any) -> float:
    return sum(math.sin(float(t)) for t in x / SIZES)


@pytest.mark.parametrize("factors", [[1, 1, 1], [1, 1, -1], [2, 1, 1]])
def test_numbers_of_all_sizes_are_judged_where_differences_resolve_the_loss(factors: Any) -> None:
    """Moved by 1e8, the first number would go through so many waves between two steps."""
    at = np.array([0.3, 0.7, 1.2]) * SIZES
    gradient = lambda x: factors * np.cos(x / SIZES) / SIZES  # noqa: E731
    report = check_gradient(gradient, of_all_sizes, at, points=4)
    assert report.verdict == ("agree" if factors == [1, 1, 1] else "disagree")
    assert not any("undecidable" in warning for warning in report.warnings)


def test_a_derivative_that_the_noise_of_the_others_hides_does_not_agree_in_silence() -> None:
    @OnlyCalled
    def weighed(x: Any) -> float:
        return sum(c * math.sin(float(t)) for c, t in zip(SIZES, x, strict=True))

    rng, hidden = np.random.default_rng(1), 0
    for _ in range(8):
        report = check_gradient(
            lambda x: [-1, 1, 1] * SIZES * np.cos(x), weighed, rng.uniform(0.2, 1.4, 3), points=0
        )
        said = any("x: 1 of 3 derivatives are smaller than the" in w for w in report.warnings)
        assert (report.verdict, said) in (("agree", True), ("undecidable", False))
        hidden += said
    assert hidden


def test_the_boundary_term_of_an_integral() -> None:
    report = check_gradient(lambda p: of_integral(p, boundary=0), integral, AT, points=0)
    assert (report.verdict, report.observed[0].index) == ("disagree", (2,))
    assert report.observed[0].kind == "zero"


def test_a_mistake_no_larger_than_what_solvers_leave_out_is_undecidable() -> None:
    """And a gradient by finite differences is off by less than that, too."""

    def by_differences_of_one_step(x: Any) -> Any:
        return np.array([(beta(x + 1e-7 * e) - beta(x)) / 1e-7 for e in np.eye(3)])

    for gradient in (lambda x: 1.01 * beta_gradient(x), by_differences_of_one_step):
        report = check_gradient(gradient, beta, AT, points=1)
        assert report.verdict == "undecidable"
        assert "a tighter tolerance there decides; not certified" in report.headline


def test_a_function_in_c() -> None:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.tgamma.restype, library.tgamma.argtypes = ctypes.c_double, [ctypes.c_double]

    def loss(x: Any) -> float:
        return sum(library.tgamma(v) for v in x)

    def gradient(x: Any, factor: float = 1.0) -> Any:
        return factor * sp.gamma(x) * sp.digamma(x)

    assert_gradient(gradient, loss, AT, points=1)
    assert check_gradient(lambda x: gradient(x, 1.5), loss, AT, points=0).verdict == "disagree"
    two = {"right": gradient, "wrong": lambda x: -gradient(x)}
    versions = compare_gradients(two, loss, AT, points=0)
    assert [each.verdict for each in versions.reports] == ["agree", "disagree"]


def test_a_step_whose_forward_pass_can_only_be_called() -> None:
    @OnlyCalled
    def forward(x: Any) -> Any:
        return np.array([math.lgamma(v) for v in x]), x

    def backward(d: Any, x: Any) -> Any:
        return d * sp.digamma(x)

    report = check_backward(forward, backward, AT, points=1)
    assert (report.verdict, report.certified) == ("agree", False)
    assert check_backward(forward, lambda d, x: -backward(d, x), AT, points=0).verdict == "disagree"


@jax.custom_jvp
def called(x: Any) -> Any:
    like = jax.ShapeDtypeStruct((), x.dtype)
    return jax.pure_callback(lambda v: np.sum(np.sin(v) ** 2).astype(v.dtype), like, x)


called.defjvp(lambda at, tangent: (called(*at), jnp.sum(jnp.sin(2 * at[0]) * tangent[0])))


@jax.custom_jvp
def called_by_a_wrong_rule(x: Any) -> Any:
    return called(x)


called_by_a_wrong_rule.defjvp(
    lambda at, tangent: (called(*at), 2 * jnp.sum(jnp.sin(2 * at[0]) * tangent[0]))
)


@pytest.mark.parametrize(
    ("loss", "blame"),
    [slowly(called, None), (called_by_a_wrong_rule, "autodiff"), slowly(called.__wrapped__, None)],
    ids=["rule", "wrong rule", "no rule"],
)
def test_a_callback_in_a_loss_in_jax(loss: Any, blame: str | None) -> None:
    right = check_gradient(lambda x: np.sin(2 * x), loss, AT, points=1)
    assert (right.verdict, right.blame, right.certified) == ("agree", blame, False)
    assert "`pure_callback`" in right.warnings[-1]
    wrong = check_gradient(lambda x: -np.sin(2 * x), loss, AT, points=0)
    assert wrong.verdict == "disagree"


stop = jax.lax.stop_gradient


def stopped_in_a_loop(x: Any) -> Any:
    return called(x) + jax.lax.scan(lambda c, t: (c + jnp.sum(stop(x) * x * t), None), 0.0, x)[0]


def softmax_in_a_loop(x: Any) -> Any:
    return called(x) + jax.lax.scan(lambda c, t: (c + jax.nn.softmax(x * t)[0], None), 0.0, x)[0]


@jax.custom_jvp
def straight_through(x: Any) -> Any:
    return x**2


straight_through.defjvp(lambda at, tangent: (straight_through(*at), tangent[0]))


def stopped_by_hand(x: Any) -> Any:
    return float(stop(jnp.max(x))) * jnp.sum(jax.vmap(jnp.square)(x))


@pytest.mark.parametrize(
    ("loss", "right"),
    [
        (lambda x: called(x) + jnp.sum(stop(x) * x), lambda x: np.sin(2 * x) + x),
        pytest.param(
            lambda x: jax.jit(lambda x: called.__wrapped__(x) + jnp.sum(stop(x**2) * x))(x),
            lambda x: np.sin(2 * x) + x**2,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda x: called.__wrapped__(stop(x)) + jnp.sum(x**2),
            lambda x: 2 * x,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda x: called(x) + jnp.sum(x + stop(jnp.round(x) - x)) ** 2,
            lambda x: np.sin(2 * x) + 2 * np.sum(np.round(x)),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            softmax_in_a_loop,
            lambda x: np.asarray(jax.grad(softmax_in_a_loop)(x)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["beside", "in a jit", "of all", "straight through", "JAX's own in a loop"],
)
def test_what_is_stopped_beside_a_callback(loss: Any, right: Any) -> None:
    """Differences would move it, too."""
    assert check_gradient(right, loss, AT, points=0).verdict == "agree"
    assert check_gradient(lambda x: right(x) + x, loss, AT, points=0).verdict == "disagree"


@pytest.mark.parametrize(
    ("loss", "options", "cause"),
    [
        (stopped_in_a_loop, {}, "`stop_gradient` in a loop or a branch"),
        (
            lambda x: called(x) + jnp.sum(straight_through(x)),
            {"trust_rules": ["straight_through"]},
            "`pure_callback` beside a trusted derivative rule",
        ),
        (stopped_by_hand, {}, "differences of it would move what `stop_gradient` stops"),
    ],
    ids=["in a loop", "a trusted rule", "by hand"],
)
def test_what_differences_do_not_see(loss: Any, options: Any, cause: str) -> None:
    for slope in (1.0, 2.0):
        report = check_gradient(lambda x, s=slope: s * x, loss, AT, points=0, **options)
        assert report.verdict == "undecidable"
        assert cause in report.headline


def test_float32_is_judged_by_the_loss_in_float64() -> None:
    x = AT.astype(np.float32)
    right = check_gradient(lambda x: beta_gradient(x).astype(np.float32), beta, x, points=1)
    assert right.verdict == "agree"
    assert right.leaves[0].detection_limit < 1e-3

    def wrong(x: Any) -> Any:
        return (beta_gradient(x) * [1, 1, 1.1]).astype(np.float32)

    assert check_gradient(wrong, beta, x, points=0).verdict == "disagree"


def test_a_loss_that_takes_float32_alone() -> None:
    def loss(x: Any) -> float:
        if x.dtype != np.float32:
            raise TypeError("float32 alone")
        return float(np.exp(np.float32(math.sin(x[0]))))

    f = by_differences.function(loss, point_at(AT.astype(np.float32), ()))
    assert f(AT) == float(np.exp(np.float32(math.sin(np.float32(1.3)))))
    g = by_differences.function(beta, point_at(AT.astype(np.float32), ()))
    assert g(AT) == beta(AT)


def test_at_a_kink_no_subgradient_is_wrong() -> None:
    @OnlyCalled
    def loss(x: Any) -> float:
        return math.fabs(x[0]) + math.fabs(x[1] - 1)

    at = np.array([0.0, 2.0])
    for slope, verdict in ((1.0, "undecidable"), (-0.5, "undecidable"), (40.0, "disagree")):
        report = check_gradient(lambda _, s=slope: np.array([s, 1.0]), loss, at, points=0)
        assert report.verdict == verdict, str(report)
    assert "not known well enough to decide" in str(
        check_gradient(lambda _: np.array([1.0, 1.0]), loss, at, points=0)
    )


def test_a_loss_of_a_few_digits_decides_little() -> None:
    def loss(x: Any) -> float:
        return float(f"{beta(x):.2e}")

    assert check_gradient(beta_gradient, loss, AT, points=0).verdict == "undecidable"


def test_a_loss_that_draws_is_no_function() -> None:
    rng = np.random.default_rng(0)
    report = check_gradient(beta_gradient, lambda x: beta(x) * (1 + rng.random()), AT, points=0)
    assert report.verdict == "undecidable"
    assert "is not a function of its arguments" in report.headline


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_never_finite_is_a_function(value: float) -> None:
    report = check_gradient(beta_gradient, lambda x: beta(x) + value, AT, points=0)
    assert report.headline == f"undecidable: the loss is {value} at this point"


def test_the_values_of_a_loss_that_returns_both() -> None:
    def gradient(x: Any, off: float = 0.0) -> Any:
        return beta(x) + off, beta_gradient(x)

    assert check_gradient(gradient, beta, AT, has_value=True, points=0).verdict == "agree"
    wrong = check_gradient(lambda x: gradient(x, 0.1), beta, AT, has_value=True, points=0)
    assert wrong.observed[0].kind == "loss-value"


def test_the_end_of_a_domain_is_no_obstacle() -> None:
    def loss(p: Any) -> float:
        return -math.log(p[0]) - math.log1p(-p[0])

    def gradient(p: Any) -> Any:
        return -1 / p + 1 / (1 - p)

    assert check_gradient(gradient, loss, np.array([0.999]), points=0).verdict == "agree"


@pytest.mark.parametrize(
    ("at", "options"),
    [
        (AT, {"referee": "series"}),
        (AT, {"computed_in": "float32"}),
        (AT.astype(np.float16), {}),
    ],
)
def test_who_asks_for_more_is_answered_with_one_line(at: Any, options: Any) -> None:
    with pytest.raises(TypeError, match=r"loss: .*JAX cannot trace"):
        check_gradient(lambda x: beta_gradient(x).astype(x.dtype), beta, at, **options)
    with pytest.raises(TypeError, match=r"loss: .*JAX cannot trace"):
        exact_gradient(beta, at)


def test_directions_judge_all_of_a_large_gradient() -> None:
    x = np.random.default_rng(0).uniform(0.5, 3, 400)
    report = check_gradient(beta_gradient, beta, x, directions=2, points=0)
    assert (report.verdict, report.certified) == ("agree", False)
    assert "power series" not in report.certificate

    def wrong(x: Any) -> Any:
        return beta_gradient(x) * np.where(np.arange(x.size) == 7, -1, 1)

    assert check_gradient(wrong, beta, x, directions=2, points=0).verdict != "agree"


def test_with_too_little_time_some_elements_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that counts calls: after the first element it says that each takes 2 of 10 s."""

    class Counting(Clock):
        @property
        def spent(self) -> float:
            return 2.0

    monkeypatch.setattr(by_differences, "Clock", Counting)
    monkeypatch.setattr(by_differences, "time_left", lambda _: 10.0)
    x = np.linspace(0.5, 3, 20)
    report = check_gradient(beta_gradient, beta, x, points=0)
    assert report.leaves[0].judged == 3
    assert "3 of 20 elements" in report.headline
    assert "3 of 20 elements, drawn at random" in report.certificate
    assert list(by_differences.in_time(np.array([5, 1, 2, 3, 4]))) == [5, 1, 2]


@pytest.mark.slow
def test_the_reports_of_black_boxes_can_be_read_to_the_end() -> None:
    wrong = check_gradient(lambda x: -beta_gradient(x), beta, AT, points=2)
    assert "not certified" in str(wrong)
    assert "; not certified" in repr(wrong.counterexample)
    assert wrong.power().points == 3
    assert wrong.steps is None


SINES = np.sin(np.arange(6.0))
TIMES = np.linspace(0.2, 2, 6)


def of_solution(rtol: float) -> Callable[[Any], float]:
    """Least squares of a decay with a source, u' = -a·u + b·sin(t), u(0) = c."""

    def loss(p: Any) -> float:
        found = solve_ivp(
            lambda t, u: -p[0] * u + p[1] * np.sin(t),
            (0, 2), [p[2]], t_eval=TIMES, rtol=rtol, atol=1e-3 * rtol,
        )  # fmt: skip
        return float(np.sum((found.y[0] - SINES) ** 2))

    return loss


def by_adjoint(
    p: Any,
    time: float = 1.0,
    initial: float = 1.0,
    by_a: float = 1.0,
    by_b: float = 1.0,
    rtol: float = 1e-11,
) -> Any:
    """Solve λ' = a·λ backwards, from one time with data to the one before.

    The factors plant mistakes: the sign of time in the adjoint equation, the term of the initial
    value, the slopes by a and b.
    """
    a, b, c = p
    options: Any = {"rtol": rtol, "atol": 1e-3 * rtol, "method": "DOP853"}

    def rhs(t: float, u: Any) -> Any:
        return -a * u + b * np.sin(t)

    forward = solve_ivp(rhs, (0, 2), [c], t_eval=TIMES, dense_output=True, **options)
    ends = [0.0, *TIMES]
    state = np.zeros(3)  # λ, and the slopes by a and b
    for k in range(TIMES.size, 0, -1):
        state[0] += 2 * (forward.y[0, k - 1] - SINES[k - 1])

        def back(t: float, s: Any) -> Any:
            u = forward.sol(t)[0]
            return [time * a * s[0], s[0] * u, -s[0] * np.sin(t)]

        state = solve_ivp(back, (ends[k], ends[k - 1]), state, **options).y[:, -1]
    return np.array([by_a * state[1], by_b * state[2], initial * state[0]])


P = np.array([0.8, 0.3, 1.1])


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_an_adjoint_gradient_of_a_solution(rtol: float) -> None:
    report = check_gradient(by_adjoint, of_solution(rtol), P, points=1)
    assert report.verdict == "agree", str(report)
    assert report.leaves[0].detection_limit < 1e5 * rtol


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize(
    "mistake",
    [{"time": -1.0}, {"initial": 0.0}, {"by_a": 2.0}, {"by_b": 0.0}, {"by_a": -1.0}],
    ids=["time", "initial value", "scaled", "zero", "sign"],
)
def test_a_wrong_adjoint_gradient_of_a_solution(mistake: Any, rtol: float) -> None:
    def gradient(p: Any) -> Any:
        return by_adjoint(p, **mistake, rtol=1e-8)

    assert check_gradient(gradient, of_solution(rtol), P, points=0).verdict == "disagree"


@pytest.mark.slow
def test_a_loose_solver_makes_no_right_gradient_wrong() -> None:
    for a, b in itertools.product((0.4, 0.8, 1.5), (0.1, 0.3)):
        report = check_gradient(by_adjoint, of_solution(1e-3), np.array([a, b, 1.1]), points=0)
        assert report.verdict in ("agree", "undecidable"), str(report)


def test_where_the_loss_is_not_finite_around_the_point() -> None:
    def loss(x: Any) -> float:
        if not np.array_equal(x, AT):
            raise ValueError("here alone")
        return float(math.exp(x[0]))

    report = check_gradient(beta_gradient, loss, AT, points=0)
    assert report.verdict == "undecidable"
    assert "the loss is not finite around this point" in report.headline
    assert not math.isfinite(UNKNOWN.fine * SAFE)
