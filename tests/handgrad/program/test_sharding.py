"""Losses of several devices: the same slopes as those of the same loss on one."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AbstractMesh, AxisType
from jax.sharding import PartitionSpec as P

from handgrad.arithmetic import balls
from tests.corpus.operations import mixed
from tests.handgrad.oracle.problems import certified

W, X = np.linspace(0.3, 1.0, 6), np.linspace(-1, 1, 24).reshape(4, 6)

#: Of a mesh without devices, which tracing takes.
mapped = partial(
    jax.shard_map,
    mesh=AbstractMesh((2, 3), ("a", "b"), axis_types=(AxisType.Auto, AxisType.Auto)),
)


def over_both(w: Any, x: Any) -> Any:
    return lax.psum(jnp.sum(lax.psum(x @ w, "b") ** 2), "a")


def by_index(w: Any, x: Any) -> Any:
    return (jnp.tanh(x) * w[None, :]).sum(axis=0) * (1.0 + lax.axis_index("b").astype(w.dtype))


def in_a_call(w: Any, _: Any) -> Any:
    """What a device exchanges within a compiled function, a loop and a branch."""

    def once_more(k: Any, w: Any) -> Any:
        return jnp.sin(lax.ppermute(w, "b", [(0, 1), (1, 2), (2, 0)])) + w * k

    w = lax.fori_loop(0, 2, once_more, w)
    w = lax.cond(lax.axis_index("a") > 0, jnp.sin, jnp.cos, w)
    return jax.jit(lambda w: lax.psum(w, "a"))(w) * lax.pmax(lax.stop_gradient(w), "a")


def in_a_call_plain(w: Any, _: Any) -> Any:
    for k in range(2):
        w = jnp.sin(jnp.roll(w, 2)) + w * k
    return (jnp.sin(w) + jnp.cos(w)) * jnp.maximum(
        *map(lax.stop_gradient, (jnp.sin(w), jnp.cos(w)))
    )


def slopes(f: Any) -> np.ndarray:
    with jax.numpy_rank_promotion("allow"):
        return certified(lambda w, x: mixed(f(w, x)), W, X).gradient


@pytest.mark.parametrize(
    ("f", "specs", "out", "plain"),
    [
        (over_both, (P("b"), P("a", "b")), P(), lambda w, x: jnp.sum((x @ w) ** 2)),
        (
            *(by_index, (P("b"), P(None, "b")), P("b")),
            lambda w, x: (jnp.tanh(x) * w).sum(0) * np.repeat([1.0, 2.0, 3.0], 2),
        ),
        # Six parts, (b, a) in order, are put together as (a, b).
        (
            *(lambda w, _: jnp.sin(w) * w, (P(("b", "a")), P()), P(("a", "b"))),
            lambda w, _: (jnp.sin(w) * w)[jnp.array([0, 2, 4, 1, 3, 5])],
        ),
        # And the other way round.
        (
            *(lambda w, _: jnp.sin(w) * w, (P(("a", "b")), P()), P(("b", "a"))),
            lambda w, _: (jnp.sin(w) * w)[jnp.array([0, 3, 1, 4, 2, 5])],
        ),
        (
            *(lambda w, x: jnp.tanh(lax.all_gather(w, "b", tiled=True) @ x.T)[None],),
            *((P("b"), P("a")), P(("a", "b"))),
            lambda w, x: jnp.repeat(jnp.tanh(w @ x.T).reshape(2, 1, 2), 3, axis=1).reshape(6, 2),
        ),
        (
            *(lambda w, x: lax.psum_scatter(w * x[0], "b", tiled=True), (P(), P()), P("b")),
            lambda w, x: 3 * w * x[0],
        ),
        (
            *(lambda w, x: lax.all_to_all(w[:, None] * x[0], "b", 1, 0, tiled=True),),
            *((P("b"), P()), P(None, "b")),
            lambda w, x: w[:, None] * x[0],
        ),
        (in_a_call, (P("b"), P()), P("b"), in_a_call_plain),
    ],
)
def test_slopes_are_those_on_one_device(f: Any, specs: Any, out: Any, plain: Any) -> None:
    found, expected = slopes(mapped(f, in_specs=specs, out_specs=out)), slopes(plain)
    assert balls.overlap(found, expected)
    assert balls.magnitudes(found).min() > 1e-3
