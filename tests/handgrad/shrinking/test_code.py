"""Values as Python code: run again it gives the very same values, or says what it leaves out."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.shrinking.code import Source
from handgrad.shrinking.literals import WIDTH, laid_out


class Pair(NamedTuple):
    first: Any
    second: Any


def same(one: Any, other: Any) -> bool:
    """The same kinds of arrays, to the last bit and the sign of zero."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray | np.generic | jax.Array):
        if jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
            return str(one) == str(other)
        a, b = np.asarray(one), np.asarray(other)
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    return bool(one == other)


def test_a_value_is_the_same_again_and_no_line_is_too_long() -> None:
    with jax.enable_x64(True):
        double = jnp.array([0.1, 0.2])
    values = [
        *(None, True, 3, -0.5, 0.1 + 0.2, "text", 'with "quotes"', b"bytes", 1e-320),
        *(np.float32(0.1), np.float64(0.1), np.int64(3), np.bool_(True), np.array(0.1)),
        *(np.array([0.0, -0.0, np.inf, -np.inf, np.nan]), np.array([[1, 2], [3, 4]])),
        *(np.array([1, 2], dtype=np.int8), np.array([True, False]), np.zeros((0, 3))),
        *(np.zeros((5, 7)), np.ones((4, 4), dtype=np.float32), np.full((3, 5), 0.1)),
        *(np.full(20, -0.0), np.random.default_rng(0).normal(size=(5, 7))),
        *(jnp.array([0.5, 0.1], dtype=jnp.float32), jnp.array([1, 2], dtype=jnp.int32), double),
        *(jnp.zeros((4, 4), dtype=jnp.bfloat16), jax.random.key(7)),
        {"layers": [Pair(np.ones(2), None), (np.zeros(1),), ()], "b": [1, (2.0, "x")]},
    ]
    source = Source()
    lines = laid_out(f"values = {source.written(values, 'values')}")
    assert max(map(len, [*source.lines(), *lines])) <= WIDTH
    assert source.own == []
    namespace: dict[str, Any] = {}
    with jax.enable_x64(True):
        exec("\n".join([*source.lines(), *lines]), namespace)
    found = namespace["values"]
    assert jax.tree.structure(found) == jax.tree.structure(values)
    assert all(map(same, jax.tree.leaves(found), jax.tree.leaves(values)))


def test_functions_are_imported_by_names_that_differ() -> None:
    source = Source()
    assert source.named(jnp.linalg.norm, "gradient") == "norm"
    assert source.named(np.linalg.norm, "loss") == "loss"
    assert source.written({"a": object()}, "x") == '{"a": x_of_your_own}'
    assert "from numpy.linalg import norm as loss" in "\n".join(source.lines())
