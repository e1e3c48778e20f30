"""Checks of one loss, one after the other: what they share, and that a change is never missed."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad import check_gradient
from handgrad.data.recent import Recent
from handgrad.oracle import certify, shared
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program import trace
from handgrad.program.programs import Program, custom_rules
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))

FACTOR = 2.0


def ruling(gradient: Any, loss: Any, *point: Any, **options: Any) -> tuple[str, str | None]:
    settings: dict[str, Any] = {"points": 1} | options
    report = check_gradient(gradient, loss, *(point or (W,)), **settings)
    return report.verdict, report.blame


def times(factor: float) -> Callable[[Any], Any]:
    return lambda w: 2 * factor * w


def test_a_closure_that_changes_between_checks() -> None:
    settings = {"factor": 2.0}

    def loss(w: Any) -> Any:
        return settings["factor"] * jnp.sum(w**2)

    for factor in (2.0, 3.0, 2.0):
        settings["factor"] = factor
        assert ruling(times(factor), loss) == ("agree", None)
        assert ruling(times(5 - factor), loss) == ("disagree", "yours")


def test_a_global_that_changes_between_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    def loss(w: Any) -> Any:
        return FACTOR * jnp.sum(w**2)

    assert ruling(times(2.0), loss) == ("agree", None)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert ruling(times(2.0), loss) == ("disagree", "yours")
    assert ruling(times(3.0), loss) == ("agree", None)


def test_an_array_that_is_written_to_between_checks() -> None:
    """JAX's programs do not copy it, so that an earlier one now has other constants."""
    data, before = X.copy(), X.copy()

    def squares(data: np.ndarray) -> tuple[Any, Any]:
        return lambda w: 2 * data.T @ (data @ w), lambda w: jnp.sum((data @ w) ** 2)

    def right(w: Any) -> Any:
        return 2 * before.T @ (before @ w)

    gradient, loss = squares(data)
    assert ruling(gradient, loss) == ("agree", None)
    data *= 2
    assert ruling(gradient, loss) == ("agree", None)
    assert ruling(right, loss) == ("disagree", "yours")
    # The first program's numbers again, in another array.
    assert ruling(right, squares(before)[1], W + 1) == ("agree", None)
    assert ruling(gradient, squares(before)[1], W + 1) == ("disagree", "yours")


@pytest.mark.parametrize("written", [0, 1])
def test_what_a_program_has_inside_is_written_to(written: int) -> None:
    """A number is a literal, and what a compiled function closes over is its own constant."""

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        return np.array(2.0), np.array([1.0, 2.0, 3.0])

    def loss(scale: np.ndarray, data: np.ndarray) -> Any:
        inner = jax.jit(lambda w: jnp.sum(data * w))
        return lambda w: scale * inner(w)

    first = arrays()
    certified(loss(*first), W)
    first[written][...] *= 2
    again, _ = certified(loss(*arrays()), W + 1)
    with jax.enable_x64(True):
        (value,) = jex.jaxpr_as_fun(again.loss.jaxpr)(W)
    assert float(value) == pytest.approx(2 * W @ [1, 2, 3])


#: JAX 0.12 cannot write it out itself, so that it has no rule.
without_root = pytest.mark.skipif(jax.__version_info__ >= (0, 12), reason="custom_root has no rule")


@pytest.mark.parametrize(
    "root", [False, pytest.param(True, marks=[without_root, pytest.mark.slow])]
)
def test_a_derivative_rule_that_changes_between_checks(root: bool) -> None:
    """It is no part of the loss's program; nor is what JAX's own `custom_root` calls for it."""
    slope = {"of": 2.0}

    @jax.custom_jvp
    def squared(w: Any) -> Any:
        return w * w

    squared.defjvp(lambda w, dw: (squared(*w), slope["of"] * w[0] * dw[0]))

    def by_root(w: Any) -> Any:
        def residual(y: Any) -> Any:
            return (y - w * w) * (2 / slope["of"]) + (slope["of"] - 2) * y * w

        return jax.lax.custom_root(residual, w, lambda _, start: start * w, lambda g, y: y / g(1.0))

    def loss(w: Any) -> Any:
        return by_root(w[0]) if root else jnp.sum(squared(w))

    def right(w: Any) -> Any:
        return np.where(np.arange(len(w)) < (1 if root else len(w)), 2 * w, 0.0)

    assert ruling(right, loss) == ("agree", None)
    slope["of"] = 3.0
    assert ruling(right, loss) == ("agree", "autodiff")


def squares(w: Any, x: Any) -> Any:
    return jnp.sum(jax.nn.relu(x @ w) ** 2)


