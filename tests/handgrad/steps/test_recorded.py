"""Which step of a wrong gradient is to blame: one without whose mistake more of it is right.

Also of steps that cannot be replaced or judged, and that answer in a form of their own.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.diagnosis import links
from handgrad.judging import jax_loss
from handgrad.steps import recorded
from tests.handgrad.steps.recorded_problem import (
    NORMED,
    PARAMS,
    asked,
    bare,
    blamed,
    called,
    loss,
    made_of,
    scale_backward,
    scale_forward,
    seen,
    told,
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def at_one_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is judged where it was called and nowhere else: that shows these mistakes.

    Nor is a wrong link of the whole gradient searched for: with several mistakes it has none, and
    tests/handgrad/test_one_screen.py has a report of both.
    """
    monkeypatch.setattr(recorded, "MORE", 0)
    monkeypatch.setattr(links, "RULES", ())


def halved(dz: Any, cache: Any) -> Any:
    """Of the scaling; ∂L/∂k is half of what it should be."""
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0) / 2


def averaged(dz: Any, cache: Any) -> Any:
    """Of the linear layer; ∂L/∂b is averaged over the rows."""
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.mean(axis=0)


def divided(dz: Any, cache: Any) -> Any:
    """Of the linear layer; all of it is averaged."""
    a, w = cache
    return dz @ w.T / len(dz), a.T @ dz / len(dz), dz.sum(axis=0) / len(dz)


def linear(da: Any, z: Any) -> Any:
    """Of ReLU."""
    return np.ones_like(z) * da


HALVED = called("scale_backward", halved)
AVERAGED, DIVIDED = called("affine_backward", averaged), called("affine_backward", divided)


def wrong_at_the_end(p: Any, x: Any, y: Any) -> Any:
    """In what it does after its steps."""
    grads = made_of()(p, x, y)
    return grads | {"b": -grads["b"]}


def undone(p: Any, x: Any, y: Any) -> Any:
    """Mended, the step would spoil what is right."""
    grads = made_of(affine=DIVIDED)(p, x, y)
    return {"k": grads["k"] * len(y), "w": grads["w"] * len(y), "b": grads["b"]}


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


def by(forward: Any, backward: Any) -> Any:
    """The gradient of a loss with one step between two products."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        a, cache = forward(x @ p["v"])
        d = 2 * (a @ p["w"] - y) / y.size
        dz = backward(d @ p["w"].T, cache)
        return {"v": x.T @ (dz[0] if isinstance(dz, tuple) else dz), "w": a.T @ d}

    return gradient


def cube(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean(((x @ p["v"]) ** 3 @ p["w"] - y) ** 2)


def cube_forward(z: Any) -> Any:
    return z**3, z


def cube_backward(d: Any, z: Any) -> Any:
    """Wrong: linear in z."""
    return 3 * d * z


def power_forward(z: Any, power: Any = 3.0) -> Any:
    return z**power, (z, power)


def power_backward(d: Any, cache: Any) -> Any:
    """A setting has no derivative: ∂L/∂power is nobody's question."""
    z, power = cache
    return (d * z ** (power - 1),)


#: An element of a list is not replaced.
LISTED = [called("cube_backward", cube_backward)]


def raising(p: Any, x: Any, y: Any) -> Any:
    """It takes no answer but its own."""
    a, cache = cube_forward(x @ p["v"])
    d = 2 * (a @ p["w"] - y) / y.size
    dz = cube_backward(d @ p["w"].T, cache)
    if not np.array_equal(dz, 3 * (d @ p["w"].T) * cache):
        raise ValueError("another answer")
    return {"v": x.T @ dz, "w": a.T @ d}


# A loss of one's own gives back what its cache alone tells: nothing comes back to it but 1.


