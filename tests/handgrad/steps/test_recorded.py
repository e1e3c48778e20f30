"""Which step of a wrong gradient is to blame: one without whose mistake more of it is right.

Also of steps that cannot be replaced or judged, and that answer in a form of their own.
"""

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

pytestmark = pytest.mark.slow


def halved(dz: Any, cache: Any) -> Any:
    """Of the scaling; ∂L/∂k is half of what it should be."""
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0) / 2


def averaged(dz: Any, cache: Any) -> Any:
    """Of the linear layer; ∂L/∂b is averaged over the rows."""
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.mean(axis=0)


def test_a_harmless_step_is_not_blamed() -> None:
    """The mistake is in what the gradient does after its steps."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        grads = made_of()(p, x, y)
        return grads | {"b": -grads["b"]}

    report = asked(gradient)
    assert blamed(report) == {"pool_backward": False}
    assert report.to_dict()["guilty_step"] is None
    assert " step" not in told(report)
    wording = "): wrong, but with the right answer no array becomes right."
    assert wording in told(report)[told(report).index("pool_backward (") :]


def test_a_guilty_step_is_named_with_a_harmless_one_before_it() -> None:
    report = asked(made_of(scale=called("scale_backward", halved)))
    assert blamed(report) == {"pool_backward": False, "scale_backward": True}
    first = seen(report).first_guilty
    assert first is not None
    assert report.to_dict()["guilty_step"] == first.name
    wording = f"{first.name} is the first of its 4 steps back that makes it wrong. Kind: factor."
    assert wording in told(report)
    assert "pool_backward" not in told(report)
    flags = [step["guilty"] for step in json.loads(json.dumps(seen(report).to_dict()))["steps"]]
    assert flags == [True, None, False, None]


def test_of_two_guilty_steps_the_first_on_the_way_back_is_named() -> None:
    wrong = {"scale": ("scale_backward", halved), "affine": ("affine_backward", averaged)}
    report = asked(made_of(**{step: called(*which) for step, which in wrong.items()}))
    guilty = {"affine_backward": True, "pool_backward": False, "scale_backward": True}
    assert blamed(report) == guilty
    assert "affine_backward (" in told(report)
    assert "is the first of its 4 steps back that is wrong. Kind: factor." in told(report)
    assert told(report).index("Also wrong: scale_backward (") > told(report).index("Kind: factor.")


def test_two_steps_that_spoil_the_same_leaf_are_both_guilty() -> None:
    """With either of them mended it is as wrong as before; the pool makes no difference to that."""

    def relu_backward(da: Any, z: Any) -> Any:
        return np.ones_like(z) * da

    report = asked(made_of(scale=called("scale_backward", halved), relu=relu_backward))
    guilty = {"pool_backward": False, "relu_backward": True, "scale_backward": True}
    assert blamed(report) == guilty


def test_a_step_that_undoes_what_is_wrong_elsewhere_is_not_guilty() -> None:
    """Mended, it would spoil what is right."""

    def affine_backward(dz: Any, cache: Any) -> Any:
        a, w = cache
        return dz @ w.T / len(dz), a.T @ dz / len(dz), dz.sum(axis=0) / len(dz)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        grads = made_of(affine=affine_backward)(p, x, y)
        return {"k": grads["k"] * len(y), "w": grads["w"] * len(y), "b": grads["b"]}

    assert blamed(asked(gradient)) == {"affine_backward": False, "pool_backward": False}


def test_digits_that_a_step_loses_are_not_what_is_wrong() -> None:
    """Mended, it would lose none; what it makes wrong besides is not used."""

    def softplus_forward(z: Any, scale: Any) -> Any:
        return scale * np.log1p(np.exp(z)), (z, scale)

    def softplus_backward(d: Any, cache: Any) -> Any:
        z, scale = cache
        return d * scale * (1 - 1 / (1 + np.exp(z))), 0 * scale

    def gradient(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
        _, cache = softplus_forward(p["z"], 1.0)
        dz, _ = softplus_backward(np.ones(3), cache)
        return {"z": dz, "b": -p["b"]}

    def soft(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
        return jnp.sum(jnp.log1p(jnp.exp(p["z"]))) + jnp.sum(p["b"] ** 2) / 2

    report = asked(gradient, soft, {"z": np.array([-28.0, -27.5, -29.1]), "b": np.ones(2)})
    assert {leaf.path: leaf.verdict for leaf in report.leaves}["params['z']"] == "imprecise"
    assert blamed(report) == {"softplus_backward": False}


# Functions that are global variables.


def norm_forward(z: Any) -> Any:
    """The root mean square of each column taken out."""
    s = (z**2).mean(axis=0) ** 0.5
    return z / s[None, :], (z, s)


def norm_backward(dn: Any, cache: Any) -> Any:
    """Wrong: s is taken for a constant."""
    _, s = cache
    return dn / s[None, :]


def bessel_forward(z: Any) -> Any:
    """Wrong: divided by n - 1."""
    s = ((z**2).sum(axis=0) / (len(z) - 1)) ** 0.5
    return z / s[None, :], (z, s)


def bessel_backward(dn: Any, cache: Any) -> Any:
    """What it would be if the forward pass were right."""
    z, s = cache
    n = z / s[None, :]
    return (dn - n * (dn * n).mean(axis=0)[None, :]) / s[None, :]


def twice_normed(p: Any, x: Any, y: Any) -> Any:
    h = x @ p["v"]
    for _ in range(2):
        h = (h + 1) / jnp.sqrt(jnp.mean((h + 1) ** 2, axis=0))[None, :]
    return jnp.mean((h @ p["w"] - y) ** 2)


def by_twice_norm(p: Any, x: Any, y: Any) -> Any:
    n, first = norm_forward(x @ p["v"] + 1)
    m, second = norm_forward(n + 1)
    d = 2 * (m @ p["w"] - y) / y.size
    dn = norm_backward(d @ p["w"].T, second)
    return {"v": x.T @ norm_backward(dn, first), "w": m.T @ d}


def once_normed(p: Any, x: Any, y: Any) -> Any:
    z = x @ p["v"]
    return jnp.mean((z / jnp.sqrt(jnp.mean(z**2, axis=0))[None, :] @ p["w"] - y) ** 2)


def by_bessel(p: Any, x: Any, y: Any) -> Any:
    n, cache = bessel_forward(x @ p["v"])
    d = 2 * (n @ p["w"] - y) / y.size
    return {"v": x.T @ bessel_backward(d @ p["w"].T, cache), "w": n.T @ d}


def test_a_step_that_is_used_twice_is_mended_at_both_places() -> None:
    report = asked(by_twice_norm, twice_normed, NORMED)
    assert [step.guilty for step in seen(report).steps] == [True, True]
    assert "is the first of its 2 steps back that is wrong." in told(report)


def test_a_wrong_forward_pass_is_no_fault_of_the_backward_pass() -> None:
    """It is not that of its own forward pass, but mending it would make nothing right."""
    report = asked(by_bessel, once_normed, NORMED)
    assert blamed(report) == {"bessel_backward": False}
    assert "wrong, but with the right answer no array becomes right." in told(report)
    assert " is wrong" not in told(report)


def test_a_kind_that_is_not_known_is_not_told_of_a_step() -> None:
    """The sentence about the whole may say what it is; two would contradict each other."""

    def noisy_backward(dn: Any, cache: Any) -> Any:
        return bessel_backward(dn, cache) + 0.1

    def noisy_forward(z: Any) -> Any:
        return norm_forward(z)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        n, cache = noisy_forward(x @ p["v"])
        d = 2 * (n @ p["w"] - y) / y.size
        return {"v": x.T @ noisy_backward(d @ p["w"].T, cache), "w": n.T @ d}

    report = asked(gradient, once_normed, NORMED)
    assert blamed(report) == {"noisy_backward": True}
    assert told(report).count("Kind: unknown") == 1
    # It is that of the whole.
    wording = "is wrong, its only step that was judged. Kind: unknown in params['v'];"
    assert wording in told(report)


# Steps that cannot be replaced or judged, and those that answer in a form of their own.


def cube(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean(((x @ p["v"]) ** 3 @ p["w"] - y) ** 2)


def cube_forward(z: Any) -> Any:
    return z**3, z


def cube_backward(d: Any, z: Any) -> Any:
    return 3 * d * z


def summed(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
    return jnp.sum((x * p[None, :]) ** 2)


def by_cube(forward: Any, backward: Any, p: Any, x: Any, y: Any) -> Any:
    a, cache = forward(x @ p["v"])
    d = 2 * (a @ p["w"] - y) / y.size
    dz = backward(d @ p["w"].T, cache)
    return {"v": x.T @ (dz[0] if isinstance(dz, tuple) else dz), "w": a.T @ d}


def test_a_step_that_no_name_leads_to_is_not_confirmed() -> None:
    """An element of a list is not replaced."""
    listed = [called("cube_backward", cube_backward)]
    report = asked(lambda *given: by_cube(cube_forward, listed[0], *given), cube, NORMED)
    assert blamed(report) == {"cube_backward": None}
    assert " step" not in told(report)


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


def test_a_backward_pass_that_takes_the_cache_first_is_no_step() -> None:
    """It would be judged with its arguments exchanged."""

    def cube_backward(z: Any, d: Any) -> Any:
        return d * z

    def backward(d: Any, z: Any) -> Any:
        return cube_backward(z, d)

    report = asked(lambda *given: by_cube(cube_forward, backward, *given), cube, NORMED)
    assert seen(report).steps == ()
    assert [bare(step.name) for step in seen(report).not_judged] == ["cube_backward"]
    form = "cube_forward(...) -> (output, cache), cube_backward(cotangent, cache)"
    assert f": not judged, it does not have the form {form} with that cache." in told(report)


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

    report = asked(gradient, summed, PARAMS["k"])
    assert seen(report).steps == ()
    assert ": not judged, its answers are not those of its first inputs (" in told(report)


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


class Back(NamedTuple):
    """Cotangents by name."""

    layer: dict[str, Any]
    rows: None


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