def of_squares(w: Any, x: Any) -> Any:
    return 2 * x.T @ np.maximum(x @ w, 0)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often a loss was differentiated, and a gradient certified."""
    counts = {"differentiated": 0, "certify": 0}

    def counted(home: Any, name: str) -> None:
        function = getattr(home, name)

        def counting(*given: Any, **options: Any) -> Any:
            counts[name] += 1
            return function(*given, **options)

        monkeypatch.setattr(home, name, counting)

    counted(trace, "differentiated")
    counted(shared, "certify")
    return counts


def test_what_is_the_same_is_done_once(
    work: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if without the rule of a function, which is differentiated to see whether it is the same.
    monkeypatch.setattr(jax.nn, "relu", lambda x: jnp.maximum(x, 0.0))

    def wrong(w: Any, x: Any) -> Any:
        return x.T @ np.maximum(x @ w, 0)

    assert ruling(of_squares, squares, W, X, points=0) == ("agree", None)
    assert work == {"differentiated": 1, "certify": 1}
    assert ruling(wrong, lambda *a: squares(*a), W, X, points=0) == ("disagree", "yours")
    assert work == {"differentiated": 1, "certify": 1}
    assert ruling(of_squares, squares, W + 1, X, points=0) == ("agree", None)
    assert ruling(of_squares, squares, W, X, points=0, referee="program") == ("agree", None)
    assert work == {"differentiated": 1, "certify": 3}
    # Another shape, and another constant.
    assert ruling(of_squares, squares, W, X[:4], points=0) == ("agree", None)
    assert ruling(lambda *a: 3 * of_squares(*a), lambda *a: 3 * squares(*a), W, X, points=0) == (
        "agree",
        None,
    )
    assert work == {"differentiated": 3, "certify": 5}


def with_halves(w: Any, x: Any) -> Any:
    """A loss with a loop that leaves out its further changes."""
    more = jax.lax.while_loop(
        lambda s: s[0] > 1e-3, lambda s: (s[0] / 2, s[1] + s[0] * x[0]), (w[0] ** 2, 0 * x[0])
    )
    return squares(w, x) + jnp.sum(more[1])


def with_kinks(w: Any, x: Any) -> Any:
    return jnp.max(x @ w) + jnp.sum(jnp.abs(w - W))


@pytest.mark.parametrize(
    ("loss", "factor"),
    [
        (squares, 1.0),
        (squares, 1.001),
        pytest.param(with_halves, 1.0, marks=pytest.mark.slow),
        pytest.param(with_halves, 1.001, marks=pytest.mark.slow),
        pytest.param(with_kinks, 1.0, marks=pytest.mark.slow),
        pytest.param(with_kinks, 1.001, marks=pytest.mark.slow),
    ],
)
def test_a_report_is_the_same_whatever_was_checked_before(loss: Any, factor: float) -> None:
    def gradient(w: Any, x: Any) -> Any:
        return factor * of_squares(w, x)

    reports = [check_gradient(gradient, loss, W, X, points=2) for _ in range(3)]
    texts = [str(report) for report in reports]
    assert texts[0] == texts[1] == texts[2]
    data = [report.to_dict() | {"seconds": 0} for report in reports]
    assert data[0] == data[1] == data[2]


@pytest.mark.slow
def test_a_method_is_chosen_at_the_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often a loop runs at the point of an earlier check says nothing of this one."""
    monkeypatch.setattr(certify, "QUICK", 20_000)

    def loss(w: Any) -> Any:
        return jax.lax.while_loop(
            lambda s: s[0] < 10 * w[0], lambda s: (s[0] + 1, s[1] * w), (0.0, w)
        )[1].sum()

    def certificate(first: float) -> str:
        w = np.r_[first, np.linspace(0.5, 1.5, 29)]
        n = np.ceil(10 * first)
        return check_gradient(lambda w: (n + 1) * w**n, loss, w, points=0).certificate

    assert certificate(0.25).startswith("every element by power series")
    assert certificate(1.25).startswith("JAX's gradient program")
    assert certificate(0.35).startswith("every element by power series")


def test_later_checks_add_nothing() -> None:
    """A mask that depends on the point is kept for the runs of one check alone."""

    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.where(~(x @ w > 0), x @ w, 2.0))

    def gradient(w: Any, x: Any) -> Any:
        return x.T @ np.where(x @ w > 0, 0.0, 1.0)

    assert ruling(gradient, loss, W, X) == ("agree", None)
    programs = programs_kept()
    sizes = [len(program.memory) for program in programs]
    for k in range(5):
        assert ruling(gradient, loss, W * k - 1, X) == ("agree", None)
    assert programs_kept() == programs
    assert sizes == [len(program.memory) for program in programs]


