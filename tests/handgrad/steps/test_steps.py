"""Which step of a backward pass is wrong: each is judged by itself, and one mistake blamed once."""

import json
import pickle
import sys
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, check_steps
from handgrad.data.findings import NotJudged
from handgrad.data.frames import near
from handgrad.data.point import point_at
from handgrad.steps import recorded as recorded_steps
from handgrad.steps.recorded import pairs
from handgrad.stepwise import Step
from tests.handgrad.steps import recorded_problem
from tests.handgrad.steps.recorded_problem import (
    PARAMS,
    affine_backward,
    affine_forward,
    bare,
    made_of,
    seen,
)

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
V, B, W = RNG.normal(size=(3, 5)), RNG.normal(size=5), RNG.normal(size=(5, 2))


def averaged_backward(dz: Any, cache: Any) -> Any:
    dx, dv, db = affine_backward(dz, cache)
    return dx, dv, db / len(dz)


def cubic_forward(z: Any) -> Any:
    return z**3 / 3, z


def cubic_backward(da: Any, z: Any) -> Any:
    return da * z * z


def mix_forward(a: Any, w: Any) -> Any:
    return a @ w, (a, w)


def mix_backward(dout: Any, cache: Any) -> Any:
    a, w = cache
    return dout @ w.T, a.T @ dout


def mean_forward(out: Any, y: Any) -> Any:
    return ((out - y) ** 2).mean(), out - y


def halved_backward(d: Any, e: Any) -> Any:
    return d * e / e.size, -d * e / e.size


@pytest.mark.slow
def test_of_two_wrong_steps_the_first_one_back_is_named() -> None:
    steps = [
        Step("affine", affine_forward, averaged_backward, (V, B)),
        ("cubic", cubic_forward, cubic_backward),
        ("mix", mix_forward, mix_backward, (W,)),
        ("mean", mean_forward, halved_backward, (Y,)),
    ]
    found = check_steps(steps, X, points=0)
    assert not found.passes
    assert found.first_wrong is not None
    assert found.first_wrong.name == "mean"
    text = str(found)
    assert text.startswith("Going back, mean is the first step that is wrong; so is 1 before it.")
    # In the order of the backward pass, and the report of the one that is named.
    table = text.split("\n\n")[1].splitlines()
    assert [line.split() for line in table] == [
        ["mean", "disagree"],
        ["mix", "agree"],
        ["cubic", "agree"],
        ["affine", "disagree"],
    ]
    assert "\n\ndisagree: out: " in text
    answer = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (answer["passes"], answer["first_wrong"]) == (False, "mean")
    assert [step["name"] for step in answer["steps"]] == ["affine", "cubic", "mix", "mean"]
    assert answer["steps"][3]["report"]["diagnoses"][0]["kind"] == "factor"
    again = pickle.loads(pickle.dumps(found))
    assert again.first_wrong is not None
    assert again.first_wrong.name == "mean"


