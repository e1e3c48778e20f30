"""Windows: what each holds, ties inside of one, padding, and pooling gradients before the judge."""

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
from handgrad.oracle import evaluate
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rules import RULES
from handgrad.program.rules.windows import NOWHERE, members
from tests.handgrad.oracle.problems import (
    assert_right,
    by_jax,
    certified,
    gradient,
    hidden,
    problem,
)
from tests.handgrad.oracle.test_kinks import assert_kink
from tests.handgrad.program.rule_losses import TALL, mixed
from tests.handgrad.program.rule_losses_of_windows import largest, pooled, together
from tests.tiers import one_of_each

GEOMETRIES: list[dict[str, Any]] = [
    {"window_dimensions": (2, 2), "window_strides": (2, 2), "padding": ((0, 0), (0, 0))},
    {"window_dimensions": (2, 3), "window_strides": (1, 2), "padding": ((1, 0), (0, 2))},
    {"window_dimensions": (3, 1), "window_strides": (3, 1), "padding": ((2, 2), (4, 0))},
    {"window_dimensions": (1, 1), "window_strides": (1, 3), "padding": ((0, 0), (1, 1))},
    {"window_dimensions": (6, 2), "window_strides": (1, 1), "padding": ((0, 0), (0, 0))},
    {"window_dimensions": (7, 8), "window_strides": (1, 1), "padding": ((0, 0), (0, 0))},
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
    shape, powers = (6, 7), 2.0 ** np.arange(42).reshape(6, 7)
    with jax.enable_x64(True):
        found = lax.reduce_window(jnp.asarray(powers), 0.0, lax.add, **geometry, **dilated)
    run = Run(RULES, Comparisons(), {})
    held = members(run, SimpleNamespace(params={**geometry, **dilated}), shape)
    assert held.shape == (*found.shape, int(np.prod(geometry["window_dimensions"])))
    known = np.where(held == NOWHERE, 0.0, 2.0 ** np.maximum(held, 0))
    np.testing.assert_array_equal(known.sum(axis=-1), found)


LOSSES = {
    "max, windows of padding alone": lambda p: largest_inside(p, padding=((3, 3), (4, 0))),
    "max, windows that miss elements": lambda p: largest_inside(p, window_strides=(3, 3)),
    "min of negative numbers": lambda p: pooled(-jnp.exp(p), jnp.inf, lax.min),
    "mean, as people write it": lambda p: (
        pooled(p * p, 0.0, lax.add) / pooled(jnp.ones_like(p), 0.0, lax.add)
    ),
    "two channels": lambda p: lax.reduce_window(
        jnp.stack([p, p * p], -1), -jnp.inf, lax.max, (2, 2, 1), (2, 1, 1), "SAME"
    ),
    "batched": lambda p: jax.vmap(largest)(jnp.stack([p, jnp.sin(3.0 * p)])),
    "reduced over two axes": lambda p: lax.reduce(p, 0.0, together, (0, 1)) * p,
    "nothing to reduce": lambda p: lax.reduce(p[:0], 0.0, together, (0,))[None] + p,
}


def largest_inside(p: Any, **options: Any) -> Any:
    """The largest of each window; 0 where that holds nothing."""
    found = pooled(p, -jnp.inf, lax.max, **options)
    return jnp.where(jnp.isfinite(found), found, 0.0)


@pytest.mark.slow  # each compiles a loss of its own
@pytest.mark.parametrize("name", LOSSES)
def test_a_window(name: str) -> None:
    assert_right(lambda p: mixed(LOSSES[name](p)), TALL)


def pooling_of(numbers: Any) -> Any:
    return jnp.sum(lax.reduce_window(numbers, -jnp.inf, lax.max, (2,), (2,), "VALID") * W)


def smallest_of(numbers: Any) -> Any:
    return jnp.sum(lax.reduce_window(numbers, jnp.inf, lax.min, (2,), (2,), "VALID") * W)


W = np.array([1.0, 3.0])


KINKS: dict[str, tuple[Any, list[float], list[Any], list[Any]]] = {
    "two equal numbers": (
        *(pooling_of, [0.7, 0.7, 2.0, 1.0]),
        [(1, 0, 3, 0), (0, 1, 3, 0), (0.5, 0.5, 3, 0)],
        [(1, 1, 3, 0), (0, 0, 3, 0), (1, 0, 0, 3), (0.5, 0.4, 3, 0)],
    ),
    # x and y are equal and in both windows: whichever is larger, it is so in both.
    "windows that share a tie": (
        lambda p: jnp.sum(lax.reduce_window(p, -jnp.inf, lax.max, (3,), (1,), "VALID") * W),
        [0.1, 0.7, 0.7, 0.2],
        [(0, 4, 0, 0), (0, 0, 4, 0), (0, 2, 2, 0)],
        [(0, 4, 4, 0), (0, 0, 0, 0), (0, 1, 2, 0), (1, 3, 0, 0)],
    ),
    "the smallest ones": (
        lambda p: jnp.sum(lax.reduce_window(p, jnp.inf, lax.min, (3,), (3,), "VALID")),
        [2.0, 0.5, 0.5],
        [(0, 1, 0), (0, 0, 1), (0, 0.5, 0.5)],
        [(1, 0, 0), (0, 1, 1)],
    ),
}


@pytest.mark.parametrize("name", KINKS)
def test_ties_in_a_window(name: str) -> None:
    assert_kink(*KINKS[name])


@pytest.mark.slow
def test_programs_give_the_first_of_equal_numbers_everything_as_jax_does() -> None:
    at = np.array([0.7, 0.7, 1.0, 1.0])
    for loss in (pooling_of, smallest_of, lambda p: jnp.sum(largest(p[None])) ** 2):
        case = problem(loss, at)
        assert case.traced.gradient is not None
        _, found = evaluate.gradient(
            case, case.traced.gradient, case.arguments(), Comparisons(final=True)
        )
        assert balls.midpoints(found).tolist() == by_jax(loss, at)[1].tolist()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # Units that are off are 0 whichever of them is taken.
        (lambda p: pooling_of(jax.nn.relu(p)), (0, 0, 3, 0)),
        (lambda p: pooling_of(jnp.stack([p[0], p[0], p[1], p[1]])) + 0.0 * p[2], (1, 3, 0, 0)),
        (lambda p: mixed(jax.nn.softmax(p)) * 0.0 + pooling_of(p), (0, 1, 3, 0)),
    ],
)
def test_ties_that_are_no_kinks(loss: Any, expected: Any) -> None:
    reference = certified(loss, np.array([-0.7, -0.3, 2.0, -0.7]))
    assert reference.kink is None
    assert balls.midpoints(reference.gradient).tolist() == list(expected)


