"""Which steps of a wrong gradient are wrong, and which one is named; which cannot be judged."""

import json
from typing import Any, NamedTuple

import jax.numpy as jnp
import pytest

from handgrad.diagnosis import links
from handgrad.steps import recorded
from tests.handgrad.steps.recorded_problem import (
    NORMED,
    PARAMS,
    asked,
    bare,
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


def norm_forward(z: Any) -> Any:
    """The root mean square of each column taken out."""
    s = (z**2).mean(axis=0) ** 0.5
    return z / s[None, :], (z, s)


def norm_backward(dn: Any, cache: Any) -> Any:
    """Wrong: s is taken for a constant."""
    _, s = cache
    return dn / s[None, :]


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


class Case(NamedTuple):
    """A wrong gradient, its steps that are wrong, on the way back, and what is told."""

    gradient: Any
    wrong: tuple[str, ...]
    says: tuple[str, ...]
    loss: Any = loss
    params: Any = PARAMS


CASES = {
    "several": Case(
        made_of(scale=called("scale_backward", halved), affine=called("affine_backward", averaged)),
        ("affine_backward", "pool_backward", "scale_backward"),
        (
            "affine_backward (",
            "is the first of its 4 steps back that is wrong. Kind: factor.",
            "Also wrong: pool_backward (",
        ),
    ),
    "used twice": Case(
        by_twice_norm,
        ("norm_backward", "norm_backward"),
        ("is the first of its 2 steps back that is wrong.", "Also wrong: norm_backward ("),
        loss=twice_normed,
        params=NORMED,
    ),
    "settings": Case(
        by(power_forward, power_backward),
        ("power_backward",),
        ("is wrong, its only step that was judged. Kind: factor.",),
        loss=cube,
        params=NORMED,
    ),
    "a loss": Case(
        by_squares,
        ("squares_backward",),
        (
            "squares_backward (",
            "its 2 steps back that is wrong. Kind: factor. In a, every element is 1/2",
        ),
        loss=summed,
        params=PARAMS["k"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_which_steps_are_wrong(name: str) -> None:
    case = CASES[name]
    report = asked(case.gradient, case.loss, case.params)
    steps = seen(report).steps
    wrong = [step.name for step in reversed(steps) if step.report.verdict == "disagree"]
    assert tuple(map(bare, wrong)) == case.wrong
    assert report.to_dict()["wrong_step"] == wrong[0]
    text = told(report)
    places = [text.index(part) for part in case.says]
    assert places == sorted(places)
    assert text.count("Kind: unknown") <= 1
    if name == "settings":
        assert [leaf.path for leaf in steps[0].report.leaves] == ["z"]


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
