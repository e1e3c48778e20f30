"""Losses of several devices: the same slopes as those of the same loss on one."""

from collections.abc import Callable
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
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.trace import trace

W, X = np.linspace(0.3, 1.0, 6), np.linspace(-1, 1, 24).reshape(4, 6)

#: A mesh without devices, which tracing takes.
MESH = AbstractMesh((2, 3), ("a", "b"), axis_types=(AxisType.Auto, AxisType.Auto))


def mapped(in_specs: Any, out_specs: Any) -> Callable[[Any], Any]:
    return partial(jax.shard_map, mesh=MESH, in_specs=in_specs, out_specs=out_specs)


@mapped((P("b"), P("a", "b")), P())
def over_both(w: Any, x: Any) -> Any:
    return lax.psum(jnp.sum(lax.psum(x @ w, "b") ** 2), "a")


@mapped((P("b"), P(None, "b")), P("b"))
def by_index(w: Any, x: Any) -> Any:
    at = lax.axis_index("b").astype(w.dtype)
    return (jnp.tanh(x) * w[None, :]).sum(axis=0) * (1.0 + at)


@mapped((P(("b", "a")),), P(("a", "b")))
def moved(w: Any) -> Any:
    return jnp.sin(w) * w


LOSSES: dict[str, tuple[Any, Any]] = {
    "both": (over_both, lambda w, x: jnp.sum((x @ w) ** 2)),
    "index": (
        lambda w, x: jnp.sum(by_index(w, x) ** 2),
        lambda w, x: jnp.sum(((jnp.tanh(x) * w).sum(0) * np.repeat([1.0, 2.0, 3.0], 2)) ** 2),
    ),
    # Six parts, (b, a) in order, are put together as (a, b).
    "order": (
        lambda w, x: jnp.sum(moved(w) * x[0]),
        lambda w, x: jnp.sum((jnp.sin(w) * w)[jnp.array([0, 2, 4, 1, 3, 5])] * x[0]),
    ),
}


def gradient(loss: Any) -> np.ndarray:
    problem = Problem(trace(loss, W, (X,), differentiate=False), [W], [X])
    return certify(problem, "series").gradient


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_on_several_devices_are_those_on_one(name: str) -> None:
    loss, plain = LOSSES[name]
    with jax.numpy_rank_promotion("allow"):
        found, expected = gradient(loss), gradient(plain)
    assert balls.overlap(found, expected)
    assert balls.magnitudes(found).min() > 1e-3


def test_what_is_exchanged_otherwise_is_named() -> None:
    @mapped((P("b"), P(None, "b")), P("b"))
    def shifted(w: Any, x: Any) -> Any:
        return lax.ppermute(w, "b", [(0, 1), (1, 2), (2, 0)]) * x.sum(axis=0)

    with pytest.raises(UncertifiedPrimitiveError, match="ppermute"):
        gradient(lambda w, x: jnp.sum(shifted(w, x)))
