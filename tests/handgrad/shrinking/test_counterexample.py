"""The smallest counterexample: a test that fails with the wrong gradient and passes with the right.

All arrays' lengths are asserted: one example where one shows the mistake, two for a missing mean.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import configuration

from handgrad import GradientMismatch, GradientReport, check_gradient
from handgrad.shrinking import shrinker
from models import regressions, small
from models.model import Model
from tests.tiers import one_of_each

Shapes = tuple[tuple[int, ...], ...]

LINEAR = regressions.MODELS[0]

#: Mistakes, the models that have them, and the shapes of all arrays in the order of the leaves.
WRONG: dict[str, tuple[Model, Shapes]] = {
    "half_mse": (LINEAR, ((1,), (), (1, 1), (1,))),
    "bias_mean": (LINEAR, ((1,), (), (2, 1), (2,))),
    "dw_transposed": (small.SQUARE, ((2, 2), (2,), (2, 1), (1,), (1, 2), (1, 1))),
    "half_of_the_pairs": (small.ENERGY, ((2, 1), (2,))),
}

#: They stand in this module as somebody's would, so that a counterexample can import them.
HERE = sys.modules[__name__]
for name, (model, _) in WRONG.items():
    gradient: Any = model.wrong(name.replace("_", "-"))
    gradient.__module__, gradient.__name__, gradient.__qualname__ = __name__, name, name
    setattr(HERE, name, gradient)


def found(report: GradientReport) -> Any:
    assert report.verdict == "disagree"
    counterexample = report.counterexample
    assert counterexample is not None
    return counterexample


def run(code: str, **names: Any) -> None:
    """Run the test that a counterexample is, with what is the reader's own."""
    namespace = dict(names)
    exec(compile(code, "test_pasted.py", "exec"), namespace)
    namespace["test_gradient_where_it_is_wrong"]()


@pytest.mark.parametrize("name", one_of_each(WRONG, ["half_mse"]))
def test_it_is_a_test_with_no_array_longer_than_needed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, expected = WRONG[name]
    point = model.point(np.random.default_rng(5))
    counterexample = found(check_gradient(getattr(HERE, name), model.function, *point, points=0))
    leaves = jax.tree.leaves((counterexample.params, counterexample.inputs))
    assert tuple(np.shape(leaf) for leaf in leaves) == expected
    code = counterexample.as_code()
    with pytest.raises(GradientMismatch):
        run(code, loss=model.function)  # for one that has no name to be imported by
    monkeypatch.setattr(HERE, name, model.by_hand)
    run(code, loss=model.function)


def test_hypothesis_leaves_nothing_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the working directory nor in the one that a caller has chosen, which stays so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(configuration, "__hypothesis_home_directory", tmp_path / "chosen")
    assert found(check_gradient(half, squares, W, X, points=0))
    assert [*tmp_path.iterdir()] == []
    assert vars(configuration)["__hypothesis_home_directory"] == tmp_path / "chosen"


def test_hypothesis_ends_with_the_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for no more numbers than are tried."""
    asked = set[Any]()

    def find(numbers: Any, shows: Callable[[Any], bool], **options: Any) -> Any:
        def noted(which: Any) -> bool:
            asked.add(which)
            return shows(which)

        return hypothesis.find(numbers, noted, **options)

    monkeypatch.setattr(shrinker, "find", find)
    monkeypatch.setattr(shrinker, "MOST_NUMBERS", 5)
    assert found(check_gradient(half, squares, W, X, points=0))
    assert len(asked) == 6


W, X = np.array([0.5, -1.5, 0.25]), np.array([1.0, 3.0, -2.0])


def squares(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


def half(w: Any, x: Any) -> Any:
    return w * x**2


def by_signs(w: Any) -> Any:
    """Wrong for a above 0 and for b below 0."""
    return {k: w[k] * (1 if w[k] * sign > 0 else 2) for k, sign in (("a", 1), ("b", -1))}


def above_1(w: Any, x: Any) -> Any:
    return np.where(w * x > 1, 2 * x, np.where(w * x > 0, x, 0))


def off_at_large(p: Any) -> Any:
    """5 leaves the simplex, and is no mistake."""
    return 2 * p + 5.0 + (np.array([1.0, 0.0, 0.0]) if p[0] > 0.3 else 0.0)


class Small(NamedTuple):
    """A wrong gradient, and what holds of the smallest point where it is wrong in the same way."""

    gradient: Any
    loss: Any
    at: tuple[Any, ...]
    holds: Callable[..., Any]  #: of the parameters and inputs that are found
    options: Any = None


SMALL = {
    "simple numbers": Small(half, squares, (W, X), lambda w, x: [*w, *x] == [1, 1]),
    "a mistake that is not made of a kink, where any slope is right": Small(
        *(above_1, lambda w, x: jnp.sum(jnp.maximum(w * x, 0)), (W * 4, X)),
        lambda w, x: w * x > 1,
    ),
    "a missing term is not a gradient of 0": Small(
        *(lambda w, x: 2 * half(w, x), lambda w, x: squares(w, x) + jnp.sum(w**2), (W, X)),
        lambda w, x: w != 0 and x != 0,
    ),
    "no tie where there was none": Small(
        lambda w: {"a": np.sign(w["a"]), "b": w["b"]},
        *(lambda w: jnp.abs(w["a"]) + w["b"] ** 2, ({"a": 0.5, "b": 1.0},)),
        lambda w: w["a"] != 0,
    ),
    "not another mistake": Small(
        *(by_signs, lambda w: w["a"] ** 2 + w["b"] ** 2, ({"a": 1.0, "b": 1.0},)),
        lambda w: w["a"] > 0 and w["b"] >= 0,
    ),
    "within a domain": Small(
        *(off_at_large, lambda p: jnp.sum(p * p), (np.array([0.5, 0.3, 0.2]),)),
        lambda p: p[0] > 0.3 and abs(p.sum() - 1) < 1e-15,
        {"domain": "simplex"},
    ),
    "within an interval": Small(
        *(lambda p: 7 * p, lambda p: jnp.sum(p * p), (np.array([1.7, 2.9]),)),
        lambda p: ((p >= 1.25) & (p <= 3)).all(),
        {"domain": ("interval", 1.25, 3)},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_what_holds_of_the_point_that_is_found(name: str) -> None:
    gradient, loss, at, holds, options = SMALL[name]
    report = check_gradient(gradient, loss, *at, points=0, **options or {})
    counterexample = found(report)
    assert holds(counterexample.params, *counterexample.inputs), str(counterexample)
    assert report.counterexample is counterexample
    assert repr(counterexample) == f"<Counterexample: {counterexample.finding}>"
    code = counterexample.as_code()
    for function, what in ((gradient, "gradient"), (loss, "loss")):
        own = function.__name__ == "<lambda>"
        assert (f"# {what} is your own (" in code) == own, "what cannot be imported is the reader's"
    with pytest.raises(GradientMismatch):
        run(code, gradient=gradient, loss=loss)
