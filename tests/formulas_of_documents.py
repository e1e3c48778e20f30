"""Reads the formulas of a document: what they say, and in what order symbols come up."""

import re
from collections.abc import Iterator
from typing import NamedTuple

#: A formula on a line of its own, or one within the text.
FORMULA = re.compile(r"^```math\n(?P<block>.*?)^```$|\$`(?P<inline>.+?)`\$", re.M | re.S)

#: What introduces symbols, up to the end of its paragraph.
INTRODUCTION = re.compile(r"\*\*new here:\*\*.*?(?:\n\n|\Z)", re.I | re.S)

#: The first column of a table of what the article prints.
PRINTED = re.compile(r"^\| printed \| right \|\n.*?\n\n", re.M | re.S)

#: Words of the language of formulas that stand for no quantity.
WORDS = {
    *("frac", "cdot", "quad", "qquad", "begin", "end", "aligned", "approx", "left"),
    *("right", "big", "times", "lVert", "rVert", "ldots", "text", "max", "log"),
}

_SYMBOL = re.compile(r"\\([a-zA-Z]+)|([a-zA-Z])(?:_(?:\{([^}]*)\}|(\w)))?")


class Equation(NamedTuple):
    """An equation, without the white space that changes nothing."""

    left: str
    right: str


def equations(document: str) -> list[Equation]:
    """The equations on lines of their own, from top to bottom."""
    found = []
    for formula in FORMULA.finditer(document):
        for line in (formula["block"] or "").split("\n"):
            plain = re.sub(r"\\begin\{aligned\}|\\end\{aligned\}|\\\\|\\quad|&|\(\d\) ", "", line)
            left, equals, right = plain.partition("=")
            if equals:
                found.append(Equation(squeezed(left), squeezed(right)))
    return found


def squeezed(formula: str) -> str:
    """Without white space."""
    return re.sub(r"\s+", "", formula)


def symbols(formula: str) -> set[str]:
    """The quantities in a formula: z_1, σ, y_pred."""
    formula = re.sub(r"\\(?:begin|end)\{\w+\}|^\(\d\)|\(\d\) \\quad", "", formula, flags=re.M)
    formula = formula.replace(r"y_{\text{pred}}", "P ").replace(r"y_{\text{pred},i}", "Q ")
    formula = re.sub(r"\\text\{.*?\}", "", formula)
    found = set()
    for word, letter, longer, short in _SYMBOL.findall(formula):
        if letter:
            index = longer or short
            found.add(f"{letter}_{index}" if index else letter)
        elif word not in WORDS:
            found.add(word)
    return found


def without_what_is_printed(document: str) -> str:
    """The tables of printed beside right, without the column that is wrong on purpose."""

    def right(table: re.Match[str]) -> str:
        rows = table[0].strip().split("\n")
        return "\n".join(row.split(" | ", 1)[-1] for row in rows) + "\n\n"

    return PRINTED.sub(right, document)


def not_introduced(document: str) -> Iterator[tuple[str, str]]:
    """Each symbol that is used before it is introduced, with its formula."""
    text = without_what_is_printed(document)
    known: set[str] = set()
    introductions = [match.span() for match in INTRODUCTION.finditer(text)]
    for formula in FORMULA.finditer(text):
        used = symbols(formula["block"] or formula["inline"])
        if any(start <= formula.start() < end for start, end in introductions):
            known |= used
        yield from ((symbol, formula[0]) for symbol in sorted(used - known))


def tables(document: str, heading: str) -> Iterator[tuple[str, ...]]:
    """The rows of every table whose first cell is `heading`."""
    for table in re.findall(
        rf"^\| {re.escape(heading)} \|.*\n\|[-: |]+\n((?:\|.*\n)+)", document, re.M
    ):
        for row in table.strip().split("\n"):
            yield tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
