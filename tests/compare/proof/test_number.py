"""Numbers beside what is none: an infinity, a NaN, and what NumPy makes of 0 to the power of 0."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

import manual.article
from compare.proof.article import Article
from compare.proof.balls import Balls
from compare.proof.number import NO_NUMBER, InexactError, Number
from compare.proof.request import ProofRequest
from compare.proof.result import result
from tests.compare.proof.proving import objects, of_article, refuted, symbols

#: Of a number, the same number or another, through an infinity.
INFINITE: dict[str, Callable[[Any], Any]] = {
    "no more than": lambda w: objects.minimum(w, np.inf),
    "no less than": lambda w: objects.maximum(w, -np.inf),
    "divided": lambda w: w + 1 / (w * np.inf),
    "below": lambda w: w * (w < np.float32(np.inf)),
    "chosen": lambda w: objects.where(w > 0, w, np.inf),
}


@pytest.mark.parametrize("of", INFINITE)
def test_an_infinity_is_no_exact_number(of: str) -> None:
    _, (w,) = symbols("w")
    with pytest.raises(InexactError, match=r"^an infinity among exact numbers$"):
        INFINITE[of](w)


def test_right_lines_with_an_infinity_are_not_refuted() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        return right._replace(w1=objects.minimum(right.w1, np.inf))

    found = result(ProofRequest(), Article(lambda: gradient), lambda _: None)
    assert found.verdict == "undecided"
    assert str(found.reason).startswith("an infinity among exact numbers, so the lines are no ")


def test_a_nan_counts_where_it_is_taken() -> None:
    field, (w,) = symbols("w")
    assert objects.where(objects.exp(w) > 0, w, np.nan).number.tree == field.named["w"]
    assert objects.where(objects.exp(w) < 0, np.nan, w).number.tree == field.named["w"]
    assert objects.where(objects.exp(w) < 0, w, np.nan).number.tree is NO_NUMBER
    assert objects.where(w * np.nan, w, 2 * w).number.tree is NO_NUMBER
    some = objects.where(w > 0, w, np.nan).number.tree
    assert (some.yes, some.no) == (field.named["w"], NO_NUMBER)
    ball = Number(Balls(), arb(1))
    assert ball.where(2, np.nan).tree == 2
    assert ball.where(np.nan, 2).tree is NO_NUMBER


def test_a_gradient_with_a_nan_is_wrong_where_it_is_taken() -> None:
    def gradient(of: Callable[[Any], Any]) -> Callable[..., Any]:
        def with_nan(p: Any, x: Any, y: Any) -> Any:
            right = manual.article.gradient(p, x, y)
            return right._replace(b3=objects.where(of(p.b1) > 0, right.b3, np.nan))

        return with_nan

    assert of_article(gradient(objects.exp)).verdict == "proved"
    assert refuted(of_article(gradient(lambda b: b))) == {"b3"}


def test_anything_to_the_power_of_0_is_1() -> None:
    field, (w,) = symbols("w")
    for base in (w, w - w, w * np.nan):
        assert (base**0).number.tree == field.exact(Fraction(1))
    assert (Number(Balls(), arb(0)) ** 0).tree == 1
