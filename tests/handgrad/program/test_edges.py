"""Operations at the edges of what they take: indices out of range, several keys, zeros."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.arithmetic import balls
from tests.handgrad.oracle.problems import assert_right, certified, gradient
from tests.handgrad.program.rule_losses import P, Q, doubled_until_large, mixed
from tests.tiers import one_of_each

OUTSIDE = np.array([0, 7, 2, -1, -9])
LABELS = np.array([1, 0, 1, 1, 0])


def start(i: int) -> Any:
    return jnp.asarray(i, dtype=jnp.int32)


def sorted_by(*keys: Any, carried: Any) -> Any:
    return lax.sort((*keys, carried), num_keys=len(keys))[-1]


LOSSES = {
    "fill with 0": lambda p: p.at[OUTSIDE].get(mode="fill", fill_value=0.0),
    "fill with 2.5": lambda p: p.at[OUTSIDE].get(mode="fill", fill_value=2.5) * p,
    "clip": lambda p: p.at[OUTSIDE].get(mode="clip"),
    "fill, all inside": lambda p: p.at[np.array([4, 0])].get(mode="fill"),
    "drop": lambda p: p.at[OUTSIDE].add(p * p, mode="drop"),
    "add and clip": lambda p: p.at[OUTSIDE].add(p * p, mode="clip"),
    "set and drop": lambda p: p.at[np.array([3, 8])].set(p[:2], mode="drop"),
    "slice from too far": lambda p: lax.dynamic_slice(p, (start(4),), (3,)) * p[:3],
    "update from too far": lambda p: lax.dynamic_update_slice(p, p[:2] * p[1:3], (start(9),)),
    "pad of nothing": lambda p: lax.pad(p, 1.5, [(-2, 0, 0)]),
    "pad inside": lambda p: lax.pad(p, p[0] * p[1], [(1, -1, 2)]),
    "sort, carried": lambda p: sorted_by(p, carried=p * p[::-1]),
    "sort by label, then number": lambda p: sorted_by(LABELS, p, carried=p * 2.0),
    "sort by number, then number": lambda p: sorted_by(jnp.round(p), p, carried=p * 2.0),
    "reversed cumulative": lambda p: lax.cummax(p, 0, reverse=True) * lax.cumsum(p, 0),
    "argsort": lambda p: p[jnp.argsort(p)] * p,
    "no element": lambda p: jnp.concatenate([p[:0], p]) + jnp.sum(p[:0]),
    "no turn": lambda p: lax.scan(lambda c, r: (c, r), p, p[:0])[0],
    "branch out of range": lambda p: lax.switch(start(7), [jnp.sin, jnp.cos, jnp.exp], p),
    "constant times row": lambda p: (np.ones((2, 5)) * 0.5) @ p,
    "scatter to one element": lambda p: p.at[0].add(p[1] * p[2]).at[1].subtract(p[0] ** 2),
    "smaller ones kept, some dropped": lambda p: p.at[OUTSIDE].min(-p * 2.0, mode="drop"),
    "one of no update": lambda p: p.at[np.zeros(0, int)].min(p[:0]) * p,
    "loops that end one by one": lambda p: jax.vmap(doubled_until_large)(p * p + 0.1),
    "powers with a constant base": lambda p: jnp.asarray(0.0) * p + lax.pow(jnp.abs(Q), p),
}


@pytest.mark.parametrize("name", one_of_each(LOSSES, ["pad of nothing", "no turn"]))
def test_an_edge(name: str) -> None:
    assert_right(lambda p: mixed(LOSSES[name](p)), P)


def test_what_is_filled_with_not_a_number_is_not_one() -> None:
    def loss(p: Any) -> Any:
        taken = p.at[OUTSIDE].get(mode="fill")
        return jnp.sum(jnp.where(lax.is_finite(taken), taken, 0.0) ** 2)

    np.testing.assert_array_equal(gradient(loss, P), [2 * P[0], 0, 2 * P[2], 0, 2 * P[4]])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_remainder_of_a_tiny_number(sign: int) -> None:
    reference = certified(lambda p: lax.rem(p[0], p[1]), np.array([sign * 1e-200, 1e200]))
    assert balls.midpoints(reference.gradient).tolist() == [1.0, 0.0]
    assert float(reference.loss.mid()) == sign * 1e-200


def test_powers_of_zero() -> None:
    for y, slopes in ((2.0, [0.0, 0.0]), (1.0, [1.0, 0.0])):
        assert gradient(lambda p: p[0] ** p[1], np.array([0.0, y])).tolist() == slopes
    for y, slope in ((2.5, 0.0), (1.0, 1.0), (3.0, 0.0)):
        assert gradient(lambda p, y=y: lax.pow(p[0], jnp.float64(y)), np.zeros(1)) == [slope]
    for n, slope in ((1, 1.0), (2, 0.0), (0, 0.0)):
        assert gradient(lambda p, n=n: p[0] ** n + p[1], np.zeros(2)).tolist() == [slope, 1.0]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_powers_of_what_is_exactly_0_and_not_known_to_be(n: int) -> None:
    """The midpoint of log(p) - log(p) is 0, its radius is not; a residual may be such a number."""
    found = gradient(lambda p: jnp.sum((jnp.log(p) - jnp.log(p)) ** n + p**2), np.array([0.3, 1.7]))
    assert found.tolist() == [0.6, 3.4]


def test_what_is_not_selected_may_be_anything() -> None:
    """JAX's own gradient of this is not a number."""

    def loss(p: Any) -> Any:
        return jnp.sum(jnp.where(p > 0, jnp.sqrt(p), 3.0 * p) + jnp.where(p > 9, p, p / p[0]))

    point = np.array([1.0, -4.0])
    assert gradient(loss, point).tolist() == [0.5 + 4.0, 4.0]


def test_missing_data() -> None:
    x = np.array([1.0, np.nan, 3.0])
    found = gradient(lambda p, x: jnp.nansum((p - x) ** 2), 0.5, x)
    assert found.tolist() == [2 * (0.5 - 1) + 2 * (0.5 - 3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_referee_sees_the_reals_behind_a_format(dtype: Any) -> None:
    """A tenth in float32 is another number than in float64, and both are known exactly."""
    point = np.array([0.1, 0.7], dtype)
    reference = certified(lambda p: jnp.sum(p.astype(jnp.float32) ** 3), point)
    with balls.precision(300):
        expected = 3 * balls.exact(point) ** 2
        assert (balls.magnitudes(reference.gradient - expected) < 1e-50).all()
    assert jnp.ones(1).dtype == jnp.float32  # as it was
