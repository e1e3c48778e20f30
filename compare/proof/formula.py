"""Write elements of the field as formulas, with names where they exist.

A variable that stands for σ(z) is written by the name of its step, h1, or by its argument,
σ(z0[1]). Every formula is a product of its factors; signs and numbers come first.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from compare.proof.cases import Bound, Condition, Fork, Question, leaves
from compare.proof.field import Element, Extension
from compare.proof.number import NO_NUMBER
from compare.proof.polynomials import Polynomial, fraction
from compare.proof.prove import Proof
from compare.recording.formula import LATEX, TEXT, Style
from compare.symbols import Symbol

#: At most so many cases are written out.
MOST_CASES = 8


#: Formulas with more terms are too long to read and are not written out.
MOST_TERMS = 200


class Writer:
    """Writes elements of a proof's field as text or LaTeX.

    Args:
        proof: the proof.
        style: `TEXT` or `LATEX`.
    """

    def __init__(self, proof: Proof, style: Style = TEXT):
        self.field, self.style = proof.field, style
        self._shown = "latex" if style is LATEX else "text"
        symbols = (*proof.subject.parameters.values(), *proof.subject.given.values())
        self._names = [getattr(symbol, self._shown) for symbol in symbols]
        self._first = len(self._names)  # the first variable added for an exponential or logarithm
        self._steps = dict(_steps(proof.run.steps.items()))
        for extension in self.field.extensions:
            self._names.append(self._name(extension))

    def tree(self, tree: Any) -> str:
        """Write a formula, or all its cases."""
        if not isinstance(tree, Fork):
            return self.element(tree)
        cases = list(leaves(tree))
        written = [
            (self.element(leaf), self.case(condition)) for condition, leaf in cases[:MOST_CASES]
        ]
        more = len(cases) > MOST_CASES
        if self.style is LATEX:
            rows = [rf"{formula} & \text{{if }} {case}" for formula, case in written]
            rows += [rf"\vdots & \text{{({len(cases)} cases)}}"] * more
            return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
        return "; ".join(f"{formula} if {case}" for formula, case in written) + "; …" * more

    def case(self, condition: Condition) -> str:
        """Write the condition of a case: bounds on numbers."""
        parts = []
        for of, (low, high) in condition.items():
            about = self._about(of)
            if math.isinf(low):
                parts.append(f"{about} < {self._number(high)}")
            elif math.isinf(high):
                parts.append(f"{about} > {self._number(low)}")
            else:
                parts.append(f"{self._number(low)} < {about} < {self._number(high)}")
        return ", ".join(parts)

    def kinks(self, questions: Iterable[Question]) -> list[str]:
        """Write the equations of the borders of questions, each once."""
        shown = (f"{self._about(of)} = {self._number(above)}" for of, above in questions)
        return list(dict.fromkeys(shown))

    def _about(self, of: Polynomial) -> str:
        return self._step(self.field.elements.new(of)) or self._sum(of)

    def element(self, element: Element) -> str:
        """Write one formula."""
        if element is NO_NUMBER:
            return r"\text{no number}" if self.style is LATEX else "no number"
        if (terms := len(element.numer) + len(element.denom)) > MOST_TERMS:
            return rf"\text{{({terms} terms)}}" if self.style is LATEX else f"({terms} terms)"
        number = fraction(element.numer.LC) / fraction(element.denom.LC)
        above = self._product(number, element.numer)
        if element.denom.is_ground:
            return above
        below = self._product(Fraction(1), element.denom)
        return self.style.fraction(above, below) if self.style.fraction else f"{above} / ({below})"

    def _product(self, number: Fraction, polynomial: Polynomial) -> str:
        """Write a number times a monic polynomial."""
        if not polynomial:
            return self._number(Fraction(0))
        rest, powers = self.field.without_sigmoids(polynomial.monic())
        common = [min(each) for each in zip(*rest.itermonoms(), strict=True)]
        rest = rest.quo(rest.ring({tuple(common): 1}))
        number, rest = number * fraction(rest.LC), rest.monic()
        factors = self._powers(common)
        for at, (of_s, of_rest) in powers.items():
            name = self._names[self._first + at]
            factors += self._power(name, of_s) + self._power(f"(1 - {name})", of_rest)
        if len(rest) > 1:
            factors.append(f"({self._sum(rest)})" if factors or number != 1 else self._sum(rest))
        return "-" * (number < 0) + self._times(abs(number), factors)

    def _times(self, number: Fraction, factors: list[str]) -> str:
        shown = factors if number == 1 and factors else [self._number(number), *factors]
        return self.style.operators["*"].join(shown)

    def _sum(self, polynomial: Polynomial) -> str:
        written = ""
        for powers, coefficient in polynomial.terms():
            number = fraction(coefficient)
            sign = (
                self.style.operators["-" if number < 0 else "+"] if written else "-" * (number < 0)
            )
            written += sign + self._times(abs(number), self._powers(powers))
        return written

    def _powers(self, powers: Iterable[int]) -> list[str]:
        return [
            factor
            for name, power in zip(self._names, powers, strict=False)
            for factor in self._power(name, power)
        ]

    def _power(self, base: str, power: int) -> list[str]:
        """Write a power, as a list of factors: empty if the power is 0."""
        if power < 2:
            return [base] * power
        # A base with a superscript needs braces.
        return [self.style.power(f"{{{base}}}" if "^" in base else base, str(power))]

    def _number(self, number: Bound) -> str:
        return self.style.number(float(number))

    def _name(self, extension: Extension) -> str:
        variable, kind, argument = extension
        if (step := self._step(variable)) is not None:
            return step
        if kind == "log":
            return self.style.function("log", self.element(argument))
        return self.style.function("σ", self._argument(argument))

    def _step(self, element: Element) -> str | None:
        symbol = self._steps.get(element)
        return None if symbol is None else getattr(symbol, self._shown)

    def _argument(self, z: Element) -> str:
        """Write an argument by name if it is a step, twice a step or a difference of two."""
        if (step := self._step(z) or self._step(-z)) is not None:
            return step if self._step(z) else f"-{step}"
        for factor in (2, -2):
            if (step := self._step(z / factor)) is not None:
                return f"{factor}{self.style.operators['*']}{step}"
        for other in self._steps:
            if (step := self._step(z + other)) is not None:
                return f"{step}{self.style.operators['-']}{self._step(other)}"
        return self.element(z)


def _steps(steps: Iterable[tuple[Symbol, Any]]) -> Iterator[tuple[Element, Symbol]]:
    """Yield the elements of each step in all cases; of equal steps, the first."""
    for symbol, number in reversed(list(steps)):
        for _, leaf in leaves(number.tree):
            yield leaf, symbol
