"""Losses that only NumPy can run: judged on power series, without a second witness."""

import copy
import decimal
import math
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special

from handgrad import Enclosure, assert_gradient, check_gradient, exact_gradient
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case
from handgrad.judging.judge import judge_point
from handgrad.judging.losses import prepare
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.judging.outcome import Outcome
from handgrad.judging.ruling import UNKNOWN_CODE
from handgrad.judging.witness import RIGHT, ROUNDED, WRONG
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.reference import UndecidableError
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.tolerances_numpy import Around
from tests.handgrad.plain_losses import ALL, Plain, in_format
from tests.tiers import one_of_each

NO_WITNESS = "the loss in NumPy on power series in ball arithmetic; JAX cannot trace it"

AT = np.array([0.3, -0.7, 1.2])

#: For the quick tests.
QUICK = ("huber", "an_array_filled_in_a_loop")


def judged(case: Case, given: Point) -> Outcome:
    return judge_point(prepare(case, given), given)


def flawed(case: Plain, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The gradient with its first leaf's last element changed."""

    def gradient(*args: Any) -> Any:
        leaves, tree = jax.tree_util.tree_flatten(case.gradient(*args))
        leaves[0] = leaves[0].copy()
        leaves[0].reshape(-1)[-1] = change(leaves[0].reshape(-1)[-1])
        return jax.tree_util.tree_unflatten(tree, leaves)

    return gradient


@pytest.mark.parametrize("name", one_of_each(QUICK, QUICK[1:]))
def test_right_and_wrong_gradients(name: str) -> None:
    case = ALL[name]
    point = case.draw(np.random.default_rng(0))
    right = check_gradient(case.gradient, case.loss, *point, points=1)
    assert (right.verdict, right.blame, right.points) == ("agree", None, 2), str(right)
    assert right.certificate.startswith(NO_WITNESS)
    assert all(np.isnan([leaf.autodiff, leaf.ulps_autodiff]).all() for leaf in right.leaves)
    assert all(leaf.exact.certified and leaf.detection_limit < 1e-9 for leaf in right.leaves)
    for change in (lambda g: g * (1 + 1e-7), lambda g: -g, lambda g: 0 * g):
        wrong = check_gradient(flawed(case, change), case.loss, *point, points=0)
        assert (wrong.verdict, wrong.blame) == ("disagree", "yours"), str(wrong)
        assert "  verdict\n" in str(wrong)
        assert "(autodiff)" not in str(wrong), "no column for what there is not"


@pytest.mark.parametrize("name", one_of_each(ALL, QUICK))
def test_the_digits_are_those_of_the_traced_loss(name: str) -> None:
    """Both show 40 digits, the last of them rounded."""
    case = ALL[name]
    point = case.draw(np.random.default_rng(2))
    ours, theirs = (exact_gradient(loss, *point) for loss in (case.loss, case.counterpart))
    with decimal.localcontext(prec=60):
        for a, b in zip(enclosures(ours), enclosures(theirs), strict=True):
            gap = abs(decimal.Decimal(a.midpoint) / decimal.Decimal(b.midpoint) - 1)
            assert gap < decimal.Decimal("1e-38")


def enclosures(tree: Any) -> list[Enclosure]:
    return [e for leaf in jax.tree_util.tree_leaves(tree) for e in np.asarray(leaf).ravel()]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ALL)
def test_no_false_alarm_and_no_mistake_beyond_the_yardsticks_unseen(name: str, dtype: Any) -> None:
    """Measured over eight draws: right gradients lie within 20 of the 64 units."""
    case = ALL[name]
    for seed in range(2):
        given = in_format(case.draw(np.random.default_rng(seed)), dtype)
        given = point_at(given[0], given[1:])
        outcome = judged(Case(case.gradient, case.loss), given)
        assert outcome.ruling, outcome.cause
        assert outcome.ruling.yours.worst in (RIGHT, ROUNDED)
        limits = outcome.ruling.limits
        change = 2 * np.nanmax(limits) + 4 * np.finfo(dtype).eps
        if name == "functions_of_scipy":  # which cannot be rerun
            change = max(change, 2 * UNKNOWN_CODE)
        wrong = flawed(case, lambda g, by=change: g * dtype(1 + by))
        found = judged(Case(wrong, case.loss), given).ruling
        assert found
        assert found.yours.worst == WRONG


