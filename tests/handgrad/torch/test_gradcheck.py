"""`handgrad.torch.gradcheck` takes the place of `torch.autograd.gradcheck`."""

from typing import Any

import pytest

from handgrad import GradientMismatch
from handgrad.torch import gradcheck
from tests.handgrad.torch import rules
from tests.torch_installed import torch

torch.manual_seed(2)
X = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
KEPT = torch.tensor([1.0, 0, 1, 1, 0], dtype=torch.float64)


def test_the_options_of_torch_run() -> None:
    options = {"eps": 1e-6, "atol": 1e-4, "rtol": 1e-3, "nondet_tol": 0.0, "fast_mode": True}
    assert torch.autograd.gradcheck(rules.Dropout.apply, (X, KEPT, 0.25), **options)
    assert gradcheck(rules.Dropout.apply, (X, KEPT, 0.25), **options) is True
    assert gradcheck(torch.sin, X) is True


def test_a_wrong_rule_raises_with_the_report() -> None:
    with pytest.raises(GradientMismatch) as raised:
        gradcheck(rules.ScaledTwice.apply, (X, KEPT, 0.25))
    assert not raised.value.report
    assert "Again: gradcheck(fn, inputs)" in str(raised.value)
    assert gradcheck(rules.ScaledTwice.apply, (X, KEPT, 0.25), raise_exception=False) is False


def test_a_mistake_too_small_for_differences() -> None:
    class Tiny(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return 1e-6 * x.sin().sum()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return torch.zeros(3, 5, dtype=torch.float64)

    assert torch.autograd.gradcheck(Tiny.apply, (X,))
    assert gradcheck(Tiny.apply, (X,), raise_exception=False) is False


def test_undefined_cotangents_can_be_left_out() -> None:
    x = X[0].detach().abs().add(0.5).requires_grad_()
    y = X[1].detach().requires_grad_()
    assert gradcheck(rules.NeedsBoth.apply, (x, y), check_undefined_grad=False)
    with pytest.raises(GradientMismatch, match=r"where output\[0\] alone is used"):
        gradcheck(rules.NeedsBoth.apply, (x, y))


def test_the_call_that_gives_it_again_has_its_options() -> None:
    with pytest.raises(GradientMismatch, match=r"Again: .*check_undefined_grad=False"):
        gradcheck(rules.ScaledTwice.apply, (X, KEPT, 0.25), check_undefined_grad=False)


def test_what_is_not_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="check_forward_ad: got True, expected False"):
        gradcheck(torch.sin, X, check_forward_ad=True)
    with pytest.raises(ValueError, match="check_backward_ad: got False"):
        gradcheck(torch.sin, X, check_backward_ad=False)
    with pytest.raises(TypeError, match="got no tensor of floats that requires grad"):
        gradcheck(torch.mul, (KEPT, KEPT))


def test_the_names_of_newer_versions() -> None:
    assert gradcheck(func=torch.sin, inputs=X) is gradcheck(fn=torch.sin, inputs=X) is True
    with pytest.raises(TypeError, match="F: got None, expected"):
        gradcheck(inputs=X)


def test_what_cannot_be_traced_is_said_with_the_verb_that_helps() -> None:
    def branches(x: Any) -> Any:
        return 2 * x if x.sum() > 0 else x

    with pytest.raises(TypeError, match=r"; call handgrad.torch.check_function, and give refer"):
        gradcheck(branches, X)
