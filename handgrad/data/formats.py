"""Floating-point formats: their spacing, range and digits, also of those that NumPy does not know.

`np.finfo` knows neither bfloat16 nor the formats of eight bits, which ml_dtypes adds to NumPy;
`np.issubdtype` does not take them for floats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

#: The formats of eight bits that have a sign and a zero.
FLOAT8 = (
    "float8_e5m2",
    "float8_e4m3fn",
    "float8_e4m3",
    "float8_e3m4",
    "float8_e4m3b11fnuz",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
)

#: The short formats: their numbers are what is meant, and no data of more digits.
HALF = ("bfloat16", "float16", *FLOAT8)

#: The formats whose gradients are judged.
JUDGED = ("float64", "float32", *HALF)

#: Formats that numbers are computed in without being stored in them: the leading bits of float32
#: that tensor cores multiply.
INSIDE = {"tf32": 10}


@dataclass(frozen=True)
class Format:
    """What rounding depends on in a floating-point format."""

    name: str
    bits: int  #: of the fraction
    normal: float  #: the smallest normal number
    subnormal: float  #: the smallest number > 0
    largest: float

    @property
    def eps(self) -> float:
        """The spacing of numbers at 1."""
        return 2.0**-self.bits

    @property
    def unit(self) -> float:
        """The unit roundoff, half the spacing at 1."""
        return self.eps / 2

    @property
    def half(self) -> bool:
        """Whether the format is a short one."""
        return self.name in HALF

    @property
    def flushed(self) -> float:
        """By how much a result is off near 0.

        XLA takes what is below the smallest normal number for 0. That of float16 and of eight bits
        is no small number, and there processors round to subnormal numbers.
        """
        gradual = self.half and self.name != "bfloat16"
        return self.subnormal / 2 if gradual else self.normal

    @property
    def least(self) -> float:
        """The size below which numbers have lost digits, or are all lost."""
        return self.normal if self.name != "bfloat16" and not self.half else 2 * self.flushed

    @property
    def digits(self) -> int:
        """The significant decimal digits that tell any two numbers apart."""
        return int(np.ceil(1 + (self.bits + 1) * np.log10(2)))

    @property
    def shown(self) -> int:
        """The significant decimal digits of a number in a sentence."""
        return round(1 + (self.bits + 1) * np.log10(2))

    def spacing(self, values: Any) -> np.ndarray:
        """Return an ulp of each number, in float64; NaN of what is not finite."""
        sizes = np.abs(np.asarray(values, dtype=np.float64))
        _, exponents = np.frexp(np.fmax(sizes, self.normal))
        return np.where(np.isfinite(sizes), np.ldexp(1.0, exponents - 1 - self.bits), np.nan)

    def rounded(self, values: Any) -> np.ndarray:
        """Return each number rounded to the format, in float64; infinite beyond its range."""
        values = np.asarray(values, dtype=np.float64)
        ulp = self.spacing(values)
        with np.errstate(invalid="ignore"):
            near = np.rint(values / ulp) * ulp
        return np.where(np.abs(near) > self.largest, np.copysign(np.inf, values), near)


@cache
def named(name: str) -> Format:
    """Return the format of that name."""
    if name in INSIDE:
        info, bits = np.finfo(np.float32), INSIDE[name]
    else:
        info: Any = np.finfo(name) if name not in HALF else ml_dtypes.finfo(name)
        bits = int(info.nmant)
    return Format(
        name,
        bits,
        float(info.smallest_normal),
        float(info.smallest_subnormal),
        float(info.max),
    )


@cache
def of(dtype: Any) -> Format:
    """Return the format of a dtype; cached, as below, since NumPy takes long to name one."""
    return named(np.dtype(dtype).name)


@cache
def is_half(dtype: Any) -> bool:
    """Tell whether a dtype is one of the short formats."""
    return getattr(dtype, "name", None) in HALF


@cache
def is_floating(dtype: Any) -> bool:
    """Tell whether numbers of a dtype are real floats."""
    return is_half(dtype) or np.issubdtype(dtype, np.floating)


def spacing(values: np.ndarray) -> np.ndarray:
    """Return an ulp of each float of an array, in float64; as `np.spacing`, of any format."""
    if is_half(values.dtype):
        return of(values.dtype).spacing(values)
    return np.spacing(values).astype(np.float64)


def native(dtype: Any) -> Any:
    """Return a dtype in the byte order of this machine."""
    # Those of ml_dtypes have no other, and would become bytes without a meaning.
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def of_elements(leaves: Sequence[np.ndarray], name: str) -> np.ndarray:
    """Return an attribute of the format of each element of some arrays, in one vector."""
    numbers = [float(getattr(of(leaf.dtype), name)) for leaf in leaves]
    return np.repeat(numbers, [leaf.size for leaf in leaves])
