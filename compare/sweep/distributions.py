"""The distributions of weights and inputs.

Numbers are made from random bits by exact operations, except for one multiplication, so every
program on every device draws the same numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Floats(NamedTuple):
    """A floating-point format and the layout of its bits."""

    dtype: Any
    bits: Any  #: the unsigned integer type of its size
    mantissa: int  #: stored bits of the mantissa
    bias: int  #: the exponent's bias

    @property
    def u(self) -> float:
        """The largest relative error of one correctly rounded operation."""
        return 2.0 ** -(self.mantissa + 1)

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)


FLOATS = {
    "float64": Floats(np.float64, np.uint64, 52, 1023),
    "float32": Floats(np.float32, np.uint32, 23, 127),
}

#: Limits on the size of drawn numbers, by format: products of several must stay far from overflow.
LIMITS = {"float64": (1e-30, 1e30), "float32": (1e-4, 1e4)}


@dataclass(frozen=True)
class Uniform:
    """The uniform distribution between -size and size."""

    size: float

    @property
    def largest(self) -> float:
        """No number drawn is larger in size."""
        return self.size

    @property
    def ends(self) -> tuple[float, float]:
        """What must lie within the limits."""
        return self.size, self.size

    def of(self, bits: Any, floats: Floats) -> Any:
        """Numbers from random bits of the format's size, any shape."""
        return (2 * _from_one_to_two(bits, floats) - 3) * floats.dtype(self.size)

    def __str__(self) -> str:
        return f"uniform:{self.size:g}"


@dataclass(frozen=True)
class Spread:
    """Both signs and all magnitudes: every power of two from low to high is equally likely.

    The ends are rounded to powers of two.
    """

    low: float
    high: float

    @property
    def exponents(self) -> tuple[int, int]:
        """The exponents at the ends; the first is included, the last is not."""
        low = round(math.log2(self.low))
        return low, max(round(math.log2(self.high)), low + 1)

    @property
    def largest(self) -> float:
        """No number drawn is larger in size."""
        return 2.0 ** self.exponents[1]

    @property
    def ends(self) -> tuple[float, float]:
        """What must lie within the limits."""
        return self.low, self.high

    def of(self, bits: Any, floats: Floats) -> Any:
        """Numbers from random bits of the format's size, any shape."""
        low, high = self.exponents
        size = floats.bits
        # From the top: a sign, then bits for the exponent, then the mantissa.
        choice = (8 * floats.bits(0).itemsize) - floats.mantissa - 1
        drawn = jnp.right_shift(bits, size(floats.mantissa)) & size(2**choice - 1)
        exponent = jnp.right_shift(drawn * size(high - low), size(choice))
        exponent = exponent + size(floats.bias + low)
        sign = bits & size(1 << (floats.mantissa + choice))
        mantissa = bits & size(2**floats.mantissa - 1)
        laid_out = sign | jnp.left_shift(exponent, size(floats.mantissa)) | mantissa
        return jax.lax.bitcast_convert_type(laid_out, floats.dtype)

    def __str__(self) -> str:
        return f"spread:{self.low:g}:{self.high:g}"


Distribution = Uniform | Spread


def unit(bits: Any, floats: Floats) -> Any:
    """Draw from [0, 1)."""
    return _from_one_to_two(bits, floats) - 1


def _from_one_to_two(bits: Any, floats: Floats) -> Any:
    size = floats.bits
    mantissa = jnp.right_shift(bits, size(8 * size(0).itemsize - floats.mantissa))
    laid_out = mantissa | size(floats.bias << floats.mantissa)
    return jax.lax.bitcast_convert_type(laid_out, floats.dtype)


_KINDS: dict[str, Callable[..., Distribution]] = {"uniform": Uniform, "spread": Spread}


def distribution(text: str) -> Distribution:
    """Parse `uniform:5` or `spread:1e-3:1e3`.

    Raises:
        ValueError: the text is neither, or its sizes are not positive, finite and in order.
    """
    kind, *sizes = text.split(":")
    wanted = {"uniform": 1, "spread": 2}
    try:
        numbers = [float(size) for size in sizes]
    except ValueError:
        numbers = []
    if wanted.get(kind) != len(numbers) or not all(0 < n < math.inf for n in numbers):
        raise ValueError("expected uniform:SIZE or spread:LOW:HIGH with positive numbers")
    if sorted(set(numbers)) != numbers:
        raise ValueError("expected LOW below HIGH")
    return _KINDS[kind](*numbers)