def test_a_step_is_asked_at_the_cotangent_that_the_later_ones_give() -> None:
    """It is 0 where this one is wrong; a random one would show it."""

    def square_forward(z: Any) -> Any:
        return z * z, z

    def wrong_below_0(da: Any, z: Any) -> Any:
        return np.where(z > 0, 2 * da * z, da)

    def mask_forward(a: Any, mask: Any) -> Any:
        return a * mask, (a, mask)

    def mask_backward(d: Any, cache: Any) -> Any:
        a, mask = cache
        return d * mask, d * a

    z, mask = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 1.0])
    steps = [
        ("square", square_forward, wrong_below_0),
        ("mask", mask_forward, mask_backward, mask),
    ]
    assert check_steps(steps, z, points=0).passes
    assert not check_steps(steps[:1], z, points=0).passes


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("cubic", cubic_forward)], r"steps\[0\]: got .*, expected \(name, forward, backward\)"),
        (
            [("cubic", lambda z: z**3, cubic_backward)],
            r"cubic: forward returned .*\(output, cache\)",
        ),
    ],
)
def test_what_is_no_step(steps: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        check_steps(steps, X)


def test_no_step_and_a_step_that_raises_are_told() -> None:
    with pytest.raises(TypeError, match="steps: got none"):
        check_steps([])
    steps = [("affine", lambda x, w: (x @ w, None), lambda d, _: d)]
    with pytest.raises(TypeError) as error:
        check_steps(steps, np.ones((2, 2)))
    assert error.value.__notes__ == ["This was raised by the forward pass of the step 'affine'."]


# Seen while a gradient runs.


def recorded(gradient: Any, *point: Any) -> Any:
    """The pairs that it calls, in the order of its backward pass."""
    return pairs(gradient, point_at(point[0], point[1:]))


@pytest.mark.slow
def test_the_steps_of_a_gradient_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_steps, "MORE", 0)

    def affine_backward(dz: Any, cache: Any) -> Any:
        a, w = cache
        return dz @ w.T, a.T @ dz, -dz.sum(axis=0)

    report = recorded_problem.asked(made_of(affine=affine_backward))
    steps = seen(report)
    assert [bare(step.name) for step in steps.steps] == [
        *("scale_backward", "relu_backward", "pool_backward", "affine_backward")
    ]
    assert [[leaf.path for leaf in step.report.leaves] for step in steps.steps] == [
        *(["x", "k"], ["z"], ["h"], ["a", "w", "b"])
    ]
    assert steps.first_wrong is not None
    line = affine_backward.__code__.co_firstlineno
    assert steps.first_wrong.name == f"affine_backward ({near(__file__)}, line {line})"
    assert report.to_dict()["wrong_step"] == steps.first_wrong.name


@pytest.mark.usefixtures("own_garbage")
def test_a_step_that_is_called_twice_is_recorded_at_both_places() -> None:
    """Each backward call belongs to the forward call whose cache it is given."""
    square, twice = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))

    def dense_forward(x: Any, w: Any) -> Any:
        return x @ w, (x, w)

    def dense_backward(dz: Any, cache: Any) -> Any:
        x, w = cache
        return dz @ w.T, 2 * x.T @ dz

    def gradient(p: Any, x: Any) -> Any:
        h, first = dense_forward(x, p["v"])
        out, second = dense_forward(h, p["w"])
        dh, dw = dense_backward(2 * out / out.size, second)
        return {"v": dense_backward(dh, first)[1], "w": dw}

    second, first = recorded(gradient, {"v": square, "w": twice}, X)
    np.testing.assert_array_equal(first.inputs[1], square)
    np.testing.assert_array_equal(second.inputs[0], X @ square)
    np.testing.assert_array_equal(second.inputs[1], twice)


def test_pairs_of_another_convention_are_named() -> None:
    def scale_forward(z: Any) -> Any:
        return 2 * z  # its output alone

    def scale_backward(d: Any) -> Any:
        return 2 * d

    def add_forward(a: Any, b: Any) -> Any:
        return a + b, None

    def add_backward(cache: Any, d: Any, more: Any) -> Any:  # noqa: ARG001 (a convention)
        return d + more, d

    def gradient(p: Any, x: Any) -> Any:
        z = scale_forward(x @ p)
        out, cache = add_forward(z, z)
        d, _ = add_backward(cache, 2 * out / out.size, 0.0)
        return -x.T @ scale_backward(2 * d)

    left = recorded(gradient, W[:3], X)
    assert [bare(pair.name) for pair in left] == ["add_backward", "scale_backward"]
    assert {type(pair) for pair in left} == {NotJudged}


def test_a_gradient_without_pairs_has_no_steps() -> None:
    report = check_gradient(lambda w: -2 * w, lambda w: jnp.sum(w**2), B, points=0)
    assert (report.verdict, report.steps) == ("disagree", None)
    assert report.to_dict()["wrong_step"] is None


@pytest.mark.slow
def test_somebody_elses_profiler_is_put_back() -> None:
    def mine(*_: Any) -> None:
        pass

    before = sys.getprofile()
    try:
        sys.setprofile(mine)
        assert len(recorded(made_of(), PARAMS, recorded_problem.X, recorded_problem.Y)) == 4
        found = sys.getprofile()
    finally:
        sys.setprofile(before)
    assert found is mine
