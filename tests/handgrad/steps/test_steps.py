"""Which step of a backward pass is wrong: each is judged by itself, and one mistake blamed once."""

import json
import pickle
import re
import sys
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, check_steps
from handgrad.report import StepsReport
from handgrad.stepwise import Step
from tests.handgrad.steps.recorded_problem import bare, told
from tests.tiers import slowly

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
V, B, W = RNG.normal(size=(3, 5)), RNG.normal(size=5), RNG.normal(size=(5, 2))
PARAMS = {"v": V, "b": B, "w": W}


def affine_forward(x: Any, v: Any, b: Any) -> Any:
    return x @ v + b[None, :], (x, v)


def affine_backward(dz: Any, cache: Any) -> Any:
    x, v = cache
    return dz @ v.T, x.T @ dz, dz.sum(axis=0)


def averaged_backward(dz: Any, cache: Any) -> Any:
    dx, dv, db = affine_backward(dz, cache)
    return dx, dv, db / len(dz)


def cubic_forward(z: Any) -> Any:
    return z**3 / 3, z


def cubic_backward(da: Any, z: Any) -> Any:
    return da * z * z


def linear_backward(da: Any, z: Any) -> Any:
    return da * z


def mix_forward(a: Any, w: Any) -> Any:
    return a @ w, (a, w)


def mix_backward(dout: Any, cache: Any) -> Any:
    a, w = cache
    return dout @ w.T, a.T @ dout


def mean_forward(out: Any, y: Any) -> Any:
    return ((out - y) ** 2).mean(), out - y


def mean_backward(d: Any, e: Any) -> Any:
    return 2 * d * e / e.size, -2 * d * e / e.size


def halved_backward(d: Any, e: Any) -> Any:
    return d * e / e.size, -d * e / e.size


def chain(
    first: Any = affine_backward, cubic: Any = cubic_backward, last: Any = mean_backward
) -> Any:
    """The steps of a network, some backward passes in place of the right ones."""
    return [
        Step("affine", affine_forward, first, (V, B)),
        ("cubic", cubic_forward, cubic),
        ("mix", mix_forward, mix_backward, (W,)),
        ("mean", mean_forward, last, (Y,)),
    ]


def asked(steps: Any) -> StepsReport:
    return check_steps(steps, X, points=0)


def verdicts(found: StepsReport) -> dict[str, str]:
    return {step.name: step.report.verdict for step in found.steps}


RIGHT = {"affine": "agree", "cubic": "agree", "mix": "agree", "mean": "agree"}


@pytest.mark.slow
def test_all_steps_are_right() -> None:
    found = asked(chain())
    assert verdicts(found) == RIGHT
    assert (found.passes, found.first_wrong) == (True, None)
    assert str(found).startswith("Every step back is right.")


@pytest.mark.parametrize(
    ("wrong", "name", "leaf", "kind"),
    [
        slowly({"first": averaged_backward}, "affine", "params[2]", "factor"),
        slowly({"cubic": linear_backward}, "cubic", "params[0]", None),
        slowly({"last": halved_backward}, "mean", "params[0]", "factor"),
    ],
)
def test_one_mistake_is_blamed_once(wrong: Any, name: str, leaf: str, kind: str | None) -> None:
    """It spoils whatever comes after it on the way back; only the step itself is wrong."""
    found = asked(chain(**wrong))
    assert verdicts(found) == RIGHT | {name: "disagree"}
    first = found.first_wrong
    assert first is not None
    assert first.name == name
    assert leaf in {finding.leaf for finding in first.report.findings}
    if kind:
        assert {d.kind for d in first.report.diagnoses} == {kind}


@pytest.mark.slow
def test_of_two_wrong_steps_the_first_one_back_is_named() -> None:
    found = asked(chain(first=averaged_backward, last=halved_backward))
    assert verdicts(found) == RIGHT | {"affine": "disagree", "mean": "disagree"}
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
    assert "disagree: params[0]: " in text
    answer = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (answer["passes"], answer["first_wrong"]) == (False, "mean")
    assert [step["name"] for step in answer["steps"]] == list(RIGHT)
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
        ([("cubic", cubic_forward, 3)], r"steps\[0\]: got "),
        ([cubic_forward], r"steps\[0\]: got "),
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


@pytest.mark.slow
def test_a_step_in_numpy_is_followed_by_one_that_jax_cannot_trace() -> None:
    def numpys_forward(z: Any) -> Any:
        a = np.tanh(z)
        return a, a

    def doubled_forward(z: Any) -> Any:
        return 2 * z, None

    steps = [
        ("double", doubled_forward, lambda d, _: 2 * d),
        ("tanh", numpys_forward, lambda d, a: d * (1 - a)),
    ]
    found = check_steps(steps, np.array([0.5, -1.0]), points=0)
    assert verdicts(found) == {"double": "agree", "tanh": "disagree"}


# Seen while a gradient runs.


def loss(p: Any, x: Any, y: Any) -> Any:
    h = (x @ p["v"] + p["b"][None, :]) ** 3 / 3
    return jnp.mean((h @ p["w"] - y) ** 2)


def made_of(
    first: Any = affine_backward, cubic: Any = cubic_backward, last: Any = mean_backward
) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        z, of_affine = affine_forward(x, p["v"], p["b"])
        h, of_cubic = cubic_forward(z)
        out, of_mix = mix_forward(h, p["w"])
        _, of_mean = mean_forward(out, y)
        dout, _ = last(1.0, of_mean)
        dh, dw = mix_backward(dout, of_mix)
        _, dv, db = first(cubic(dh, of_cubic), of_affine)
        return {"v": dv, "b": db, "w": dw}

    return gradient


