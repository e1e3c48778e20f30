"""Draw cases from their numbers: a case depends on the seed and its number alone.

The j-th number of case i is `threefry` with the key (seed, j) and the counter i.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from compare.sweep.distributions import unit
from compare.sweep.settings import Settings
from compare.sweep.threefry import threefry

#: The shape of a block of cases; a sweep runs block by block on every device.
ROWS, LANES = 16, 256
BLOCK = ROWS * LANES


def of_block(block: Any, total: Any) -> tuple[Any, Any]:
    """Return the case numbers of a block, and which of them belong to the sweep.

    Args:
        block: the block's number.
        total: the number of cases of the sweep.

    Returns:
        int64 and bool, of shape (ROWS, LANES). Beyond the end the last case is repeated.
    """
    within = np.arange(BLOCK, dtype=np.int64).reshape(ROWS, LANES)
    cases = jnp.asarray(block, jnp.int64) * BLOCK + within
    return jnp.minimum(cases, total - 1), cases < total


def drawn(settings: Settings, cases: Any, seed: Any) -> list[Any]:
    """Draw cases.

    Args:
        settings: the distributions.
        cases: the case numbers, int64, any shape.
        seed: a whole number of 32 bits.

    Returns:
        `settings.numbers` arrays of the shape of `cases`: parameters, then inputs example by
        example, then the random numbers of the targets.
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
