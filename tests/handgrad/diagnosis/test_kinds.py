"""Mistakes that show in the numbers of a gradient: what they are called, and in which leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.findings import Diagnosis
from handgrad.data.point import point_at
from handgrad.diagnosis import factors
from tests.tiers import one_of_each

pytestmark = pytest.mark.usefixtures("hurried")

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


def decayed(grads: Grads, params: Any) -> Grads:
    return {name: g + 0.01 * params[name] for name, g in grads.items()}


def of(*leaves: str) -> tuple[str, ...]:
    return tuple(f"params[{name!r}]" for name in leaves)


ALL, BATCH = of(*PARAMS), "(7 is the batch size)"

#: What is done to the right gradient; the kind, the leaves, and what is said.
MISTAKES: dict[str, tuple[Callable[[Grads, Any], Grads], str, tuple[str, ...], str]] = {
    "sign": (everywhere(-1), "sign", ALL, "the wrong sign"),
    "mean for sum": (everywhere(1 / 7), "factor", ALL, f"1/7 of exact {BATCH}"),
    "digits": (everywhere(1.2345678), "factor", ALL, "1.2345678 times exact"),
    "slight": (everywhere(1 - 3e-6), "factor", ALL, "(1 - 3e-6) times exact"),
    **{
        name: (in_leaf("square", change), kind, of("square"), says)
        for name, change, kind, says in (
            ("leaf 0", lambda g: 0 * g, "zero", " 0"),
            ("leaf halved", lambda g: g / 2, "factor", "1/2 of exact"),
            ("transposed", np.transpose, "transposed", "the transpose of exact"),
            (
                *("elements exchanged", exchanged((0, 1), (2, 2)), "exchanged"),
                "params['square'][0, 1] and params['square'][2, 2] are exchanged",
            ),
            ("element's sign", at(2, 1, factor=-1), "sign", "params['square'][2, 1]"),
            ("element off", at(2, 1, factor=1.3), "unknown", "0.3 of itself"),
            # Twice too large may as well be one of two equal terms that was taken twice.
            ("element doubled", at(2, 1, factor=2), "unknown", "2 times exact"),
            ("rows reversed", lambda g: g[::-1], "unknown", "exact, reversed along axis 0"),
        )
    },
    # No term can have been left out of a vector: a bias that was summed over too few rows, say.
    "vector's element": (
        *(in_leaf("shift", at(1, factor=7)), "factor", of("shift")),
        f"7 times exact {BATCH}",
    ),
    "two leaves": (
        lambda g, _: g | {name: g[name] / 7 for name in ("scale", "shift")},
        *("factor", of("scale", "shift"), f"1/7 of exact {BATCH}"),
    ),
    "leaves exchanged": (
        lambda g, _: g | {"scale": g["shift"], "shift": g["scale"]},
        *("exchanged", of("scale", "shift"), ""),
    ),
    "decay": (decayed, "weight-decay", ALL, "yours is exact plus 0.01 times the parameter itself"),
}
QUICK = ("sign", "mean for sum", "transposed", "rows reversed", "leaves exchanged", "decay")


@pytest.mark.parametrize("name", one_of_each(MISTAKES, QUICK))
def test_what_a_mistake_is_called_and_where(name: str) -> None:
    mistake, kind, leaves, says = MISTAKES[name]
    (told,) = diagnoses(mistake)
    assert (told.kind, told.leaves) == (kind, leaves)
    assert says in told.says
    assert f"| `{kind}` |" in Path("docs/checking.md").read_text("utf-8")
    if name == "vector's element":
        assert "params['shift'][1]" in told.says


@pytest.mark.slow
def test_a_decay_with_another_factor_than_that_of_the_loss() -> None:
    """λw for 2λw is less than exact, and told as a decay where the loss has one."""
    features, targets = X[:, :2], Y[:, 0]

    def decaying(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((x @ w - y) ** 2) + 0.3 * jnp.sum(w**2)

    def gradient(w: Any, x: Any, y: Any) -> Any:
        return 2 * x.T @ (x @ w - y) / len(y) + 0.3 * w

    w = np.array([0.5, -1.5])
    (told,) = check_gradient(gradient, decaying, w, features, targets, points=0).diagnoses
    assert (told.kind, told.leaves) == ("weight-decay", ("w",))
    assert told.says.startswith("yours is exact minus 0.3 times the parameter itself")


#: What a factor is called where there are 7 examples with 3 inputs and 5 outputs.
NAMES = [
    (0.5, "1/2", ""),
    (-1 / 7, "-1/7", " (7 is the batch size)"),
    (14, "2·7", " (7 is the batch size)"),
    (1 / 49, "1/7²", " (7 is the batch size)"),
    (7**0.5, "√7", " (7 is the batch size)"),
    (6 / 7, "6/7", " (7 is the batch size)"),
    (1 / 5, "1/5", " (5 is the number of outputs)"),
    (7 / 5, "7/5", " (7 is the batch size, 5 the number of outputs)"),
    (
        *(1 / 105, "1/(5·21)"),
        " (5 is the number of outputs, 21 the number of elements of an input)",
    ),
    (3, "3", " (3 is also the width of an input)"),
    (15, "15", " (15 is also the number of elements of params['w'])"),
]


@pytest.mark.parametrize(("factor", "text", "about"), NAMES)
def test_the_name_of_a_factor(factor: float, text: str, about: str) -> None:
    given = point_at({"w": np.zeros((3, 5))}, (X, Y))
    assert factors.name(factor, given) == factors.Name(text, about)


def test_factors_without_a_name_but_that_of_a_number_in_the_loss() -> None:
    given = point_at({"w": np.zeros((3, 5))}, (X, Y))
    for factor in (1.0, -1.0, 0.0, 1.3, 7.001, 0.1234, np.nan, 0.7, 1 / 0.7):
        assert factors.name(factor, given) is None
    for factor, text in ((0.7, "0.7"), (1 / 0.7, "1/0.7")):
        expected = factors.Name(text, " (0.7 is a number in the loss)")
        assert factors.name(factor, given, (0.7,)) == expected
    without_a_batch = point_at(np.zeros(3), (np.zeros(11),))
    name = factors.Name("11", " (11 is the length of an input)")
    assert factors.name(11, without_a_batch) == name
    # Nobody knows whether an example or an output was forgotten.
    pairs = point_at(np.zeros((3, 2)), (np.zeros((2, 3)), np.zeros((2, 2))))
    assert (factors.name(2, pairs) or name).about.startswith(" (2 is also ")
    # 10/15 is 2/3, which may have another reason.
    alike = point_at(np.zeros((3, 15)), (np.zeros((10, 3)), np.zeros((10, 15))))
    assert factors.name(10 / 15, alike) is None
    assert factors.name(1 / 15, alike) == factors.Name("1/15", " (15 is the number of outputs)")
    long = factors.name(0.1234567, None, (0.1234567,))
    assert long == factors.Name("0.123457", " (0.123457 is a number in the loss)")
    # An inverse is told as one.
    assert factors.part(1 / 88, None, "exact") == "1/88 of exact"
    assert factors.part(-1 / 88, None, "exact") == "-1/88 of exact"
    assert factors.part(0.1234, None, "exact") == "0.1234 of exact"
    assert factors.part(-1.000001, None, "exact") == "-1.000001 times exact"


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
