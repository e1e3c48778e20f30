"""The sentences that say why each number is computed as it is, held to the recorded formulas."""

import re

import pytest

from compare.trace import GRADIENT, Quantity, Trace
from compare.traced import reasons
from compare.traced.request import PassRequest
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from tests.tiers import one_of_each

NETWORKS = {
    "the article's": PassRequest(),
    "two outputs and l2": PassRequest(
        sizes=(2, 3, 2), x=(0.5, -1), y=(1, 0), loss="softmax-ce", activation="relu", l2=0.1
    ),
    "one unit": PassRequest(sizes=(1, 1), x=(0.5,), y=(1,), loss="bce"),
    "deep": PassRequest(sizes=(1, 2, 1, 2), x=(0.5,), y=(1, 0), loss="huber", activation="tanh"),
}

#: A name of a quantity in a sentence: w1, x[0], dL over dw1.
NAME = r"∂?[a-zηλL][a-z_]*\d*(?:\[[\d,]+\])?(?:/∂\w+(?:\[[\d,]+\])?)?"


def _moved(trace: Trace, quantity: Quantity) -> None:
    """What multiplies what, in the sentence as in the lines."""
    assert quantity.derivative
    assert quantity.reason
    of, by = quantity.derivative
    says = re.fullmatch(
        rf"({NAME}) multiplies ({NAME}) in ({NAME}): moving \1 a little moves \3 by \2 times that, "
        rf"and ({NAME}) by ({NAME}) times that again\.",
        quantity.reason,
    )
    assert says, quantity.reason
    moved, partner, z, then, slope = says.groups()
    assert (moved, then) == (by, of)
    assert {by, partner} <= set(trace.quantities[z].depends_on)
    assert slope == f"∂{of}/∂{z}".replace("L_data", "L")
    product = {trace.quantities[name].symbol for name in quantity.depends_on}
    assert product == {partner, slope}


@pytest.mark.parametrize("name", one_of_each(NETWORKS, ["one unit", "the article's"]))
def test_each_number_has_a_reason_that_its_line_bears_out(name: str) -> None:
    trace = NETWORKS[name].trace()
    moved = 0
    for quantity in trace.quantities.values():
        assert bool(quantity.reason) == (quantity.step > 0)
        if quantity.reason and " multiplies " in quantity.reason:
            _moved(trace, quantity)
            moved += 1
    assert moved >= sum(p.startswith("w") for p in trace.parameters())


def test_a_chain_names_what_is_between() -> None:
    trace = PassRequest().trace()
    for quantity in trace.quantities.values():
        if quantity.kind == GRADIENT:
            by, of, *between = re.findall(r"\b(?:[wbh]\d|ypred|L)\b", quantity.reason or "")
            slopes = [trace.quantities[name].derivative for name in reversed(quantity.factors)]
            pairs = list(zip([*between, of], [by, *between], strict=True))
            assert slopes == pairs


def test_every_activation_and_loss_has_one() -> None:
    assert set(reasons.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(reasons.LOSSES) == set(reasons.LOSS_SLOPES) == set(LOSSES)
