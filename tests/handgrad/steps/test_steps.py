"""`check_steps`: each step of a backward pass is judged by itself, and one mistake blamed once.

The steps that a wrong gradient calls are in `tests/corpus/rows/steps.py`.
"""

import json
import pickle
import sys
from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient, check_steps
from handgrad.stepwise import Step
from tests.corpus.rows import steps as problem

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
V, B, W = RNG.normal(size=(3, 5)), RNG.normal(size=5), RNG.normal(size=(5, 2))


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
        Step("affine", problem.affine_forward, problem.averaged, (V, B)),
        ("cubic", cubic_forward, cubic_backward),
        ("mix", mix_forward, mix_backward, (W,)),
        ("mean", mean_forward, halved_backward, (Y,)),
    ]
    found = check_steps(steps, X, points=0)
    assert not found.passes
    assert found.first_wrong is not None
    text = str(found)
    assert text.startswith("Going back, mean is the first step that is wrong; so is 1 before it.")
    # In the order of the backward pass, and the report of the one that is named.
    table = text.split("\n\n")[1].splitlines()
    assert [line.split() for line in table] == [
        *(["mean", "disagree"], ["mix", "agree"], ["cubic", "agree"], ["affine", "disagree"])
    ]
    assert "\n\ndisagree: out: " in text
    answer = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (answer["passes"], answer["first_wrong"]) == (False, "mean")
    assert [step["name"] for step in answer["steps"]] == ["affine", "cubic", "mix", "mean"]
    assert answer["steps"][3]["report"]["diagnoses"][0]["kind"] == "factor"
    again = pickle.loads(pickle.dumps(found))
    assert again.first_wrong.name == "mean"


def test_a_step_is_asked_at_the_cotangent_that_the_later_ones_give() -> None:
    """It is 0 where this one is wrong; a random one would show it."""
    z, mask = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 1.0])
    steps: list[Any] = [
        ("square", lambda z: (z * z, z), lambda da, z: np.where(z > 0, 2 * da * z, da)),
        ("mask", lambda a, m: (a * m, (a, m)), lambda d, cache: (d * cache[1], d * cache[0]), mask),
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
        ([], "steps: got none"),
    ],
)
def test_what_is_no_step(steps: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        check_steps(steps, X)


def test_a_step_that_raises_is_told() -> None:
    with pytest.raises(TypeError) as error:
        check_steps([("affine", lambda x, w: (x @ w, None), lambda d, _: d)], np.ones((2, 2)))
    assert error.value.__notes__ == ["This was raised by the forward pass of the step 'affine'."]


@pytest.mark.slow
def test_the_steps_that_a_gradient_calls_are_in_its_report() -> None:
    """As data, with the names of their arguments; a profiler that was there is put back."""

    def mine(*_: Any) -> None:
        pass

    gradient = problem.made_of(affine=problem.step("affine_backward", problem.averaged))
    point = problem.PARAMS, problem.X, problem.Y
    report, before = check_gradient(gradient, problem.pooled, *point, points=0), sys.getprofile()
    sys.setprofile(mine)
    try:
        steps, left = report.steps, sys.getprofile()
    finally:
        sys.setprofile(before)
    assert left is mine
    assert steps is not None
    assert [(s.name.split(" (")[0], [f.path for f in s.report.leaves]) for s in steps.steps] == [
        ("scale_backward", ["x", "k"]),
        ("relu_backward", ["z"]),
        ("pool_backward", ["h"]),
        ("affine_backward", ["a", "w", "b"]),
    ]
    assert report.to_dict()["wrong_step"].startswith("affine_backward (tests/corpus/rows/steps.py,")
    assert {step.report.reproduce for step in steps.steps} == {""}, "its arguments have no names"
