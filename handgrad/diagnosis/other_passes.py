"""Propose that a backward pass belongs to another forward pass, or another use of its result.

A kernel's backward pass computes anew what it needs of the forward pass, and what it forgets there
(a mask, the weights of the rows) is missing in every derivative. What comes back to it, the
cotangent, is often 1 or the same everywhere in the tests of its author, and is then used as if it
always were.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.numerals import short
from handgrad.data.pytrees import is_real
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.search import GIVES, Search
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import of_nodes
from handgrad.program.graph import Graph, Node

#: The cotangents that a backward pass may take instead of its own, each with its sentence.
COTANGENTS = (
    (np.ones_like, "1 everywhere: yours does not use it"),
    (lambda c: np.full_like(c, np.ravel(c)[0]), "its first element everywhere"),
    (lambda c: np.full_like(c, np.sum(c)), "its sum everywhere"),
    (lambda c: np.full_like(c, np.mean(c)), "its mean everywhere"),
    (np.square, "its square: yours uses it twice"),
)


def other_cotangent(search: Search) -> Iterator[Theory]:
    """Propose that the cotangent is used as if it were another one."""
    case, known = search.evidence.trial.case, {}
    if case.claim.cotangent_is_constant:
        known = _weights(search.engine)
    elif case.claim.contracted_with != "cotangent" or not search.engine.traced_inputs:
        return
    for change, says in COTANGENTS:
        says = f"the cotangent is taken for {says}"
        if known:
            others = {number: change(weight) for number, weight in known.items()}
            other = search.engine.with_constants(others)
            yield search.of_another_loss(other, "cotangent", says)
        else:
            predict = partial(_with_input, search.engine, k=0, change=change)
            yield Theory("cotangent", GIVES + says, predict)


def _weights(engine: Engine) -> dict[int, np.ndarray]:
    """Return the cotangents that the loss of a rule has as constants, by number."""
    known = engine.rewired.numbering.known
    # `handgrad.data.pytrees.weighed` multiplies by them, which is no line of the caller's.
    products = [n for n in engine.rewired.graph.nodes if n.name == "mul" and n.source is None]
    found = {o for node in products for o in node.operands if o in known}
    return {o: np.asarray(known[o]) for o in found}


def one_cotangent(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that the cotangent of a single number is not used, or twice: a factor as well."""
    case, wrong = evidence.trial.case, evidence.wrong & within
    takes_one = case.claim.contracted_with == "cotangent"
    leaves = jax.tree_util.tree_leaves(evidence.given.inputs[:1]) if takes_one else []
    if len(leaves) != 1 or np.size(leaves[0]) != 1 or not float(np.ravel(leaves[0])[0]):
        return
    c = float(np.ravel(leaves[0])[0])
    for factor, says in ((1 / c, "is not multiplied by"), (c, "is multiplied twice by")):
        yield Theory(
            "cotangent",
            f"yours {says} the cotangent, which is {short(c)} here",
            lambda sample, factor=factor: np.where(wrong, factor * sample.exact, sample.exact),
        )


def input_left_out(search: Search) -> Iterator[Theory]:
    """Propose that an array of floats among the inputs is left out: weights, a mask that is added.

    The cotangent is none of them.
    """
    given = search.evidence.given
    first = int(search.evidence.trial.case.claim.contracted_with == "cotangent")
    for k in range(first, len(given.inputs) if search.engine.traced_inputs else 0):
        if not any(map(is_real, jax.tree_util.tree_leaves(given.inputs[k]))):
            continue
        for value in (0, 1):
            what = f"{given.names.of_input(k)} is left out, as if it were {value}"
            yield Theory(
                "unknown",
                f"{GIVES}{what}",
                lambda sample, k=k, value=value: _with_input(
                    search.engine, sample, k, lambda x: np.full_like(x, value)
                ),
            )


def _with_input(engine: Engine, sample: Sample, k: int, change: Any) -> np.ndarray:
    inputs = list(sample.given.inputs)
    inputs[k] = jax.tree_util.tree_map(
        lambda x: change(np.asarray(x)) if is_real(x) else x, inputs[k]
    )
    return engine.changed(replace(sample.given, inputs=tuple(inputs)))


def mask_left_out(search: Search) -> Iterator[Theory]:
    """Propose that a mask is left out: a choice that does not depend on the parameters."""
    rewired = search.engine.rewired
    for node in _masks(rewired.graph, len(rewired.names), rewired.numbering.known):
        for side, operand in enumerate(node.operands[1:]):
            if operand not in rewired.numbering.known:
                unmasked = search.engine.choosing(node, side)
                yield search.of_another_loss(
                    unmasked, "mask", f"the mask is left out{of_nodes([node])}"
                )


def _masks(graph: Graph, parameters: int, known: dict[int, Any]) -> Iterator[Node]:
    """Yield the choices whose condition does not depend on the parameters."""
    fixed = {*known, *graph.inputs[parameters:]}
    for node in graph.nodes:
        if fixed.issuperset(node.operands):
            fixed.update(node.outputs)
        elif node.name == "select_n" and node.operands[0] in fixed:
            yield node