def summed(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
    return jnp.sum((x * p[None, :]) ** 2)


def squares_forward(a: Any) -> Any:
    return (a * a).sum(), a


def squares_backward(a: Any) -> Any:
    return a  # 2 a


def by_squares(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
    out, of_scale = scale_forward(x, p)
    _, of_squares = squares_forward(out)
    return scale_backward(squares_backward(of_squares), of_scale)[1]


# The right answer has the form of the wrong one: an input in a dict, another of integers.

ROWS = np.array([0, 2, 2, 5, 1])


class Back(NamedTuple):
    """Cotangents by name."""

    layer: dict[str, Any]
    rows: None


def lookup_forward(layer: dict[str, Any], rows: Any) -> Any:
    return layer["table"][rows], (rows, layer["table"].shape)


def lookup_backward(d: Any, cache: Any) -> Back:
    rows, shape = cache
    table = np.zeros(shape)
    table[rows] += d  # once for each row, however often it is there
    return Back({"table": table}, None)


def looked_up(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take x)
    return jnp.mean((p["v"][ROWS] @ p["w"] - y) ** 2)


def by_lookup(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
    h, cache = lookup_forward({"table": p["v"]}, rows=ROWS)
    d = 2 * (h @ p["w"] - y) / y.size
    return {"v": lookup_backward(d @ p["w"].T, cache=cache).layer["table"], "w": h.T @ d}


class Case(NamedTuple):
    """A wrong gradient, which of its steps that are wrong are to blame, and what is told."""

    gradient: Any
    blamed: Mapping[str, bool | None]
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    loss: Any = loss
    params: Any = PARAMS


POOL = {"pool_backward": False}
NOTHING = "wrong, but with the right answer no array becomes right."
CASES = {
    "harmless": Case(wrong_at_the_end, POOL, (NOTHING,), (" step",)),
    "two guilty": Case(
        made_of(scale=HALVED, affine=AVERAGED),
        POOL | {"scale_backward": True, "affine_backward": True},
        (
            "affine_backward (",
            "is the first of its 4 steps back that is wrong. Kind: factor.",
            "Also wrong: scale_backward (",
        ),
    ),
    # With either of them mended it is as wrong as before; the pool makes no difference to that.
    "two in one leaf": Case(
        made_of(scale=HALVED, relu=called("relu_backward", linear)),
        POOL | {"relu_backward": True, "scale_backward": True},
    ),
    "undone elsewhere": Case(undone, POOL | {"affine_backward": False}),
    "used twice": Case(
        by_twice_norm,
        {"norm_backward": True},
        ("is the first of its 2 steps back that is wrong.",),
        loss=twice_normed,
        params=NORMED,
    ),
    # It is not that of its own forward pass, but mending it would make nothing right.
    "wrong forward pass": Case(
        by(bessel_forward, bessel_backward),
        *({"bessel_backward": False}, (NOTHING,), (" is wrong",), once_normed, NORMED),
    ),
    "in a list": Case(
        by(cube_forward, lambda d, z: LISTED[0](d, z)),
        *({"cube_backward": None}, (), (" step",), cube, NORMED),
    ),
    "settings": Case(
        by(power_forward, power_backward),
        {"power_backward": True},
        ("is wrong, its only step that was judged. Kind: factor.",),
        loss=cube,
        params=NORMED,
    ),
    "raises when mended": Case(raising, {"cube_backward": None}, loss=cube, params=NORMED),
    "a loss": Case(
        by_squares,
        {"squares_backward": True},
        (
            "squares_backward (",
            "its 2 steps back that is wrong. Kind: factor. In a, every element is 1/2",
        ),
        loss=summed,
        params=PARAMS["k"],
    ),
    "forms": Case(by_lookup, {"lookup_backward": True}, loss=looked_up, params=NORMED),
}


@pytest.mark.parametrize("name", CASES)
def test_which_steps_are_to_blame(name: str) -> None:
    case, before = CASES[name], dict(vars(sys.modules[__name__]))
    report = asked(case.gradient, case.loss, case.params)
    assert blamed(report) == case.blamed
    # Whatever was put in a step's place is taken away again, also when that raises.
    assert vars(sys.modules[__name__]) == before
    first = seen(report).first_guilty
    if case.says or case.hides:
        text = told(report)
        assert [part for part in case.says if part not in text] == []
        assert [part for part in case.hides if part in text] == []
        assert text.count("Kind: unknown") <= 1
        places = [text.index(part) for part in case.says]
        assert places == sorted(places)
        assert report.to_dict()["guilty_step"] == (None if first is None else first.name)
    name_of_first = None if first is None else bare(first.name)
    assert name_of_first == next((n for n, g in blamed(report).items() if g), None)
    if name == "used twice":
        flags = [step["guilty"] for step in json.loads(json.dumps(seen(report).to_dict()))["steps"]]
        assert flags == [step.guilty for step in seen(report).steps] == [True, True]
    if name == "settings":
        assert [leaf.path for leaf in seen(report).steps[0].report.leaves] == ["z"]


# Steps that are not judged.


def backward_first(z: Any, d: Any) -> Any:
    return d * z


def by_cache_first(p: Any, x: Any, y: Any) -> Any:
    """It would be judged with its arguments exchanged."""
    backward = called("cube_backward", backward_first)
    return by(cube_forward, lambda d, z: backward(z, d))(p, x, y)


def first_forward(x: Any, w: Any) -> Any:
    return x * w[None, :], x


def first_backward(d: Any, x: Any) -> Any:
    """Nothing comes back to x, and what comes back to the weights is right."""
    return (d * x).sum(axis=0)


def of_a_later_input(p: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (the others take them)
    out, cache = first_forward(x, p)
    return first_backward(out, cache)  # 2 out


FORM = "cube_forward(...) -> (output, cache), cube_backward(cotangent, cache)"


@pytest.mark.parametrize(
    ("gradient", "loss", "params", "name", "says", "others"),
    [
        (by_cache_first, cube, NORMED, "cube_backward", f"it does not have the form {FORM}", 0),
        (
            *(of_a_later_input, summed, PARAMS["k"], "first_backward"),
            *("its answers are not those of its first inputs (", 0),
        ),
    ],
)
def test_a_step_that_cannot_be_judged_is_named_with_the_reason(
    gradient: Any, loss: Any, params: Any, name: str, says: str, others: int
) -> None:
    report = asked(gradient, loss, params)
    assert len(seen(report).steps) == others
    (left,) = json.loads(json.dumps(seen(report).to_dict()))["not_judged"]
    assert bare(left["name"]) == name
    assert left["reason"] in says or says in left["reason"] + "."
    assert f": not judged, {says}" in told(report)


def test_a_step_is_to_blame_for_elements_of_a_sample_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a rerun, which a corrected gradient does not allow, no other element is wrong."""
    whole = jax_loss.shared_reference

    def sampled(*given: Any) -> Any:
        found = whole(*given)
        return replace(found, known=np.arange(found.known.size) != 2)

    monkeypatch.setattr(jax_loss, "shared_reference", sampled)
    report = asked(made_of(scale=HALVED))
    assert report.leaves[1].judged == 5
    assert blamed(report)["scale_backward"]