def programs_kept() -> list[Program]:
    """The loss that is kept, and its gradient."""
    ((kept, _),) = trace._CERTIFIED._kept.values()
    return [program for program in kept if isinstance(program, Program)]


def certified(loss: Any, w: Any, *inputs: Any) -> tuple[trace.Traced, Reference]:
    """A check as far as the reference."""
    traced = trace.trace(loss, w, inputs)
    real = inputs if traced.traced_inputs else ()
    return traced, shared.shared_reference(Problem(traced, [w], real), "auto")


def test_what_the_first_check_goes_on_to_keep_is_its_own() -> None:
    """It runs on, while checks in other threads copy what is kept."""
    first, reference = certified(squares, W, X)
    assert first.gradient is not None
    assert reference.run is not None
    first.loss.memory["later",] = first.gradient.memory["later",] = ()
    reference.run[1].others.append({})
    again, same = certified(squares, W, X)
    assert again.gradient is not None
    for program, earlier in zip(
        (again.loss, again.gradient), (first.loss, first.gradient), strict=True
    ):
        here, there = program.memory.keys(), earlier.memory.keys()
        assert here
        assert {key[0] for key in there - here} <= {"later", certify.PROBED}
        assert ("later",) not in here
    assert same.gradient is reference.gradient
    assert not any(kept.run[1].others for kept, _ in shared._REFERENCES._kept.values() if kept.run)


@pytest.mark.usefixtures("own_garbage")
def test_programs_with_the_caches_of_a_check_are_not_kept() -> None:
    traced = certified(squares, W, X)[0]
    kept = [weakref.ref(each) for each in (traced, traced.loss, traced.gradient, traced.plain())]
    del traced
    gc.collect()
    assert [each() is None for each in kept] == [True] * 4


def test_what_takes_time_at_a_point_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify, "SMALL", 0)
    first, _ = certified(squares, W, X)
    again, _ = certified(squares, W, X)
    assert certify.PROBED in {key[0] for key in first.loss.memory}
    assert certify.PROBED not in {key[0] for key in again.loss.memory}


def test_the_form_of_a_gradient_is_found_once() -> None:
    assert ruling(of_squares, squares, W, X, points=0) == ("agree", None)
    again, _ = certified(squares, W, X)
    assert again.gradient is not None
    assert again.gradient.open_form is programs_kept()[1].open_form


