"""The same lines on other numbers: JAX under jit, the strict standard, and balls."""

from functools import partial
from typing import Any

import array_api_strict
import jax
import numpy as np
import pytest
from flint import arb

import manual.network
from handgrad.data.ulps import ulp_distance
from manual.activations import ACTIVATIONS
from tests.network_strategies import Described, Point, described, draw_point
from tests.tiers import one_of_each

QUICK = described(14)


def numbers(result: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(result)]


@pytest.mark.parametrize("of", one_of_each(QUICK[::3], QUICK[:4:3]), ids=str)
def test_under_jit(of: Described) -> None:
    """XLA may take sums in another order and fuse; 2⁻³⁰ of the largest is far more than that."""
    point = draw_point(of, 1)
    expected = numbers(manual.network.value_and_gradient(of.network, *point))
    with jax.enable_x64(True):
        under_jit = jax.jit(partial(manual.network.value_and_gradient, of.network))
        traced = under_jit(*jax.tree.map(jax.numpy.asarray, point))
    for mine, theirs in zip(expected, numbers(traced), strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        assert np.abs(mine - theirs).max() <= 2**-30 * np.abs(mine).max()


def strict_arrays(point: Point) -> Any:
    return jax.tree.map(array_api_strict.asarray, point)


@pytest.mark.parametrize("of", QUICK, ids=str)
def test_on_arrays_of_the_strict_standard(of: Described) -> None:
    """Which are NumPy's underneath: the same bits, where the library has the functions."""
    point = draw_point(of, 2)
    if "gelu" in of.network.activations:
        with pytest.raises(TypeError, match=r"^erfc: got an array of array_api_strict, expected"):
            manual.network.gradient(of.network, *strict_arrays(point))
        return
    expected = manual.network.value_and_gradient(of.network, *point)
    loss, grads = manual.network.value_and_gradient(of.network, *strict_arrays(point))
    assert isinstance(loss, array_api_strict._array_object.Array)
    for mine, theirs in zip(numbers(expected), numbers((loss, grads)), strict=True):
        assert ulp_distance(mine, theirs).max(initial=0) == 0


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("lo", "hi"), [(-0.5, 0.25), (0.0, 1.0), (-1.0, 0.0), (-3.0, 3.0)])
def test_a_ball_across_0_encloses_the_values_inside(name: str, lo: float, hi: float) -> None:
    """Both ends, 0 and between, of the function and of its derivative."""
    pair = ACTIVATIONS[name]
    wide = np.array([arb((lo + hi) / 2, (hi - lo) / 2)], dtype=object)
    value, cache = pair.forward(wide)
    slope = pair.backward(np.array([arb(1)], dtype=object), cache)
    for inside in np.linspace(lo, hi, 9):
        point = np.array([arb(inside)], dtype=object)
        at, kept = pair.forward(point)
        assert value[0].overlaps(at[0])
        assert slope[0].overlaps(pair.backward(np.array([arb(1)], dtype=object), kept)[0])
