"""Operations on numbers that no parameter moves, of all formats, give what JAX gives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import exact_gradient

X = np.random.default_rng(3).integers(-9, 9, (3, 5, 2))
BITS, TWO, LARGEST = X.astype(np.int32), np.array(7), np.array(2**31 - 1, np.int32)

OF_TWO = (lax.add, lax.sub, lax.mul, lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge)
OF_TWO += (lax.bitwise_and, lax.bitwise_or)

CALLS: list[tuple[Any, tuple[np.ndarray, ...]]] = [
    (lambda x: lax.broadcast_in_dim(x, (3, 7, 5, 2), (0, 2, 3)), (X,)),
    (lambda x: lax.broadcast_in_dim(x, (5, 3), (1,)), (X[:1, 0, 0],)),
    (lambda x, y: lax.concatenate([x, y, x], 1), (X, X[:, :2])),
    (lambda: lax.broadcasted_iota(np.int32, (3, 5), 1), ()),
    (lambda x, y: lax.pad(x, y, [(1, 2, 0), (-1, 0, 2), (2, -3, 1)]), (X, TWO)),
    (lambda x, y: lax.pad(x, y, [(0, 1, 0), (-3, -2, 0), (0, 0, 0)]), (X, TWO)),
    (lambda x, y: lax.pad(x, y, [(2, 1, 3)]), (X[:0, 0, 0], TWO)),
    (lambda x: lax.reshape(x, (6, 5), dimensions=(2, 0, 1)), (X,)),
    (lambda x: lax.rev(x, (0, 2)), (X,)),
    (lambda x: lax.slice(x, (1, 0, 0), (3, 5, 1), (1, 2, 1)), (X,)),
    (lambda x: lax.concatenate(lax.split(x, (1, 3, 1), axis=1)[::-1], 1), (X,)),
    (lambda x: lax.squeeze(x, (0, 2)), (X[:1, :, :1],)),
    (lambda x: lax.transpose(x, (2, 0, 1)), (X,)),
    *((lambda x, to=to: lax.convert_element_type(x, to), (X,)) for to in ("i1", "f4", bool)),
    *((f, (X, X[::-1])) for f in OF_TWO),
    *((f, (X > 0, X > 3)) for f in OF_TWO[-2:]),
    *((lax.bitwise_not, (x,)) for x in (X, X > 0)),
    *((lax.select_n, (chosen, X, -X)) for chosen in (X > 0, np.array(True))),
    (lax.select_n, (np.abs(BITS) % 3, X, -X, 2 * X)),
    (lax.add, (LARGEST, np.array(1, np.int32))),  # it wraps around
]


def results() -> list[Any]:
    return [f(*map(jnp.asarray, operands)).astype(float) for f, operands in CALLS]


@pytest.mark.slow
def test_what_no_parameter_moves_is_what_jax_gives() -> None:
    """It is the slope by its weight."""
    with jax.enable_x64(True):
        expected = results()
    weights = [np.ones(of_jax.shape) for of_jax in expected]

    def loss(p: Any) -> Any:
        return sum(jnp.sum(weight * of_jax) for weight, of_jax in zip(p, results(), strict=True))

    found = exact_gradient(loss, weights, referee="series")
    for (function, _), got, of_jax in zip(CALLS, found, expected, strict=True):
        numbers = [float(number.midpoint) for number in np.reshape(got, -1)]
        np.testing.assert_array_equal(numbers, of_jax.reshape(-1), str(function))
