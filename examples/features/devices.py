"""Losses on several devices: what each of them has is summed by `psum`, once."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from examples.features.table import Feature, right, wrong
from handgrad import check_gradient

X = np.array([[0.4, -1.1, 0.6], [1.3, 0.2, -0.5], [-0.7, 0.8, 0.9], [0.1, -0.3, 1.4]])
Y, W = np.array([0.3, -0.6, 1.1, 0.2]), np.array([0.5, -0.4, 0.8])

#: As many devices as `__main__` asks JAX for.
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


def of_devices(gradient: Any, loss: Any = residual_sum) -> Any:
    return partial(check_gradient, sharded(gradient), sharded(loss), W, X, Y, points=2)


FEATURES = {
    "shard_map": Feature(
        f"a loss and a gradient on {DEVICES} devices",
        right(of_devices(summed)),
        wrong(
            "psum is superfluous: the sum is summed again",
            of_devices(summed_twice),
            "2 times exact",
        ),
        wrong(
            "pmean for psum",
            of_devices(averaged),
            "1/2 of exact",
        ),
        wrong(
            "psum is missing: each device keeps its own rows'",
            of_devices(of_rows),
            "3 of 3 elements",
        ),
        wrong(
            "pmean is missing, of a mean over all rows",
            of_devices(of_mean, residual_mean),
            "3 of 3 elements",
        ),
    ),
}
