"""A recorded program, run by an interpreter that knows only its operations, gives every number."""

from typing import Any

import numpy as np

from compare.recording.program import CONSTANT
from compare.traced.request import PassRequest

OPERATIONS: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
OPERATIONS |= {"**": np.power, "neg": np.negative, "exp": np.exp, "abs": np.abs, "min": np.minimum}


def test_it_gives_every_quantity_bit_for_bit() -> None:
    """Of the article's network, whose program the page runs."""
    of = PassRequest(person="alice").trace()
    program = of.program
    given = {program.at[q.name]: q.by_hand for q in of.quantities.values() if q.step == 0}
    results: list[Any] = []
    for at, line in enumerate(program.lines):
        if line.operation in ("given", CONSTANT):
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
