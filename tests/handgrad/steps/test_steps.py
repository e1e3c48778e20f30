"""`check_steps`: each step of a backward pass is judged by itself, and one mistake blamed once.

The steps that a wrong gradient calls are in `tests/corpus/rows/steps.py`.
"""

import json
import pickle
from typing import Any

import numpy as np
import pytest

from handgrad import Step, check_steps
from tests.corpus.rows import steps as problem

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
V, B, W = RNG.normal(size=(3, 5)), RNG.normal(size=5), RNG.normal(size=(5, 2))


@pytest.mark.slow
def test_of_two_wrong_steps_the_first_one_back_is_named() -> None:
    steps = [
        Step("affine", problem.affine_forward, problem.averaged, (V, B)),
        ("cubic", lambda z: (z**3 / 3, z), lambda da, z: da * z * z),
        ("mix", lambda a, w: (a @ w, (a, w)), lambda d, c: (d @ c[1].T, c[0].T @ d), (W,)),
        (
            *("mean", lambda out, y: (((out - y) ** 2).mean(), out - y)),
            *(lambda d, e: (d * e / e.size, -d * e / e.size), (Y,)),  # halved
        ),
    ]
    found = check_steps(steps, X, points=0)
    assert not found.passes
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
    assert pickle.loads(pickle.dumps(found)).first_wrong.name == "mean"


def test_a_step_is_asked_at_the_cotangent_that_the_later_ones_give() -> None:
    """It is 0 where this one is wrong; a random one would show it."""
    z, mask = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 1.0])
    steps: list[Any] = [
        ("square", lambda z: (z * z, z), lambda da, z: np.where(z > 0, 2 * da * z, da)),
        ("mask", lambda a, m: (a * m, (a, m)), lambda d, cache: (d * cache[1], d * cache[0]), mask),
    ]
    assert check_steps(steps, z, points=0).passes
    assert not check_steps(steps[:1], z, points=0).passes


def test_what_is_no_step_and_one_that_raises_are_told() -> None:
    for steps, message in (
        ([("cubic", abs)], r"steps\[0\]: got .*, expected \(name, forward, backward\)"),
        ([("cubic", abs, abs)], r"cubic: forward returned .*\(output, cache\)"),
        ([], "steps: got none"),
    ):
        with pytest.raises(TypeError, match=message):
            check_steps(steps, X)
    with pytest.raises(TypeError) as error:
        check_steps([("affine", lambda x, w: (x @ w, None), lambda d, _: d)], np.ones((2, 2)))
    assert error.value.__notes__ == ["This was raised by the forward pass of the step 'affine'."]
