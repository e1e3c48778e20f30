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
    ],
)
def test_slopes_are_those_on_one_device(f: Any, specs: Any, out: Any, plain: Any) -> None:
    found, expected = slopes(mapped(f, in_specs=specs, out_specs=out)), slopes(plain)
    assert balls.overlap(found, expected)
    assert balls.magnitudes(found).min() > 1e-3