def test_lost_digits_are_not_a_mistake() -> None:
    """σ(1 - σ) at a saturated neuron: the formula is right, four digits are left."""

    def loss(z: Any) -> Any:
        return np.sum(1 / (1 + np.exp(-z)))

    def by_hand(z: Any) -> Any:
        s = 1 / (1 + np.exp(-z))
        return s * (1 - s)

    z = np.array([31.0])
    report = check_gradient(by_hand, loss, z, points=0)
    assert (report.verdict, report.blame) == ("imprecise", "yours")
    stable = check_gradient(lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2, loss, z, points=0)
    assert stable.verdict == "agree"
    assert check_gradient(lambda z: 0 * z, loss, z, points=0).verdict == "disagree"


def test_rounding_in_lines_that_nothing_else_can_run_is_no_mistake() -> None:
    """The loose tolerance alone: these lines run in float64 and nowhere else."""

    def loss(x: Any) -> Any:
        return np.sum(np.exp(x) * 1e8 - np.exp(x) * (1e8 - 1))

    def by_hand(x: Any) -> Any:
        e = np.array([math.exp(v) for v in x])
        return e * 1e8 - e * (1e8 - 1)

    report = check_gradient(by_hand, loss, AT, points=0)
    assert report.verdict in ("imprecise", "agree")
    assert max(leaf.loose for leaf in report.leaves) > 1e-9
    # An error that rounding does not explain is one, all the same.
    wrong = check_gradient(lambda x: by_hand(x) * 1.001, loss, AT, points=0)
    assert wrong.verdict == "disagree"


def test_the_loss_beside_the_gradient_and_closed_over_data() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 6, 3))

    def loss(w: Any) -> Any:
        return np.sum(np.square(x @ np.exp(w) - y[:, 0]))

    def with_value(w: Any) -> Any:
        r = x @ np.exp(w) - y[:, 0]
        return r @ r, 2 * np.exp(w) * (x.T @ r)

    assert (
        check_gradient(with_value, loss, AT, has_value=True, strict=True, points=1).verdict
        == "agree"
    )
    report = check_gradient(lambda w: (1.0, with_value(w)[1]), loss, AT, has_value=True, points=0)
    assert report.verdict == "disagree"
    assert "loss-value" in str(report.to_dict())


def test_data_in_the_closure_counts_as_data_among_the_inputs() -> None:
    """Where two columns nearly cancel, half an ulp of the data moves the gradient most."""
    x = np.array([[1.0 + 1e-9, 1.0], [0.3, 0.7]]) / 3

    def loss(w: Any, x: Any) -> Any:
        return np.square(x[0] @ w)

    w = np.array([1.0, -1.0])
    sharp = []
    for f, inputs in ((loss, (x,)), (lambda w: loss(w, x), ())):
        outcome = judged(Case(lambda w, *_: 0 * w, f), point_at(w, inputs))
        assert outcome.ruling
        sharp.append(outcome.ruling.tolerance.sharp)
    assert (np.maximum(*sharp) < 8 * np.minimum(*sharp)).all()
    assert (np.minimum(*sharp) > 8 * SHARP * np.spacing(2e-10)).all()


def test_what_scipy_has() -> None:
    report = check_gradient(scipy.optimize.rosen_der, scipy.optimize.rosen, AT)
    assert (report.verdict, report.points) == ("agree", 9)


