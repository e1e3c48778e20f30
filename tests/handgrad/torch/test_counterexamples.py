"""Counterexamples of what is written in PyTorch are code in PyTorch, which fails as it should."""

from typing import Any

import pytest

from handgrad import GradientMismatch, check_backward, check_gradient
from handgrad.torch import check_function
from tests.corpus.torch_rows.gradients import GRAD, Square, W, X, affine_forward, doubled, sines
from tests.corpus.torch_rows.second_order import Z

__all__ = ["Square", "affine_forward", "sines"]  # which counterexamples import


def twice(w: Any, x: Any) -> None:
    (2 * sines(w, x)).backward()


@pytest.mark.parametrize(
    ("check", "given", "says"),
    [
        (
            check_function,
            (Square, X),
            ["handgrad.torch import assert_function\n", "torch.tensor(["],
        ),
        (check_function, (Square, Z.to("cpu")), ["dtype=torch.complex128"]),
        (check_gradient, (twice, sines, GRAD, X), [").requires_grad_()"]),
        (check_backward, (affine_forward, doubled, X, W), ["assert_backward(affine_forward, doub"]),
    ],
)
def test_it_fails(check: Any, given: Any, says: list[str]) -> None:
    code = check(*given, points=0).counterexample.as_code()
    assert [words for words in says if words not in code] == []
    assert "import numpy" not in code
    found: dict[str, Any] = {}
    exec(code, found)
    with pytest.raises(GradientMismatch):
        found["test_gradient_where_it_is_wrong"]()
