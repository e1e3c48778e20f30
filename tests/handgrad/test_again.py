"""The line that gives a report again can be pasted: it makes the same call."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps

#: What the caller has, by its names.
HERE: dict[str, Any] = {
    "check_gradient": check_gradient,
    "check_backward": check_backward,
    "check_custom": check_custom,
    "check_steps": check_steps,
    "w": np.array([0.1, -0.2]),
    "x": np.array([1.5, 2.0]),
    "args": (np.array([0.1, -0.2]), np.array([1.5, 2.0])),
    "cotangent": np.array([1.0, -1.0]),
    "points": [(np.array([3.0, 4.0]), np.array([1.5, 2.0]))],
    # What is called by a general name, as it has none itself.
    "gradient": lambda w, x: 2 * w * x**2,
    "loss": lambda w, x: jnp.sum((w * x) ** 2),
    "forward": lambda x: (x * x, x),
    "backward": lambda d, x: 2 * d * x,
}


def here(function: Callable[..., Any]) -> Any:
    HERE[function.__name__] = function
    return function


@here
def squares(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


@here
def by_hand(w: Any, x: Any) -> Any:
    return 2 * w * x**2


@here
def off_elsewhere(w: Any, x: Any) -> Any:
    """Right where w is small, so that another point decides."""
    return np.where(np.abs(w) < 0.3, 1.0, 3.0) * 2 * w * x**2


@here
def with_value(w: Any, x: Any) -> Any:
    return np.sum((w * x) ** 2), 2 * w * x**2


@here
def of_another_form(w: Any, x: Any) -> Any:
    return {"w": w, "x": x}


@here
def of_several(*args: Any) -> Any:
    return jnp.sum((args[0] * args[1]) ** 2)


@here
def square_forward(x: Any) -> Any:
    return x * x, x


@here
def square_backward(d: Any, x: Any) -> Any:
    return 2 * d * x


sine = jax.custom_jvp(lambda x: jnp.sin(x))
sine.defjvp(lambda x, dx: (jnp.sin(*x), jnp.cos(*x) * dx[0]))
HERE["f"] = sine
STEPS = HERE["steps"] = [("square", square_forward, square_backward)]
W, X = HERE["w"], HERE["x"]

#: A number of points need not be an int of Python.
TWO: Any = np.int64(2)

GRADIENT, BACKWARD = check_gradient, check_backward

CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: GRADIENT(by_hand, squares, W, X), "check_gradient(by_hand, squares, w, x)"),
    (
        lambda: GRADIENT(off_elsewhere, squares, W, X, points=TWO, seed=1),
        "check_gradient(off_elsewhere, squares, w, x, points=2, seed=1)",
    ),
    (
        lambda: GRADIENT(off_elsewhere, squares, W, X, points=HERE["points"]),
        "check_gradient(off_elsewhere, squares, w, x, points=points)",
    ),
    (
        lambda: GRADIENT(of_another_form, squares, W, X, directions=3, points=0),
        "check_gradient(of_another_form, squares, w, x, points=0, directions=3)",
    ),
    (
        lambda: GRADIENT(by_hand, squares, W, X, directions=2, seconds=float("inf"), points=0),
        "check_gradient(by_hand, squares, w, x, points=0, seconds=float('inf'), directions=2)",
    ),
    (
        lambda: GRADIENT(
            *(with_value, squares, W, X), has_value=True, strict=True, referee="series", points=0
        ),
        "check_gradient(with_value, squares, w, x, points=0, referee='series', has_value=True, "
        "strict=True)",
    ),
    (
        lambda: GRADIENT(by_hand, of_several, W, X, trust_rules=["b", "a"], points=0),
        "check_gradient(by_hand, of_several, *args, points=0, trust_rules=['a', 'b'])",
    ),
    (
        lambda: GRADIENT(
            *(HERE["gradient"], HERE["loss"], W, X), points=0, seconds=20.0, referee="auto"
        ),
        "check_gradient(gradient, loss, w, x, points=0)",
    ),
    (
        lambda: BACKWARD(HERE["forward"], HERE["backward"], X),
        "check_backward(forward, backward, x)",
    ),
    (
        lambda: BACKWARD(square_forward, square_backward, X, cotangent=HERE["cotangent"], points=0),
        "check_backward(square_forward, square_backward, x, cotangent=cotangent, points=0)",
    ),
    (lambda: check_custom(sine, X, points=0), "check_custom(f, x, points=0)"),
    (
        lambda: check_steps(STEPS, X, points=1, seconds=15),
        "check_steps(steps, x, points=1, seconds=15)",
    ),
]


@pytest.mark.parametrize(("call", "line"), CALLS)
def test_the_line_can_be_pasted(call: Callable[[], Any], line: str) -> None:
    report = call()
    of_it = report.steps[0].report if line.startswith("check_steps") else report
    assert of_it.reproduce == line
    assert f"Again: {line}" in " ".join(str(of_it).split())
    again = eval(line, HERE)
    assert _without_times(again.to_dict()) == _without_times(report.to_dict())


def _without_times(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_times(value) for key, value in data.items() if key != "seconds"}
    return [_without_times(value) for value in data] if isinstance(data, list) else data


def test_two_functions_of_one_name_have_none() -> None:
    def made(function: Any) -> Any:
        def inner(w: Any, x: Any) -> Any:
            return function(w, x)

        return inner

    report = check_gradient(made(by_hand), made(squares), W, X, points=0)
    assert report.reproduce == "check_gradient(gradient, loss, w, x, points=0)"
    report = check_gradient(partial(by_hand, x=X), partial(squares, x=X), W, points=0)
    assert report.reproduce == "check_gradient(gradient, loss, w, points=0)"


def with_self(_: Any, w: Any, x: Any) -> Any:
    return by_hand(w, x)


class Model:
    """Names in it are none outside."""

    grad = with_self

    def backprop(self, w: Any, x: Any) -> Any:
        return by_hand(w, x)

    @staticmethod
    def squared(w: Any, x: Any) -> Any:
        return squares(w, x)


def test_methods_have_no_name_of_their_own() -> None:
    def summed(w: Any, x: Any) -> Any:
        return squares(w, x)

    model, line = Model(), "check_gradient(gradient, loss, w, x, points=0)"
    assert check_gradient(model.backprop, Model.squared, W, X, points=0).reproduce == line
    assert check_gradient(model.grad, lambda w, x: squares(w, x), W, X, points=0).reproduce == line
    report = check_gradient(model.grad, summed, W, X, points=0)
    assert report.reproduce == "check_gradient(gradient, summed, w, x, points=0)"


def scaled(function: Any) -> Any:
    @wraps(function)
    def inner(*point: Any) -> Any:
        return 1.5 * function(*point)

    return inner


@scaled
def wrapped_where_it_stands(w: Any, x: Any) -> Any:
    return by_hand(w, x)


@pytest.mark.parametrize(
    ("gradient", "called"),
    [
        (scaled(by_hand), "gradient"),
        (jax.grad(squares), "gradient"),
        (np.add, "gradient"),
        (wrapped_where_it_stands, "wrapped_where_it_stands"),
    ],
)
def test_what_has_the_name_of_another_is_not_called_by_it(gradient: Any, called: str) -> None:
    """Pasted, the other would be judged."""
    report = check_gradient(gradient, lambda w, x: squares(w, x), W, X, points=0)
    assert report.reproduce == f"check_gradient({called}, loss, w, x, points=0)"


@pytest.mark.parametrize(
    "loss",
    [
        lambda _, params: jnp.sum(_ * params),
        lambda w, inputs, _: jnp.sum(w * inputs) * _,
        lambda w, x, _: jnp.sum(w * x) * _,
        lambda w, loss: jnp.sum(w * loss),
        lambda gradient, x: jnp.sum(gradient * x),
    ],
)
def test_names_that_do_not_tell_which_is_which_are_left_out(loss: Any) -> None:
    inputs = (X, 2.0)[: len(signature(loss).parameters) - 1]
    report = check_gradient(lambda w, *_: 2 * w, loss, W, *inputs, points=0)
    assert report.reproduce == "check_gradient(gradient, loss, params, *inputs, points=0)"


def test_a_step_of_a_gradient_has_no_line() -> None:
    """What it was called with has no name."""

    def gradient(x: Any) -> Any:
        _, cache = square_forward(x)
        return square_backward(-np.ones(2), cache)

    report = check_gradient(gradient, lambda x: jnp.sum(x * x), X, points=0)
    assert report.steps is not None
    assert {step.report.reproduce for step in report.steps.steps} == {""}
    assert "Again" not in str(report.steps)


def test_points_of_a_part_are_tuples_of_its_inputs() -> None:
    def forward(x: Any, w: Any) -> Any:
        return x * w, (x, w)

    def backward(d: Any, cache: Any) -> Any:
        x, w = cache
        return np.where(x > 1, 2, 1) * d * w, d * x

    points = [(X / 2, W), (X, W)]
    report = check_backward(forward, backward, X / 3, W, points=points)
    assert (report.verdict, report.point, report.points) == ("disagree", 2, 3)
    other = check_custom(sine, X, points=[(W,)])
    assert other.points == 2
    bare: Any = [X]
    for points, message in (
        (bare, r"points\[0\]: got array\(.*\), expected a tuple of inputs"),
        ([(X, W), (X,)], r"points\[1\]: expected inputs shaped and typed like the first ones"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            check_backward(forward, backward, X, W, points=points)
