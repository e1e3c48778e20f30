"""Convert balls to enclosures in decimal digits."""

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.data.findings import Enclosure
from handgrad.data.numerals import DIGITS_OF_FLOAT64, decimal

#: The most decimal digits of an exact value.
DIGITS = 40


#: The largest decimal exponent, up or down: beyond it Python's decimals cannot compute, so only the
#: side of all float64 numbers is given. e^-x² gets there with an x of 2000.
EXPONENT = 999_999


def enclosure(ball: arb, bits: int, certified: bool = True) -> Enclosure:
    """Write a ball with as many decimal digits as are certain; beyond `EXPONENT` as 0 and a bound.

    That of an estimate ends with the first digit that is not; what is cut off is in the radius.

    Args:
        ball: the number.
        bits: the precision of its computation.
        certified: whether its bounds are proved.
    """
    if ball.contains(0):
        return Enclosure("0", float(ball.abs_upper()), certified)
    digits = int(np.clip(min(bits, ball.rel_accuracy_bits()) * np.log10(2), 1, DIGITS))
    if not certified:
        digits = int(
            np.clip(_exponent(ball.mid()) - _exponent(ball.rad()) + 1, 2, DIGITS_OF_FLOAT64)
        )
    with balls.precision(max(bits, 192)):
        text = _plain(ball.mid().str(digits, radius=False))
    exponent = int(text.partition("e")[2] or 0)
    if abs(exponent) > EXPONENT:
        return Enclosure("0", float(np.nextafter(0, 1)) if exponent < 0 else np.inf, certified)
    if certified:
        return Enclosure(text, float(ball.rad()))
    text = f"{decimal(text):f}" if 0 <= exponent < DIGITS_OF_FLOAT64 else text
    with balls.precision(max(bits, 192)):
        return Enclosure(text, _at_least((ball - arb(text)).abs_upper()), False)


def _exponent(number: arb) -> int:
    """Return the decimal exponent of a number; that of 0 is as small as those of floats."""
    return decimal(number.str(3, radius=False)).adjusted() if number else -400


def _at_least(number: arb) -> float:
    """Return a float that is not below a number."""
    nearest = float(number)
    return nearest if arb(nearest) >= number else float(np.nextafter(nearest, np.inf))


def _plain(text: str) -> str:
    """Strip trailing zeros of a number that has fewer digits."""
    head, e, exponent = text.partition("e")
    return (head.rstrip("0").rstrip(".") if "." in head else head) + e + exponent
