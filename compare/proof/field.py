"""Exact formulas: a field of rational functions, in which equal formulas are equal elements.

An element is a quotient of two polynomials with rational coefficients, in lowest terms (SymPy's).
The variables are the parameters, inputs and targets, and one more for every exponential and
logarithm that occurs:

- For e^z a variable s = σ(z), and e^z is s / (1 - s). Every real z has its own s between 0 and 1;
  s' = s (1 - s) z'. A multiple of a known z, or a sum of two, needs no new variable.
- For log a a variable l with l' = a' / a. Factors s and 1 - s of a are taken out first:
  log s is z + log(1 - s).

So the field is closed under differentiation (a differential field), and `derivative` is the sum
over all variables of the partial derivative by the variable times the variable's own derivative:
no derivative of a network is written down here.

Why equal elements are equal functions: substitute real numbers for parameters, inputs and targets,
then σ(z) for s and log a for l. Sums and products of elements become those of the numbers, and so
do quotients, as long as no divisor is 0. So equal elements have the same value wherever the lines
can be run at all. Divisors are checked: `sign` recognises those positive for all real numbers
(with e/(1 + e) for each s, e > 0, all coefficients of the polynomial are positive); any other is
kept in `unproved`, and then nothing counts as proved. Elements that differ may still be the same
function, if variables depend on one another in a way unknown here: then nothing is proved, and
nothing is refuted either.
"""

from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from sympy import QQ, Symbol
from sympy.polys.fields import field

from compare.proof.cases import Question, joined
from compare.proof.number import NO_NUMBER
from compare.proof.polynomials import Polynomial, divided, fraction, sign_between_0_and_1, used

#: SymPy has no type to annotate with.
Element = Any


class FullError(Exception):
    """More exponentials and logarithms than the field has variables for."""


class Extension(NamedTuple):
    """A variable added for an exponential or a logarithm."""

    variable: Element
    kind: str  #: `sigmoid` or `log`
    argument: Element


