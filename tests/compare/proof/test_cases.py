"""Case distinctions: kept, merged where both sides are the same, and never asked in vain."""

from fractions import Fraction

import numpy as np
import pytest

from compare.proof.cases import Fork, Question, at_the_border, combined, leaves, questions
from compare.proof.number import InexactError
from manual.activations import ACTIVATIONS, sigmoid
from tests.compare.proof.proving import objects, symbols


def ask(above: int, yes: object, no: object) -> Fork:
    return Fork(Question("u", Fraction(above)), yes, no)


def test_all_cases_are_gone_through() -> None:
    other = Fork(Question("v", Fraction(0)), 10, 20)
    seen = []
    tree = combined(lambda *given: seen.append(given) or sum(given), ask(0, 1, 2), other)
    assert sorted(seen) == [(1, 10), (1, 20), (2, 10), (2, 20)]
    assert sorted(leaf for _, leaf in leaves(tree)) == [11, 12, 21, 22]


def test_cases_that_exclude_one_another_are_not() -> None:
    """u > 1 and u < 0 at once."""
    seen = []
    combined(lambda *given: seen.append(given), ask(1, "over", "under"), ask(0, "up", "down"))
    assert sorted(seen) == [("over", "up"), ("under", "down"), ("under", "up")]


def test_what_is_the_same_on_both_sides_is_no_case() -> None:
    assert combined(lambda a: a * a, ask(0, 1, -1)) == 1
    tree = combined(lambda a: ask(1, 7, 7 if a else 8), ask(0, 0, 1))
    assert [leaf for _, leaf in leaves(tree)] == [7, 8, 7] or len(list(questions(tree))) == 2


def test_at_a_border_other_bounds_are_decided() -> None:
    tree = ask(0, ask(1, "high", "middle"), "low")
    assert at_the_border(lambda yes, no: (yes, no), tree, Question("u", Fraction(0))) == (
        "middle",
        "low",
    )
    assert at_the_border(lambda yes, no: (yes, no), tree, Question("u", Fraction(1))) == (
        "high",
        "middle",
    )


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "identity"])
def test_smooth_activations_have_one_formula(name: str) -> None:
    _, (z, da) = symbols("z", "da")
    a, cache = ACTIVATIONS[name].forward(z)
    for number in (a, ACTIVATIONS[name].backward(da, cache)):
        assert not isinstance(number.number.tree, Fork)


@pytest.mark.parametrize("name", ["relu", "leaky-relu"])
def test_those_with_a_kink_have_two(name: str) -> None:
    field, (z, da) = symbols("z", "da")
    a, cache = ACTIVATIONS[name].forward(z)
    slope = ACTIVATIONS[name].backward(da, cache)
    assert len(list(leaves(a.number.tree))) == len(list(leaves(slope.number.tree))) == 2
    assert [q.above for q in questions(a.number.tree)] == [0]
    assert next(leaf for _, leaf in leaves(a.number.tree)) == field.named["z"]


def test_signs_that_are_known_are_not_asked_for() -> None:
    _, (z,) = symbols("z")
    positive = 1 + sigmoid(z)
    assert abs(positive).number.tree == positive.number.tree
    assert objects.minimum(positive, 0).number.tree == 0
    # Where it decides, s(1 - s) has the sign of what it is multiplied by.
    (question,) = questions(objects.maximum(z * sigmoid(z), 0).number.tree)
    assert question.of == z.number.tree.numer


def test_functions_of_two_cases() -> None:
    field, (a, b) = symbols("a", "b")
    assert (objects.maximum(a, b) + objects.minimum(a, b)).number.tree == (a + b).number.tree
    assert (objects.where(a > b, a, b)).number.tree == objects.maximum(a, b).number.tree
    assert (objects.sign(a) * abs(a)).number.tree == a.number.tree
    # ... but for a = 0, where the sign is neither: nothing counts as proved then.
    assert field.unproved == [field.named["a"]]


def test_lines_that_decide_by_a_number_are_refused() -> None:
    _, (z,) = symbols("z")
    with pytest.raises(InexactError, match=r"^an if or a Boolean operation"):
        bool(z > 0)
    with pytest.raises(InexactError, match=r"^exact numbers turned into floats$"):
        float(z)
    with pytest.raises(InexactError, match=r"^exact numbers turned into floats$"):
        np.asarray(z, dtype=np.float32)
    with pytest.raises(TypeError, match=r"^add\.reduce: the lines may use operators alone$"):
        np.add.reduce(z)
