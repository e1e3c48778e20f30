"""Windows and kernels: what each holds, whatever its geometry."""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.program.rules.windows import NOWHERE, members
from tests.tiers import one_of_each

#: Dimensions, strides and padding of windows.
GEOMETRIES = [
    ((2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 3), (1, 2), ((1, 0), (0, 2))),
    ((3, 1), (3, 1), ((2, 2), (4, 0))),
    ((1, 1), (1, 3), ((0, 0), (1, 1))),
    ((7, 8), (1, 1), ((0, 0), (0, 0))),
]
DILATIONS: list[dict[str, Any]] = [
    {},
    {"base_dilation": (1, 2), "window_dilation": (2, 1)},
    {"base_dilation": (3, 1), "window_dilation": (2, 2)},
]


@pytest.mark.parametrize("dilated", DILATIONS, ids=repr)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_what_a_window_holds_is_what_jax_adds_up(geometry: Any, dilated: Any) -> None:
    """Sums of different powers of two, fewer than a float has bits, say which they are of."""
    options = dict(zip(("window_dimensions", "window_strides", "padding"), geometry, strict=True))
    shape, powers = (6, 7), 2.0 ** np.arange(42).reshape(6, 7)
    with jax.enable_x64(True):
        found = lax.reduce_window(jnp.asarray(powers), 0.0, lax.add, **options, **dilated)
    run = Run(RULES, Comparisons(), {})
    held = members(run, SimpleNamespace(params={**options, **dilated}), shape)
    assert held.shape == (*found.shape, int(np.prod(geometry[0])))
    known = np.where(held == NOWHERE, 0.0, 2.0 ** np.maximum(held, 0))
    np.testing.assert_array_equal(known.sum(axis=-1), found)


@pytest.mark.parametrize("seed", one_of_each(range(30), [*range(10)]))
def test_any_convolution(seed: int) -> None:
    """Strides, padding, dilations, groups, orders of axes: values and slopes are JAX's."""
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

    def whole_numbers(*first: int) -> list[np.ndarray]:
        pairs = zip(shapes, orders, strict=False)
        arranged = ([shape[order.index(i)] for i in range(space + 2)] for shape, order in pairs)
        return [rng.integers(-5, 6, (*first, *shape)).astype(float) for shape in arranged]

    (x, kernel), (dx, dkernel) = whole_numbers(), whole_numbers(2)
    with jax.enable_x64(True):
        (eqn,) = jax.make_jaxpr(convolved)(x, kernel).eqns
        expected = convolved(x, kernel)
        slopes = [convolved(dx[i], kernel) + convolved(x, dkernel[i]) for i in range(2)]
    operands = [
        Dual(balls.exact(value), balls.exact(change))
        for value, change in ((x, dx), (kernel, dkernel))
    ]
    found = RULES["conv_general_dilated"](None, eqn, *operands)
    np.testing.assert_array_equal(balls.midpoints(found.value), expected)
    np.testing.assert_array_equal(balls.midpoints(found.tangent), np.array(slopes))
