"""Which step of a wrong gradient is to blame: one without whose mistake more of it is right."""

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.report import GradientReport
from handgrad.steps import StepsReport
from handgrad.steps.rebound import NowhereError, rebound

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 2))
PARAMS = {"k": RNG.normal(size=6), "w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}


def loss(p: Any, x: Any, y: Any) -> Any:
    """A scaling, ReLU, the larger of each two neighbours, a linear layer, squares."""
    h = jax.nn.relu(x * p["k"][None, :]).reshape(5, 3, 2).max(axis=2)
    return jnp.mean((h @ p["w"] + p["b"][None, :] - y) ** 2)


def scale_forward(x: Any, k: Any) -> Any:
    return x * k[None, :], (x, k)


def scale_backward(dz: Any, cache: Any) -> Any:
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0)


def relu_forward(z: Any) -> Any:
    """JAX cannot trace it."""
    return np.maximum(z, 0), z


def relu_backward(da: Any, z: Any) -> Any:
    return da * (z > 0)


def pool_forward(h: Any) -> Any:
    blocks = h.reshape(5, 3, 2)
    out = blocks.max(axis=2)
    return out, (blocks, out)


def pool_backward(dout: Any, cache: Any) -> Any:
    """Wrong: of two that are tied, each is given all. But all that are tied are 0 by ReLU."""
    blocks, out = cache
    return ((blocks == out[:, :, None]) * dout[:, :, None]).reshape(5, 6)


def affine_forward(a: Any, w: Any, b: Any) -> Any:
    return a @ w + b[None, :], (a, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.sum(axis=0)


def made_of(
    scale: Any = scale_backward, relu: Any = relu_backward, affine: Any = affine_backward
) -> Callable[..., Any]:
    """A gradient, some backward passes in place of the right ones; its pool does no harm."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        z, of_scale = scale_forward(x, p["k"])
        h, of_relu = relu_forward(z)
        a, of_pool = pool_forward(h)
        out, of_affine = affine_forward(a, p["w"], p["b"])
        da, dw, db = affine(2 * (out - y) / y.size, of_affine)
        _, dk = scale(relu(pool_backward(da, of_pool), of_relu), of_scale)
        return {"k": dk, "w": dw, "b": db}

    return gradient


def asked(gradient: Any, loss: Any = loss, params: Any = PARAMS) -> GradientReport:
    report = check_gradient(gradient, loss, params, X, Y, points=0)
    assert report.verdict == "disagree"
    return report


def seen(report: GradientReport) -> StepsReport:
    assert report.steps is not None
    return report.steps


def bare(name: str) -> str:
    """A step's name without where it stands."""
    return name.split(" (")[0]


def blamed(report: GradientReport) -> dict[str, bool | None]:
    """Whether the steps that are wrong are to blame, on the way back."""
    wrong = [step for step in reversed(seen(report).steps) if step.report.verdict == "disagree"]
    return {bare(step.name): step.guilty for step in wrong}


def told(report: GradientReport) -> str:
    return " ".join(str(report).split())


# Mistakes.


def halved(dz: Any, cache: Any) -> Any:
    """Of the scaling; ∂L/∂k is half of what it should be."""
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0) / 2


def averaged(dz: Any, cache: Any) -> Any:
    """Of the linear layer; ∂L/∂b is averaged over the rows."""
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.mean(axis=0)


def called(name: str, function: Any) -> Any:
    """A function that says it is called something else, as a step is found by its name."""
    code = function.__code__.replace(co_name=name)
    return type(function)(code, globals(), name)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_of_two_guilty_steps_the_first_on_the_way_back_is_named() -> None:
    wrong = {"scale": ("scale_backward", halved), "affine": ("affine_backward", averaged)}
    report = asked(made_of(**{step: called(*which) for step, which in wrong.items()}))
    guilty = {"affine_backward": True, "pool_backward": False, "scale_backward": True}
    assert blamed(report) == guilty
    assert "affine_backward (" in told(report)
    assert "is the first of its 4 steps back that is wrong. Kind: factor." in told(report)
    assert told(report).index("Also wrong: scale_backward (") > told(report).index("Kind: factor.")


@pytest.mark.slow
def test_two_steps_that_spoil_the_same_leaf_are_both_guilty() -> None:
    """With either of them mended it is as wrong as before; the pool makes no difference to that."""

    def relu_backward(da: Any, z: Any) -> Any:
        return np.ones_like(z) * da

    report = asked(made_of(scale=called("scale_backward", halved), relu=relu_backward))
    guilty = {"pool_backward": False, "relu_backward": True, "scale_backward": True}
    assert blamed(report) == guilty


@pytest.mark.slow
def test_a_step_that_undoes_what_is_wrong_elsewhere_is_not_guilty() -> None:
    """Mended, it would spoil what is right."""

    def affine_backward(dz: Any, cache: Any) -> Any:
        a, w = cache
        return dz @ w.T / len(dz), a.T @ dz / len(dz), dz.sum(axis=0) / len(dz)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        grads = made_of(affine=affine_backward)(p, x, y)
        return {"k": grads["k"] * len(y), "w": grads["w"] * len(y), "b": grads["b"]}

    assert blamed(asked(gradient)) == {"affine_backward": False, "pool_backward": False}


@pytest.mark.slow
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


NORMED = {"v": RNG.normal(size=(6, 3)), "w": RNG.normal(size=(3, 2))}


@pytest.mark.slow
def test_a_step_that_is_used_twice_is_mended_at_both_places() -> None:
    report = asked(by_twice_norm, twice_normed, NORMED)
    assert [step.guilty for step in seen(report).steps] == [True, True]
    assert "is the first of its 2 steps back that is wrong." in told(report)


@pytest.mark.slow
def test_a_wrong_forward_pass_is_no_fault_of_the_backward_pass() -> None:
    """It is not that of its own forward pass, but mending it would make nothing right."""
    report = asked(by_bessel, once_normed, NORMED)
    assert blamed(report) == {"bessel_backward": False}
    assert "wrong, but with the right answer no array becomes right." in told(report)
    assert " is wrong" not in told(report)


@pytest.mark.slow
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


# Functions that cannot be replaced, and those that answer in another form.


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

    def summed(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
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

    def gradient(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
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


# What is put in place is taken away again.


def doubled(x: Any) -> Any:
    return 2 * x


def test_every_name_leads_to_the_function_again_after_an_error() -> None:
    elsewhere = ModuleType("elsewhere")
    exec("", elsewhere.__dict__)
    vars(elsewhere)["imported"] = here = doubled

    def enclosed() -> Any:
        return here(1)

    def everywhere() -> list[Any]:
        return [doubled(1), vars(elsewhere)["imported"](1), enclosed()]

    def raises() -> None:
        assert everywhere() == [-1, -1, -1]
        raise RuntimeError

    with pytest.raises(RuntimeError), rebound([(doubled, lambda _: -1)]):
        raises()
    assert everywhere() == [2, 2, 2]


def test_a_function_without_a_name_is_not_replaced() -> None:
    kept = [lambda: 1]
    with pytest.raises(NowhereError, match="no name leads to it"), rebound([(kept[0], doubled)]):
        pass


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
