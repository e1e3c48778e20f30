"""What the options of all command lines share: numbers, defaults, `--json`, `--version`, `--help`.

A whole number may be written 1000, 1_000 or 1e3, any other as Python writes it.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from handgrad import __version__

if TYPE_CHECKING:
    from click.types import OptionHelpExtra

#: Settings of every command.
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


#: The most characters of a wrong number that the error message repeats.
LONGEST = 60


class Number(click.ParamType):
    """A finite number within limits; the error message states them.

    Args:
        expected: what is expected, for the error message.
        convert: parses the text; raises `ValueError` or `ArithmeticError` if it cannot.
        at_least: the smallest number that is allowed.
        at_most: the largest one.
        above: a number that is too small.
        name: what `--help` calls it, in capital letters.

    """

    def __init__(
        self,
        expected: str,
        convert: Callable[[str], Any] = float,
        at_least: float = -math.inf,
        at_most: float = math.inf,
        above: float = -math.inf,
        name: str = "number",
    ):
        self.expected, self.parse, self.name = expected, convert, name
        self.at_least, self.at_most, self.above = at_least, at_most, above

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Parse the number."""
        text = str(value)
        try:
            float(text)  # refuses _1 and 1__0, which Decimal reads
            number = self.parse(text)
            inside = self.at_least <= number <= self.at_most and number > self.above
            inside = inside and text.isascii() and text == text.strip()
        except (ValueError, ArithmeticError):
            inside, number = False, math.nan
        if not inside or not math.isfinite(number):
            short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
            self.fail(f"{short!r}; expected {self.expected}.", param, ctx)
        # Not earlier: 1e999999999 is a short text, and an integer of a billion digits.
        return int(number) if isinstance(number, Decimal) else number


def whole(low: int, high: int) -> Number:
    """Return the type of a whole number within limits."""
    expected = f"a whole number from {_written(low)} to {_written(high)}"
    return Number(expected, whole_number, at_least=low, at_most=high)


def whole_number(text: str) -> Decimal:
    """Parse a whole number: 1000, 1_000 or 1e3.

    Raises:
        ValueError: the number is not whole.
        ArithmeticError: the text is no number.
    """
    number = Decimal(text)
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(text)
    return number


def _written(limit: int) -> str:
    """Format a limit: a large power of ten as 1e9."""
    power = len(str(limit)) - 1
    return f"1e{power}" if power >= 6 and limit == 10**power else str(limit)


#: A time in seconds, which takes some.
DURATION = Number("a number of seconds above 0", above=0, name="seconds")


class _Option(click.Option):
    """An option whose help shows its default, or in words what it depends on."""

    def get_help_extra(self, ctx: click.Context) -> "OptionHelpExtra":
        extra = super().get_help_extra(ctx)
        if isinstance(self.show_default, str):
            extra["default"] = self.show_default  # click sets words in parentheses
        return extra


def option(*names: str, otherwise: str | None = None, **settings: Any) -> Callable:
    """Define an option whose help shows its default.

    Args:
        *names: as for `click.option`.
        otherwise: the default in words, where it depends on something.
        **settings: as for `click.option`.

    """
    return click.option(*names, cls=_Option, show_default=otherwise or True, **settings)


JSON = option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")


def seed_option(draws: str, **settings: Any) -> Callable:
    """--seed; its help says what it draws."""
    return option("--seed", help=f"Draws {draws}.", **settings)


def version_option(room: str = "") -> Callable:
    """--version, of the package and, if it is not the package itself, of which of its rooms."""
    line = f"{room}, handgrad {__version__}" if room else f"handgrad {__version__}"
    return click.version_option(__version__, message=line, help="Show the version and exit.")
