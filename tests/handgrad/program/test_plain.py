"""NumPy's operations on plain arrays, against JAX's."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from jax import lax

from handgrad.program.interpreter import bind
from handgrad.program.plain import IN_NUMPY

X = np.random.default_rng(3).integers(-9, 9, (3, 5, 2))
BITS = X.astype(np.int32)
TWO = np.array(7)

CALLS: dict[str, list[tuple[Callable[..., Any], tuple[np.ndarray, ...]]]] = {
    "broadcast_in_dim": [
        (lambda x: lax.broadcast_in_dim(x, (3, 7, 5, 2), (0, 2, 3)), (X,)),
        (lambda x: lax.broadcast_in_dim(x, (4, 3), ()), (TWO,)),
        (lambda x: lax.broadcast_in_dim(x, (5, 3), (1,)), (X[:1, 0, 0],)),
    ],
    "concatenate": [(lambda x, y: lax.concatenate([x, y, x], 1), (X, X[:, :2]))],
    "iota": [
        (lambda: lax.broadcasted_iota(np.int32, (3, 5), 1), ()),
        (lambda: lax.iota(np.float32, 4), ()),
    ],
    "pad": [
        (lambda x, y: lax.pad(x, y, [(1, 2, 0), (-1, 0, 2), (2, -3, 1)]), (X, TWO)),
        (lambda x, y: lax.pad(x, y, [(0, 1, 0), (-3, -2, 0), (0, 0, 0)]), (X, TWO)),
        (lambda x, y: lax.pad(x, y, []), (TWO, TWO)),
        (lambda x, y: lax.pad(x, y, [(2, 1, 3)]), (X[:0, 0, 0], TWO)),
    ],
    "reshape": [
        (lambda x: lax.reshape(x, (6, 5)), (X,)),
        (lambda x: lax.reshape(x, (6, 5), dimensions=(2, 0, 1)), (X,)),
    ],
    "rev": [(lambda x: lax.rev(x, (0, 2)), (X,))],
    "slice": [
        (lambda x: lax.slice(x, (1, 0, 0), (3, 5, 1), (1, 2, 1)), (X,)),
        (lambda x: lax.slice(x, (0, 2, 0), (2, 4, 2)), (X,)),
    ],
    "split": [(lambda x: lax.split(x, (1, 3, 1), axis=1), (X,))],
    "squeeze": [(lambda x: lax.squeeze(x, (0, 2)), (X[:1, :, :1],))],
    "transpose": [(lambda x: lax.transpose(x, (2, 0, 1)), (X,))],
    "convert_element_type": [
        (lambda x, to=to: lax.convert_element_type(x, to), (X,))
        for to in (np.int8, np.float32, np.bool_)
    ],
    **{
        name: [(getattr(lax, name), (X, X[::-1])), (getattr(lax, name), (TWO, TWO))]
        for name in ("add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge")
    },
    "and": [(lax.bitwise_and, (X, X[::-1])), (lax.bitwise_and, (X > 0, X > 3))],
    "or": [(lax.bitwise_or, (X, X[::-1])), (lax.bitwise_or, (X > 0, X > 3))],
    "not": [(lax.bitwise_not, (X,)), (lax.bitwise_not, (X > 0,))],
    "select_n": [
        (lax.select_n, (X > 0, X, -X)),
        (lax.select_n, (np.array(True), X, -X)),
        (lax.select_n, (np.abs(BITS) % 3, X, -X, 2 * X)),
    ],
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_numpy_gives_what_jax_gives(name: str) -> None:
    for function, operands in CALLS[name]:
        with jax.enable_x64(True):
            (eqn,) = jax.make_jaxpr(function)(*operands).eqns
            assert eqn.primitive.name == name
            outputs = eqn.primitive.bind(*map(jax.numpy.asarray, operands), **eqn.params)
        expected = outputs if eqn.primitive.multiple_results else [outputs]
        for got, of_jax in zip(bind(eqn, list(operands)), expected, strict=True):
            assert got.dtype == of_jax.dtype
            np.testing.assert_array_equal(got, of_jax)


def test_all_of_them_are_tested() -> None:
    assert set(CALLS) == set(IN_NUMPY)


def test_integers_wrap_around_without_a_word() -> None:
    largest = np.array(np.iinfo(np.int32).max)
    assert IN_NUMPY["add"](largest.astype(np.int32), np.array(1, np.int32), {}) < 0
