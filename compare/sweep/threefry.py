"""A counter-based random number generator: the bits depend on key and counter alone.

Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw, Parallel random numbers: as easy as
1, 2, 3, SC 2011), the generator of `jax.random`, whose bits the tests compare with these. XLA on a
CPU runs JAX's implementation as a loop over the rounds, storing arrays in between; unrolled here, a
sweep draws twice as fast.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return two words of random bits.

    Args:
        key, counter: two words each, uint32, arrays whose shapes broadcast.

    Returns:
        Two uint32 arrays of the common shape.
    """
    keys = (*key, key[0] ^ key[1] ^ _PARITY)
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for bits in _ROTATIONS[group % 2]:
            a = a + b
            b = _rotated(b, bits) ^ a
        a = a + keys[(group + 1) % 3]
        b = b + keys[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def _rotated(word: Any, bits: int) -> Any:
    return jnp.left_shift(word, np.uint32(bits)) | jnp.right_shift(word, np.uint32(32 - bits))
