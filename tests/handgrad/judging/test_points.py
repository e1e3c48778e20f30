"""Points around the caller's: seeded, at several scales, with the inputs as they are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient

X = np.arange(6.0).reshape(2, 3)


def drawn(params: Any, points: int, seed: int = 0, size: float = 1.0) -> list[Any]:
    """Return what a gradient is given at the other points."""
    seen: dict[bytes, Any] = {}

    def gradient(p: Any, x: Any) -> Any:
        assert np.array_equal(x, X)
        seen.setdefault(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(p)), p)
        return jax.tree.map(lambda leaf: np.full_like(leaf, size), p)

    def loss(p: Any, _: Any) -> Any:
        return sum(jnp.sum(leaf.astype(jnp.float64) * size) for leaf in jax.tree.leaves(p))

    assert check_gradient(gradient, loss, params, X, points=points, seed=seed).points == points + 1
    return list(seen.values())[1:]


def test_the_seed_decides() -> None:
    one, same, other = (drawn(np.ones(5), 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert len(np.unique([*one, *other], axis=0)) == 6


def test_points_lie_at_several_scales() -> None:
    """What is 0 moves by the size of the others, or of 1."""
    found = drawn({"w": np.full(300, 2.0), "b": np.zeros(300)}, 8)
    sizes = [[np.std(p[leaf]) for p in found] for leaf in "wb"]
    due = np.outer([2.0, np.sqrt(2)], 2 * [0.1, 1.0, 0.01, 3.0])
    np.testing.assert_allclose(np.array(sizes), due, rtol=0.15)
    np.testing.assert_allclose(np.std(drawn(np.zeros(300), 1)[0]), 0.1, rtol=0.15)


def test_every_leaf_keeps_its_kind() -> None:
    with jax.enable_x64(True):
        params = [1.0, np.float32(2), np.ones(3, np.float32), jnp.ones(2), jnp.ones((), "float32")]
    (moved,) = drawn(params, 1)
    kinds = float, np.float32, np.ndarray, jax.Array, jax.Array
    assert [isinstance(*pair) for pair in zip(moved, kinds, strict=True)] == 5 * [True]
    assert [np.asarray(p).dtype for p in moved] == [np.asarray(p).dtype for p in params]


def test_huge_parameters_stay_finite() -> None:
    large = np.finfo(np.float64).max / 4
    for p in drawn({"w": np.array([large, -large, 1.0]), "b": np.zeros(3)}, 8, size=2.0**-900):
        assert np.isfinite([p["w"], p["b"]]).all()
