"""What the judge allows lies within the limits from which on a mistake must be caught."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from benchmarks.checkers.functions import limits
from benchmarks.checkers.functions.cases import arguments
from benchmarks.checkers.functions.planted import exact_and_rounding
from handgrad.torch import check_function
from models.torch_functions.functions import FUNCTIONS
from models.torch_functions.installed import torch
from tests.tiers import nightly

BY_NAME = {function.name: function for function in FUNCTIONS}


def test_the_limits_are_those_of_the_judge() -> None:
    """64 units of two; half an ulp and three root mean squares; and what the wrong code hides."""
    assert limits.limit("float64") == limits.limit("float32") == 129
    assert limits.limit("bfloat16") == pytest.approx(1 + 3 * 3**0.5 + 1)


@pytest.mark.parametrize(("name", "dtype"), nightly(product(BY_NAME, ("float32", "bfloat16")), 2))
def test_a_mistake_as_large_as_the_limit_is_caught(name: str, dtype: str) -> None:
    """Where the judge allows most beside rounding; in float64 all is as in float32."""
    function = BY_NAME[name]
    at = arguments(function, 0, dtype)
    exact, rounding, _ = exact_and_rounding(function, dtype)
    ruling = check_function(function.function, *at, points=0).trial.outcomes[0].ruling
    assert ruling is not None
    shares, sharp = [], ruling.tolerance.sharp
    for part, true, by in zip(ruling.given.parts(), exact, rounding, strict=True):
        unit = by * float(true.abs().max())
        assert np.abs(ruling.exact[part]).max() == pytest.approx(float(true.abs().max())), (
            "the gradient that is judged is the one whose rounding was measured"
        )
        shares.append(sharp[part].max() / unit)
    assert max(shares) <= limits.allowed(dtype)
    leaf = int(np.argmax(shares))
    element = int(np.argmax(sharp[ruling.given.parts()[leaf]]))
    size = limits.limit(dtype) * rounding[leaf] * float(exact[leaf].abs().max())
    wrong = off_by(function.function, leaf, element, size)
    assert check_function(wrong, *at, points=0).verdict == "disagree"


def off_by(right: Any, leaf: int, element: int, size: float) -> Any:
    """A class whose gradient of an argument is off by that in one element, away from 0."""

    class Wrong(right):
        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            grads = list(right.backward(ctx, *cotangents))
            places = [k for k, grad in enumerate(grads) if grad is not None]
            found = grads[places[leaf]]
            spike = torch.zeros(found.numel(), dtype=torch.float64)
            spike[element] = size
            wide = found.double()
            off = torch.where(wide < 0, -1.0, 1.0) * spike.view(found.shape)
            grads[places[leaf]] = (wide + off).to(found.dtype)
            return tuple(grads)

    return Wrong
