"""How far slopes by differences are off, in estimates of their error: where `SAFE` comes from.

Of functions of one number that only floats can run: of libraries, with noise, few digits, float32
inside, kinks, bad scales.
"""

import math
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

from handgrad.judging.by_differences import SAFE
from handgrad.oracle.differences import KNOWN, Slope, slopes

F = Callable[[float], float]


def noisy(f: F, size: float) -> F:
    """Return a function with noise that is another at each number, the same in each call."""
    return lambda x: f(x) + size * (zlib.crc32(struct.pack("<d", x)) / 2**31 - 1)


def written(f: F, digits: int) -> F:
    """Return a function as another program prints it."""
    return lambda x: float(f"{f(x):.{digits}e}")


def slope(f: F, x: float, size: float) -> Slope:
    """Return the slope of a function with a single result."""
    return Slope(*np.ravel(slopes(lambda t: np.array([f(t)]), 1, x, size)))


Z = np.random.default_rng(0).standard_normal(500)

#: Functions, their slopes, and the numbers to take them at if not at `AT`.
AT = (1.0, 0.37, 1.713, 2.9)
SMOOTH: dict[str, tuple[Any, ...]] = {
    "exp": (math.exp, math.exp, 1.0, 1e-3, -5.0, 30.0, 1e-9),
    "sin": (math.sin, math.cos, 1.0, 1e-6, 3.0, 100.0),
    "cube": (lambda x: x**3, lambda x: 3 * x * x, 1.0, 1e-8, 1e9, -2.0),
    "log": (math.log, lambda x: 1 / x, 1.0, 0.3, 1e-5, 1e6),
    "power": (lambda x: x**x, lambda x: x**x * (math.log(x) + 1)),
    "tanh": (lambda x: math.tanh(5 * x), lambda x: 5 / math.cosh(5 * x) ** 2),
    "a steep step": (lambda x: math.atan(50 * (x - 1)), lambda x: 50 / (1 + 2500 * (x - 1) ** 2)),
    "linear": (lambda x: 3 * x, lambda _: 3.0),
    "a constant": (lambda _: 2.7, lambda _: 0.0),
    "beside 1e10": (lambda x: 1e10 + x, lambda _: 1.0),
    "1e-12 beside 1": (lambda x: 1 + 1e-12 * x, lambda _: 1e-12),
    "a minimum": (lambda x: 1e6 + (x - 1) ** 2, lambda x: 2 * (x - 1), 1.0, 1.001, 1.5),
    "a small scale": (lambda x: (1e6 * x) ** 2, lambda x: 2e12 * x, 1e-6, 3.3e-7, 2e-5),
    "fast": (lambda x: math.sin(100 * x), lambda x: 100 * math.cos(100 * x)),
    "very fast": (lambda x: math.sin(1e4 * x), lambda x: 1e4 * math.cos(1e4 * x)),
    "gammaln": (sp.gammaln, sp.digamma),
    "spence": (sp.spence, lambda x: math.log(x) / (1 - x), 0.37, 2.9),
    "noise 1e-12": (noisy(math.exp, 1e-12), math.exp),
    "noise 1e-8": (noisy(math.exp, 1e-8), math.exp),
    "noise 1e-4": (noisy(math.sin, 1e-4), math.cos),
    "7 digits": (written(math.exp, 6), math.exp),
    "13 digits": (written(math.exp, 12), math.exp),
    "float32": (
        lambda x: np.exp(np.sin(np.float32(x))), lambda x: math.cos(x) * math.exp(math.sin(x))
    ),
    "a kink nearby": (
        lambda x: abs(x - 1.0123) + x * x, lambda x: 2 * x + math.copysign(1, x - 1.0123)
    ),
    "a jump nearby": (lambda x: math.floor(3 * x) + math.sin(x), math.cos, 0.37, 1.713),
    "a sample": (lambda x: np.mean(np.exp(x * Z)), lambda x: np.mean(Z * np.exp(x * Z))),
}  # fmt: skip

#: Functions of whose slopes rounding or noise leaves less than three digits somewhere.
NOISE = {"a constant", "a minimum", "beside 1e10", "1e-12 beside 1", "noise 1e-4", "7 digits",
         "very fast", "tanh"}  # fmt: skip


