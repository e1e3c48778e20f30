"""A recorded program, run by an interpreter that knows only its operations, gives every number."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compare.recording.program import CONSTANT, Program
from compare.trace import Trace
from tests.compare.passes import NETWORKS, trace
from tests.compare.recording.operations import OPERATIONS
from tests.tiers import one_of_each

#: They have all operations; the quick tests run the first two.
CHOSEN = ("the article's", "one edge", "relu", "gelu", "classes", "huber")


def run(of: Program, given: Mapping[str, float]) -> dict[str, float]:
    """What the program computes, by name."""
    results: list[Any] = [None] * len(of.lines)
    for name, at in of.at.items():
        if of.lines[at].operation == "given":
            results[at] = np.float64(given[name])
    for at, line in enumerate(of.lines):
        if line.operation == CONSTANT:
            assert line.value is not None
            results[at] = np.float64(line.value)
        elif line.operation != "given":
            operands = [results[operand] for operand in line.operands]
            results[at] = np.float64(OPERATIONS[line.operation](*operands))
    return {name: float(results[at]) for name, at in of.at.items()}


def bits(values: Mapping[str, float]) -> dict[str, bytes]:
    return {name: np.float64(value).tobytes() for name, value in values.items()}


@pytest.mark.parametrize("network", one_of_each(CHOSEN, CHOSEN[:2]))
def test_it_gives_every_quantity_bit_for_bit(network: str) -> None:
    of = trace(network)
    given = {q.name: q.by_hand for q in of.quantities.values() if q.step == 0}
    assert bits(run(of.program, given)) == bits(by_hand_of(of))


@pytest.mark.slow
def test_other_numbers_can_be_put_in() -> None:
    """At an example that opens other units it gives what the lines record there."""
    of, other = trace("relu"), replace(NETWORKS["relu"], x=(-3.0, 0.25), seed=77).trace()
    given = {q.name: q.by_hand for q in other.quantities.values() if q.step == 0}
    found = run(of.program, given)
    assert bits(found) == bits(by_hand_of(other))
    on = [[values[f"z0[{j}]"] > 0 for j in range(3)] for values in (found, by_hand_of(of))]
    assert on[0] != on[1]


def by_hand_of(of: Trace) -> dict[str, float]:
    return {q.name: q.by_hand for q in of.quantities.values()}


def test_what_a_function_returns_is_marked() -> None:
    """The page has a derivative rule for σ as a whole, by the line of its argument."""
    of = trace("the article's").program
    sign, arguments = of.lines[of.at["h1"]].called or ("", ())
    assert (sign, arguments) == ("σ", (of.at["z1"],))
