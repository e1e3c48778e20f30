"""Mistakes with arrays: parts that overlap, other axes, other orders, other arrays, other sides."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from tests.corpus.rows.wrong_links import drawn, wrong

S, C, W = drawn(3, 5), drawn(3, 5, seed=4), drawn(1, 5)
COUNT = np.array([[2.0], [4.0], [3.0]])

# The sides of a choice.


def chosen(x: Any, c: Any) -> Any:
    return jnp.sum(c * jnp.where(x > 0.1, x**2, jnp.sin(x)))


def chosen_by_hand(x: Any, c: Any, above: Callable[[Any], Any] = lambda x: x > 0.1) -> Any:
    return c * np.where(above(x), 2 * x, np.cos(x))


def pooled(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w).reshape(2, 2, 2).max(axis=1) * y)


def share_of_pooled(share: Callable[[Any], Any]) -> Callable[..., Any]:
    """Of the maximum in two rows, the share of each, from whether it is the larger one."""

    def gradient(w: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ w).reshape(2, 2, 2)
        dh = (share(h == h.max(axis=1, keepdims=True)) * y[:, None, :]).reshape(4, 2)
        return x.T @ (dh * (1 - np.tanh(x @ w) ** 2))

    return gradient


# Divisors, and roots of mean squares.


def divided(x: Any, count: Any, c: Any) -> Any:
    return jnp.sum(c * jnp.sin(x) / (count + 2.0))


def by_root(p: Any, c: Any) -> Any:
    rms = jnp.sqrt(jnp.mean(p["x"] ** 2, axis=1, keepdims=True))
    return jnp.sum(c * jnp.sin(p["w"] * (p["x"] / rms)))


def by_root_by_hand(p: Any, c: Any, **wrong: bool) -> Any:
    x, w = p["x"], p["w"]
    rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    xhat = x / rms
    dy = c * np.cos(w * xhat)
    dxhat = dy * w
    along = ((dy if "unweighed" in wrong else dxhat) * xhat).mean(axis=1, keepdims=True)
    dw = (dy * (x if "another" in wrong else xhat)).sum(axis=0, keepdims=True)
    return {"x": (dxhat - xhat * along) / (1 if "once" in wrong else rms), "w": dw}


# Groups, pairs, and orders of axes.


def grouped(x: Any, c: Any) -> Any:
    # Two heads of x are read by three heads each.
    heads = jnp.broadcast_to(x[:, None, :], (2, 3, 5)).reshape(6, 5)
    return jnp.sum(c * heads) + jnp.sum(x**3)


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


def headed(p: Any, x: Any, y: Any) -> Any:
    q = (x @ p["w"]).reshape(5, 2, 3).transpose(1, 0, 2)
    return jnp.sum(jnp.tanh(q) * y) + jnp.sum(p["w"] ** 3)


def with_a_reshape(p: Any, x: Any, y: Any) -> Any:
    q = (x @ p["w"]).reshape(5, 2, 3).transpose(1, 0, 2)
    dz = (y * (1 - np.tanh(q) ** 2)).reshape(5, 6)
    return {"w": x.T @ dz + 3 * p["w"] ** 2}


# Contributions that overlap.


def rough(x: Any, y: Any) -> Any:
    return jnp.sum((x[1:] - x[:-1]) ** 2) + jnp.sum(jnp.exp(x) * y)


def assigned(x: Any, y: Any) -> Any:
    difference, dx = x[1:] - x[:-1], 0 * x
    dx[1:] = 2 * difference
    dx[:-1] = -2 * difference
    return dx + np.exp(x) * y


def assigned_in_reverse(x: Any, y: Any) -> Any:
    difference, dx = x[1:] - x[:-1], 0 * x
    dx[:-1] = -2 * difference
    dx[1:] = 2 * difference
    return dx + np.exp(x) * y


ORDERS = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])


def in_three_orders(w: Any, k: Any) -> Any:
    first, second, third = (w[order] for order in ORDERS)
    return jnp.sum(k * (first * jnp.exp(third)) * jnp.sin(second)) + jnp.sum(w**3)


def assigned_in_three_orders(w: Any, k: Any) -> Any:
    (a, b, c), dw = ORDERS, 0 * w
    dw[c] = k * w[a] * np.sin(w[b]) * np.exp(w[c])
    return dw + 3 * w**2


PLACES = np.array([0, 1, 0, 2])


def looked_up(w: Any, k: Any) -> Any:
    return jnp.sum(k * w[PLACES] ** 2)


def with_lookups_assigned(w: Any, k: Any) -> Any:
    dw = 0 * w
    dw[PLACES] = k * 2 * w[PLACES]
    return dw


def with_decay_of_a_part(w: Any, k: Any) -> Any:
    dw = 0 * w
    np.add.at(dw, PLACES, k * 2 * w[PLACES])
    return dw + 0.6 * w * [1, 0, 0]


def summed(w: Any, y: Any) -> Any:
    return jnp.sum(jnp.sin(jnp.cumsum(w)) * y)


def without_its_own(w: Any, y: Any) -> Any:
    d = np.cos(np.cumsum(w)) * y
    return np.cumsum(d[::-1])[::-1] - d


# Another array in the place of the right one; statistics over other axes.


def centred(x: Any, c: Any) -> Any:
    mean = jnp.mean(x, axis=2, keepdims=True)
    z = x - mean
    return jnp.sum(c * z / jnp.sqrt(jnp.mean(z**2, axis=2, keepdims=True)))


def centred_by_hand(x: Any, c: Any, axes: Any = 2) -> Any:
    z = x - x.mean(axis=2, keepdims=True)
    sigma = np.sqrt((z**2).mean(axis=2, keepdims=True))
    zhat = z / sigma
    along = (c * zhat).mean(axis=axes, keepdims=True)
    return (c - c.mean(axis=axes, keepdims=True) - zhat * along) / sigma


def by_a_quarter(x: Any, c: Any) -> Any:
    """The same, the mean as a product."""
    z = x - 0.25 * jnp.sum(x, axis=2, keepdims=True)
    return jnp.sum(c * z / jnp.sqrt(0.25 * jnp.sum(z**2, axis=2, keepdims=True)))


def by_size(x: Any, c: Any) -> Any:
    """Divided by a sum that is no mean."""
    return jnp.sum(c * x / jnp.sqrt(jnp.sum(x**2, axis=2, keepdims=True) / 3))


def of_size(axes: Any) -> Any:
    def gradient(x: Any, c: Any) -> Any:
        s = np.sqrt((x**2).sum(axis=2, keepdims=True) / 3)
        z = x / s
        return (c - z * (c * z).sum(axis=axes, keepdims=True) / 3) / s

    return gradient


def over_all(x: Any, c: Any) -> Any:
    return centred_by_hand(x, c, (1, 2))


G = drawn(2, 3, 4)
OF_MEAN = "the derivative of the maximum is that of the mean"
CASES = [
    *wrong("choice", chosen, S, C)(
        chosen_by_hand,
        (
            lambda x, c: chosen_by_hand(x, c, np.ones_like),
            "unknown: that of its first side everywhere",
        ),
        (
            lambda x, c: chosen_by_hand(x, c, lambda x: x <= 0.1),
            "unknown: the derivative of the choice is that of the side that is not taken",
        ),
    ),
    *wrong("pooled rows", pooled, drawn(3, 2), drawn(4, 3), drawn(2, 2))(
        share_of_pooled(lambda largest: largest),
        (share_of_pooled(lambda largest: largest * 0.0 + 0.5), f"reduction: {OF_MEAN}"),
        # Neither the one nor the other.
        (share_of_pooled(lambda largest: largest * 0.5 + 0.25), "unknown: Kind: unknown"),
    ),
    # Where all parameters are 0 autodiff answers the mean, too: no leaf is left out for that.
    *wrong("smaller of two", lambda w: jnp.sum(jnp.minimum(w[:2], w[2:])), drawn(4))(
        (lambda w: 0 * w + 0.5, f"reduction: {OF_MEAN}"),
    ),
    *wrong("quotient", divided, S, COUNT, C)(
        (
            lambda x, _, c: c * np.cos(x),
            "missing: on the way back through a quotient its divisor is missing",
        ),
        (
            lambda x, _, c: c * np.cos(x) / 5,
            "constant: if a quotient were divided by 5, not by its divisor",
        ),
    ),
    *wrong("root of mean squares", by_root, {"x": S, "w": W}, C)(
        by_root_by_hand,
        (
            lambda p, c: by_root_by_hand(p, c, once=True),
            "missing: what comes back through p['x'] is not divided by the root",
        ),
        (
            lambda p, c: by_root_by_hand(p, c, unweighed=True),
            "missing: its other factor is missing",
        ),
        (lambda p, c: by_root_by_hand(p, c, another=True), "operand: takes p['x'] in place of"),
    ),
    *wrong("grouped heads", grouped, S[:2], drawn(6, 5))(
        (
            lambda x, c: c.reshape(2, 3, 5)[:, -1] + 3 * x**2,
            "overwritten: of the copies of a value only the last",
        ),
        (
            lambda x, c: c.reshape(3, 2, 5).sum(axis=0) + 3 * x**2,
            "transposed: of two axes that are merged",
        ),
    ),
    *wrong("turned pairs", turned, S[:, :4], C)(
        turned_by_hand,
        (lambda x, c: turned_by_hand(x, c, back=-1.0), "sign: in two ways, has the wrong sign"),
        (
            lambda x, c: turned_by_hand(x, c, order=(0, 2, 1, 3)),
            "exchanged: the order along axis 1: 0, 2, 1, 3",
        ),
    ),
    *wrong("lookups", looked_up, np.array([0.3, 0.6, 0.9]), np.arange(1.0, 5.0))(
        # What is missing of the one element is a multiple of it.
        (
            with_lookups_assigned,
            "overwritten: of elements that are looked up more than once only the last",
        ),
        (
            with_decay_of_a_part,
            "weight-decay: in w[0], yours is exact plus 0.6 times the parameter itself",
        ),
    ),
    *wrong("differences of neighbours", rough, drawn(6), drawn(6, seed=2))(
        (
            assigned,
            "overwritten: of contributions that overlap only the last counts, as with = for +=",
        ),
    ),
    *wrong("neighbours, undone in reverse", rough, drawn(6), drawn(6, seed=2))(
        (assigned_in_reverse, "overwritten: only the first counts, as with = for += in reverse"),
    ),
    *wrong("three orders", in_three_orders, drawn(3), drawn(3, seed=2))(
        (
            assigned_in_three_orders,
            "overwritten: of contributions that overlap only the last counts",
        ),
    ),
    *wrong("heads", headed, {"w": drawn(4, 6)}, drawn(5, 4), drawn(2, 5, 3))(
        (with_a_reshape, "transposed: a derivative is reshaped, not transposed, on the way back"),
    ),
    *wrong("cumulative sum", summed, drawn(6), drawn(6, seed=2))(
        (without_its_own, "index: a cumulative sum's derivative starts at the next element"),
    ),
    *wrong("by size", by_size, G, G[::-1] ** 2)(
        of_size(2),
        (of_size((1, 2)), "axis: is summed over axes 1, 2 of its array"),
    ),
    *[
        case
        for loss in (centred, by_a_quarter)
        for case in wrong(loss.__name__, loss, G, G[::-1] ** 2)(
            centred_by_hand,
            (over_all, "axis: is summed over axes 1, 2 of its array"),
        )
    ],
]
