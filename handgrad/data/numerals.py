"""Numbers as a report prints them: with enough digits to show where two differ, and no more."""

import math
from collections.abc import Sequence
from decimal import Context, Decimal, InvalidOperation
from shutil import get_terminal_size

from handgrad.data.formats import JUDGED, named

#: The usual size of a terminal, less the line of the prompt.
WIDTH, HEIGHT = 80, 24 - 1

#: Reports are laid out for terminals of so many columns.
NARROWEST, WIDEST = 50, 200


DIGITS_OF_FLOAT64 = named("float64").digits

#: How many digits more the exact value is shown with.
BEYOND = 3

#: Decimal exponents of the numbers that are written in full: 0.00001 to 999999.
PLAIN_EXPONENTS = range(-5, 6)

#: Numbers within this many decades of the exact value are written in its format, to line up.
ALIKE = 3


def terminal_width() -> int:
    """Return how wide a report may be: the terminal's width, or what COLUMNS says; within limits.

    Where there is no terminal it is 80.
    """
    return clamped(get_terminal_size((WIDTH, HEIGHT)).columns)


def clamped(width: int) -> int:
    """Return the width, or the nearest for which reports are laid out."""
    return min(max(width, NARROWEST), WIDEST)


def short(value: float, digits: int = 6) -> str:
    """Write a number with a few significant digits: `0.184956`, `1.59177e-13`, `nan`."""
    return _without_plus(f"{value:.{digits}g}")


def ulps(value: float) -> str:
    """Write a distance in ulps: `0.3`, `12`, `1.4e12`; a dash for NaN."""
    if math.isnan(value):
        return "-"
    if value == 0 or not math.isfinite(value) or value >= 1000:
        return short(value, 2)
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def plural(count: int, noun: str) -> str:
    """Write a count: `1 point`, `2 points`, `1,000 points`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def decimal(text: str | float) -> Decimal:
    """Convert a text or a float to a decimal number exactly; NaN if the text is no number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("nan")


def beside(exact: Decimal, others: list[float], dtype: str) -> list[str]:
    """Write the exact value and other floats with their decimal points in one column.

    Args:
        exact: as many digits of the reference as are known; NaN if none is.
        others: the floats to compare with it.
        dtype: the dtype of the floats, which sets how many digits are written.

    Returns:
        The exact value's text, then the others', padded on the left.
    """
    digits = named(dtype).digits if dtype in JUDGED else DIGITS_OF_FLOAT64
    like = exact.adjusted() if exact.is_finite() and exact else None
    texts = ["not known" if exact.is_nan() else _written(exact, digits + BEYOND, like)]
    texts += [_written(decimal(other), digits, like) for other in others]
    before = [len(text.split("e")[0].split(".")[0]) for text in texts]
    return [" " * (max(before) - width) + text for text, width in zip(texts, before, strict=True)]


def right_digits(exact: Decimal, other: float) -> int | None:
    """Return about how many significant digits of a float are right; None if undefined."""
    value = decimal(other)
    if not (exact.is_finite() and value.is_finite()) or not exact:
        return None
    error = abs(value / exact - 1)
    return round(-error.log10()) if error else DIGITS_OF_FLOAT64


def same_start(exact: str, other: str) -> int:
    """Return the length of the common prefix; digits that are rounded away count as equal."""
    pairs = zip(exact, other, strict=False)
    first = next((place for place, (a, b) in enumerate(pairs) if a != b), len(other))
    return min(first, len(other))


def _written(value: Decimal, digits: int, like: int | None) -> str:
    if not value.is_finite():
        return str(float(value))
    if not value:
        return "0"
    value = Context(prec=digits).plus(value).normalize()
    near = like is not None and abs(value.adjusted() - like) <= ALIKE
    exponent = like if near and like is not None else value.adjusted()
    return _without_plus(format(value, "f" if exponent in PLAIN_EXPONENTS else "e"))


def _without_plus(text: str) -> str:
    """Shorten exponents: `1.4e12` for Python's `1.4e+12`, `1e-9` for `1e-09`."""
    mantissa, letter, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if letter else text


def place(index: tuple[int, ...] | None) -> str:
    """Write an index: `[0, 1]`; nothing for a single number."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def listed(names: Sequence[str]) -> str:
    """List names, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
