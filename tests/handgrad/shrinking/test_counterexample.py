"""The smallest counterexample: a test that fails with the wrong gradient and passes with the right.

All arrays' lengths are asserted: one example where one shows the mistake, two for a missing mean.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import configuration

from handgrad import GradientMismatch, check_backward, check_gradient
from handgrad.report import GradientReport
from handgrad.shrinking import shrinker
from handgrad.shrinking.counterexample import Counterexample
from tests.handgrad.shrinking import wrong_gradients
from tests.handgrad.shrinking.wrong_gradients import WRONG, Wrong
from tests.tiers import one_of_each


def found(report: GradientReport) -> Counterexample:
    assert report.verdict == "disagree"
    counterexample = report.counterexample
    assert counterexample is not None
    return counterexample


def shapes(counterexample: Counterexample) -> tuple[tuple[int, ...], ...]:
    leaves = jax.tree.leaves((counterexample.params, counterexample.inputs))
    return tuple(np.shape(leaf) for leaf in leaves)


def run(code: str, **names: Any) -> None:
    """Run the test that a counterexample is, with what is the reader's own."""
    namespace = dict(names)
    exec(compile(code, "test_pasted.py", "exec"), namespace)
    namespace["test_gradient_where_it_is_wrong"]()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("wrong", one_of_each(WRONG, WRONG[:1]), ids=lambda wrong: wrong.name)
def test_it_is_a_test_with_no_array_longer_than_needed(
    wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = wrong.model.draw(np.random.default_rng(5))
    gradient = getattr(wrong_gradients, wrong.name)
    counterexample = found(check_gradient(gradient, wrong.model.loss, *point, points=0))
    assert shapes(counterexample) == wrong.shapes
    code = counterexample.as_code()
    with pytest.raises(GradientMismatch):
        run(code)
    monkeypatch.setattr(wrong_gradients, wrong.name, wrong.model.gradient)
    run(code)


@pytest.mark.parametrize("chosen", [False, True])
def test_hypothesis_leaves_nothing_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: bool
) -> None:
    """Neither in the working directory nor in the one that a caller has chosen, which stays so."""
    if chosen:
        monkeypatch.setattr(configuration, "__hypothesis_home_directory", tmp_path)

    def stored() -> Path:
        place: Any = configuration.storage_directory("constants")
        return getattr(place, "path", place)

    before, during = stored(), set[Path]()

    def shows(numbers: Any) -> bool:
        during.add(stored())
        return numbers[0] > 1

    assert shrinker._least([(0, 3)], shows) == (2,)
    assert before not in during
    assert not any(place.parent.exists() for place in during), "it is removed afterwards"
    assert stored() == before


def loss(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


W, X = np.array([0.5, -1.5, 0.25]), np.array([1.0, 3.0, -2.0])


@pytest.mark.slow
def test_its_numbers_are_simple_and_the_same_again() -> None:
    def wrong(w: Any, x: Any) -> Any:
        return w * x**2

    one, another = (check_gradient(wrong, loss, W, X, points=0) for _ in range(2))
    first, second = found(one), found(another)
    assert one.counterexample is first
    assert first.params.tolist() == [1.0]
    assert first.inputs[0].tolist() == [1.0]
    assert str(first) == str(second)
    assert repr(first) == f"<Counterexample: {first.finding}>"


@pytest.mark.slow
def test_what_cannot_be_imported_is_the_readers_own() -> None:
    def wrong(w: Any, x: Any) -> Any:
        return w * x**2

    own = lambda w, x: jnp.sum((w * x) ** 2)  # noqa: E731 (a lambda is what is tested)
    report = check_gradient(wrong, own, W, X, points=0)
    code = found(report).as_code()
    assert "# gradient is your own (test_what_" in code
    assert "<locals>.wrong): define it here" in code
    assert "# loss is your own (" in code
    with pytest.raises(GradientMismatch):
        run(code, gradient=wrong, loss=own)
    run(code, gradient=lambda w, x: 2 * w * x**2, loss=own)


def test_none_where_nothing_is_wrong() -> None:
    report = check_gradient(lambda w, x: 2 * w * x**2, loss, W, X, points=0)
    assert report.counterexample is None


def not_repeatable() -> Any:
    calls: list[int] = []

    def gradient(w: Any, x: Any) -> Any:
        calls.append(1)
        return 2 * w * x**2 + len(calls)

    return gradient


def writes(w: Any, x: Any) -> Any:
    x *= 2
    return w * x**2 / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gradient", "kind"),
    [
        (lambda w, x: (2 * w * x**2)[None], "shape"),
        (writes, "mutation"),
        (not_repeatable(), "not-repeatable"),
    ],
)
def test_a_wrong_form_shows_with_arrays_of_one(gradient: Any, kind: str) -> None:
    counterexample = found(check_gradient(gradient, loss, W, X, points=0))
    assert shapes(counterexample) == ((1,), (1,))
    with pytest.raises(GradientMismatch) as raised:
        run(str(counterexample), gradient=gradient)
    assert isinstance(raised.value.report, GradientReport)
    assert kind in {finding.kind for finding in raised.value.report.findings}


