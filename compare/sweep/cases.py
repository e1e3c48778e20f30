"""Cases by their numbers: a case's parameters, inputs and targets depend on nothing else.

The j-th number of case i comes from `threefry` with the key (seed, j) and the counter i.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from compare.sweep.distributions import unit
from compare.sweep.settings import Settings
from compare.sweep.threefry import threefry

#: Cases of a block stand in rows; a sweep goes through blocks, on every device.
ROWS, LANES = 16, 256
BLOCK = ROWS * LANES


def of_block(block: Any, total: Any) -> tuple[Any, Any]:
    """The numbers of the cases of a block, and which of them are cases of the sweep.

    Args:
        block: which, a whole number.
        total: how many cases the sweep has.

    Returns:
        int64 and bool, of shape (ROWS, LANES). Beyond the end stands the last case once more.
    """
    within = np.arange(BLOCK, dtype=np.int64).reshape(ROWS, LANES)
    cases = jnp.asarray(block, jnp.int64) * BLOCK + within
    return jnp.minimum(cases, total - 1), cases < total


def drawn(settings: Settings, cases: Any, seed: Any) -> list[Any]:
    """The numbers of cases.

    Args:
        settings: what they are drawn from.
        cases: their numbers, int64, any shape.
        seed: a whole number of 32 bits.

    Returns:
        `settings.numbers` arrays of the shape of `cases`: parameters, then inputs example by
        example, then what targets are made of.
    """
    counter = _word(cases), _word(cases >> 32)
    words: dict[int, tuple[Any, Any]] = {}

    def bits(j: int) -> Any:
        if settings.floats.bits is np.uint64:
            high, low = threefry((_word(seed), np.uint32(j)), counter)
            return jnp.left_shift(high.astype(np.uint64), np.uint64(32)) | low.astype(np.uint64)
        if j // 2 not in words:
            words[j // 2] = threefry((_word(seed), np.uint32(j // 2)), counter)
        return words[j // 2][j % 2]

    inputs = settings.parameters + settings.examples * settings.sizes[0]
    numbers = []
    for j in range(settings.numbers):
        if j < settings.parameters:
            numbers.append(settings.weights.of(bits(j), settings.floats))
        elif j < inputs:
            numbers.append(settings.inputs.of(bits(j), settings.floats))
        else:
            numbers.append(unit(bits(j), settings.floats))
    return numbers


def _word(value: Any) -> Any:
    return jnp.asarray(value).astype(jnp.uint32)