class Field:
    """The field of formulas of one proof; see the module.

    Args:
        names: the parameters, inputs and targets.
        room: the most exponentials and logarithms.
    """

    def __init__(self, names: Iterable[str], room: int):
        names = list(names)
        symbols = [Symbol(name) for name in (*names, *(f"s{at}" for at in range(room)))]
        self.elements: Any
        self.elements, *variables = field(symbols, QQ)
        self.named: dict[str, Element] = dict(zip(names, variables, strict=False))
        self.extensions: list[Extension] = []
        self.unproved: list[Element] = []  #: elements that must not be 0 but may be
        self._free = deque(variables[len(names) :])
        self._sigmoids: dict[Any, tuple[Any, Extension]] = {}  #: with a factor, by the direction
        self._exps: dict[Element, Element] = {}
        self._logs: dict[Element, Element] = {}
        self._signs: dict[Polynomial, int | None] = {}
        self._sides: dict[Question, bool] = {}  #: the answer that includes the border
        self._slopes: dict[str, dict[Element, Element]] = {}

    def exact(self, value: Fraction) -> Element:
        """Return a constant as an element."""
        return self.elements.new(self.constant(value))

    def constant(self, value: Fraction) -> Polynomial:
        """Return a constant as a polynomial."""
        return self.elements.ring.ground_new(QQ(value.numerator, value.denominator))

    def add(self, a: Element, b: Element) -> Element:
        """Add; polynomials without SymPy's search for common factors, which takes longer."""
        return a.raw_new(a.numer + b.numer) if _are_polynomials(a, b) else a + b

    def multiply(self, a: Element, b: Element) -> Element:
        """Multiply; polynomials as `add` does."""
        return a.raw_new(a.numer * b.numer) if _are_polynomials(a, b) else a * b

    def divide(self, a: Element, b: Element) -> Element:
        """Divide; `NO_NUMBER` if the divisor is the constant 0."""
        if b == 0:
            return NO_NUMBER
        if self.sign(b) is None and b not in self.unproved:
            self.unproved.append(b)
        return a / b

    def exp(self, z: Element) -> Element:
        """Return e^z, from known variables or as s / (1 - s) with a new s."""
        if z not in self._exps:
            self._exps[z] = self._exp(z)
        return self._exps[z]

    def _exp(self, z: Element) -> Element:
        known = self._known_exp(z)
        if known is not None:
            return known
        for _, (s, _, other) in self._sigmoids.values():
            e = s / (1 - s)
            if (known := self._known_exp(z - other)) is not None:
                return known * e
            if (known := self._known_exp(z + other)) is not None:
                return known / e
        factor, direction = _direction(z)
        s = self._new("sigmoid", z if factor > 0 else -z)
        self._sigmoids[direction] = abs(factor), self.extensions[-1]
        return s / (1 - s) if factor > 0 else (1 - s) / s

    def log(self, a: Element) -> Element:
        """Return the logarithm, as a sum over the known factors of a."""
        if self.sign(a) != 1:
            self.unproved.append(a)
        (above, powers), (below, others) = (self.without_sigmoids(p) for p in (a.numer, a.denom))
        total = self._log(self.elements.new(above, below))
        for at in {*powers, *others}:
            s, _, z = self.extensions[at]
            of_s, of_rest = (
                ours - theirs
                for ours, theirs in zip(powers.get(at, (0, 0)), others.get(at, (0, 0)), strict=True)
            )
            total += of_s * z + (of_s + of_rest) * self._log(1 - s)
        return total

    def choose(self, a: Element, positive: Any, negative: Any, zero: Any) -> Any:
        """Choose one of three values by the sign of a; if the sign varies, return the cases.

        The cases have no branch for a = 0: its value has to equal one of the other two, always on
        the same side of each question; otherwise a is kept in `unproved`.
        """
        sign = self.sign(a)
        if sign is not None:
            return (zero, positive, negative)[sign]
        if positive == negative == zero:
            return zero
        question, flipped = self._question(a)
        if not self._has_side(a, question, (positive, negative, zero), flipped):
            self.unproved.append(a)
        if flipped:
            positive, negative = negative, positive
        return joined(question, positive, negative)

    def _question(self, a: Element) -> tuple[Question, bool]:
        """Return the question whether a is positive or, if the flag is set, negative."""
        if self.sign_of(a.denom) is None:
            a = a * a.denom * a.denom
        below = self.sign_of(a.denom) == -1
        polynomial, _ = self.without_sigmoids(a.numer)
        lead, constant = polynomial.LC, polynomial.const()
        polynomial = (polynomial - constant).quo_ground(lead)
        question = Question(polynomial, -fraction(constant) / fraction(lead))
        return question, below != (lead < 0)

    def _has_side(
        self, a: Element, question: Question, outcomes: tuple[Any, Any, Any], flipped: bool
    ) -> bool:
        """Whether a = 0 belongs to one side, the same one as before for this question."""
        positive, negative, zero = outcomes
        if zero not in (positive, negative):
            return False
        if not (positive - negative).numer.rem(a.numer):
            return True  # as for |a|: where a is 0, both sides are the same number
        side = (zero == positive) != flipped
        return self._sides.setdefault(question, side) == side

    def sign(self, a: Element) -> int | None:
        """Return 1, -1 or 0 if a provably has that sign for all real numbers, else None."""
        above, below = self.sign_of(a.numer), self.sign_of(a.denom)
        return None if above is None or below is None else above * below

    def sign_of(self, polynomial: Polynomial) -> int | None:
        """Return the sign of a polynomial, as `sign` does."""
        if polynomial not in self._signs:
            self._signs[polynomial] = self._sign_of(polynomial)
        return self._signs[polynomial]

    def derivative(self, a: Element, name: str) -> Element:
        """Differentiate by a parameter, an input or a target."""
        slopes = self._slopes.setdefault(name, {self.named[name]: self.elements.one})
        for variable, kind, z in self.extensions[len(slopes) - 1 :]:
            dz = self._total(z, slopes)
            slopes[variable] = variable * (1 - variable) * dz if kind == "sigmoid" else dz / z
        return self._total(a, slopes)

    def _total(self, a: Element, slopes: dict[Element, Element]) -> Element:
        """Sum, over all variables, the partial derivative times the variable's derivative."""
        total = self.elements.zero
        for variable, slope in slopes.items():
            if slope != 0 and _occurs(variable, a):
                total = self.add(total, self.multiply(_partial(a, variable), slope))
        return total

    def _new(self, kind: str, argument: Element) -> Element:
        if not self._free:
            raise FullError
        variable = self._free.popleft()
        self.extensions.append(Extension(variable, kind, argument))
        return variable

    def _known_exp(self, z: Element) -> Element | None:
        if z == 0:
            return self.elements.one
        factor, direction = _direction(z)
        if direction not in self._sigmoids:
            return None
        known, (s, _, _) = self._sigmoids[direction]
        times = factor / known
        return (s / (1 - s)) ** int(times) if times.denominator == 1 else None

    def _log(self, a: Element) -> Element:
        if a == 1:
            return self.elements.zero
        if a not in self._logs:
            self._logs[a] = self._new("log", a)
        return self._logs[a]

    def without_sigmoids(self, polynomial: Polynomial) -> tuple[Polynomial, dict[int, Any]]:
        """Divide out the factors s and 1 - s; return the rest and the multiplicities."""
        powers = {}
        for at, (variable, kind, _) in enumerate(self.extensions):
            if kind == "sigmoid" and (s := variable.numer).ring.index(s) in used(polynomial):
                polynomial, of_s = divided(polynomial, s)
                polynomial, of_rest = divided(polynomial, 1 - s)
                if of_s or of_rest:
                    powers[at] = of_s, of_rest
        return polynomial, powers

    def _sign_of(self, polynomial: Polynomial) -> int | None:
        sigmoids = [of.variable.numer for of in self.extensions if of.kind == "sigmoid"]
        if not used(polynomial) <= {polynomial.ring.index(s) for s in sigmoids}:
            return None
        return sign_between_0_and_1(polynomial, sigmoids)


def _occurs(variable: Element, a: Element) -> bool:
    at = a.field.ring.index(variable.numer)
    return any(powers[at] for part in (a.numer, a.denom) for powers in part)


def _partial(a: Element, variable: Element) -> Element:
    """Differentiate by a variable, all others held."""
    return a.raw_new(a.numer.diff(variable.numer)) if _are_polynomials(a) else a.diff(variable)


def _are_polynomials(*elements: Element) -> bool:
    return all(element.denom.is_one for element in elements)


def _direction(z: Element) -> tuple[Any, tuple[Polynomial, Polynomial]]:
    """Split z into a rational number and a quotient of two monic polynomials."""
    return z.numer.LC / z.denom.LC, (z.numer.monic(), z.denom.monic())
