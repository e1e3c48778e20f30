"""Wrong links that are tried last: each of one small loss, by hand, with the mistake in it."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.tiers import one_of_each

pytestmark = pytest.mark.usefixtures("hurried")

RNG = np.random.default_rng(4)
X, C = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
COUNT = np.array([[2.0], [4.0], [3.0]])


def chosen(x: Any, c: Any) -> Any:
    return jnp.sum(c * jnp.where(x > 0.1, x**2, jnp.sin(x)))


def chosen_by_hand(x: Any, c: Any, above: Callable[[Any], Any] = lambda x: x > 0.1) -> Any:
    return c * np.where(above(x), 2 * x, np.cos(x))


def largest(x: Any, c: Any) -> Any:
    return jnp.sum(jnp.maximum(0.3 * c * x, jnp.sin(x)))


def largest_by_hand(x: Any, c: Any) -> Any:
    return np.where(0.3 * c * x > np.sin(x), np.cos(x), 0.3 * c)


def divided(x: Any, count: Any, c: Any) -> Any:
    return jnp.sum(c * jnp.sin(x) / (count + 2.0))


def normalised(x: Any, w: Any, c: Any) -> Any:
    rms = jnp.sqrt(jnp.mean(x**2, axis=1, keepdims=True))
    return jnp.sum(c * (w * (x / rms)))


def normalised_by_hand(x: Any, w: Any, c: Any, rms_once: bool = False, weighed: bool = True) -> Any:
    rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    xhat, dxhat = x / rms, c * w
    along = ((dxhat if weighed else c) * xhat).mean(axis=1, keepdims=True)
    return (dxhat - xhat * along) / (1 if rms_once else rms)


def grouped(x: Any, c: Any) -> Any:
    # Two heads of x are read by three heads each.
    heads = jnp.broadcast_to(x[:, None, :], (2, 3, 5)).reshape(6, 5)
    return jnp.sum(c * heads) + jnp.sum(x**3)


def grouped_by_hand(x: Any, c: Any, group: Callable[[Any], Any]) -> Any:
    return group(c) + 3 * x**2


def turned(x: Any, c: Any) -> Any:
    first, second = x[:, :2], x[:, 2:4]
    # An angle for each row and pair
    cos, sin = jnp.cos(c[:, :2]), jnp.sin(c[:, :2])
    both = jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=1)
    return jnp.sum(both * (both + c[:, 1:]))


def turned_by_hand(x: Any, c: Any, back: float = 1.0, order: tuple[int, ...] = (0, 1, 2, 3)) -> Any:
    first, second = x[:, :2], x[:, 2:]
    cos, sin = np.cos(c[:, :2]), np.sin(c[:, :2])
    both = np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=1)
    dboth = 2 * both + c[:, 1:]
    du, dv = dboth[:, :2], dboth[:, 2:]
    dx = np.concatenate([du * cos + back * dv * sin, dv * cos - back * du * sin], axis=1)
    return dx[:, order]


def offset(w: Any, x: Any) -> Any:
    return jnp.sum((1.0 + w) ** 2 * jnp.sin(x))


SIX = RNG.normal(size=(6, 5))
W = RNG.normal(size=(1, 5))

#: By what is done wrong: the loss, the gradient, the point, the kind, and a part of the sentence.
MISTAKES: dict[str, tuple[Any, Any, tuple[Any, ...], str, str]] = {
    "one side": (
        chosen,
        lambda x, c: chosen_by_hand(x, c, np.ones_like),
        (X, C),
        "unknown",
        "first",
    ),
    "other side": (
        *(chosen, lambda x, c: chosen_by_hand(x, c, lambda x: x <= 0.1), (X, C), "unknown"),
        "the derivative of the choice is that of the side that is not taken",
    ),
    "the smaller": (largest, largest_by_hand, (X, C), "unknown", "the maximum is that of the side"),
    "divisor": (divided, lambda x, _, c: c * np.cos(x), (X, COUNT, C), "missing-factor", "divisor"),
    "another divisor": (
        *(divided, lambda x, _, c: c * np.cos(x) / 5, (X, COUNT, C), "constant"),
        "if a quotient were divided by 5, not by its divisor",
    ),
    "rms once": (
        *(normalised, lambda x, w, c: normalised_by_hand(x, w, c, rms_once=True), (X, W, C)),
        *("missing-factor", "what comes back through x is not divided by the root"),
    ),
    "weight on one path": (
        *(normalised, lambda x, w, c: normalised_by_hand(x, w, c, weighed=False), (X, W, C)),
        *("missing-factor", "its other factor is missing"),
    ),
    "last of a group": (
        *(grouped, lambda x, c: grouped_by_hand(x, c, lambda c: c.reshape(2, 3, 5)[:, -1])),
        *((X[:2], SIX), "overwritten", "of the copies of a value only the last"),
    ),
    "another group": (
        *(grouped, lambda x, c: grouped_by_hand(x, c, lambda c: c.reshape(3, 2, 5).sum(axis=0))),
        *((X[:2], SIX), "transposed", "of two axes that are merged"),
    ),
    "turned on": (
        *(turned, lambda x, c: turned_by_hand(x, c, back=-1.0), (X[:, :4], C)),
        *("sign", "in two ways, has the wrong sign"),
    ),
    "interleaved": (
        *(turned, lambda x, c: turned_by_hand(x, c, order=(0, 2, 1, 3)), (X[:, :4], C)),
        *("exchanged", "the order along axis 1: 0, 2, 1, 3"),
    ),
    "number": (
        *(offset, lambda w, x: np.sum(2 * w * np.sin(x), axis=0, keepdims=True), (W, X)),
        *("constant", "the 1 in the loss were 0"),
    ),
}


@pytest.mark.parametrize("name", one_of_each(MISTAKES, ["another divisor"]))
def test_it_is_called_what_it_is(name: str) -> None:
    loss, gradient, point, kind, says = MISTAKES[name]
    report = check_gradient(gradient, loss, *point)
    assert report.verdict == "disagree"
    assert {found.kind for found in report.findings if found.kind != "rounding"} == {kind}
    assert says in " ".join(found.says for found in report.diagnoses)


@pytest.mark.parametrize("hand", [chosen_by_hand, turned_by_hand])
def test_by_hand_it_is_right(hand: Any) -> None:
    loss, point = {chosen_by_hand: (chosen, (X, C)), turned_by_hand: (turned, (X[:, :4], C))}[hand]
    assert check_gradient(hand, loss, *point, points=0).verdict == "agree"
