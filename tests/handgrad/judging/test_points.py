"""Points around the caller's: seeded, at several scales, with the inputs as they are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.point import point_at
from handgrad.judging.points import SCALES, points

X, Y = np.arange(6.0).reshape(2, 3), np.array([0, 1])
PARAMS = {"w": np.full((50, 40), 2.0), "b": np.zeros(500), "s": 3.0}


def given_here(params: Any = PARAMS) -> Any:
    return point_at(params, (X, Y))


def leaves(point: Any) -> list[Any]:
    return [leaf.tolist() for leaf in point.leaves]


def test_points_are_seeded_and_the_callers_comes_first() -> None:
    given = given_here()
    assert next(points(given, 0, 0)) is given
    assert len(list(points(given, 0, 0))) == 1
    assert len(list(points(given, 5, 0))) == 6
    three: Any = np.int64(3)
    assert len(list(points(given, three, 0))) == 4
    _, moved, *_ = points(given_here([np.ones((0, 2)), 1.0]), 1, 0)
    assert moved.params[0].shape == (0, 2)
    # The seed decides.
    one, same, other = (list(points(given_here(), 3, seed)) for seed in (1, 1, 2))
    assert [leaves(p) for p in one] == [leaves(p) for p in same]
    assert leaves(one[1]) != leaves(other[1])
    assert leaves(one[1]) != leaves(one[2])


def test_points_lie_at_several_scales() -> None:
    given = given_here()
    _, *others = points(given, 2 * len(SCALES), 0)
    sizes = [float(np.std(p.params["w"] - 2.0)) for p in others]
    np.testing.assert_allclose(sizes, [2.0 * s for s in (*SCALES, *SCALES)], rtol=0.1)


def test_a_leaf_of_zeros_moves_by_the_size_of_the_others() -> None:
    _, first, *_ = points(given_here(), 1, 0)
    everything = np.sqrt((2000 * 4 + 9) / 2501)
    assert np.std(first.params["b"]) == pytest.approx(SCALES[0] * everything, rel=0.1)
    _, first, *_ = points(given_here({"w": np.zeros(4000)}), 1, 0)
    assert np.std(first.params["w"]) == pytest.approx(SCALES[0], rel=0.1)


def test_only_parameters_move() -> None:
    before = X.copy(), Y.copy(), PARAMS["w"].copy()
    for point in points(given_here(), 4, 0):
        assert point.inputs[0] is X
        assert point.inputs[1] is Y
        assert point.paths == given_here().paths
    for now, then in zip((X, Y, PARAMS["w"]), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_every_leaf_keeps_its_kind() -> None:
    with jax.enable_x64(True):
        params = [1.0, np.float32(2), np.ones(3, np.float32), jnp.ones(2), jnp.ones((), "float32")]
    _, moved, *_ = points(given_here(params), 1, 0)
    kinds = [float, np.float32, np.ndarray, jax.Array, jax.Array]
    pairs = zip(moved.params, kinds, params, moved.leaves, strict=True)
    for leaf, kind, old, array in pairs:
        assert isinstance(leaf, kind)
        assert np.asarray(leaf).dtype == np.asarray(old).dtype == array.dtype
        np.testing.assert_array_equal(leaf, array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_parameters_stay_finite(dtype: Any) -> None:
    largest = np.finfo(dtype).max
    params = {"w": np.array([largest, -largest, 1.0], dtype), "b": np.zeros(3, dtype)}
    for point in points(given_here(params), 8, 0):
        assert all(np.isfinite(leaf).all() for leaf in point.leaves)


def test_a_list_of_points_is_taken_as_it_is() -> None:
    other = ({"w": PARAMS["w"] * 3, "b": PARAMS["b"], "s": 4.0}, X + 1, Y)
    given = given_here()
    first, second, third = points(given, [other, list(other)], 0)
    assert first is given
    assert second.params is other[0]
    assert second.inputs[0] is other[1]
    assert leaves(second) == leaves(third)
    assert len(list(points(given, [], 0))) == 1


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        (-1, ValueError, "points: got -1, expected 0 or more"),
        (True, TypeError, "points: got True, expected a number"),
        ("five", TypeError, "points: got 'five', expected a number"),
        (2.5, TypeError, "points: got 2.5, expected a number"),
        ([PARAMS], TypeError, r"(?s)points\[0\]: got .*, expected \(params"),
        (PARAMS["w"], TypeError, "(?s)points: got .*, expected a number"),
        ([()], TypeError, r"points\[0\]: got \(\), expected \(params, \*inputs\)"),
        ([({"w": 1.0}, X, Y)], ValueError, r"points\[0\]: expected params shaped and typed"),
        ([(PARAMS, X, Y), ({**PARAMS, "s": 1}, X, Y)], TypeError, "params.*'s'.*int"),
        ([({**PARAMS, "b": np.zeros(499)}, X, Y)], ValueError, r"points\[0\]: expected params"),
        (
            [({**PARAMS, "b": np.zeros(500, np.float32)}, X, Y)],
            ValueError,
            r"points\[0\]: expected params",
        ),
        ([({**PARAMS, "s": np.nan}, X, Y)], ValueError, "params.*'s'.*nan"),
    ],
)
def test_what_is_no_list_of_points(more: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        list(points(given_here(), more, 0))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_for_differences_each_number_moves_by_its_own_size() -> None:
    sizes = np.repeat([1e-8, 1.0, 1e8], 1000)
    given = given_here({"w": np.where(np.arange(3000) % 2, -1, 1) * sizes, "b": np.zeros((3, 4))})
    _, first, *_ = points(given, 1, 0, own_sizes=True)
    moved = np.abs(first.params["w"] - given.params["w"]).reshape(3, 1000)
    np.testing.assert_allclose(np.std(moved / [[1e-8], [1.0], [1e8]], axis=1), 0.06, rtol=0.1)
    assert np.std(first.params["b"]) == pytest.approx(SCALES[0], rel=0.5)
