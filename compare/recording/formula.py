"""Write a recorded number as a formula, in symbols or with numbers.

Named numbers are written by their names, everything else is written out. Constants without effect,
from a mean over one example or a matrix of zeros and ones, are left out: factors 1 and terms 0.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from compare.recording.number import LARGEST, Number, is_constant

#: The precedence of operations; OPEN is that of what is delimited anyway, in which all may stand.
OPEN, SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(6)


class Pattern(NamedTuple):
    """How an operation is written: with its operands, its precedence, and those that they need."""

    text: str
    binds: int
    needs: tuple[int, ...]


class Style(NamedTuple):
    """How formulas are written."""

    patterns: dict[str, Pattern]  #: by operation
    function: Callable[[str, str], str]  #: (name, arguments)
    exponent: Callable[[str], str]
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


def _latex_function(name: str, arguments: str) -> str:
    known = {"σ": r"\sigma", "σ′": r"\sigma'", "exp": r"\exp", "log": r"\log", "tanh": r"\tanh"}
    known |= {"max": r"\max", "min": r"\min"}
    word, _, index = name.partition("[")
    sign = known.get(word, rf"\mathrm{{{word}}}")
    return f"{sign}{f'_{{{index[:-1]}}}' if index else ''}({arguments})"


TEXT = Style(
    {
        "+": Pattern("{} + {}", SUM, (SUM, PRODUCT)),
        "-": Pattern("{} - {}", SUM, (SUM, PRODUCT)),
        "*": Pattern("{} · {}", PRODUCT, (PRODUCT, NEGATIVE)),
        "/": Pattern("{} / {}", PRODUCT, (PRODUCT, NEGATIVE)),
        "neg": Pattern("-{}", NEGATIVE, (POWER,)),
        "**": Pattern("{}{}", POWER, (ATOM, OPEN)),
        "abs": Pattern("|{}|", ATOM, (OPEN,)),
        # 1 where it holds, else 0.
        ">": Pattern("[{} > {}]", ATOM, (OPEN, OPEN)),
        "≥": Pattern("[{} ≥ {}]", ATOM, (OPEN, OPEN)),
    },
    lambda name, arguments: f"{name}({arguments})",
    lambda digits: digits.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    plain,
)

LATEX = Style(
    TEXT.patterns
    | {
        "*": Pattern(r"{} \cdot {}", PRODUCT, (PRODUCT, NEGATIVE)),
        "/": Pattern(r"\frac{{{}}}{{{}}}", ATOM, (OPEN, OPEN)),
        "**": Pattern("{}^{{{}}}", POWER, (ATOM, OPEN)),
        "abs": Pattern(r"\lvert {} \rvert", ATOM, (OPEN,)),
        "≥": Pattern(r"[{} \ge {}]", ATOM, (OPEN, OPEN)),
    },
    _latex_function,
    str,
    _latex_number,
)


class Formula(NamedTuple):
    """What is written of a number: its name, or its operation and what is written of its operands.

    A constant or an input may have neither.
    """

    number: Number
    name: Any = None
    parts: "tuple[Formula, ...]" = ()

    def leaves(self) -> list[Any]:
        """Return the names in it, each once, from left to right."""
        if self.name is not None:
            return [self.name]
        return list(dict.fromkeys(name for part in self.parts for name in part.leaves()))

    def factors(self) -> list[Any]:
        """Split a product into the names of its factors; None for one that has no name."""
        if self.parts and self.number.operation == "*" and not self.number.called:
            return [name for part in self.parts for name in part.factors()]
        return [self.name]

    def written(self, style: Style, text: Callable[[Any], str]) -> str:
        """Write it in a style, `TEXT` or `LATEX`, names as `text` says."""
        return self._written(style, text)[0]

    def _written(self, style: Style, text: Callable[[Any], str]) -> tuple[str, int]:
        """Write it, and return its precedence, too; bracketed as the lines compute it."""
        number = self.number
        if not self.parts:
            said = style.number(number.value) if self.name is None else text(self.name)
            return said, NEGATIVE if said.startswith("-") else ATOM
        parts = [part._written(style, text) for part in self.parts]
        sign = number.called[0] if number.called else number.operation
        if number.called or sign not in style.patterns:
            return style.function(sign, ", ".join(said for said, _ in parts)), ATOM
        pattern, binds, needs = style.patterns[sign]
        operands = []
        for (said, has), need in zip(parts, needs, strict=True):
            # No two signs meet: a - (-b).
            bare = has >= need and not (operands and need and said.startswith("-"))
            operands.append(said if bare else f"({said})")
        if sign == "**":
            operands[1] = style.exponent(operands[1])
        return pattern.format(*operands), binds


def formula(number: Number, name: Callable[[Number], Any]) -> Formula:
    """Return the formula of a number, down to those that `name` has a name for, and not None."""
    if (found := name(number)) is not None:
        return Formula(number, found)
    if kept := _kept(number):
        return formula(kept, name)
    operands = number.called[1] if number.called else number.operands
    return Formula(number, None, tuple(formula(of, name) for of in operands))


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
