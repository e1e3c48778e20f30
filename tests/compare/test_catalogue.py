"""Every mistake of the catalogue, made by one side of a training, is laid to that side."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compare.data import Prepared, Scale
from compare.lockstep import ByHand
from compare.training import Plan, Training
from compare.wording import BY_HAND, Disagreement
from models.general_network import VARIANTS, Variant
from tests.compare.calls import BOTH
from tests.network_strategies import Described, draw_point, hosts


def training_of(of: Described, dtype: Any) -> Training:
    """Of one update an epoch, on an ordinary point's examples."""
    _, x, y = draw_point(of, 3, dtype=dtype)
    data = Prepared(x, y, x, y, Scale(), Scale())
    return Training(Plan(of.network, "sgd", 1e-3, of.n, 0, np.dtype(dtype).name), data, BOTH)


def with_gradient(of: Described, gradient: Any, dtype: Any) -> Training:
    training = training_of(of, dtype)
    by_hand = training.both.sides[BY_HAND]
    assert isinstance(by_hand, ByHand)
    by_hand.program = replace(by_hand.program, gradient=gradient)
    return training


#: What no parameter can be moved along.
MISSHAPEN = ("bias-unsummed:", "bias-wrong-axis:", "dw-transposed:shape")

QUICK = ("missing-square:",)
ASKED = [
    pytest.param(
        *(plant, dtype),
        id=f"{plant}-{dtype.__name__}",
        marks=() if str(plant) in QUICK else pytest.mark.slow,
    )
    for plant, dtype in zip(VARIANTS, itertools.cycle((np.float64, np.float32)), strict=False)
]


@pytest.mark.parametrize(("plant", "dtype"), ASKED)
def test_a_mistake_is_laid_to_its_side(plant: Variant, dtype: Any) -> None:
    of = hosts(plant)[0]
    training = with_gradient(of, plant.gradient(of.network), dtype)
    if str(plant) in MISSHAPEN:
        with pytest.raises(Disagreement, match=r"update 0, gradient of params\["):
            training.train(1)
        return
    # Two updates: biases begin with 0, and what is wrong with them shows in the second.
    found = training.train(2).first_divergence
    assert found is not None
    assert (found.off, found.quantity) == (BY_HAND, "gradient")
