"""How far slopes by differences are off, in estimates of their error: where `SAFE` comes from."""

import math
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pytest

from handgrad.judging.by_differences import APPROXIMATE as MEANT
from handgrad.judging.by_differences import PLACES, SAFE
from handgrad.oracle.differences import CALLS, KNOWN, Slope, roughness, slope, slopes
from tests.handgrad.oracle.difference_functions import APPROXIMATE, SMOOTH, Smooth, numbers

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


def measured(name: str, function: Smooth, at: Sequence[float]) -> Iterator[Measured]:
    """Measure a function at some numbers."""
    for x in at:
        rng = np.random.default_rng(zlib.crc32(repr(x).encode()))
        found, rough = slope(function.f, x, abs(x)), 0.0
        for factor in rng.uniform(0.5, 1.5, PLACES):
            rough = max(rough, roughness(function.f, x * factor, abs(x * factor)))
        coarse = max(found.coarse, max(rough, found.roughness) * found.nearby)
        yield Measured(name, x, found, abs(found.value - function.slope(x)), coarse)


@pytest.fixture(scope="module")
def of_smooth() -> list[Measured]:
    return [m for name, f in SMOOTH.items() for m in measured(name, f, numbers(name, f))]


@pytest.mark.slow
def test_the_error_of_what_is_computed_is_some_estimates(of_smooth: list[Measured]) -> None:
    """`SAFE` is about three times the largest."""
    ratios = {(m.name, m.x): m.error / m.fine for m in of_smooth if m.fine}
    assert len(SMOOTH) >= 40
    assert max(ratios.values()) <= SAFE / 2, max(ratios, key=lambda at: ratios[at])
    assert np.quantile(list(ratios.values()), 0.95) < 3


@pytest.mark.slow
def test_most_slopes_are_known(of_smooth: list[Measured]) -> None:
    """But where noise, or 1e10 beside 1, leaves nothing of them."""
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


@pytest.mark.parametrize("name", ["exp", "noise 1e-8", "7 digits", "fast", "a kink nearby", "kv"])
def test_a_few(name: str) -> None:
    function = SMOOTH[name]
    x = function.at[0]
    found = slope(function.f, x, abs(x))
    assert abs(found.value - function.slope(x)) <= SAFE / 3 * found.fine
    assert found.fine <= found.coarse <= KNOWN / SAFE * abs(found.value)


def test_a_kink_leaves_the_jump_open() -> None:
    """By symmetry the central differences are 0 at all steps."""
    found = slope(abs, 0.0, 1.0)
    assert abs(found.value) < 1e-15
    assert found.fine == pytest.approx(2)


def test_what_repeats_itself_in_the_steps_is_not_mistaken() -> None:
    """sin(100·h) looks like a slow sine at steps of 1, 1/2, 1/4."""
    found = slope(lambda x: math.sin(100 * x), 2.9, 2.9)
    assert found.value == pytest.approx(100 * math.cos(290), rel=1e-9)


def test_a_quantity_of_few_digits_is_not_mistaken_for_a_constant() -> None:
    """At small steps it is one, and so is what is 0 for a while."""
    found = slope(lambda x: round(math.exp(x), 3), 1.0, 1.0)
    assert abs(found.value - math.e) <= SAFE * found.fine
    for name, at in (("short", 0.999), ("long", 0.5)):
        found = slope(lambda x: max(x - 1, 0.0) ** 2, at, at)
        assert found.value == 0
        assert (found.fine == 0) == (name == "long")


def test_slopes_below_the_rounding_of_the_function() -> None:
    """Short steps that do not move it are no better than long ones that do."""
    assert slope(lambda x: 1 + 1e-12 * x, 0.33172142334353605, 0.33).fine < 1e-13
    still = slope(lambda x: math.tanh(5 * x), 5.3, 5.3)
    assert (still.value, still.fine) == (0, 0)
    assert still.coarse > 5 / math.cosh(26.5) ** 2


def test_results_share_the_calls_and_are_slopes_of_their_own() -> None:
    calls = []

    def both(x: float) -> np.ndarray:
        calls.append(x)
        return np.array([math.exp(x), math.sin(x)])

    found = slopes(both, 2, 1.0, 1.0)
    assert len(calls) <= CALLS + 2  # where SciPy rounds a step in another way
    for mine, f in zip(found, (math.exp, math.sin), strict=True):
        alone = slope(f, 1.0, 1.0)
        # SciPy's product of results and weights is rounded in another order where it has more rows:
        # each is off by no more than slopes are at all, see the first test. What is nearby is the
        # larger of two secants here, without a product.
        assert abs(mine.value - alone.value) <= SAFE / 2 * (mine.fine + alone.fine)
        assert mine.nearby == alone.nearby > abs(mine.value)
        assert max(mine.fine, alone.fine) <= 1e-12 * abs(mine.value)


#: Functions, and their second derivatives.
CURVED = {
    "exp": (math.exp, math.exp),
    "log": (math.log, lambda x: -1 / x**2),
    "tanh": (
        lambda x: math.tanh(5 * x),
        lambda x: -50 * math.tanh(5 * x) / math.cosh(5 * x) ** 2,
    ),
    "fast": (lambda x: math.sin(100 * x), lambda x: -1e4 * math.sin(100 * x)),
    "a kink nearby": (lambda x: abs(x - 1.0123) + x * x, lambda _: 2.0),
    "beside 1e10": (lambda x: 1e10 + x * x, lambda _: 2.0),
    "7 digits": (SMOOTH["7 digits"].f, math.exp),
    "noise 1e-8": (SMOOTH["noise 1e-8"].f, math.exp),
    "a bend": (lambda x: max(x - 1, 0.0) ** 2, lambda x: 2.0 * (x > 1) + (x == 1)),
}


@pytest.mark.parametrize("name", CURVED)
def test_second_derivatives_are_within_some_estimates(name: str) -> None:
    f, second = CURVED[name]
    for x in (1.0, 0.37, 2.9):
        (found,) = slopes(lambda at: np.array([f(at)]), 1, x, x, order=2)
        least = 1e-15 * abs(found.value)
        assert abs(found.value - second(x)) <= SAFE / 3 * max(found.fine, least), x
        known = name not in ("tanh", "beside 1e10", "7 digits", "noise 1e-8", "a bend")
        assert found.fine <= 1e-9 * max(abs(found.value), found.nearby) or not known


def test_the_domain_ends_nearby() -> None:
    def f(x: float) -> float:
        return math.log1p(-x)  # raises from 1 on

    found = slope(f, 0.9999, 0.9999)
    assert found.value == pytest.approx(-1e4, rel=1e-6)
    assert not math.isfinite(slope(f, 2.0, 2.0).fine)


def test_a_solver_shows_roughness_and_a_function_none() -> None:
    rough = APPROXIMATE["oscillator, 1e-6"]
    assert slope(rough.f, 0.37, 0.37).roughness > 1e-10
    assert roughness(math.exp, 1.0, 1.0) < 1e-13
