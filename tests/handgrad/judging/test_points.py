"""Points around the caller's: seeded, at several scales, with the inputs as they are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.point import point_at
from handgrad.judging.points import SCALES, points

X = np.arange(6.0).reshape(2, 3)


def drawn(params: Any, count: int = 1, seed: int = 0, **options: Any) -> list[Any]:
    first, *others = points(given := point_at(params, (X,)), count, seed, **options)
    assert first is given
    assert all(point.inputs[0] is X and point.paths == given.paths for point in others)
    return [point.params for point in others]


def test_the_seed_decides() -> None:
    one, same, other = (drawn(np.ones(5), 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len(np.unique([*one, *other], axis=0)) == 6


def test_points_lie_at_several_scales() -> None:
    """What is 0 moves by the size of the others."""
    params = {"w": np.full(2000, 2.0), "b": np.zeros(500), "s": 3.0}
    sizes = [float(np.std(p["w"] - 2.0)) for p in drawn(params, 2 * len(SCALES))]
    np.testing.assert_allclose(sizes, [2.0 * s for s in (*SCALES, *SCALES)], rtol=0.1)
    everything = np.sqrt((2000 * 4 + 9) / 2501)
    assert np.std(drawn(params)[0]["b"]) == pytest.approx(SCALES[0] * everything, rel=0.1)
    assert np.std(drawn(np.zeros(4000))[0]) == pytest.approx(SCALES[0], rel=0.1)


def test_for_differences_each_number_moves_by_its_own_size() -> None:
    sizes = np.repeat([1e-8, 1.0, 1e8], 1000)
    (moved,) = drawn(sizes, own_sizes=True)
    each = np.std((moved / sizes).reshape(3, 1000), axis=1)
    np.testing.assert_allclose(each, SCALES[0], rtol=0.1)


def test_every_leaf_keeps_its_kind() -> None:
    with jax.enable_x64(True):
        params = [1.0, np.float32(2), np.ones(3, np.float32), jnp.ones(2), jnp.ones((), "float32")]
    kinds = [float, np.float32, np.ndarray, jax.Array, jax.Array]
    for leaf, kind, old in zip(drawn(params)[0], kinds, params, strict=True):
        assert isinstance(leaf, kind)
        assert np.asarray(leaf).dtype == np.asarray(old).dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_parameters_stay_finite(dtype: Any) -> None:
    largest = np.finfo(dtype).max
    params = {"w": np.array([largest, -largest, 1.0], dtype), "b": np.zeros(3, dtype)}
    assert all(np.isfinite(p["w"]).all() and np.isfinite(p["b"]).all() for p in drawn(params, 8))
