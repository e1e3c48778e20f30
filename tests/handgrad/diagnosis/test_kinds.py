"""Mistakes that show in the numbers of a gradient: what they are called, and in which leaves."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.findings import Diagnosis
from handgrad.data.point import point_at
from handgrad.diagnosis import factors
from tests.tiers import slowly

Grads = dict[str, Any]

# A batch of 7, 5 outputs, 3 units; the one square matrix is there to be transposed.
RNG = np.random.default_rng(0)
PARAMS = {
    "scale": RNG.normal(size=3),
    "shift": RNG.normal(size=3),
    "square": RNG.normal(size=(3, 3)),
    "w": RNG.normal(size=(3, 5)),
}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 5))
ALL = tuple(f"params[{name!r}]" for name in PARAMS)


def loss(params: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ params["square"] * params["scale"][None, :] + params["shift"][None, :])
    return jnp.sum((h @ params["w"] - y) ** 2) / len(x)


def right(params: Any, x: Any, y: Any) -> Grads:
    z = x @ params["square"]
    h = np.tanh(z * params["scale"] + params["shift"])
    dout = 2 * (h @ params["w"] - y) / len(x)
    dh = dout @ params["w"].T * (1 - h * h)
    dz = dh * params["scale"]
    return {
        "scale": (dh * z).sum(axis=0),
        "shift": dh.sum(axis=0),
        "square": x.T @ dz,
        "w": h.T @ dout,
    }


def diagnoses(mistake: Callable[[Grads, Any], Grads]) -> tuple[Diagnosis, ...]:
    """Of the right gradient once something is done to it: (grads, params) -> grads."""

    def gradient(params: Any, x: Any, y: Any) -> Grads:
        return mistake(right(params, x, y), params)

    return check_gradient(gradient, loss, PARAMS, X, Y, points=0).diagnoses


def everywhere(factor: float) -> Callable[[Grads, Any], Grads]:
    return lambda grads, _: {name: factor * g for name, g in grads.items()}


def in_leaf(leaf: str, change: Callable[[Any], Any]) -> Callable[[Grads, Any], Grads]:
    return lambda grads, _: grads | {leaf: change(grads[leaf])}


def at(*index: int, factor: float) -> Callable[[Any], Any]:
    """One element times a factor."""

    def change(g: Any) -> Any:
        g = g.copy()
        g[index] *= factor
        return g

    return change


def exchanged(one: tuple[int, ...], other: tuple[int, ...]) -> Callable[[Any], Any]:
    def change(g: Any) -> Any:
        g = g.copy()
        g[one], g[other] = g[other], g[one]
        return g

    return change


@pytest.mark.parametrize(
    ("factor", "kind", "says"),
    [
        (-1, "sign", "the wrong sign"),
        (1 / 7, "factor", "1/7 of exact (7 is the batch size)"),
        slowly(5, "factor", "5 times exact (5 is the number of outputs)"),
        # With no name it is told by its digits.
        slowly(1.2345678, "factor", "1.2345678 times exact"),
    ],
)
def test_the_whole_is_a_multiple(factor: float, kind: str, says: str) -> None:
    (told,) = diagnoses(everywhere(factor))
    assert (told.kind, told.leaves) == (kind, ALL)
    assert says in told.says


@pytest.mark.slow
def test_a_slight_factor_is_told_by_its_distance_from_1() -> None:
    (told,) = diagnoses(everywhere(1 - 3e-6))
    assert told.kind == "factor"
    assert "(1 - 3e-6) times exact" in told.says


@pytest.mark.parametrize(
    ("mistake", "kind", "says"),
    [
        slowly(lambda g: -g, "sign", "the wrong sign"),
        slowly(lambda g: 0 * g, "zero", " 0"),
        slowly(lambda g: g / 2, "factor", "1/2 of exact"),
        (np.transpose, "transposed", "the transpose of exact"),
        (exchanged((0, 1), (2, 2)), "exchanged",
         "params['square'][0, 1] and params['square'][2, 2] are exchanged"),
        slowly(at(2, 1, factor=-1), "sign", "params['square'][2, 1]"),
        slowly(at(2, 1, factor=0), "zero", "params['square'][2, 1]"),
        slowly(at(2, 1, factor=1.3), "unknown", "0.3 of itself"),
        # Twice too large may as well be one of two equal terms that was taken twice.
        slowly(at(2, 1, factor=2), "unknown", "2 times exact"),
        (lambda g: g[::-1], "unknown", "exact, reversed along axis 0"),
        slowly(lambda g: g[:, ::-1], "unknown", "exact, reversed along axis 1"),
        slowly(lambda g: g[::-1, ::-1], "unknown", "exact, reversed along every axis"),
    ],
)  # fmt: skip
def test_one_leaf_is_wrong(mistake: Callable[[Any], Any], kind: str, says: str) -> None:
    (told,) = diagnoses(in_leaf("square", mistake))
    assert (told.kind, told.leaves) == (kind, ("params['square']",))
    assert says in told.says


def test_an_element_of_a_vector_has_a_factor() -> None:
    """No term can have been left out of it: a bias that was summed over too few rows, say."""
    (told,) = diagnoses(in_leaf("shift", at(1, factor=7)))
    assert (told.kind, told.leaves) == ("factor", ("params['shift']",))
    assert "7 times exact (7 is the batch size)" in told.says
    assert "params['shift'][1]" in told.says


@pytest.mark.slow
def test_several_elements_have_one_mistake() -> None:
    def mistake(grads: Grads, _: Any) -> Grads:
        return grads | {"w": np.where(np.arange(5) == 3, -1, 1) * grads["w"]}

    (told,) = diagnoses(mistake)
    assert (told.kind, told.leaves) == ("sign", ("params['w']",))
    assert "3 elements" in told.says


@pytest.mark.slow
def test_two_leaves_have_one_factor() -> None:
    def mistake(grads: Grads, _: Any) -> Grads:
        return grads | {name: grads[name] / 7 for name in ("scale", "shift")}

    (told,) = diagnoses(mistake)
    assert told.leaves == ("params['scale']", "params['shift']")
    assert "1/7 of exact (7 is the batch size)" in told.says


def test_leaves_are_exchanged() -> None:
    (told,) = diagnoses(lambda g, _: g | {"scale": g["shift"], "shift": g["scale"]})
    assert (told.kind, told.leaves) == ("exchanged", ("params['scale']", "params['shift']"))


def test_a_decay_that_the_loss_does_not_have() -> None:
    (told,) = diagnoses(lambda grads, p: {name: g + 0.01 * p[name] for name, g in grads.items()})
    assert (told.kind, told.leaves) == ("weight-decay", ALL)
    assert told.says.startswith("yours is exact plus 0.01 times the parameter itself")


@pytest.mark.slow
def test_a_decay_of_the_weights_alone() -> None:
    (told,) = diagnoses(lambda grads, p: grads | {"w": grads["w"] + 0.01 * p["w"]})
    assert (told.kind, told.leaves) == ("weight-decay", ("params['w']",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("taken", "sign", "rate"), [(0.5, "minus", "0.3"), slowly(2.0, "plus", "0.6")]
)
def test_a_decay_with_another_factor_than_that_of_the_loss(
    taken: float, sign: str, rate: str
) -> None:
    """λw for 2λw is less than exact, and told as a decay where the loss has one."""
    features, targets = X[:, :2], Y[:, 0]

    def decaying(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((x @ w - y) ** 2) + 0.3 * jnp.sum(w**2)

    def gradient(w: Any, x: Any, y: Any) -> Any:
        return 2 * x.T @ (x @ w - y) / len(y) + taken * 0.6 * w

    w = np.array([0.5, -1.5])
    (told,) = check_gradient(gradient, decaying, w, features, targets, points=0).diagnoses
    assert (told.kind, told.leaves) == ("weight-decay", ("params",))
    assert told.says.startswith(f"yours is exact {sign} {rate} times the parameter itself")


#: What a factor is called where there are 7 examples with 3 inputs and 5 outputs.
NAMES = [
    (2, "2", ""),
    (0.5, "1/2", ""),
    (-2, "-2", ""),
    (4, "4", ""),
    (7, "7", " (7 is the batch size)"),
    (-1 / 7, "-1/7", " (7 is the batch size)"),
    (14, "2·7", " (7 is the batch size)"),
    (2 / 7, "2/7", " (7 is the batch size)"),
    (49, "7²", " (7 is the batch size)"),
    (1 / 49, "1/7²", " (7 is the batch size)"),
    (7**0.5, "√7", " (7 is the batch size)"),
    (6 / 7, "6/7", " (7 is the batch size)"),
    (7 / 6, "7/6", " (7 is the batch size)"),
    (1 / 5, "1/5", " (5 is the number of outputs)"),
    (7 / 5, "7/5", " (7 is the batch size, 5 the number of outputs)"),
    (3, "3", " (3 is also the width of an input)"),
]


@pytest.mark.parametrize(("factor", "text", "about"), NAMES)
def test_the_name_of_a_factor(factor: float, text: str, about: str) -> None:
    given = point_at({"w": np.zeros((3, 5))}, (X, Y))
    assert factors.name(factor, given) == factors.Name(text, about)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0, 1.3, 7.001, 0.1234, np.nan])
def test_a_factor_without_a_name(factor: float) -> None:
    assert factors.name(factor, point_at({"w": np.zeros((3, 5))}, (X, Y))) is None


@pytest.mark.parametrize(("factor", "text"), [(0.7, "0.7"), (1 / 0.7, "1/0.7")])
def test_a_number_of_the_loss_is_a_name(factor: float, text: str) -> None:
    given = point_at({"w": np.zeros((3, 5))}, (X, Y))
    expected = factors.Name(text, " (0.7 is a number in the loss)")
    assert factors.name(factor, given, (0.7,)) == expected
    assert factors.name(factor, given) is None


def test_an_inverse_without_a_name_is_told_as_one() -> None:
    assert factors.part(1 / 88, None, "exact") == "1/88 of exact"
    assert factors.part(-1 / 88, None, "exact") == "-1/88 of exact"
    assert factors.part(0.1234, None, "exact") == "0.1234 of exact"


@pytest.mark.slow
def test_a_mean_over_what_is_not_masked_has_its_count_as_a_factor() -> None:
    """17 is no length of an array."""
    mask = np.arange(35).reshape(7, 5) % 2 == 0
    mask[0, 0] = False
    w, x, y = RNG.normal(size=(3, 5)), RNG.normal(size=(7, 3)), RNG.normal(size=(7, 5))

    def loss(w: Any, x: Any, y: Any) -> Any:
        return jnp.sum(jnp.where(mask, x @ w - y, 0.0) ** 2) / jnp.sum(mask * 1.0)

    def gradient(w: Any, x: Any, y: Any) -> Any:
        return x.T @ (2 * mask * (x @ w - y))

    (told,) = check_gradient(gradient, loss, w, x, y, points=2).diagnoses
    assert told.kind == "factor"
    assert "17 times exact (17 is a number in the loss)" in told.says


@pytest.mark.slow
@pytest.mark.parametrize("another", [False, True])
def test_a_strange_factor_near_1_is_no_kind_beside_another_mistake(another: bool) -> None:
    params, x, y = (RNG.normal(size=3), RNG.normal(size=4)), RNG.normal(size=(7, 3)), np.ones(4) / 3

    def loss(p: Any, x: Any, y: Any) -> Any:
        return jnp.sum((x @ p[0]) ** 2) + jnp.sum(jnp.exp(p[1] * y))

    def gradient(p: Any, x: Any, y: Any) -> Any:
        other = np.exp(p[1] * y) * y
        return 0.97 * 2 * x.T @ (x @ p[0]), np.sin(other) if another else other

    told = check_gradient(gradient, loss, params, x, y, points=2).diagnoses
    assert [found.kind for found in told] == ["unknown" if another else "factor"]
    assert "0.97 of exact" in told[0].says


def test_without_a_batch_it_is_a_length() -> None:
    given = point_at(np.zeros(3), (np.zeros(11),))
    assert factors.name(11, given) == factors.Name("11", " (11 is the length of an input)")
