"""Steps that cannot be replaced or judged, and those that answer in a form of their own."""

import json
import sys
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from tests.handgrad.steps.recorded_problem import (
    NORMED,
    PARAMS,
    asked,
    bare,
    blamed,
    called,
    made_of,
    scale_backward,
    scale_forward,
    seen,
    told,
)


def cube(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean(((x @ p["v"]) ** 3 @ p["w"] - y) ** 2)


def cube_forward(z: Any) -> Any:
    return z**3, z


def cube_backward(d: Any, z: Any) -> Any:
    return 3 * d * z


def by_cube(forward: Any, backward: Any, p: Any, x: Any, y: Any) -> Any:
    a, cache = forward(x @ p["v"])
    d = 2 * (a @ p["w"] - y) / y.size
    dz = backward(d @ p["w"].T, cache)
    return {"v": x.T @ (dz[0] if isinstance(dz, tuple) else dz), "w": a.T @ d}


@pytest.mark.slow
def test_a_step_that_no_name_leads_to_is_not_confirmed() -> None:
    """An element of a list is not replaced."""
    listed = [called("cube_backward", cube_backward)]
    report = asked(lambda *given: by_cube(cube_forward, listed[0], *given), cube, NORMED)
    assert blamed(report) == {"cube_backward": None}
    assert " step" not in told(report)


@pytest.mark.slow
def test_settings_of_a_step_have_no_derivative() -> None:
    """A backward pass answers for the first inputs; ∂L/∂power is nobody's question."""

    def power_forward(z: Any, power: Any = 3.0) -> Any:
        return z**power, (z, power)

    def power_backward(d: Any, cache: Any) -> Any:
        z, power = cache
        return (d * z ** (power - 1),)

    report = asked(lambda *given: by_cube(power_forward, power_backward, *given), cube, NORMED)
    assert [step.inputs for step in seen(report).steps] == [("z",)]
    assert blamed(report) == {"power_backward": True}
    assert "is wrong, its only step that was judged. Kind: factor." in told(report)


@pytest.mark.slow
def test_a_backward_pass_that_takes_the_cache_first_is_no_step() -> None:
    """It would be judged with its arguments exchanged."""

    def cube_backward(z: Any, d: Any) -> Any:
        return d * z

    report = asked(
        lambda *given: by_cube(cube_forward, _exchanged(cube_backward), *given), cube, NORMED
    )
    assert seen(report).steps == ()
    assert [bare(step.name) for step in seen(report).not_judged] == ["cube_backward"]
    form = "cube_forward(...) -> (output, cache), cube_backward(cotangent, cache)"
    assert f": not judged, it does not have the form {form} with that cache." in told(report)


@pytest.mark.slow
def test_a_loss_may_give_back_what_its_cache_alone_tells() -> None:
    """Nothing comes back to a loss but 1."""

    def squares_forward(a: Any) -> Any:
        return (a * a).sum(), a

    def squares_backward(a: Any) -> Any:
        return a  # 2 a

    def gradient(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        out, of_scale = scale_forward(x, p)
        _, of_squares = squares_forward(out)
        return scale_backward(squares_backward(of_squares), of_scale)[1]

    def summed(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        return jnp.sum((x * p[None, :]) ** 2)

    report = asked(gradient, summed, PARAMS["k"])
    assert blamed(report) == {"squares_backward": True}
    assert "squares_backward (" in told(report)
    assert "its 2 steps back that is wrong. Kind: factor. In a, every element is 1/2" in told(
        report
    )


def test_a_step_that_answers_for_a_later_input_alone_is_not_called_wrong() -> None:
    """Nothing comes back to x, and what comes back to the weights is right."""

    def first_forward(x: Any, w: Any) -> Any:
        return x * w[None, :], x

    def first_backward(d: Any, x: Any) -> Any:
        return (d * x).sum(axis=0)

    def gradient(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        out, cache = first_forward(x, p)
        return first_backward(out, cache)  # 2 out

    def summed(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        return jnp.sum((x * p[None, :]) ** 2)

    report = asked(gradient, summed, PARAMS["k"])
    assert seen(report).steps == ()
    assert ": not judged, its answers are not those of its first inputs (" in told(report)


@pytest.mark.slow
def test_a_step_that_cannot_be_judged_is_named_with_the_reason() -> None:
    def whole_forward(z: Any) -> Any:
        return np.arange(3), z  # of a dtype that has no derivatives

    def whole_backward(d: Any, z: Any) -> Any:  # noqa: ARG001 (a step takes its cache)
        return d

    def gradient(p: Any, x: Any, y: Any) -> Any:
        _, cache = whole_forward(p["b"])
        grads = made_of()(p, x, y)
        return grads | {"b": -whole_backward(grads["b"], cache)}

    report = asked(gradient)
    assert [bare(step.name) for step in seen(report).not_judged] == ["whole_backward"]
    assert ": not judged, TypeError: output: got int64, expected floats." in told(report)
    (left,) = json.loads(json.dumps(seen(report).to_dict()))["not_judged"]
    assert left["reason"] == "TypeError: output: got int64, expected floats"


def _exchanged(function: Any) -> Any:
    return lambda a, b: function(b, a)


class Back(NamedTuple):
    """Cotangents by name."""

    layer: dict[str, Any]
    rows: None


@pytest.mark.slow
def test_the_right_answer_has_the_form_of_the_wrong_one() -> None:
    """An input in a dict, another of integers, which has no derivative."""
    rows = np.array([0, 2, 2, 5, 1])

    def lookup_forward(layer: dict[str, Any], rows: Any) -> Any:
        return layer["table"][rows], (rows, layer["table"].shape)

    def lookup_backward(d: Any, cache: Any) -> Back:
        rows, shape = cache
        table = np.zeros(shape)
        table[rows] += d  # once for each row, however often it is there
        return Back({"table": table}, None)

    def looked_up(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take x)
        return jnp.mean((p["v"][rows] @ p["w"] - y) ** 2)

    def gradient(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        h, cache = lookup_forward({"table": p["v"]}, rows=rows)
        d = 2 * (h @ p["w"] - y) / y.size
        return {"v": lookup_backward(d @ p["w"].T, cache=cache).layer["table"], "w": h.T @ d}

    assert blamed(asked(gradient, looked_up, NORMED)) == {"lookup_backward": True}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_all_steps_that_were_judged_are_right(count: int) -> None:
    def right_backward(d: Any, z: Any) -> Any:
        return 3 * d * z * z

    def right_forward(z: Any) -> Any:
        return z**3, z

    def gradient(p: Any, x: Any, y: Any) -> Any:
        for _ in range(count - 1):
            _, cache = right_forward(x)
            right_backward(1.0 * x, cache)
        grads = by_cube(right_forward, right_backward, p, x, y)
        return grads | {"v": -grads["v"]}

    report = asked(gradient, cube, NORMED)
    assert seen(report).passes
    wording = {1: "The step back that was judged is right.", 2: "The 2 steps back that were judged"}
    assert wording[count] in told(report)


@pytest.mark.slow
def test_steps_are_what_they_were_when_a_mended_gradient_raises() -> None:
    """It takes no answer but its own."""
    before = dict(vars(sys.modules[__name__]))

    def gradient(p: Any, x: Any, y: Any) -> Any:
        a, cache = cube_forward(x @ p["v"])
        d = 2 * (a @ p["w"] - y) / y.size
        dz = cube_backward(d @ p["w"].T, cache)
        if not np.array_equal(dz, 3 * (d @ p["w"].T) * cache):
            raise ValueError("another answer")
        return {"v": x.T @ dz, "w": a.T @ d}

    report = asked(gradient, cube, NORMED)
    assert blamed(report) == {"cube_backward": None}
    assert vars(sys.modules[__name__]) == before
