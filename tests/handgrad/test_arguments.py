"""The caller's arguments: every kind of pytree, and messages that name the leaf."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from handgrad.data import formats
from handgrad.data.point import point_at, written


class Layer(NamedTuple):
    w: Any
    b: Any


@jax.tree_util.register_dataclass
@dataclass
class Model:
    first: Layer
    rest: dict[str, Any]


W, B = np.arange(6.0).reshape(3, 2), np.arange(2.0)
SINGLE = np.array([1, 2, 3], np.float32)

#: A pytree, its paths, and its leaves.
TREES: dict[str, tuple[Any, list[str], list[Any]]] = {
    "a number": (1.5, ["params"], [1.5]),
    "an array": (W, ["params"], [W]),
    "a NumPy number": (np.float32(1.5), ["params"], [np.float32(1.5)]),
    "a JAX array": (jnp.asarray(SINGLE), ["params"], [SINGLE]),
    "a list": ([W, B], ["params[0]", "params[1]"], [W, B]),
    "a tuple": ((W, (B,)), ["params[0]", "params[1][0]"], [W, B]),
    "a dict": ({"w": W, "b": B}, ["params['b']", "params['w']"], [B, W]),
    "a NamedTuple": (Layer(W, B), ["params.w", "params.b"], [W, B]),
    "a dataclass": (
        Model(Layer(W, B), {"s": 2.0}),
        ["params.first.w", "params.first.b", "params.rest['s']"],
        [W, B, 2.0],
    ),
    "layers": (
        [Layer(W, B), Layer(SINGLE, None)],
        ["params[0].w", "params[0].b", "params[1].w"],
        [W, B, SINGLE],
    ),
    "an empty leaf": ([np.ones((0, 3)), 1.0], ["params[0]", "params[1]"], [np.ones((0, 3)), 1.0]),
}


@pytest.mark.parametrize("name", TREES)
def test_a_pytree_is_taken_apart_and_put_together(name: str) -> None:
    params, paths, leaves = TREES[name]
    given = point_at(params, (W,))
    assert list(given.paths) == paths
    assert given.size == sum(np.size(leaf) for leaf in leaves)
    for found, leaf in zip(given.leaves, leaves, strict=True):
        assert type(found) is np.ndarray
        assert found.dtype == np.asarray(leaf).dtype
        np.testing.assert_array_equal(found, leaf)
    assert jax.tree.structure(given.arrays) == jax.tree.structure(params)
    vector = np.concatenate([leaf.ravel() for leaf in given.leaves])
    for part, leaf in zip(given.parts(), given.leaves, strict=True):
        np.testing.assert_array_equal(vector[part], leaf.ravel())


@pytest.mark.parametrize("name", TREES)
def test_moved_arguments_keep_the_structure(name: str) -> None:
    params, _, _ = TREES[name]
    given = point_at(params, (W,))
    moved = given.moved([leaf + leaf.dtype.type(1) for leaf in given.leaves])
    assert jax.tree.structure(moved.params) == jax.tree.structure(params)
    pairs = zip(jax.tree.leaves(moved.params), jax.tree.leaves(params), strict=True)
    for new, old in pairs:
        assert type(new) is type(old)
        np.testing.assert_array_equal(
            np.asarray(new), np.asarray(old) + np.asarray(old).dtype.type(1)
        )


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, r"^params: got list \[\], expected at least one array of floats$"),
        (None, ValueError, "^params: got NoneType None, expected at least one array"),
        ([np.ones((0, 3))], ValueError, r"^params: got no elements, shape \(0, 3\), expected"),
        ({"w": 3}, TypeError, r"^params\['w'\]: got int 3, expected an array of floats$"),
        (
            [W, np.arange(3)],
            TypeError,
            r"^params\[1\]: got int64\[3\], expected an array of floats$",
        ),
        ([W, True], TypeError, r"^params\[1\]: got bool True, expected"),
        (Layer(W, "b"), TypeError, r"^params\.b: got str 'b', expected an array of floats$"),
        (W * 1j, TypeError, r"^params: got complex128\[3, 2\], expected"),
        (W.astype(object), TypeError, r"^params: got object\[3, 2\], expected"),
        ([W, np.array([1.0, np.nan])], ValueError, r"^params\[1\]\[1\]: got nan, expected finite"),
        (
            np.array([[1, 2], [-np.inf, 0]]),
            ValueError,
            r"^params\[1, 0\]: got -inf, expected finite",
        ),
        (np.inf, ValueError, "^params: got inf, expected finite floats$"),
    ],
)
def test_what_is_no_array_of_floats_is_named(params: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        point_at(params, ())


@pytest.mark.parametrize("dtype", [ml_dtypes.float4_e2m1fn, ml_dtypes.float8_e8m0fnu])
def test_formats_without_digits_or_signs_are_not_judged(dtype: Any) -> None:
    given = point_at([W, np.ones(2, dtype)], ())
    assert given.not_judged() == (
        f"params[1] is {np.dtype(dtype).name}: not judged; float64, float32, bfloat16, float16 and "
        "float8 are"
    )
    assert point_at([W, SINGLE], ()).not_judged() is None


@pytest.mark.parametrize("name", formats.JUDGED)
def test_formats_that_are_judged(name: str) -> None:
    assert point_at(np.ones(2, name), ()).not_judged() is None


def test_bits_are_those_of_the_arrays() -> None:
    assert point_at(SINGLE, (W,)).wide
    assert point_at([SINGLE, 1.0], ()).wide
    assert not point_at(SINGLE, (np.arange(3), SINGLE)).wide
    for params, expected in ((SINGLE, jnp.float32), (W, jnp.float64)):
        found, _ = point_at(params, ()).call(lambda p: jnp.asarray(p).dtype)
        assert found == expected


def test_a_function_gets_copies_and_what_it_writes_to_is_named() -> None:
    params, x = {"w": W.copy(), "b": B.copy()}, np.array([1.0, np.nan])

    def spoils(p: Any, x: Any, kept: Any) -> str:
        p["w"] += 1.0
        x[0] = 7.0
        return f"{p['w'][0, 0]} {kept}"

    result, changed = point_at(params, (x, "same")).call(spoils)
    assert result == "1.0 same"
    assert changed == ["params['w']", "inputs[0]"]
    np.testing.assert_array_equal(params["w"], W)
    np.testing.assert_array_equal(x, [1.0, np.nan])
    assert point_at(params, (x,)).call(lambda p, x: None)[1] == []


def test_a_structure_that_was_changed_is_found() -> None:
    def spoils(p: Any) -> None:
        p["new"] = p.pop("w")

    assert point_at({"w": W}, ()).call(spoils)[1] == ["params"]
    assert written([W], [W.copy()], "params") == []
