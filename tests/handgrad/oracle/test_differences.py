"""How far slopes by differences are off, in estimates of their error: where `SAFE` comes from."""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pytest

from handgrad.judging.by_differences import APPROXIMATE as MEANT
from handgrad.judging.by_differences import PLACES, SAFE
from handgrad.oracle.differences import KNOWN, Slope, roughness, slope, slopes
from tests.handgrad.oracle.difference_functions import APPROXIMATE, SMOOTH, Smooth

#: Functions of whose slopes rounding or noise leaves less than three digits somewhere.
NOISE = {"a constant", "a minimum", "beside 1e10", "1e-12 beside 1", "noise 1e-4", "7 digits",
         "a sum in float32", "a result in float32", "very fast", "tanh"}  # fmt: skip


class Measured(NamedTuple):
    """A slope, and what is right."""

    name: str
    x: float
    found: Slope
    error: float
    coarse: float  #: with the roughness at places nearby, as the judge has it

    @property
    def fine(self) -> float:
        """The estimate of what is computed; half an ulp at least, as the judge has it."""
        return max(self.found.fine, abs(self.found.value) * 2.0**-53)


def numbers(name: str, function: Smooth) -> list[float]:
    """Return the numbers to take a function at: its own, and one around each."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [*function.at, *(float(x * rng.uniform(0.8, 1.2)) for x in function.at)]


def measured(name: str, function: Smooth, at: Sequence[float]) -> Iterator[Measured]:
    """Measure a function at some numbers."""
    for x in at:
        rng = np.random.default_rng(zlib.crc32(repr(x).encode()))
        found, rough = slope(function.f, x, abs(x)), 0.0
        for factor in rng.uniform(0.5, 1.5, PLACES):
            rough = max(rough, roughness(function.f, x * factor, abs(x * factor)))
        coarse = max(found.coarse, max(rough, found.roughness) * found.nearby)
        yield Measured(name, x, found, abs(found.value - function.slope(x)), coarse)


@pytest.mark.slow
def test_the_error_of_what_is_computed_is_some_estimates() -> None:
    """`SAFE` is about three times the largest."""
    of_smooth = [m for name, f in SMOOTH.items() for m in measured(name, f, numbers(name, f))]
    ratios = {(m.name, m.x): m.error / m.fine for m in of_smooth if m.fine}
    assert len(SMOOTH) >= 40
    assert max(ratios.values()) <= SAFE / 2, max(ratios, key=lambda at: ratios[at])
    assert np.quantile(list(ratios.values()), 0.95) < 3
    # Most are known, but where noise, or 1e10 beside 1, leaves nothing of them.
    left = {m.name for m in of_smooth if not SAFE * m.fine <= KNOWN * abs(m.found.value)}
    assert left <= NOISE
    digits = [-math.log10(m.fine / abs(m.found.value)) for m in of_smooth if m.found.value]
    assert np.median(digits) > 11


@pytest.mark.slow
def test_what_is_meant_is_not_called_wrong() -> None:
    """However a solver's tolerance is set, and most of it lies within the `coarse` estimate."""
    found = [m for name, f in APPROXIMATE.items() for m in measured(name, f, f.at)]
    for m in found:
        assert m.error <= max(SAFE * m.coarse, MEANT * m.found.nearby), m
    within = [m.error <= SAFE * max(m.coarse, m.fine) for m in found]
    assert np.mean(within) > 0.8


#: Functions, where, what slopes are right there, how many estimates `fine` the slope may be off
#: (0: it is right to nine digits), and between what that estimate lies.
CASES: dict[str, tuple[Callable[[float], float], float, float, float, float, float]] = {
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


@pytest.mark.parametrize("name", CASES)
def test_a_slope_and_its_estimate(name: str) -> None:
    f, x, right, off, least, most = CASES[name]
    found = slope(f, x, abs(x) or 1.0)
    assert least <= found.fine <= most
    assert found.fine <= found.coarse
    assert math.isnan(right) or abs(found.value - right) <= max(off * found.fine, 1e-9 * abs(right))


#: Functions, their second derivatives, and whether all of their digits are known.
CURVED = {
    "exp": (math.exp, math.exp, True),
    "log": (math.log, lambda x: -1 / x**2, True),
    "fast": (lambda x: math.sin(100 * x), lambda x: -1e4 * math.sin(100 * x), True),
    "a kink nearby": (lambda x: abs(x - 1.0123) + x * x, lambda _: 2.0, True),
    "beside 1e10": (lambda x: 1e10 + x * x, lambda _: 2.0, False),
    "7 digits": (SMOOTH["7 digits"].f, math.exp, False),
    "a bend": (lambda x: max(x - 1, 0.0) ** 2, lambda x: 2.0 * (x > 1) + (x == 1), False),
}


@pytest.mark.parametrize("name", CURVED)
def test_second_derivatives_are_within_some_estimates(name: str) -> None:
    f, second, known = CURVED[name]
    for x in (1.0, 0.37, 2.9):
        both = slopes(lambda at: np.array([f(at), math.sin(at)]), 2, x, x, order=2)
        for found, right in zip(both, (second(x), -math.sin(x)), strict=True):
            assert abs(found.value - right) <= SAFE / 3 * max(found.fine, 1e-15 * abs(found.value))
        assert both[0].fine <= 1e-9 * max(abs(both[0].value), both[0].nearby) or not known
