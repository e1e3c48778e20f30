"""Losses on several devices: what each of them has is summed by `psum`, once."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from handgrad import check_gradient
from tests.corpus.case import Row, cases

X = np.array([[0.4, -1.1, 0.6], [1.3, 0.2, -0.5], [-0.7, 0.8, 0.9], [0.1, -0.3, 1.4]])
Y, W = np.array([0.3, -0.6, 1.1, 0.2]), np.array([0.5, -0.4, 0.8])

#: As many as tests/conftest.py asks JAX for.
DEVICES = 2


def sharded(function: Any) -> Any:
    """Map a function (w, x, y) over rows of x and y, w being the same on all devices."""

    @jax.jit
    def mapped(w: Any, x: Any, y: Any) -> Any:
        mesh = jax.make_mesh((DEVICES,), ("rows",), axis_types=(AxisType.Auto,))
        specs = {"in_specs": (P(), P("rows"), P("rows")), "out_specs": P()}
        return jax.shard_map(function, mesh=mesh, check_vma=False, **specs)(w, x, y)

    return mapped


def residual_sum(w: Any, x: Any, y: Any) -> Any:
    return lax.psum(jnp.sum((jnp.tanh(x @ w) - y) ** 2), "rows")


def of_rows(w: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ w)
    return x.T @ (2 * (h - y) * (1 - h * h))


def summed(w: Any, x: Any, y: Any) -> Any:
    return lax.psum(of_rows(w, x, y), "rows")


def averaged(w: Any, x: Any, y: Any) -> Any:
    return lax.pmean(of_rows(w, x, y), "rows")


def summed_twice(w: Any, x: Any, y: Any) -> Any:
    return lax.psum(summed(w, x, y), "rows")


def residual_mean(w: Any, x: Any, y: Any) -> Any:
    return lax.pmean(jnp.mean((jnp.tanh(x @ w) - y) ** 2), "rows")


def of_mean(w: Any, x: Any, y: Any) -> Any:
    return of_rows(w, x, y) / len(x)  # of the rows that the device has


def of_others(w: Any, x: Any, y: Any) -> Any:
    """The residuals to what the other device has."""
    y = lax.ppermute(y, "rows", [(0, 1), (1, 0)])
    return lax.psum(jnp.sum((jnp.tanh(x @ w) - y) ** 2), "rows")


CASES = [
    *cases("shard_map", check_gradient, sharded(residual_sum), W, X, Y, points=2)(
        Row("right", sharded(summed)),
        Row("psum is superfluous: the sum is summed again", sharded(summed_twice), "2 times exact"),
        Row("pmean for psum", sharded(averaged), "1/2 of exact"),
        Row(
            "psum is missing: each device keeps its own rows'", sharded(of_rows), "3 of 3 elements"
        ),
    ),
    *cases("shard_map of a mean", check_gradient, sharded(residual_mean), W, X, Y, points=2)(
        Row("pmean is missing", sharded(of_mean), "3 of 3 elements"),
    ),
    *cases("ppermute", check_gradient, sharded(of_others), W, X, Y, points=0)(
        Row(
            "right",
            lambda w, x, y: np.asarray(sharded(summed)(w, x, np.roll(y, 2))),
            certified=True,
        ),
        Row("to what the device itself has", sharded(summed)),
    ),
]