def test_padding_beats_no_number() -> None:
    at = np.array([-3.0, -2.0, -5.0])
    found = gradient(
        lambda p: jnp.sum(lax.reduce_window(p, -jnp.inf, lax.max, (2,), (1,), [(1, 1)])), at
    )
    assert found.tolist() == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("best", [jnp.maximum, jnp.minimum])
def test_a_start_that_is_no_infinity_counts(best: Any) -> None:
    """Its slope is known: none."""

    def capped(p: Any) -> Any:
        return lax.reduce_window(p, 0.25, lambda a, b: best(a, b) * 1.0, (2,), (2,), "VALID")

    found = gradient(lambda p: jnp.sum(hidden(capped)(p) * W), np.array([0.1, 0.2, 2.0, 1.0]))
    assert found.tolist() == ([0, 0, 3, 0] if best is jnp.maximum else [1, 0, 0, 0])


def test_an_infinite_start_that_is_not_neutral_has_no_rule() -> None:
    def odd(p: Any) -> Any:
        return lax.reduce_window(p, jnp.inf, lambda a, b: 1.0 / a + b * 2.0, (2,), (2,), "VALID")

    with pytest.raises(UncertifiedPrimitiveError, match="reduce_window"):
        certified(lambda p: jnp.sum(hidden(odd)(p)), np.array([0.1, 0.2, 2.0, 1.0]))


def test_several_arrays_that_are_reduced_together() -> None:
    """The largest, and where it is, which is no real number."""

    def further(a: Any, b: Any) -> Any:
        first = a[0] >= b[0]
        return jnp.where(first, a[0], b[0]), jnp.where(first, a[1], b[1])

    def loss(p: Any) -> Any:
        found, where = lax.reduce((p, jnp.arange(4)), (-jnp.inf, -1), further, (0,))
        return found * found + jnp.asarray([1.0, 10.0, 100.0, 1000.0])[where] * p[0]

    assert gradient(hidden(loss), np.array([0.5, 2.0, 3.0, 1.0])).tolist() == [100.0, 0.0, 6.0, 0.0]


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
