"""Recorded numbers compute as NumPy does, and say how they came about."""

import sys
from typing import Any

import numpy as np
import pytest

import manual.article
from compare.agreement import stack
from compare.recording.formula import LATEX, TEXT, formula
from compare.recording.number import Array, Number, given
from compare.recording.watching import RETURN, Watch
from compare.trace import program
from compare.traced.request import PassRequest
from manual.activations import SIGMOID_DERIVATIVES, sigmoid, sigmoid_derivative
from manual.arrays import namespace
from tests.strategies import drawn_points


def values(array: Array) -> np.ndarray:
    return np.vectorize(float, otypes=[float])(array.numbers)


def test_what_is_0_is_not_above_it() -> None:
    """In a trace no unit is just there; elsewhere operators and functions give its numbers."""
    x = given([[1.0, -2.0, 0.0]])
    arrays = namespace(x)
    assert values(arrays.greater(x, 0)).tolist() == [[1, 0, 0]]
    assert values(arrays.greater_equal(x, 0)).tolist() == [[1, 0, 1]]
    assert values(x < 0).tolist() == [[0, 1, 0]]
    assert values(x <= 0).tolist() == [[0, 1, 1]]
    assert values(x >= 0).tolist() == [[1, 0, 1]]
    assert values(arrays.sign(x)).tolist() == [[1, -1, 0]]


def test_the_largest_has_the_name_of_what_it_is() -> None:
    """In a formula; recorded are all that it is the largest of."""
    x = given([[1.0, 3.0, 2.0]])
    names = dict(zip(x.numbers[0], ("a", "b", "c"), strict=True))
    shifted = (x - namespace(x).max(x, axis=-1, keepdims=True)).numbers[0, 2]
    of_shifted = formula(shifted, names.get)
    assert of_shifted.written(TEXT, str) == "c - b"
    assert of_shifted.leaves() == ["c", "b"]
    at = {name: number for number, name in names.items()}
    assert [line.operation for line in program(at | {"d": shifted}).lines].count("largest") == 2


@pytest.mark.parametrize("form", SIGMOID_DERIVATIVES)
def test_the_articles_lines_give_the_same_bits(form: str) -> None:
    params, x, y = drawn_points(64, seed=21)
    slope = SIGMOID_DERIVATIVES[form]
    expected = stack(manual.article.gradient(params, x, y, slope))
    recorded = manual.article.Parameters(*map(given, params))
    found = manual.article.gradient(recorded, given(x), given(y), slope)
    assert np.stack([values(part) for part in found]).tobytes() == expected.tobytes()


a, b, c = Number(2.0), Number(-3.0), Number(0.5)
NAMES = {a: "a", b: "b", c: "c"}

FORMULAS: dict[str, tuple[Number, str]] = {
    "a - (b + c)": (a - (b + c), "2 - (-3 + 0.5)"),
    "a · (b / c)": (a * (b / c), "2 · (-3 / 0.5)"),
    "a / (b · c)": (a / (b * c), "2 / (-3 · 0.5)"),
    "-2 · (a - b)": (-2 * (a - b), "-2 · (2 - (-3))"),
    "b²": (b**2, "(-3)²"),
    "[a > b]": (a > b, "[2 > -3]"),
    "exp(-a)": ((-a).exp(), "exp(-2)"),
    "a": (1.0 * a / 1 + 0 * b, "2"),
    "a + c": (a - 0 * b + c, "2 + 0.5"),
}


@pytest.mark.parametrize("symbols", FORMULAS)
def test_formulas_in_symbols_and_numbers(symbols: str) -> None:
    number, substituted = FORMULAS[symbols]
    of = formula(number, lambda n: n if n in NAMES else None)
    assert of.written(TEXT, NAMES.__getitem__) == symbols
    assert of.written(TEXT, lambda n: TEXT.number(n.value)) == substituted


def test_formulas_in_latex() -> None:
    number = (a - b) ** 2 / c.exp()
    assert formula(number, NAMES.get).written(LATEX, str) == r"\frac{(a - b)^{2}}{\exp(c)}"
    in_numbers = formula(a * Number(1.5e-13), lambda _: None).written(LATEX, str)
    assert in_numbers == r"2 \cdot 1.5 \times 10^{-13}"


def a_function(z: Any, w: Any) -> Any:
    total = z + w  # (1) the sum
    # (2) its slope
    slope = sigmoid_derivative(
        total,
    )
    again = slope
    return again * z


def test_names_are_seen_with_their_statements() -> None:
    z, w = given([1.0]), given([2.0])
    bindings, _ = Watch((a_function,), {"σ′": sigmoid_derivative}).run(lambda: a_function(z, w))
    seen = [(b.variable, b.statement.text, b.statement.step) for b in bindings]
    assert seen == [
        ("total", "total = z + w", "(1) the sum"),
        ("slope", "slope = sigmoid_derivative(total)", "(2) its slope"),
        ("again", "again = slope", "(2) its slope"),
        (RETURN, "return again * z", "(2) its slope"),
    ]
    total, slope, again, _ = (binding.value.numbers[0] for binding in bindings)
    assert slope is again
    assert slope.called == ("σ′", (total,))
    first = a_function.__code__.co_firstlineno
    assert [b.statement.line - first for b in bindings] == [1, 3, 6, 7]
    assert bindings[0].statement.file == "tests/compare/test_recording.py"


def test_the_lines_are_left_as_they_were() -> None:
    """What watched before watches again, and a watched function answers the same."""
    before = sys.gettrace()
    sys.settrace(another := lambda *_: None)
    watch = Watch((a_function,), {"σ": sigmoid})

    def fails() -> None:
        raise ValueError("in the lines")

    try:
        with pytest.raises(ValueError, match="in the lines"):
            watch.run(fails)
        assert sys.gettrace() is another
    finally:
        sys.settrace(before)


#: All that an interpreter has to know to run a recorded program.
OPERATIONS: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
OPERATIONS |= {"**": np.power, "neg": np.negative, "exp": np.exp, "abs": np.abs, "min": np.minimum}


def test_it_gives_every_quantity_bit_for_bit() -> None:
    """Of the article's network, whose program the page runs."""
    of = PassRequest(person="alice").trace()
    program = of.program
    given = {program.at[q.name]: q.by_hand for q in of.quantities.values() if q.step == 0}
    results: list[Any] = []
    for at, line in enumerate(program.lines):
        if line.operation in ("given", "constant"):
            results.append(np.float64(given[at] if line.operation == "given" else line.value))
        else:
            operands = [results[operand] for operand in line.operands]
            results.append(np.float64(OPERATIONS[line.operation](*operands)))
    found = {name: results[at].tobytes() for name, at in program.at.items()}
    assert found == {q.name: np.float64(q.by_hand).tobytes() for q in of.quantities.values()}


def test_what_a_function_returns_is_marked() -> None:
    """The page has a derivative rule for σ as a whole, by the line of its argument."""
    of = PassRequest(person="alice").trace().program
    sign, arguments = of.lines[of.at["h1"]].called or ("", ())
    assert (sign, arguments) == ("σ", (of.at["z1"],))
