"""Counterexamples of what is written in PyTorch are code in PyTorch, which fails as it should."""

from typing import Any

import pytest

from handgrad import GradientMismatch, check_backward, check_gradient
from handgrad.report import GradientReport
from handgrad.torch import check_function
from tests.handgrad.torch import rules
from tests.torch_installed import torch

torch.manual_seed(3)
X = torch.randn(3, 4, dtype=torch.float64)
W = torch.randn(4, 2, requires_grad=True)


def square_loss(w: Any, x: Any) -> Any:
    return (x.float() @ w).pow(2).sum()


def twice(w: Any, x: Any) -> None:
    (2 * square_loss(w, x)).backward()


def affine(x: Any, w: Any) -> Any:
    return x @ w, (x, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, 2 * x.T @ dz


def fails(report: GradientReport) -> str:
    """Return the code of a counterexample, after it has failed where it should."""
    code = report.counterexample.as_code()
    found: dict[str, Any] = {}
    exec(code, found)
    with pytest.raises(GradientMismatch):
        found["test_gradient_where_it_is_wrong"]()
    return code


def test_of_a_rule() -> None:
    kept = torch.tensor([1.0, 0, 1, 1], dtype=torch.float64)
    code = fails(check_function(rules.ScaledTwice, X, kept, 0.25, wrt="x", points=0))
    assert "from handgrad.torch import assert_function\n" in code
    assert "from tests.handgrad.torch.rules import ScaledTwice\n" in code
    assert "torch.tensor([" in code
    assert 'wrt=["x"]' in code


def test_of_a_gradient_and_of_a_step() -> None:
    code = fails(check_gradient(twice, square_loss, W, X, points=0))
    assert ").requires_grad_()" in code
    assert "import numpy" not in code
    wrong = check_backward(affine, affine_backward, X, W.detach().double(), points=0)
    assert "assert_backward(affine, affine_backward" in fails(wrong)
