"""What the points could not have shown, said where it is so and nowhere else."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_gradient
from handgrad.judging.blind_spots import blind_spots
from handgrad.report import GradientReport
from models.zoo import MODELS as ZOO

RNG = np.random.default_rng(6)
PARAMS = {"v": RNG.normal(size=(3, 5)), "b": RNG.normal(size=5), "w": RNG.normal(size=(5, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))


def loss(p: Any, x: Any, y: Any) -> Any:
    h = jnp.maximum(x @ p["v"] + p["b"][None, :], 0.0)
    return jnp.mean((h @ p["w"] - y) ** 2)


def warned(report: GradientReport, text: str) -> list[str]:
    return [warning for warning in report.warnings if text in warning]


def ruled(loss: Any, *point: Any, points: int = 0) -> GradientReport:
    """On the gradient by JAX, which is right: what is asked is what could have hidden."""
    report = check_gradient(jax.grad(loss), loss, *point, points=points)
    assert report.verdict == "agree"
    return report


@pytest.mark.slow
def test_a_weight_that_is_0() -> None:
    point = (PARAMS | {"w": 0 * PARAMS["w"]}, X, Y)
    (told,) = warned(ruled(loss, *point), "is 0 at every point")
    assert told == "params['w'] is 0 at every point: terms that it is a factor of cannot show"
    # At other points it is moved.
    assert warned(ruled(loss, *point, points=1), "is 0 at every point") == []


@pytest.mark.slow
def test_one_example() -> None:
    assert len(warned(ruled(loss, PARAMS, X[:1], Y[:1]), "one example: ")) == 1
    assert warned(ruled(loss, PARAMS, X[:2], Y[:2]), "one example: ") == []


@pytest.mark.slow
def test_as_many_examples_as_something_is_long() -> None:
    (told,) = warned(ruled(loss, PARAMS, X[:2], Y[:2]), "equal lengths: ")
    assert told.startswith("equal lengths: the batch and an axis of params['w'] are both 2 long")


@pytest.mark.slow
def test_as_many_examples_as_an_input_is_wide() -> None:
    def of_pairs(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((x @ x.T @ y * w) ** 2)

    (told,) = warned(ruled(of_pairs, np.ones(()) * 0.5, X[:3], Y[:3, 0]), "equal lengths: ")
    assert "an axis of an input are both 3 long" in told


@pytest.mark.slow
def test_a_unit_that_is_never_on() -> None:
    dead = PARAMS | {"b": PARAMS["b"] - np.array([0, 100.0, 0, 0, 0])}
    told = warned(ruled(loss, dead, X, Y), "dead units?")
    # Its bias, its column of v, its row of w.
    assert [text.split(" at every point")[0] for text in told] == [
        "params['b']: 1 of 5 derivatives are 0",
        "params['v']: 3 of 15 derivatives are 0",
        "params['w']: 2 of 10 derivatives are 0",
    ]
    # Here another point is enough to switch it on: the biases are moved by their own size.
    assert warned(ruled(loss, dead, X, Y, points=4), "dead units?") == []


def test_a_number_whose_derivative_is_0() -> None:
    report = ruled(lambda p: p["a"] ** 2 + 0.0 * p["b"], {"a": np.ones(()), "b": np.ones(())})
    (told,) = warned(report, "dead units?")
    assert told.startswith("p['b']: its derivative is 0 at every point")


@pytest.mark.slow
def test_a_single_zero_is_no_dead_unit() -> None:
    """A weight between units that are never on together, in a table where others live."""

    def picked(p: Any, x: Any) -> Any:
        return jnp.sum((x * p)[jnp.array([0, 1, 1]), jnp.array([0, 0, 1])] ** 2)

    report = ruled(picked, RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2)))
    assert warned(report, "dead units?") == []


@pytest.mark.slow
def test_a_loss_that_adds_up_its_outputs() -> None:
    def total(p: Any, x: Any) -> Any:
        return jnp.sum(jnp.tanh(x @ p["v"]) @ p["w"])

    def average(p: Any, x: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ p["v"]) @ p["w"]).T) * 3

    def weighed(p: Any, x: Any, c: Any) -> Any:
        return jnp.sum(jnp.tanh(x @ p["v"]) @ p["w"] * c)

    def squared_as_well(p: Any, x: Any) -> Any:
        out = jnp.tanh(x @ p["v"]) @ p["w"]
        return jnp.sum(out) + jnp.sum(out**2)

    text = "the loss adds up its outputs"
    assert len(warned(ruled(total, PARAMS | {"b": np.ones(5)}, X), text)) == 1
    assert len(warned(ruled(average, PARAMS, X), text)) == 1
    assert len(warned(ruled(total, PARAMS, X[:1]), text)) == 1
    assert warned(ruled(weighed, PARAMS, X, Y), text) == []
    assert warned(ruled(squared_as_well, PARAMS, X), text) == []
    assert warned(ruled(loss, PARAMS, X, Y), text) == []


def test_a_step_of_a_gradient_has_a_cotangent_of_its_own() -> None:
    """Its inputs hold examples: what a mask stops at one of them is no dead unit."""

    def forward(z: Any) -> Any:
        a = z * (z > 0)
        return a, a > 0

    z = np.where(np.arange(3)[None, :] == 1, -1.0, 1.0) * np.ones((7, 3))
    report = check_backward(forward, lambda da, on: da * on, z, points=0)
    assert report.verdict == "agree"
    assert [text for text in report.warnings if "dead" in text] == []
    rulings = [outcome.ruling for outcome in report.trial.outcomes]
    assert len([text for text in blind_spots(rulings) if "dead" in text]) == 1


def test_a_wrong_gradient_is_told_what_is_wrong_and_no_more() -> None:
    zero = np.zeros(2), np.ones(2)
    report = check_gradient(lambda w, x: -w, lambda w, x: jnp.sum(w * x), *zero, points=0)
    assert report.verdict == "disagree"
    assert [w for w in report.warnings if "cannot show" in w or "adds up" in w] == []


#: Ordinary points of several models, none of whose lengths are equal.
ORDINARY = ("softmax-regression", "rosenbrock", "convolution", "attention")


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_point_hides_nothing(name: str) -> None:
    (model,) = (model for model in ZOO if model.name == name)
    point = model.draw(np.random.default_rng(0))
    assert check_gradient(model.gradient, model.loss, *point, points=1).warnings == ()
