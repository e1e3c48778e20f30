"""Propose that yours is right for another forward pass, or another use of its result.

A backward pass computes anew what it needs of the forward pass, and what it forgets there (a mask,
the weights of the rows, a number) is missing in every derivative. What comes back to it, the
cotangent, is often 1 or the same everywhere in the tests of its author, and is then used as if it
always were.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.numerals import short
from handgrad.data.pytrees import is_real
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.rearranged import multiple
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import GIVES, Search, Theory
from handgrad.diagnosis.wording import of_nodes
from handgrad.program.graph import Node

#: The cotangents that a backward pass may take instead of its own, each with its sentence.
COTANGENTS = (
    (np.ones_like, "1 everywhere: yours does not use it"),
    (lambda c: np.full_like(c, np.ravel(c)[0]), "its first element everywhere"),
    (lambda c: np.full_like(c, np.sum(c)), "its sum everywhere"),
    (lambda c: np.full_like(c, np.mean(c)), "its mean everywhere"),
    (np.square, "its square: yours uses it twice"),
)

#: Constants that keep a logarithm or a division from 0 are smaller than the first number; the
#: second is how many are tried.
SMALL, MOST = 1e-2, 4

#: How far beside 0 a leaf is tried, and how much that changes a gradient that does not jump there.
TINY, JUMP = 1e-12, 1e-3


def other_cotangent(search: Search) -> Iterator[Theory]:
    """Propose that the cotangent is used as if it were another one."""
    claim, weights = search.evidence.trial.case.claim, {}
    if claim.cotangent_is_constant:
        weights = _weights(search.engine)
    elif claim.contracted_with != "cotangent" or not search.engine.traced_inputs:
        return
    for change, says in COTANGENTS:
        says = f"the cotangent is taken for {says}"
        if weights:
            others = {number: change(weight) for number, weight in weights.items()}
            other = search.engine.with_constants(others)
            yield search.of_another_loss(other, "cotangent", says)
        else:
            yield _with_input(search, "cotangent", says, 0, change)


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
    for factor, how in ((1 / c, "is not multiplied by"), (c, "is multiplied twice by")):
        says = f"yours {how} the cotangent, which is {short(c)} here"
        yield Theory("cotangent", says, multiple(factor, wrong))


def input_left_out(search: Search) -> Iterator[Theory]:
    """Propose that an array of floats among the inputs is left out: weights, a mask that is added.

    The cotangent is none of them.
    """
    given = search.evidence.given
    first = int(search.evidence.trial.case.claim.contracted_with == "cotangent")
    for k in range(first, len(given.inputs) if search.engine.traced_inputs else 0):
        for value in (
            (0, 1) if any(map(is_real, jax.tree_util.tree_leaves(given.inputs[k]))) else ()
        ):
            says = f"{given.names.of_input(k)} is left out, as if it were {value}"
            yield _with_input(search, "unknown", says, k, partial(np.full_like, fill_value=value))


def _with_input(search: Search, kind: str, says: str, k: int, change: Callable[..., Any]) -> Theory:
    """Return the theory that one input, or the cotangent, is taken for another."""

    def predict(sample: Sample) -> np.ndarray:
        inputs = list(sample.given.inputs)
        inputs[k] = jax.tree_util.tree_map(
            lambda x: change(np.asarray(x)) if is_real(x) else x, inputs[k]
        )
        return search.engine.changed(replace(sample.given, inputs=tuple(inputs)))

    return Theory(kind, GIVES + says, predict)


def mask_left_out(search: Search) -> Iterator[Theory]:
    """Propose that a mask is left out: a choice that does not depend on the parameters."""
    rewired = search.engine.rewired
    known = rewired.numbering.known
    fixed = {*known, *rewired.graph.inputs} - {*rewired.leaves}
    for node in rewired.graph.nodes:
        if fixed.issuperset(node.operands):
            fixed.update(node.outputs)
        elif node.name == "select_n" and node.operands[0] in fixed:
            says = f"the mask is left out{of_nodes([node])}"
            for side, operand in enumerate(node.operands[1:]):
                if operand not in known:
                    unmasked = search.engine.choosing(node, side)
                    yield search.of_another_loss(unmasked, "mask", says)


def leaf_left_out(search: Search) -> Iterator[Theory]:
    """Propose that one leaf was left out of the forward pass, as if it were 0."""
    first, rng = search.evidence.fit[0], np.random.default_rng(0)
    for k, path in enumerate(search.evidence.given.paths):
        without = partial(_with_leaf, search.engine, k)
        # Where it jumps at 0, terms are equal and a maximum ties: then what autodiff answers there
        # is a convention, such as the mean; it says nothing of the leaf.
        beside = TINY * rng.standard_normal(first.given.leaves[k].shape)
        here, there = without(0.0, first), without(beside, first)
        allowed = JUMP * np.max(np.abs(here), initial=0.0)
        if np.isfinite(here).all() and (np.abs(here - there) <= allowed).all():
            says = f"{GIVES}{path} is left out of the forward pass, as if it were 0"
            yield Theory("unknown", says, partial(without, 0.0))


def _with_leaf(engine: Engine, k: int, value: Any, sample: Sample) -> np.ndarray:
    leaves = [np.full_like(a, value) if i == k else a for i, a in enumerate(sample.given.leaves)]
    return engine.changed(sample.given, leaves=leaves)


def number_left_out(search: Search, small: bool) -> Iterator[Theory]:
    """Propose that a number was left out: w for 1 + w; if `small`, log p for log(p + ε)."""
    operations = ("add", "sub", "max", "clamp") if small else ("add", "sub")
    found: dict[int, tuple[float, Node]] = {}
    for node in search.engine.rewired.graph.nodes:
        for o in node.operands if node.name in operations else ():
            value = search.engine.rewired.numbering.number(o)
            if value and (not small or abs(value) < SMALL):
                found.setdefault(o, (value, node))
    for o, (value, node) in list(found.items())[:MOST]:
        says = f"the {short(value)} in the loss were 0{of_nodes([node])}"
        yield search.of_another_loss(search.engine.without(o), "constant", says)
