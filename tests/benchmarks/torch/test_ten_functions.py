"""The ten functions are right as torch differentiates them, and their mistakes are mistakes."""

import inspect
from typing import Any

import pytest

from benchmarks.checkers.cases import FORMATS, point, right_ways
from handgrad.program.aten.installed import torch
from models.edits import called
from models.model import Model
from models.torch_functions.function import fresh, gradients, widened
from models.torch_functions.functions import FUNCTIONS

#: Each rounds less than a hundred times, on values that cancel by three digits at most ("nearly
#: constant"): 1e-13 in float64; what people would call a mistake begins far above.
CLOSE = 1e-12

#: The smallest mistake, without an ε of 1e-6 beside squares of size 1, changes a gradient by this.
WRONG = 1e-7


every = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)

#: At an exact tie several gradients are right, and torch's choice is another than the function's.
TIES = {("quantile-loss", "at a tie")}


def distance(found: Any, wanted: Any) -> float:
    """The largest error of an element, relative to the largest element."""
    error, size = (found.double() - wanted.double()).abs().max(), wanted.abs().max().double()
    return float(torch.where(error == 0, 0.0, error / size))


@every
def test_all_ways_to_write_it_are_right(function: Model) -> None:
    for at, name in enumerate(function.draws):
        given = point(function, at, "float64")
        exact = gradients(function.function, given)
        for slug in ["", *function.rewrites]:
            right = function.right(slug)
            assert distance(right.apply(*given), function.function(*given)) < CLOSE
            found = gradients(right.apply, given)
            if (function.name, name) not in TIES:
                assert max(map(distance, found, exact)) < CLOSE, (name, slug)


@every
@pytest.mark.parametrize("dtype", FORMATS)
def test_it_computes_in_its_format(function: Model, dtype: str) -> None:
    given = point(function, 0, dtype)
    wanted = getattr(torch, dtype)
    for slug, _ in right_ways(function, dtype):
        right = function.right("" if slug == "as-written" else slug)
        output, grads = right.apply(*fresh(given)), gradients(right.apply, given)
        assert {output.dtype, *(grad.dtype for grad in grads)} == {wanted}


@every
def test_half_precision_is_right_to_its_rounding(function: Model) -> None:
    """As they are written they compute in float32, so that only what is stored is rounded."""
    given = point(function, 0, "bfloat16")
    found, exact = (
        gradients(f, at)
        for f, at in ((function.by_hand.apply, given), (function.function, widened(given)))
    )
    # Rounded are the output of the forward pass where it is kept, the cotangent, and the result.
    assert max(map(distance, found, exact)) < 3 * torch.finfo(torch.bfloat16).eps


@every
def test_every_mistake_is_one(function: Model) -> None:
    given = point(function, 0, "float64")
    exact = gradients(function.function, given)
    for slug in function.mistakes:
        wrong = function.wrong(slug)
        assert distance(wrong.apply(*given), function.function(*given)) < CLOSE
        if set(function.mistakes[slug].kinds) & {"shape"}:
            with pytest.raises(RuntimeError, match="invalid gradient at index"):
                gradients(wrong.apply, given)
        else:
            assert max(map(distance, gradients(wrong.apply, given), exact)) > WRONG, slug


@every
def test_the_lines_that_name_a_mistake_are_lines_of_the_forward_pass(
    function: Model,
) -> None:
    forward, _ = function.by_hand.passes
    source = "".join(map(inspect.getsource, called(forward).values()))
    for slug, slip in function.mistakes.items():
        assert [text for text in slip.lines if text not in source] == [], slug