def test_references_of_losses_that_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten parameters and large data: the form of the loss has all of the data."""
    monkeypatch.setattr(trace, "_CERTIFIED", Recent(200))
    data = np.random.default_rng(1).standard_normal((101, 3))
    for k in range(4):
        certified(lambda w: squares(w, data), W + k)
    assert len(shared._REFERENCES._kept) == 0


@pytest.mark.usefixtures("own_garbage")
def test_a_loss_is_not_kept_for_its_references() -> None:
    first, reference = certified(lambda w: squares(w, X), W)
    assert certified(lambda w: squares(w, X), W)[1].gradient is reference.gradient
    other = certified(lambda w: squares(w, X), W + 1)[1]
    assert certified(lambda w: squares(w, X), W + 1)[1].gradient is other.gradient
    form = weakref.ref(first.loss.form)
    del first
    trace._CERTIFIED._kept.clear()  # as other losses do
    gc.collect()
    assert form() is None
    assert len(shared._REFERENCES._kept) == 2
    assert certified(lambda w: squares(w, X), W)[1].gradient is not reference.gradient


def test_decisions_of_references_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    many = np.random.default_rng(1).standard_normal((1009, 3))
    bytes_ = 0
    for x in (X, many):
        _, reference = certified(squares, W, x)
        assert reference.run is not None
        decisions = reference.run[1]
        bytes_ += sum(array.nbytes for array in (*decisions.made, *decisions.tied))
    assert sum(weight for _, weight in shared._REFERENCES._kept.values()) > bytes_ / 256 > 4
    monkeypatch.setattr(shared, "_REFERENCES", Recent(bytes_ // 256))
    certified(squares, W, many)
    assert len(shared._REFERENCES._kept) == 0


def test_another_gradient_at_a_point_adds_nothing_to_its_reference() -> None:
    """Half an ulp away rounding may turn the comparison, and such a run records how."""

    def loss(w: Any) -> Any:
        return jax.nn.relu(w[1] - w[0] + w[2] - w[3]) * w[1]

    w = np.array([0.3, 0.1 + 0.2, 0.7, 0.7])

    def turned() -> int:
        report = check_gradient(np.ones_like, loss, w, points=0)
        ruling = report.trial.outcomes[0].ruling
        assert ruling.tolerance.jump.any()
        assert ruling.reference.program is ruling.problem.traced.gradient
        return len(ruling.reference.run[1].others)

    assert len({turned() for _ in range(3)}) == 1


@pytest.mark.usefixtures("own_garbage")
def test_neither_functions_nor_arguments_are_kept() -> None:
    def made() -> tuple[Any, Any, Any]:
        return lambda w: 2 * w, lambda w: jnp.sum(w**2), W.copy()

    gradient, loss, w = made()
    kept = [weakref.ref(each) for each in (gradient, loss, w)]
    assert ruling(gradient, loss, w) == ("agree", None)
    assert len(trace._CERTIFIED._kept) == 1
    del gradient, loss, w
    gc.collect()
    assert [each() is None for each in kept] == [True, True, True]


def test_in_threads() -> None:
    def checked(k: int) -> tuple[str, str | None]:
        return ruling(lambda w, x: of_squares(w, x) * (1 + k % 2), squares, W + k % 3, X)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(checked, range(6)))
    assert found == [("agree", None), ("disagree", "yours")] * 3


def test_a_store_is_bounded() -> None:
    recent = Recent[str](10)
    recent.put("a", "first", 4)
    recent.put("b", "second", 4)
    assert recent.get("a") == "first"
    recent.put("c", "third", 5)  # b was used longest ago
    assert [recent.get(key) for key in "abc"] == ["first", None, "third"]
    recent.put("d", "too heavy", 11)
    assert [recent.get(key) for key in "acd"] == ["first", "third", None]


def test_a_later_check_can_do_without_the_rules_that_jax_has_for_its_own_functions() -> None:
    """The first check of `erfcx` shares it, whose rule is wrong far from 0; the second asks."""

    def loss(w: Any) -> Any:
        return jnp.sum(jax.scipy.special.erfcx(w))

    first = trace.trace(loss, W, ())
    trace.share(first, certify.PROBED)
    again = trace.trace(loss, W, ())
    for traced in (first, again):
        plain = traced.plain()
        assert plain is not None
        assert not custom_rules(plain)


@pytest.mark.parametrize("by", one_of_each(["defjvp", "defjvps", "defvjp"], ["defvjp"]))
def test_another_rule_for_the_same_function_of_jax(by: str) -> None:
    """The loss's program and the function's name are the same, and only the derivative is not."""

    def loss_with(factor: float) -> Any:
        if by == "defvjp":
            reverse = jax.custom_vjp(jnp.tanh)
            reverse.defvjp(lambda x: (jnp.tanh(x), None), lambda _, d: (factor * d,))
            return lambda w: jnp.sum(reverse(w))
        forward = jax.custom_jvp(jnp.tanh)
        if by == "defjvp":
            forward.defjvp(lambda p, t: (jnp.tanh(p[0]), factor * t[0]))
        else:
            forward.defjvps(lambda t, *_: factor * t)
        return lambda w: jnp.sum(forward(w))

    w = np.linspace(-1, 1, 30)
    options = {"points": 0, "trust_rules": ["tanh"]}
    for factor in (1.5, 2.5, 1.5):
        loss = loss_with(factor)
        assert ruling(lambda w, f=factor: f * np.ones_like(w), loss, w, **options)[0] == "agree"
        assert (
            ruling(lambda w, f=factor: (4 - f) * np.ones_like(w), loss, w, **options)[0]
            == "disagree"
        )
    for factor in (1.0, 1.5):
        blame = ruling(lambda w: 1 - np.tanh(w) ** 2, loss_with(factor), w)[1]
        assert blame == "autodiff"


def test_losses_with_rules_of_jax_s_own_are_shared(work: dict[str, int]) -> None:
    def loss(w: Any) -> Any:
        return jnp.sum(jax.nn.softplus(w) ** 2)

    def gradient(w: Any) -> Any:
        return 2 * np.log1p(np.exp(w)) / (1 + np.exp(-w))

    w = np.linspace(-1, 1, 30)
    assert ruling(gradient, loss, w) == ("agree", None)
    assert work == {"differentiated": 1, "certify": 2}
    first = shared._REFERENCES._kept.copy()
    assert len(first) == 2
    assert ruling(gradient, loss, w) == ("agree", None)
    assert shared._REFERENCES._kept.keys() == first.keys()
    assert work == {"differentiated": 2, "certify": 2}