def test_numbers_as_parameters() -> None:
    def loss(p: Any) -> Any:
        return np.exp(p["a"]) * p["b"] + p["c"] * math.e

    def gradient(p: Any) -> Any:
        e = np.exp(p["a"])
        return {"a": np.float64(e * p["b"]), "b": np.asarray(e), "c": math.e}

    params = {"a": np.float64(0.5), "b": np.array(2.0), "c": 1.5}
    assert check_gradient(gradient, loss, params).verdict == "agree"


@pytest.mark.parametrize("number", [2.0, np.float64(2.0), np.array(2.0)])
def test_an_array_without_axes_is_written_to_and_a_number_is_not(number: Any) -> None:
    def product(p: Any) -> Any:
        q = p
        q += 1.0
        return p * q

    of_params, of_inputs = Case(product, product), Case(product, lambda p, x: p + product(x))
    value, _ = NumpyLoss(of_params).attempt(point_at(copy.copy(number), ()))
    beside, _ = NumpyLoss(of_inputs).attempt(point_at(0.0, (copy.copy(number),)))
    assert float(value.mid()) == float(beside.mid()) == product(number)


def relu(x: Any) -> Any:
    return np.sum(np.maximum(x, 0) * np.array([1.0, 2.0, 3.0]))


WEIGHTS = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_at_a_kink_any_subgradient_is_right(at_zero: float) -> None:
    x = np.array([0.0, 1.0, -2.0])
    report = check_gradient(lambda x: np.where(x == 0, at_zero, x > 0) * WEIGHTS, relu, x, points=0)
    assert report.verdict == "agree"
    assert check_gradient(
        lambda x: np.where(x == 0, -0.2, x > 0) * WEIGHTS, relu, x, points=0
    ).verdict == "disagree"  # fmt: skip


@pytest.mark.parametrize("side", [1, -1])
def test_at_a_kink_the_yardstick_is_that_of_the_worse_side(side: int) -> None:
    """To one side the slope is e⁵, known to nine digits; to the other it is 1."""

    def loss(x: Any) -> Any:
        steep = (x - 0.3) * np.exp(1e8 * (x - 0.3) + 5)
        return x + side * np.maximum(0, side * steep)

    outcome = judged(Case(lambda x: np.float64(1), loss), point_at(np.float64(0.3), ()))
    assert outcome.ruling
    assert outcome.ruling.yours.worst == RIGHT
    assert outcome.ruling.tolerance.sharp[0] > SHARP * 1e-9 * math.exp(5)


def tied_where_it_does_not_matter(x: Any) -> Any:
    return np.sum(np.where(np.abs(x) <= 1, np.square(x), 2 * np.abs(x) - 1))


def test_ties_that_do_not_matter() -> None:
    x = np.array([0.0, 1.0, -1.0])
    report = check_gradient(
        lambda x: np.clip(2 * x, -2, 2), tied_where_it_does_not_matter, x, points=0
    )
    assert (report.verdict, report.findings) == ("agree", ())


def branches(x: Any) -> Any:
    return np.exp(x[0]) if x[0] > 0 else 1 + 2 * x[0]


def branches_into_another_tie(x: Any) -> Any:
    return np.exp(x[0]) if x[0] > 0 else 1 + max(x[0], 2 * x[0])


def jumps(x: Any) -> Any:
    return np.exp(x[1]) + np.floor(x[0])


def does_something_else_on_objects(x: Any) -> Any:
    return np.sum(np.exp(x)) * (1 if x.dtype == float else 2)


def test_a_branch_of_python_at_a_tie() -> None:
    x = np.array([0.0, 1.0])
    for slope in (1.0, 1.5, 2.0):
        report = check_gradient(lambda x, s=slope: np.array([s, 0 * x[1]]), branches, x, points=0)
        assert report.verdict == "agree"
    report = check_gradient(lambda x: np.array([2.5, 0 * x[1]]), branches, x, points=0)
    assert report.verdict == "disagree"


