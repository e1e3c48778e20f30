"""Write a recorded number as a formula, in symbols or with numbers.

Named numbers are written by their names, everything else is written out. Constants without effect,
from a mean over one example or a matrix of zeros and ones, are left out: factors 1 and terms 0.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from compare.recording.number import LARGEST, Number, is_constant


class Style(NamedTuple):
    """How formulas are written."""

    operators: dict[str, str]  #: by operation
    function: Callable[[str, str], str]  #: (name, arguments)
    fraction: Callable[[str, str], str] | None  #: (numerator, denominator); None: on one line
    power: Callable[[str, str], str]
    absolute: Callable[[str], str]
    condition: Callable[[str], str]  #: 1 where it holds, else 0
    number: Callable[[float], str]


def plain(value: float, digits: int = 6) -> str:
    """Format a number to some digits; in all digits, if it would otherwise look exact."""
    text = f"{value + 0.0:.{digits}g}"  # + 0.0, so that there is no -0
    # One zero at the end is chance one time in ten, four of them one time in ten thousand.
    looks_round = len(re.sub(r"e.*|\D", "", text).lstrip("0")) <= digits - 4
    return f"{value:.15g}" if looks_round and float(text) != value else text


def _latex_number(value: float) -> str:
    mantissa, e, exponent = plain(value).partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else mantissa


def _raised(exponent: str) -> str:
    return exponent.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _latex_function(name: str, arguments: str) -> str:
    known = {"σ": r"\sigma", "σ′": r"\sigma'", "exp": r"\exp", "log": r"\log", "tanh": r"\tanh"}
    known |= {"max": r"\max", "min": r"\min"}
    word, _, index = name.partition("[")
    sign = known.get(word, rf"\mathrm{{{word}}}")
    return f"{sign}{f'_{{{index[:-1]}}}' if index else ''}({arguments})"


TEXT = Style(
    {"+": " + ", "-": " - ", "*": " · ", "/": " / ", ">": " > ", "≥": " ≥ ", "neg": "-"},
    lambda name, arguments: f"{name}({arguments})",
    None,
    lambda base, exponent: f"{base}{_raised(exponent)}",
    lambda inside: f"|{inside}|",
    lambda inside: f"[{inside}]",
    plain,
)

LATEX = Style(
    {"+": " + ", "-": " - ", "*": r" \cdot ", "/": " / ", ">": " > ", "≥": r" \ge ", "neg": "-"},
    _latex_function,
    lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    lambda base, exponent: f"{base}^{{{exponent}}}",
    lambda inside: rf"\lvert {inside} \rvert",
    lambda inside: f"[{inside}]",
    _latex_number,
)

#: The precedence of operations.
SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(1, 6)

_BINDS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


class Written(NamedTuple):
    """Part of a formula, and its precedence."""

    text: str
    binds: int


def written(number: Number, style: Style, atom: Callable[[Number], str | None]) -> str:
    """Write the formula of one number.

    Args:
        number: the number; it is written out even if it has a name.
        style: `TEXT` or `LATEX`.
        atom: returns the text for a number, or None to write it out.
    """
    return _Writer(style, atom, number).written(number).text


def leaves(number: Number, has_name: Callable[[Number], bool]) -> list[Number]:
    """Return the named numbers of a formula, each once, from left to right."""
    found: dict[Number, None] = {}

    def walk(number: Number, top: bool) -> None:
        if not top and has_name(number):
            found[number] = None
        elif kept := _kept(number):
            walk(kept, False) if has_name(kept) else walk(kept, top)
        else:
            for operand in _operands(number):
                walk(operand, False)

    walk(number, True)
    return list(found)


def factors(number: Number, has_name: Callable[[Number], bool]) -> list[Number]:
    """Split a product into its factors, down to those that have names."""

    def split(number: Number, top: bool) -> Iterable[Number]:
        if not top and has_name(number):
            yield number
        elif kept := _kept(number):
            yield from split(kept, top)
        elif number.operation == "*" and number.called is None:
            for operand in number.operands:
                yield from split(operand, False)
        else:
            yield number

    return list(split(number, True))


def _operands(number: Number) -> tuple[Number, ...]:
    return number.called[1] if number.called else number.operands


def _kept(number: Number) -> Number | None:
    """Return the operand that equals the number, if the other one has no effect."""
    if number.called or len(number.operands) != 2:
        return None
    left, right = number.operands
    if number.operation == LARGEST:
        return right if right.value > left.value else left
    if number.operation in ("+", "-") and _is_nothing(right):
        return left
    if number.operation == "+" and _is_nothing(left):
        return right
    if number.operation in ("*", "/") and is_constant(right, 1):
        return left
    if number.operation == "*" and is_constant(left, 1):
        return right
    return None


def _is_nothing(number: Number) -> bool:
    """Whether a term is 0 because a factor is the constant 0."""
    if is_constant(number, 0):
        return True
    return number.operation == "*" and any(is_constant(of, 0) for of in number.operands)


class _Writer:
    def __init__(self, style: Style, atom: Callable[[Number], str | None], top: Number):
        self.style, self.atom, self.top = style, atom, top

    def written(self, number: Number) -> Written:
        if number is not self.top and (name := self.atom(number)) is not None:
            return Written(name, NEGATIVE if name.startswith("-") else ATOM)
        if number.called:
            sign, arguments = number.called
            inside = ", ".join(self.written(argument).text for argument in arguments)
            return Written(self.style.function(sign, inside), ATOM)
        if kept := _kept(number):
            return self.written(kept)
        if not number.operands:
            text = self.style.number(number.value)
            return Written(text, NEGATIVE if text.startswith("-") else ATOM)
        return self._operation(number)

    def _operation(self, number: Number) -> Written:
        style, operation = self.style, number.operation
        parts = [self.written(operand) for operand in number.operands]
        if operation == "/" and style.fraction:
            return Written(style.fraction(*(part.text for part in parts)), ATOM)
        if operation in _BINDS:
            return self._binary(operation, *parts)
        if operation == "neg":
            return Written(style.operators["neg"] + _within(parts[0], POWER), NEGATIVE)
        if operation == "**":
            return Written(style.power(_within(parts[0], ATOM), parts[1].text), POWER)
        if operation == "abs":
            return Written(style.absolute(parts[0].text), ATOM)
        if operation in style.operators:
            return Written(
                style.condition(style.operators[operation].join(p.text for p in parts)), ATOM
            )
        return Written(style.function(operation, ", ".join(part.text for part in parts)), ATOM)

    def _binary(self, operation: str, left: Written, right: Written) -> Written:
        """Write an operator with its operands, bracketed as the lines compute them."""
        binds = _BINDS[operation]
        bare = right.binds > binds and not right.text.startswith("-")
        first = _within(left, binds)
        second = right.text if bare else f"({right.text})"
        return Written(f"{first}{self.style.operators[operation]}{second}", binds)


def _within(part: Written, binds: int) -> str:
    return part.text if part.binds >= binds else f"({part.text})"
