"""Values as Python code: run again it gives the very same values, or says what it leaves out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.shrinking.code import Source
from handgrad.shrinking.literals import WIDTH, laid_out


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Layer:
    w: Any
    b: Any = None


def again(value: Any) -> tuple[Any, Source]:
    """What the code of a value makes."""
    source = Source()
    lines = laid_out("value = ", source.written(value, "value"))
    namespace: dict[str, Any] = {}
    with jax.enable_x64(True):
        exec("\n".join([*source.lines(), *lines]), namespace)
    return namespace["value"], source


def same(one: Any, other: Any) -> bool:
    """The same kinds of arrays, to the last bit and the sign of zero."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray | np.generic | jax.Array):
        a, b = np.asarray(one), np.asarray(other)
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    return bool(one == other)


SHORT, LONG = np.float32(0.1), np.float64(0.1)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, -0.5, 0.1 + 0.2, "text", 'with "quotes"', b"bytes", 1e-320),
        *(SHORT, LONG, np.int64(3), np.bool_(True), np.array(0.1), np.array(SHORT)),
        *(np.array([0.0, -0.0, np.inf, -np.inf]), np.array([[1, 2], [3, 4]])),
        *(np.array([1, 2], dtype=np.int8), np.array([True, False]), np.zeros((0, 3))),
        *(np.zeros((5, 7)), np.ones((4, 4), dtype=np.float32), np.full((3, 5), 0.1)),
        *(np.full(20, -0.0), np.random.default_rng(0).normal(size=(5, 7))),
        np.random.default_rng(1).normal(size=50).astype(np.float32),
        jnp.array([0.5, 0.1], dtype=jnp.float32),
        jnp.array([1, 2], dtype=jnp.int32),
        jnp.zeros((4, 4), dtype=jnp.bfloat16),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:12]}",
)
def test_a_value_is_the_same_again(value: Any) -> None:
    assert same(again(value)[0], value)


def test_arrays_of_jax_and_nan() -> None:
    with jax.enable_x64(True):
        value = jnp.array([0.1, 0.2])
    assert same(again(value)[0], value)
    # Nan is nan.
    assert np.isnan(again(np.array([np.nan, 1.0]))[0][0])


def test_trees() -> None:
    tree = {
        "layers": [Pair(np.ones(2), None), (np.zeros(1),), ()],
        3: Layer(np.array([[0.1]]), b=[1, (2.0, "x")]),
    }
    found, source = again(tree)
    leaves, structure = jax.tree.flatten(tree["layers"])
    there, same_structure = jax.tree.flatten(found["layers"])
    assert structure == same_structure
    assert all(map(same, leaves, there))
    assert same(found[3].w, tree[3].w)
    assert found[3].b == tree[3].b
    assert source.own == []


def test_keys_of_random_numbers() -> None:
    key = jax.random.key(7)
    found, _ = again(key)
    assert found.dtype == key.dtype
    assert (jax.random.key_data(found) == jax.random.key_data(key)).all()


def test_functions_are_imported_by_names_that_differ() -> None:
    source = Source()
    assert source.written(same, "value") == "same"
    assert source.written(Pair, "value") == "Pair"
    assert source.lines() == [f"from {__name__} import Pair, same"]
    # Two functions of one name.
    source = Source()
    assert source.named(jnp.linalg.norm, "gradient") == "norm"
    assert source.named(np.linalg.norm, "loss") == "loss"
    assert "from numpy.linalg import norm as loss" in "\n".join(source.lines())


def test_what_cannot_be_written_is_the_readers_own() -> None:
    source = Source()
    assert source.written({"a": object()}, "x").parts == ('"a": x_of_your_own',)  # pyright: ignore[reportAttributeAccessIssue] (a dict is a group)
    assert source.own[0].startswith("x_of_your_own cannot be written as code: <object object")

    # A local class is the readers own.
    class Mine(NamedTuple):
        w: float

    source = Source()
    assert laid_out("", source.written(Mine(0.5), "params")) == ["Mine(w=0.5)"]
    assert len(source.own) == 1


def test_long_lines_are_broken_between_parts() -> None:
    value = {"w": np.random.default_rng(0).normal(size=(3, 4)), "b": [np.ones(2)] * 9}
    lines = laid_out("value = ", Source().written(value, "value"))
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 5