@pytest.mark.parametrize(
    ("loss", "cause"),
    [
        (branches_into_another_tie, "a tie that decides which lines of the loss are run"),
        (jumps, "the loss jumps at this point"),
        (lambda x: np.sum(np.sqrt(x)), "the exact gradient is not finite"),
    ],
)
def test_what_cannot_be_decided_says_why(loss: Any, cause: str) -> None:
    report = check_gradient(lambda x: x, loss, np.array([0.0, 1.0]), points=0)
    assert report.verdict == "undecidable"
    assert re.search(cause, report.headline), report.headline


def test_points_where_the_lines_break() -> None:
    def loss(x: Any) -> Any:
        if x[0] < 0.2:
            raise RuntimeError("not here")
        return float(x[0]) if x[0] > 0.31 else np.sum(np.exp(x))

    report = check_gradient(lambda x: np.exp(x), loss, AT, points=6)
    assert report.verdict == "agree"
    assert report.dropped >= 1
    assert any(warning.startswith("undecidable at") for warning in report.warnings)


def with_scipy(x: Any) -> Any:
    y = np.exp(x)
    return scipy.special.jv(0, y).sum()


@pytest.mark.parametrize("order", [lambda h: h.sort() or h, lambda h: h[h.argsort()]])
def test_a_sort_is_no_iteration_that_a_tolerance_ends(order: Any) -> None:
    def loss(x: Any) -> Any:
        return order(np.exp(x)) @ np.arange(1.0, 10.0)

    x = np.random.default_rng(2).uniform(0.3, 2.0, 9)
    right = np.exp(x) * (1 + np.argsort(np.argsort(x)))
    reports = [check_gradient(lambda _, k=k: k * right, loss, x, points=0) for k in (1.0, 1.01)]
    assert [report.verdict for report in reports] == ["agree", "disagree"]


class Filled:
    """What code reaches by attributes has no stand-ins."""

    def __call__(self, x: Any) -> Any:
        out = np.zeros(3)
        out[0] = x[0]
        return out.sum()


def in_an_object(x: Any) -> Any:
    return Filled()(x)


def with_a_solver(x: Any) -> Any:
    return scipy.integrate.quad(lambda t: math.exp(x[0] * t), 0.0, 1.0)[0]


def no_number(w: Any) -> Any:  # noqa: ARG001
    """A name in place of a number."""
    return "a loss"


def no_scalar(x: Any) -> Any:
    return np.exp(x)


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (with_scipy, ["write jnp.exp(x)", f"line {with_scipy.__code__.co_firstlineno + 2} stopped",
                      "scipy.special.jv(0, y)"]),
        (in_an_object, ["JAX cannot trace out[0]; write it with jax.numpy"]),
        (with_a_solver, ["write jnp.exp(x[0] * t)", "stopped it: scipy.integrate.quad(...)"]),
    ],
)  # fmt: skip
def test_a_loss_that_cannot_be_run_is_answered_with_one_line(loss: Any, says: list[str]) -> None:
    for ask in (
        lambda: check_gradient(lambda x: x, loss, AT, referee="series"),
        lambda: exact_gradient(loss, AT),
    ):
        with pytest.raises(TypeError) as error:
            ask()
        line = str(error.value)
        assert line.startswith("loss: ")
        assert "\n" not in line
        assert all(text in line for text in says), line
    # Without a certificate it is judged, and the line is what would help.
    report = check_gradient(lambda x: x, loss, AT, points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    assert report.warnings[-1] == f"not certified: {line.removeprefix('loss: ')}"


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (no_scalar, "loss: got an array of shape (3,), expected one real scalar"),
        (no_number, "loss: got 'a loss', expected one real scalar"),
    ],
)
def test_a_loss_that_is_no_number(loss: Any, says: str) -> None:
    for ask in (lambda: check_gradient(lambda x: x, loss, AT), lambda: exact_gradient(loss, AT)):
        with pytest.raises(TypeError, match=re.escape(says)):
            ask()


