"""The gate: what JAX traces to another function is judged as the caller's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from click.testing import CliRunner
from jax.core import Tracer

from handgrad import (
    check_backward,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
    clock,
    exact_gradient,
)
from handgrad.cli import cli
from handgrad.data.point import point_at
from handgrad.judging import gate, jax_loss, losses, trial
from handgrad.judging.case import Case
from handgrad.judging.losses import gated
from tests.tiers import one_of_each

X, C = np.array([0.4, -1.3, 0.9, 2.1]), np.array([1.0, -0.5, 2.0, 0.25])
SLOW = pytest.mark.slow
ANOTHER = "JAX traces another function"


def doubled_squares(x: Any) -> Any:
    h = x.copy()
    v = h
    v *= 2
    return h * h * C


def loss(x: Any) -> Any:
    return doubled_squares(x) @ x  # 4c·x³, which JAX traces as c·x³


def forward(x: Any) -> Any:
    return doubled_squares(x), x


#: Each verb on derivatives that are so many times those of what JAX traces; 4 is right.
VERBS: dict[str, Callable[[float, int], Any]] = {
    "gradient": lambda k, n: check_gradient(lambda x: 3 * k * C * x * x, loss, X, points=n),
    "directions": lambda k, n: check_gradient(
        lambda x: 3 * k * C * x * x, loss, X, points=n, directions=2
    ),
    "jacobian": lambda k, n: check_jacobian(
        lambda x: np.diag(2 * k * C * x), doubled_squares, X, points=n
    ),
    "hessian": lambda k, n: check_hessian(lambda x: np.diag(6 * k * C * x), loss, X, points=n),
    "hvp": lambda k, n: check_hvp(lambda x, v: 6 * k * C * x * v, loss, X, points=n),
    "backward": lambda k, n: check_backward(forward, lambda d, x: 2 * k * C * x * d, X, points=n),
    "steps": lambda k, n: check_steps(
        [("f", forward, lambda d, x: 2 * k * C * x * d)], X, points=n
    ).reports[0],
    "scipy": lambda k, n: check_scipy(loss, X, jac=lambda x: 3 * k * C * x * x, points=n).reports[
        0
    ],
}


@pytest.mark.parametrize("points", one_of_each([0, 1], [0]))
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_judges_what_is_called(verb: str, points: int) -> None:
    right, wrong = (VERBS[verb](k, points) for k in (4.0, 1.0))
    assert (right.passes, wrong.passes) == (True, False), str(wrong)
    assert right.certified
    if verb in ("gradient", "backward", "steps"):
        assert ANOTHER in right.certificate


def test_the_exact_gradient_is_that_of_what_is_called() -> None:
    found = [float(e.midpoint) for e in exact_gradient(loss, X)]
    np.testing.assert_allclose(found, 12 * C * X * X, rtol=1e-15)


def test_on_the_command_line(tmp_path: Path) -> None:
    lines = [
        "import numpy as np",
        "w = (np.array([0.4, -1.3]),)",
        "def loss(w):",
        "    h = w.copy()",
    ]
    lines += ["    v = h", "    v *= 2", "    return (h * h).sum()"]
    lines += ["def loss_grad(w):", "    return 2 * w"]
    (tmp_path / "own.py").write_text("\n".join(lines))
    options = ["--loss", "loss", "--like", "w", "--json"]
    result = CliRunner().invoke(cli, ["check", f"{tmp_path / 'own.py'}:loss_grad", *options])
    report = json.loads(result.output)
    assert report["verdict"] == "disagree"
    assert "line 6: `v *= 2`" in report["certificate"]


@pytest.mark.parametrize(
    "dtype", one_of_each([np.float32, np.float16, ml_dtypes.bfloat16], [ml_dtypes.bfloat16])
)
def test_in_shorter_formats(dtype: Any) -> None:
    two = dtype(2)

    def written(x: Any) -> Any:
        h = x.copy()
        v = h
        v *= two
        return (h * h).sum()

    at = X.astype(dtype)
    verdicts = [
        check_gradient(lambda x, k=k: dtype(k) * x, written, at, points=0).verdict for k in (8, 2)
    ]
    assert verdicts == ["agree", "disagree"]


def normalised(m: Any) -> Any:
    b = m.copy()
    for row in b:
        row /= row.sum()
    return (b * W).sum()


W = np.arange(12.0).reshape(3, 4)


def test_equal_values_at_the_point_are_not_enough() -> None:
    """Each row sums to 1, so that it stays as it is where it is normalised."""
    m = np.array([[0.25, 0.5, 0.125, 0.125], [0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]])
    right = W - (W * m).sum(1, keepdims=True)
    assert check_gradient(lambda _: right, normalised, m, points=0).verdict == "agree"
    assert check_gradient(lambda _: W, normalised, m, points=0).verdict == "disagree"


def centred(m: Any) -> None:
    m -= m.mean()


@pytest.mark.parametrize("points", one_of_each([0, 1], [0]))
def test_inputs_that_are_written_to_are_constants(points: int) -> None:
    def of_jax(w: Any, m: Any) -> Any:
        m = m.copy()
        centred(m)
        return jnp.sum(jnp.tanh(m @ w))

    m = W / 20
    right = jax.grad(lambda w, m: jnp.sum(jnp.tanh((m - m.mean()) @ w)))
    wrong = jax.grad(lambda w, m: jnp.sum(jnp.tanh(m @ w)))
    with jax.enable_x64(True):
        agrees, differs = (
            check_gradient(g, of_jax, jnp.asarray(X), m, points=points) for g in (right, wrong)
        )
    assert (agrees.verdict, agrees.certified, differs.verdict) == ("agree", True, "disagree")
    assert "`m -= m.mean()`), so the inputs are constants" in agrees.certificate


def filled(x: Any) -> Any:
    h = np.ones(4)
    h *= x
    return float(h @ h)


def test_what_takes_too_long_on_series_is_judged_by_differences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_gradient(lambda x: 2 * x, filled, X, points=0).certified
    monkeypatch.setattr(losses, "RUNS_OF_A_POINT", 1e12)
    report = check_gradient(lambda x: 2 * x, filled, X, points=0)
    assert (report.verdict, report.certified) == ("agree", False)
    assert "on power series a point takes too long; seconds= gives it more" in report.warnings[-1]
    assert check_gradient(lambda x: 2 * x, filled, X, points=0, referee="series").certified


def test_memory_that_nothing_was_written_to() -> None:
    def some(x: Any) -> Any:
        return np.sum(np.log(x, where=x > 0, out=None) ** 2)

    report = check_gradient(lambda x: 2 * np.log(np.abs(x)) / x, some, X, points=0)
    assert report.verdict == "undecidable"
    assert "it reads an element of an array to which nothing was written" in report.headline


def test_a_loss_in_jax_is_judged_by_differences() -> None:
    def asks(x: Any) -> Any:
        # What JAX maps has no stand-in.
        return jnp.sum(jax.vmap(jnp.square)(x)) * (1 if isinstance(x, Tracer) else 2)

    agrees, differs = (check_gradient(lambda x, k=k: k * x, asks, X, points=1) for k in (4, 2))
    assert (agrees.verdict, agrees.certified, differs.verdict) == ("agree", False, "disagree")
    assert any(ANOTHER in said for said in agrees.warnings)


def test_what_is_another_function_at_one_point_is_undecidable_there() -> None:
    """Where a value is large, code that a tracer leaves by an error does something else."""

    def capped(x: Any) -> Any:
        try:
            if (abs(x) > 5).any():
                x = 0 * x
        except jax.errors.TracerBoolConversionError:
            pass
        return (x * x).sum()

    far = [(3 * X,)]
    report = check_gradient(lambda x: 2 * x, capped, X, points=far)
    assert (report.verdict, report.warnings) == ("agree", ("undecidable at 1 of 1 other points",))


@pytest.mark.parametrize(
    ("loss", "at"),
    [
        (lambda w: jnp.sum(jnp.floor(w * 10) * w), [0.3, 0.7, 0.1]),  # which rounding can turn
        (lambda w: jnp.floor(jnp.sum(jax.nn.softmax(w))) * w.sum(), [0.3, 0.7, 0.1]),
        (lambda w: jnp.sum((w - jnp.asarray(w)) ** 2), [0.3, 0.7]),  # 0
        (lambda w: jnp.var(w + 1e6), [0.3, 0.7, 0.1]),  # which cancels
        (lambda w: jnp.sum(jax.nn.relu(w)), [0.0, 0.0]),
        (lambda w: jnp.sum(jnp.log1p(-jnp.abs(w))), [1 - 1e-9, -0.5]),  # not defined nearby
        (lambda w: 1e9 + jnp.sum(w**2), [0.3, 0.7]),  # of which few digits are left
    ],
)
@pytest.mark.parametrize(
    "dtype", one_of_each([np.float64, np.float32, ml_dtypes.bfloat16], [np.float64])
)
def test_no_false_alarm(loss: Any, at: list[float], dtype: Any) -> None:
    given = point_at(np.asarray(at, dtype), ())
    for kind in (np.asarray, jnp.asarray):
        with jax.enable_x64(given.wide):
            params = kind(given.params)
        prepared, _ = gated(Case(jax.grad(loss), loss), point_at(params, ()))
        assert isinstance(prepared, jax_loss.JaxLoss)
        assert not prepared.because


def test_digits_of_two_values_that_differ_late() -> None:
    error = gate.another_function("loss", ANOTHER, 1.0, 1.0 + 2.0**-40)
    assert str(error).endswith("it gives 1 where yours gives 1.0000000000009095")


@pytest.mark.parametrize(("takes", "held"), [(0.003, True), (0.1, False)])
def test_what_cannot_be_held_in_time_is_undecidable(
    now: list[float], monkeypatch: pytest.MonkeyPatch, takes: float, held: bool
) -> None:
    """A wrong gradient is right for what JAX traces, which is seen only beside the point."""
    monkeypatch.setattr(trial, "limited", clock.limited)

    def slow(m: Any) -> Any:
        now[0] += takes
        clock.check_time()  # in place of the brake, whose thread waits for another clock
        return normalised(m)

    m = np.array([[0.25, 0.5, 0.125, 0.125], [0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]])
    for answer, verdict in ((W, "disagree"), (W - (W * m).sum(1, keepdims=True), "agree")):
        report = check_gradient(lambda _, g=answer: g, slow, m, points=0, seconds=1.0)
        assert report.verdict == (verdict if held else "undecidable")
        assert ("to hold the loss to your function beside" in report.headline) == (not held)


@pytest.mark.parametrize(("dtype", "small"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_a_small_term_that_a_tracer_does_not_have(dtype: Any, small: float) -> None:
    """It is far below half of the digits, and far above rounding."""
    w, m = X.astype(dtype), W.astype(dtype) / 20

    def decayed(w: Any) -> Any:
        decay = sum(v * v for v in w if isinstance(v, np.floating))
        return ((m @ w) ** 2).mean() + dtype(small) * decay

    for points in (0, 2):
        without = 2 * m.T @ m / dtype(3)
        right = check_gradient(
            lambda w, k=without: k @ w + dtype(2 * small) * w, decayed, w, points=points
        )
        wrong = check_gradient(lambda w, k=without: k @ w, decayed, w, points=points)
        assert right.verdict in ("agree", "imprecise")
        assert wrong.verdict != "agree" or not wrong.certified


def _clipped(x: Any) -> Any:
    return np.clip(x, -3, 3) if isinstance(x, np.ndarray) else x


def _set(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = np.array(x)
        x[x > 3] = 3
    return x


LOOKED: dict[str, Callable[[Any], Any]] = {
    "clip": _clipped,
    "a mask": _set,
    "a branch": lambda x: 0 * x + 3 if isinstance(x, np.ndarray) and x[0] > 3 else x,
    "minimum": lambda x: np.minimum(x, 3) if type(x) is np.ndarray else x,
    "an attribute": lambda x: x.clip(-3, 3) if hasattr(x, "tofile") else x,
}


@pytest.mark.parametrize("name", LOOKED)
def test_code_in_jax_that_may_look_at_arrays_of_numpy_is_held_at_every_point(name: str) -> None:
    """At the given point it is what JAX traces; at the other one it is not."""
    at, other = np.array([2.5, 1.0]), (np.array([4.0, 1.0]),)
    look = LOOKED[name]

    def loss(x: Any) -> Any:
        return jnp.sum(look(x) ** 3)

    report = check_gradient(lambda x: 3 * x**2, loss, at, points=[other])
    assert report.verdict == "agree"
    assert "undecidable at 1 of 1 other points" in report.warnings
