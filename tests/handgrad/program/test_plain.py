"""NumPy's operations on plain arrays, against JAX's."""

from typing import Any

import jax
import numpy as np
from jax import lax

from handgrad.program.interpreter import bind
from handgrad.program.plain import IN_NUMPY

X = np.random.default_rng(3).integers(-9, 9, (3, 5, 2))
BITS, TWO = X.astype(np.int32), np.array(7)

OF_TWO = (lax.add, lax.sub, lax.mul, lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge)
OF_TWO += (lax.bitwise_and, lax.bitwise_or)

CALLS: list[tuple[Any, tuple[np.ndarray, ...]]] = [
    (lambda x: lax.broadcast_in_dim(x, (3, 7, 5, 2), (0, 2, 3)), (X,)),
    (lambda x: lax.broadcast_in_dim(x, (4, 3), ()), (TWO,)),
    (lambda x: lax.broadcast_in_dim(x, (5, 3), (1,)), (X[:1, 0, 0],)),
    (lambda x, y: lax.concatenate([x, y, x], 1), (X, X[:, :2])),
    (lambda: lax.broadcasted_iota(np.int32, (3, 5), 1), ()),
    (lambda: lax.iota(np.float32, 4), ()),
    (lambda x, y: lax.pad(x, y, [(1, 2, 0), (-1, 0, 2), (2, -3, 1)]), (X, TWO)),
    (lambda x, y: lax.pad(x, y, [(0, 1, 0), (-3, -2, 0), (0, 0, 0)]), (X, TWO)),
    (lambda x, y: lax.pad(x, y, []), (TWO, TWO)),
    (lambda x, y: lax.pad(x, y, [(2, 1, 3)]), (X[:0, 0, 0], TWO)),
    (lambda x: lax.reshape(x, (6, 5)), (X,)),
    (lambda x: lax.reshape(x, (6, 5), dimensions=(2, 0, 1)), (X,)),
    (lambda x: lax.rev(x, (0, 2)), (X,)),
    (lambda x: lax.slice(x, (1, 0, 0), (3, 5, 1), (1, 2, 1)), (X,)),
    (lambda x: lax.slice(x, (0, 2, 0), (2, 4, 2)), (X,)),
    (lambda x: lax.split(x, (1, 3, 1), axis=1), (X,)),
    (lambda x: lax.squeeze(x, (0, 2)), (X[:1, :, :1],)),
    (lambda x: lax.transpose(x, (2, 0, 1)), (X,)),
    *(
        (lambda x, to=to: lax.convert_element_type(x, to), (X,))
        for to in (np.int8, np.float32, bool)
    ),
    *((f, (X, X[::-1])) for f in OF_TWO),
    *((f, (TWO, TWO)) for f in (lax.add, lax.eq, lax.le)),
    *((f, (X > 0, X > 3)) for f in (lax.bitwise_and, lax.bitwise_or)),
    *((lax.bitwise_not, (x,)) for x in (X, X > 0)),
    *((lax.select_n, (chosen, X, -X)) for chosen in (X > 0, np.array(True))),
    (lax.select_n, (np.abs(BITS) % 3, X, -X, 2 * X)),
]


def test_numpy_gives_what_jax_gives() -> None:
    tried = set()
    for function, operands in CALLS:
        with jax.enable_x64(True):
            (eqn,) = jax.make_jaxpr(function)(*operands).eqns
            outputs = eqn.primitive.bind(*map(jax.numpy.asarray, operands), **eqn.params)
        expected = outputs if eqn.primitive.multiple_results else [outputs]
        for got, of_jax in zip(bind(eqn, list(operands)), expected, strict=True):
            assert got.dtype == of_jax.dtype, eqn
            np.testing.assert_array_equal(got, of_jax, str(eqn))
        tried.add(eqn.primitive.name)
    assert tried == set(IN_NUMPY)


def test_integers_wrap_around_without_a_word() -> None:
    largest = np.array(np.iinfo(np.int32).max)
    assert IN_NUMPY["add"](largest.astype(np.int32), np.array(1, np.int32), {}) < 0