def test_what_the_loss_itself_raises_comes_through() -> None:
    def loss(_: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_gradient(lambda x: x, loss, AT)


def test_who_asks_for_the_program_of_jax_means_it() -> None:
    with pytest.raises(TypeError, match=r"JAX cannot trace np\.exp"):
        check_gradient(np.exp, lambda x: np.sum(np.exp(x)), AT, referee="program")
    assert_gradient(np.exp, lambda x: np.sum(np.exp(x)), AT, referee="series", points=0)


def test_jax_is_asked_first() -> None:
    report = check_gradient(lambda x: 2 * x, lambda x: x @ x, AT, points=0)
    assert not report.certificate.startswith(NO_WITNESS)
    report = check_gradient(np.exp, lambda x: jnp.sum(jnp.exp(x)), AT, points=0)
    assert not np.isnan(report.leaves[0].autodiff)


def test_of_many_parameters_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal(200)
    given = point_at(x, ())
    problem = NumpyLoss(Case(np.exp, lambda x: np.sum(np.exp(x)))).problem(given)
    reference = certify.certify(problem, seconds=1e-6)
    assert 0 < reference.known.sum() < x.size
    assert "elements, drawn at random" in reference.how
    known = reference.gradient[reference.known]
    assert np.allclose([float(g) for g in known], np.exp(x[reference.known]), rtol=1e-15)
    assert certify.certify(problem, every=True, seconds=1e-6).known.all()
    monkeypatch.setattr(certify, "SECONDS", 1e-6)
    for referee in ("auto", "series"):
        case = Case(np.exp, lambda x: np.sum(np.exp(x)), referee=referee)
        assert NumpyLoss(case).reference(given).known.all() == (referee == "series")


def test_a_loss_that_runs_at_the_point_and_not_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> Any:
        raise UndecidableError("on power series the loss raised ValueError: other data")

    monkeypatch.setattr(Around, "deviations", stopped)
    x = np.array([0.3, -1.2])
    report = check_gradient(np.exp, lambda x: np.sum(np.exp(x)), x, points=0)
    assert report.verdict == "agree"
    assert [leaf.loose for leaf in report.leaves] == [0.0]
    report = check_gradient(np.sinh, lambda x: np.sum(np.exp(x)), x, points=0)
    assert report.headline == "undecidable: on power series the loss raised ValueError: other data"


def test_inputs_that_the_loss_needs_as_floats() -> None:
    def loss(w: Any, scale: Any) -> Any:
        return np.sum(np.exp(w)) * math.sqrt(scale)

    report = check_gradient(lambda w, s: np.exp(w) * math.sqrt(s), loss, AT, np.float64(2.0))
    assert report.verdict == "agree"


SPD = np.array([[2.0, 0.3, -0.1], [0.3, 1.5, 0.4], [-0.1, 0.4, 1.0]])
SKEW = np.array([[0.0, 0.2, -0.1], [0.1, 0.0, 0.3], [0.2, -0.2, 0.0]])


@pytest.mark.parametrize(
    ("a", "upper"),
    [
        (SPD, True),
        pytest.param(SPD + SKEW, False, marks=pytest.mark.slow),
        pytest.param((SPD + SKEW).astype(np.float32), True, marks=pytest.mark.slow),
    ],
)
def test_a_function_that_reads_one_triangle(a: Any, upper: bool) -> None:
    """Its derivative is 0 in the other; the inverse is right among symmetric matrices alone."""
    half = np.triu if upper else np.tril

    def log_det(a: Any) -> Any:
        return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(a, upper=upper))))

    def inverse(a: Any) -> Any:
        return np.linalg.inv(half(a) + half(a).T - np.diag(np.diag(a)))

    def right(a: Any) -> Any:
        return half(2 * inverse(a)) - np.diag(np.diag(inverse(a)))

    for gradient, verdict in ((right, "agree"), (inverse, "disagree")):
        report = check_gradient(gradient, log_det, a, points=0)
        assert (report.verdict, report.certified) == (verdict, True), str(report)
        among = check_gradient(gradient, log_det, SPD, points=1, domain="positive definite")
        assert (among.verdict, among.certified) == ("agree", True), str(among)