@pytest.mark.slow
def test_the_error_of_what_is_computed_is_some_estimates() -> None:
    """`SAFE` is about three times the largest, which is half an ulp at least."""
    ratios, digits, left = {}, [], set()
    for name, (f, right, *at) in SMOOTH.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        for x in [*(at or AT), *(float(x * rng.uniform(0.8, 1.2)) for x in at or AT)]:
            found = slope(lambda t, f=f: float(f(t)), x, abs(x))
            fine = max(found.fine, abs(found.value) * 2.0**-53)
            if fine:
                ratios[name, x] = abs(found.value - float(right(x))) / fine
            if found.value:
                digits.append(-math.log10(fine / abs(found.value)))
            if not SAFE * fine <= KNOWN * abs(found.value):
                left.add(name)
    assert max(ratios.values()) <= SAFE / 2, max(ratios, key=lambda at: ratios[at])
    assert np.quantile(list(ratios.values()), 0.95) < 3
    # Most are known, but where noise, or 1e10 beside 1, leaves nothing of them.
    assert left <= NOISE
    assert np.median(digits) > 11


#: Functions, where, what slopes are right there, how many estimates `fine` the slope may be off
#: (0: it is right to nine digits), and between what that estimate lies.
CASES: dict[str, tuple[F, float, float, float, float, float]] = {
    # By symmetry the central differences at a kink are 0 at all steps.
    "a kink": (abs, 0.0, 0.0, 1e-15, 1.99, 2.01),
    # It looks like a slow sine at steps of 1, 1/2, 1/4.
    "what repeats itself": (lambda x: math.sin(100 * x), 2.9, 100 * math.cos(290), 0, 0, 1e-6),
    # At small steps they are constants.
    "few digits": (lambda x: round(math.exp(x), 3), 1.0, math.e, SAFE, 1e-9, 3),
    "0 for a while": (lambda x: max(x - 1, 0.0) ** 2, 0.999, 0.0, SAFE, 1e-300, 1),
    "0 for long": (lambda x: max(x - 1, 0.0) ** 2, 0.5, 0.0, SAFE, 0, 0),
    # Short steps that do not move a function are no better than long ones that do.
    "1e-12 beside 1": (lambda x: 1 + 1e-12 * x, 0.33172142334353605, 1e-12, SAFE, 0, 1e-13),
    "the end of a domain": (lambda x: math.log1p(-x), 0.9999, -1e4, SAFE, 0, 1e-2),
    "beyond the end": (lambda x: math.log1p(-x), 2.0, math.nan, SAFE, math.inf, math.inf),
}

#: Functions, their second derivatives, and whether all of their digits are known.
CURVED: dict[str, tuple[F, F, bool]] = {
    "exp": (math.exp, math.exp, True),
    "log": (math.log, lambda x: -1 / x**2, True),
    "fast": (lambda x: math.sin(100 * x), lambda x: -1e4 * math.sin(100 * x), True),
    "a kink nearby": (lambda x: abs(x - 1.0123) + x * x, lambda _: 2.0, True),
    "beside 1e10": (lambda x: 1e10 + x * x, lambda _: 2.0, False),
    "7 digits": (written(math.exp, 6), math.exp, False),
    "a bend": (lambda x: max(x - 1, 0.0) ** 2, lambda x: 2.0 * (x > 1) + (x == 1), False),
}


def test_slopes_and_second_derivatives_are_within_some_estimates() -> None:
    for name, (f, x, right, off, least, most) in CASES.items():
        found = slope(f, x, abs(x) or 1.0)
        assert least <= found.fine <= most, name
        assert found.fine <= found.coarse, name
        allowed = max(off * found.fine, 1e-9 * abs(right))
        assert math.isnan(right) or abs(found.value - right) <= allowed, name
    for name, (f, second, known) in CURVED.items():
        for x in (1.0, 0.37, 2.9):
            found = slopes(lambda at, f=f: np.array([f(at), math.sin(at)]), 2, x, x, order=2)
            fine = np.fmax(found.fine, 1e-15 * np.abs(found.value))
            off = np.abs(found.value - [second(x), -math.sin(x)])
            assert (off <= SAFE / 3 * fine).all(), name
            size = max(abs(found.value[0]), found.nearby[0])
            assert found.fine[0] <= 1e-9 * size or not known
