"""Propose that a number in the loss is another one: a guard, an ε of a root, n - 1 for n."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from handgrad.data.numerals import short
from handgrad.diagnosis.backprop import Constant
from handgrad.diagnosis.constants import (
    GUARDED,
    ROOTS,
    plus,
    root_plus,
    root_plus_still,
    scale,
    times,
    times_still,
)
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.theory import GIVES, Search, Theory
from handgrad.diagnosis.updates import fitted
from handgrad.diagnosis.wording import of_nodes
from handgrad.program.graph import REARRANGING

#: Digits of a number that people write down; a fitted one that is not far from it is that number.
WRITTEN, CLOSE = 4, 1e-6

#: Less of the loss's own number than this is nothing: it is fitted to differences.
NOTHING = 1e-3


def another(search: Search) -> Iterator[Theory]:
    """Propose that a number in the loss is another one: a guard, an ε of a root, an n."""
    found = search.engine.rewired.constants
    numbers = range(len(found))
    guards = [i for i in numbers if found[i].apply not in (times, times_still)]
    for i, j in itertools.permutations([i for i in guards if not found[i].alone], 2):
        yield from _moved(search, i, j)
    for some in _together(search, guards):
        yield from _guarded(search, some)
    for i in numbers:
        if i not in guards:
            yield from _scaled(search, i)


def _together(search: Search, guards: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield the guards that may have one number: each alone, all of a kind, all logarithms."""
    found = search.engine.rewired.constants
    yield from ((i,) for i in guards)
    kinds: dict[object, list[int]] = {}
    for i in guards:
        c = found[i]
        kinds.setdefault((c.node.name.removesuffix("1p"), c.apply, c.alone), []).append(i)
    yield from (tuple(some) for some in kinds.values() if len(some) > 1)


def _fitted(search: Search, some: Sequence[int]) -> Iterator[tuple[float, Any]]:
    """Yield the numbers that would explain the gap at the first point, the plainest first."""

    def predict(sample: Sample, number: float) -> np.ndarray:
        return search.engine.changed(sample.given, constants=dict.fromkeys(some, number))

    numbers = fitted(search.evidence.fit[0], predict, search.within)
    if numbers is not None and numbers[0]:
        yield from ((n, partial(predict, number=n)) for n in _plain(float(numbers[0])))


def _plain(number: float) -> list[float]:
    written = float(f"{number:.{WRITTEN}g}")
    close = abs(written - number) <= CLOSE * abs(number)
    return [written, number] if close else [number]


def _guarded(search: Search, some: Sequence[int]) -> Iterator[Theory]:
    first = search.engine.rewired.constants[some[0]]
    where = of_nodes([search.engine.rewired.constants[i].node for i in some])
    own = _added(search, first)
    for number, predict in _fitted(search, some):
        if own and first.apply is plus and not first.alone:
            left = own + number
            left = 0.0 if abs(left) < NOTHING * abs(own) else left
            says = f"the {short(own)} in the loss were {short(left)}"
        else:
            how = "added to" if number > 0 else "subtracted from"
            says = f"{short(abs(number))} were {how} {_called(first)}"
            says += ", in its derivative alone" if first.alone else ""
        yield Theory("constant", f"{GIVES}{says}{where}", predict)


def _called(constant: Constant) -> str:
    at_the_root = constant.apply in (root_plus, root_plus_still)
    return "the root" if at_the_root else GUARDED[constant.node.name][1]


def _added(search: Search, constant: Constant) -> float | None:
    """Return the number that the loss itself adds to what a constant is added to; None if none."""
    made_by = search.engine.rewired.made_by
    if constant.operand is None:
        return None
    node = made_by.get(constant.node.operands[constant.operand])
    while node is not None and node.name in REARRANGING:
        node = made_by.get(node.operands[0])
    added = node.operands if node is not None and node.name == "add" else ()
    values = map(search.engine.rewired.numbering.number, added)
    return next((value for value in values if value is not None), None)


def _moved(search: Search, i: int, j: int) -> Iterator[Theory]:
    """Propose that a number is added to the root, not to what it is taken of, or conversely."""
    one, other = (search.engine.rewired.constants[k] for k in (i, j))
    number = _added(search, one)
    roots = {one.node.name, other.node.name}.intersection(ROOTS)
    if number is None or not roots or one.apply is not plus:
        return
    if one.node.name in ROOTS:
        inside_too = other.apply is plus and other.node.name in ROOTS
        how = "" if inside_too else "were outside the root, not inside"
    elif other.apply is plus:
        how = "were inside the root, not outside" if other.node.name in ROOTS else ""
    else:
        how = "that is added to the root were in the root's derivative, too"
    if how:
        says = f"the {short(number)} {how}{of_nodes([one.node])}"
        yield search.theory("constant", says, constants={i: -number, j: number})


def _scaled(search: Search, i: int) -> Iterator[Theory]:
    node = search.engine.rewired.constants[i].node
    own = scale(node, search.engine.rewired.numbering)
    if own is None:
        return
    value, divides = own
    for factor, predict in _fitted(search, [i]):
        if divides and factor == -1:
            continue  # as divided by an infinite number
        other = value / (1 + factor) if divides else value * (1 + factor)
        texts = _inverse(value), _inverse(other)
        says = f"{GIVES}the {texts[0]} in the loss were {texts[1]}{of_nodes([node])}"
        n, m = ((v if divides else 1 / v) for v in (value, other))
        if abs(n - m) > 0.5 and abs(abs(n - m) - 1) < CLOSE * abs(n):
            says += ": 1/(n - 1) for 1/n" if m < n else ": 1/n for 1/(n - 1)"
            yield Theory("constant", says, predict)
        else:
            yield Theory("constant" if _is_written(other) else "unknown", says, predict)


def _is_written(number: float) -> bool:
    """Tell whether somebody may have written a number, or its inverse, down."""
    return len(_plain(number)) > 1 or (number != 0 and len(_plain(1 / number)) > 1)


def _inverse(number: float) -> str:
    inverse = 1 / number if number else 0.0
    whole = round(inverse)
    return f"1/{whole}" if abs(whole) > 1 and abs(inverse - whole) < CLOSE else short(number)
