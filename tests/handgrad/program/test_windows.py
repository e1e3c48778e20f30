"""Windows and kernels: what each holds, whatever its geometry.

Of whole numbers every digit is JAX's, of sums by their weights as of slopes.
"""

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import exact_gradient
from tests.tiers import one_of_each

#: Dimensions, strides and padding of windows.
GEOMETRIES = [
    ((2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 3), (1, 2), ((1, 0), (0, 2))),
    ((3, 1), (3, 1), ((2, 2), (4, 0))),
    ((1, 1), (1, 3), ((0, 0), (1, 1))),
    ((7, 8), (1, 1), ((1, 0), (1, 0))),
]
DILATIONS: list[dict[str, Any]] = [
    {},
    {"base_dilation": (1, 2), "window_dilation": (2, 1)},
    {"base_dilation": (3, 1), "window_dilation": (2, 2)},
]


def assert_exact(function: Any, *args: np.ndarray) -> None:
    """Compare weighted results of a function, and their slopes, with JAX's."""

    def loss(p: Any) -> Any:
        held = function(*p[1:])
        return jnp.sum(p[0] * jnp.where(jnp.isfinite(held), held, 0.0))

    with jax.enable_x64(True):
        weights = 2.0 + np.arange(np.size(function(*args)))
        given = [weights.reshape(np.shape(function(*args))), *args]
        expected = jax.grad(loss)(given)
    for found, right in zip(exact_gradient(loss, given), expected, strict=True):
        exact = [float(number.midpoint) for number in found.reshape(-1)]
        np.testing.assert_array_equal(exact, right.reshape(-1))


@pytest.mark.parametrize("which", one_of_each([*product(range(5), range(3))], [(1, 1), (1, 0)]))
def test_any_window(which: tuple[int, int]) -> None:
    """Sums of different powers of two, fewer than a float has bits, say which they are of."""
    geometry, dilated = which
    names = "window_dimensions", "window_strides", "padding"
    options: dict[str, Any] = (
        dict(zip(names, GEOMETRIES[geometry], strict=True)) | DILATIONS[dilated]
    )
    powers = 2.0 ** np.random.default_rng(0).permutation(20).reshape(4, 5)
    assert_exact(lambda x: lax.reduce_window(x, 0.0, lax.add, **options), powers)
    if dilated == 0:  # JAX has no slopes of others
        assert_exact(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, **options), powers)


@pytest.mark.parametrize("seed", one_of_each(range(30), [*range(5)]))
def test_any_convolution(seed: int) -> None:
    """Strides, padding, dilations, groups, orders of axes."""
    rng = np.random.default_rng(seed)
    space = int(rng.integers(1, 4))
    groups, batches = [(1, 1), (1, 1), (2, 1), (3, 1), (1, 2)][rng.integers(5)]
    n, depth, outputs = rng.integers(1, 3, 3) * (batches, 1, groups * batches)
    shapes = [(n, groups * depth, *rng.integers(3, 6, space))]
    shapes += [(outputs, depth, *rng.integers(1, 4, space))]
    orders = [tuple(map(int, rng.permutation(space + 2))) for _ in range(3)]
    strides, apart, dilation = (tuple(map(int, rng.integers(1, 4, space))) for _ in range(3))
    padding = [(int(low), int(high)) for low, high in rng.integers(-1, 4, (space, 2))]

    def convolved(x: Any, kernel: Any) -> Any:
        return lax.conv_general_dilated(
            x,
            kernel,
            window_strides=strides,
            padding=padding,
            lhs_dilation=apart,
            rhs_dilation=dilation,
            dimension_numbers=lax.ConvDimensionNumbers(*orders),
            feature_group_count=groups,
            batch_group_count=batches,
        )

    pairs = zip(shapes, orders, strict=False)
    arranged = [[shape[order.index(i)] for i in range(space + 2)] for shape, order in pairs]
    assert_exact(convolved, *(rng.integers(-5, 6, shape).astype(float) for shape in arranged))