def test_the_steps_of_a_gradient_are_found() -> None:
    def cubic_backward(da: Any, z: Any) -> Any:
        return da * z

    report = check_gradient(made_of(cubic=cubic_backward), loss, PARAMS, X, Y, points=0)
    steps = report.steps
    assert steps is not None
    assert [bare(step.name) for step in steps.steps] == [
        *("affine_backward", "cubic_backward", "mix_backward", "mean_backward")
    ]
    assert [step.inputs for step in steps.steps] == [
        ("x", "v", "b"),
        ("z",),
        ("a", "w"),
        ("out", "y"),
    ]
    first = steps.first_wrong
    assert first is not None
    line = cubic_backward.__code__.co_firstlineno
    assert first.name.endswith(f"test_steps.py, line {line})")
    assert bare(first.name) == "cubic_backward"
    assert [bare(s.name) for s in steps.steps if not s.report.passes] == ["cubic_backward"]


@pytest.mark.slow
def test_the_leaves_of_a_step_are_called_as_its_author_calls_them() -> None:
    def affine_backward(dz: Any, cache: Any) -> Any:
        x, v = cache
        return dz @ v.T, x.T @ dz, -dz.sum(axis=0)

    report = check_gradient(made_of(first=affine_backward), loss, PARAMS, X, Y, points=0)
    name, _, step = told(report).partition("affine_backward (")
    assert "is the first of its 4 steps back that is wrong" in step
    assert re.search(r"Kind: sign\. .*every element of b\b", step, flags=re.I)
    assert "params[2]" not in name + step
    guilty = report.to_dict()["guilty_step"]
    assert guilty.startswith("affine_backward (")


@pytest.mark.slow
def test_of_a_step_without_a_kind_it_is_told_what_is_wrong_in_its_answer() -> None:
    def affine_backward(dz: Any, cache: Any) -> Any:
        x, v = cache
        return dz @ v.T, x.T @ dz, dz.sum(axis=0) * (1 + np.abs(np.sin(v)).sum())

    report = check_gradient(made_of(first=affine_backward), loss, PARAMS, X, Y, points=0)
    assert "What it gives back for b is wrong, the rest is right." in told(report)


@pytest.mark.slow
def test_a_step_that_is_called_twice_is_judged_at_both_places() -> None:
    """Each backward call belongs to the forward call whose cache it is given."""
    square, twice = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))

    def dense_forward(x: Any, w: Any) -> Any:
        return x @ w, (x, w)

    def dense_backward(dz: Any, cache: Any) -> Any:
        x, w = cache
        return dz @ w.T, 2 * x.T @ dz

    def two_products(p: Any, x: Any) -> Any:
        return jnp.mean((x @ p["v"] @ p["w"]) ** 2)

    def gradient(p: Any, x: Any) -> Any:
        h, first = dense_forward(x, p["v"])
        out, second = dense_forward(h, p["w"])
        dh, dw = dense_backward(2 * out / out.size, second)
        return {"v": dense_backward(dh, first)[1], "w": dw}

    params = {"v": square, "w": twice}
    steps = check_gradient(gradient, two_products, params, X, points=0).steps
    assert steps is not None
    assert [bare(step.name) for step in steps.steps] == ["dense_backward"] * 2
    first, second = (step.report.params for step in steps.steps)
    np.testing.assert_array_equal(first[1], square)
    np.testing.assert_array_equal(second[0], X @ square)
    np.testing.assert_array_equal(second[1], twice)


@pytest.mark.slow
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

    def squares(p: Any, x: Any) -> Any:
        return jnp.mean((4 * (x @ p)) ** 2)

    report = check_gradient(gradient, squares, W[:3], X, points=0)
    assert report.verdict == "disagree"
    assert report.steps is not None
    assert report.steps.steps == ()
    names = [step.name.split(" (")[0] for step in report.steps.not_judged]
    assert names == ["add_backward", "scale_backward"]


@pytest.mark.slow
def test_a_pair_that_cannot_be_judged_leaves_the_others() -> None:
    """It is called again with its arguments in order, which this one does not take."""

    def scale_forward(z: Any, *, factor: Any) -> Any:
        return factor * z, factor

    def scale_backward(d: Any, factor: Any) -> Any:
        return d * factor

    def mean_backward(d: Any, e: Any) -> Any:
        return halved_backward(d, e)

    wrong = made_of(last=mean_backward)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        scaled, cache = scale_forward(x, factor=1.0)
        scale_backward(scaled, cache)
        return wrong(p, scaled, y)

    steps = check_gradient(gradient, loss, PARAMS, X, Y, points=0).steps
    assert steps is not None
    assert [bare(step.name) for step in steps.steps] == [
        *("affine_backward", "cubic_backward", "mix_backward", "mean_backward")
    ]


@pytest.mark.parametrize("verdict", ["agree", "disagree"])
def test_a_gradient_without_pairs_has_no_steps(verdict: str) -> None:
    factor = 1 if verdict == "agree" else -1

    def squares(w: Any) -> Any:
        return jnp.sum(w**2)

    report = check_gradient(lambda w: factor * 2 * w, squares, B, points=0)
    assert (report.verdict, report.steps) == (verdict, None)
    assert report.to_dict()["guilty_step"] is None


def test_a_right_gradient_is_not_taken_apart() -> None:
    report = check_gradient(made_of(), loss, PARAMS, X, Y, points=0)
    assert (report.verdict, report.steps) == ("agree", None)


@pytest.mark.slow
def test_somebody_elses_profiler_is_put_back() -> None:
    def mine(*_: Any) -> None:
        pass

    report = check_gradient(made_of(last=halved_backward), loss, PARAMS, X, Y, points=0)
    before = sys.getprofile()
    try:
        sys.setprofile(mine)
        assert report.steps is not None
        found = sys.getprofile()
    finally:
        sys.setprofile(before)
    assert found is mine
