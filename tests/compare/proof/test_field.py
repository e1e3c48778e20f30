"""The field of formulas: what it knows of exponentials, logarithms, derivatives and signs."""

from fractions import Fraction
from typing import Any

import pytest
import sympy
from flint import arb, ctx

from compare.proof.balls import Evaluator
from compare.proof.field import Element, Field, FullError
from compare.proof.number import NO_NUMBER
from tests.compare.proof.proving import objects, symbols

X, Y = sympy.symbols("x y")


def fresh(room: int = 6) -> tuple[Field, Element, Element]:
    field = Field(["x", "y"], room)
    return field, field.named["x"], field.named["y"]


#: Functions of x and y, in a namespace that has exp and log: the field, or SymPy.
EXPRESSIONS = {
    "rational": lambda on, x, y: (x * x - 3 * y) / (1 + x * x * y),
    "exponential": lambda on, x, y: on.exp(2 * x) * y + on.exp(-x),
    "nested": lambda on, x, y: on.exp(x * on.exp(x * y)) / (1 + on.exp(y)),
    "logarithm": lambda on, x, y: on.log(1 + on.exp(x * y)) * y + on.log(2 + on.exp(x)),
    "sigmoid of sigmoid": lambda on, x, y: 1 / (1 + on.exp(-y / (1 + on.exp(-x)))),
}


@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("of", EXPRESSIONS)
def test_derivatives_are_those_of_sympy(of: str, name: str) -> None:
    """The values of both, in 30 digits, at a rational point."""
    field, x, y = fresh()
    element = EXPRESSIONS[of](field, x, y)
    slope = (
        EXPRESSIONS[of](sympy, X, Y)
        .diff(name)
        .subs({X: sympy.Rational(2, 3), Y: sympy.Rational(-1, 5)})
    )
    with ctx.workprec(200):
        evaluator = Evaluator(field, {"x": Fraction(2, 3), "y": Fraction(-1, 5)})
        ours = evaluator.value(field.derivative(element, name))
        assert abs(ours - arb(str(slope.evalf(50)))) < arb(10) ** -40


def test_equal_formulas_are_equal_elements() -> None:
    field, x, y = fresh()
    e = field.exp
    assert e(x) * e(-x) == 1
    assert e(3 * x) == e(x) ** 3
    assert e(-2 * x) == 1 / (e(x) * e(x))
    assert e(y) * e(x) == e(x + y)
    assert e(x) / e(y) == e(x - y)
    assert e(y) / e(x) == e(y - x)
    assert e(x - x) == 1
    assert len(field.extensions) == 2
    assert field.log(e(x)) == x
    assert field.log(1 + e(x)) == x + field.log(1 + e(-x))
    assert field.log((1 + e(x)) * e(y)) == field.log(1 + e(x)) + y


def test_a_logarithm_keeps_its_sign() -> None:
    field, x, _ = fresh()
    assert field.log(1 / (1 + field.exp(x))) == -field.log(1 + field.exp(x))
    assert field.derivative(field.log(2 + field.exp(x)), "x") == field.exp(x) / (2 + field.exp(x))
    assert not field.unproved


def test_what_is_positive_is_seen() -> None:
    field, x, y = fresh()
    one, other = field.exp(x), field.exp(y)
    for positive in (1 + one, one + other, 1 / (one + 3 * other), one * one - one + one):
        assert field.sign(positive) == 1
        assert field.sign(-positive) == -1
    assert field.sign(x - x) == 0
    for open_ in (x, one - other, one - 1, x * x + 1, one * one - one + 1):
        assert field.sign(open_) is None


def test_what_may_be_0_is_kept() -> None:
    field, x, y = fresh()
    field.divide(x, 1 + field.exp(y))
    assert field.unproved == []
    field.divide(x, y)
    field.divide(x, y)
    assert field.unproved == [y]
    assert field.divide(x, y - y) is NO_NUMBER
    field.log(x)
    assert field.unproved == [y, x]


def test_what_is_negative_has_no_logarithm() -> None:
    field, x, _ = fresh()
    negative = -1 - field.exp(x)
    field.log(negative)
    assert field.unproved == [negative]


def test_the_larger_of_a_number_and_0() -> None:
    """Of z e^z, whose denominator 1 - s SymPy writes as s - 1, and of z e^-z."""
    field, (z,) = symbols("z")
    for positive in (objects.exp(z), objects.exp(-z)):
        product = z * positive
        tree = objects.maximum(product, 0).number.tree
        above, below = (Evaluator(field, {"z": Fraction(at)}).leaf(tree) for at in (1, -1))
        assert (above, below) == (product.number.tree, 0)


def test_room_ends() -> None:
    field, x, y = fresh(room=1)
    field.exp(x)
    with pytest.raises(FullError):
        field.exp(y)


def test_floats_are_the_rational_numbers_that_they_are() -> None:
    field, (x,) = symbols("x")
    exact: Any = (0.1 * x).number.tree
    assert exact == field.exact(Fraction(0.1)) * field.named["x"]
    assert exact != field.exact(Fraction(1, 10)) * field.named["x"]
