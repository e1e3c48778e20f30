"""Balls are sure of what they say, and say nothing where they are not."""

from fractions import Fraction

import pytest
from flint import arb, fmpq

from compare.proof.balls import Balls, Evaluator, UnsureError
from compare.proof.cases import Fork, Question
from tests.compare.proof.proving import symbols


def test_a_number_that_binary_digits_cannot_hold_is_within_the_ball() -> None:
    assert Balls().exact(Fraction(1, 3)).contains(fmpq(1, 3))


def test_a_sign_is_known_or_not() -> None:
    signs = [Balls().choose(of, "positive", "negative", "zero") for of in (arb(2), arb(-2), arb(0))]
    assert signs == ["positive", "negative", "zero"]
    for middle in (0, 1, -1):
        with pytest.raises(UnsureError):
            Balls().choose(arb(middle, 2), "positive", "negative", "zero")


def test_on_a_border_no_case_holds() -> None:
    field, _ = symbols("x")
    tree = Fork(Question(field.named["x"].numer, Fraction(2)), "above", "below")
    for x, leaf in ((3, "above"), (1, "below")):
        assert Evaluator(field, {"x": Fraction(x)}).leaf(tree) == leaf
    with pytest.raises(UnsureError):
        Evaluator(field, {"x": Fraction(2)}).leaf(tree)