@pytest.mark.slow
def test_a_mistake_at_a_kink_is_not_made_of_the_kink() -> None:
    """At 0 the wrong gradient is one of those that are right."""

    def hinge(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.maximum(w * x, 0))

    def wrong(w: Any, x: Any) -> Any:
        return np.where(w * x > 1, 2 * x, np.where(w * x > 0, x, 0))

    counterexample = found(check_gradient(wrong, hinge, W * 4, X, points=0))
    (w,), (x,) = counterexample.params, counterexample.inputs[0]
    assert w * x > 1


@pytest.mark.slow
def test_a_missing_term_is_not_shown_as_a_gradient_of_0() -> None:
    """With a parameter of 1 and data of 0 yours would be 0."""

    def decayed(w: Any, x: Any) -> Any:
        return loss(w, x) + jnp.sum(w**2)

    report = check_gradient(lambda w, x: 2 * w * x**2, decayed, W, X, points=0)
    (w,), (x,) = found(report).params, found(report).inputs[0]
    assert x != 0
    assert w != 0


@pytest.mark.slow
def test_sizes_that_are_fixed_stay() -> None:
    weights = np.array([1.0, 2.0, 4.0])

    def fixed(w: Any) -> Any:
        return jnp.sum(weights * w**2)

    counterexample = found(check_gradient(lambda w: weights * w, fixed, W, points=0))
    assert np.count_nonzero(counterexample.params) == 1
    assert shapes(counterexample) == ((3,),)


@pytest.mark.slow
def test_arrays_of_jax_stay_arrays_of_jax() -> None:
    with jax.enable_x64(True):
        w = jnp.asarray(W)
    counterexample = found(check_gradient(lambda w, x: w * x**2, loss, w, X, points=0))
    assert isinstance(counterexample.params, jax.Array)
    assert counterexample.params.dtype == np.float64
    assert "with jax.enable_x64(True):" in str(counterexample)
    with pytest.raises(GradientMismatch):
        run(str(counterexample), gradient=lambda w, x: w * x**2)


@pytest.mark.slow
def test_what_a_backward_step_was_asked_with() -> None:
    def forward(x: Any, w: Any) -> Any:
        return x @ w, (x, w)

    def backward(dz: Any, cache: Any) -> Any:
        x, w = cache
        return dz @ w.T, 2 * x.T @ dz

    x, w = np.arange(6.0).reshape(2, 3), np.ones((3, 5))
    counterexample = found(check_backward(forward, backward, x, w, points=0))
    assert "    assert_backward(forward, backward, x, w, points=0)\n" in counterexample.as_code()
    code = str(counterexample)
    with pytest.raises(AssertionError, match="disagree"):
        run(code, forward=forward, backward=backward)
    assert "x = np.array([[1.0]])" in code
