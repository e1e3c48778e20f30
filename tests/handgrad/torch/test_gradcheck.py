"""`handgrad.torch.gradcheck` takes the place of `torch.autograd.gradcheck`."""

import pytest

from handgrad import GradientMismatch
from handgrad.torch import gradcheck
from tests.corpus.torch_rows.backward_passes import (
    MASK,
    NEEDS_BOTH,
    POSITIVE,
    dropout,
    saving,
)
from tests.corpus.torch_rows.untraced import branching
from tests.torch_installed import torch

X = POSITIVE.clone().requires_grad_()
KEPT = MASK[0]
RIGHT, TWICE = dropout(1).apply, dropout(2).apply


def test_the_options_of_torch_run() -> None:
    options = {"eps": 1e-6, "atol": 1e-4, "rtol": 1e-3, "nondet_tol": 0.0, "fast_mode": True}
    assert torch.autograd.gradcheck(RIGHT, (X, KEPT, 0.25), **options)
    assert gradcheck(RIGHT, (X, KEPT, 0.25), **options) is True
    assert gradcheck(func=torch.sin, inputs=X) is gradcheck(fn=torch.sin, inputs=X) is True


def test_a_wrong_rule_raises_with_the_report() -> None:
    with pytest.raises(GradientMismatch) as raised:
        gradcheck(TWICE, (X, KEPT, 0.25))
    assert not raised.value.report
    assert "Again: gradcheck(fn, inputs)" in str(raised.value)
    assert gradcheck(TWICE, (X, KEPT, 0.25), raise_exception=False) is False
    with pytest.raises(GradientMismatch, match=r"Again: .*check_undefined_grad=False"):
        gradcheck(TWICE, (X, KEPT, 0.25), check_undefined_grad=False)


def test_a_mistake_too_small_for_differences() -> None:
    tiny = saving(lambda x: 1e-6 * x.sin().sum(), lambda x, *_: 0 * x).apply
    assert torch.autograd.gradcheck(tiny, (X,))
    assert gradcheck(tiny, (X,), raise_exception=False) is False


def test_undefined_cotangents_can_be_left_out() -> None:
    both = NEEDS_BOTH.apply, (X, KEPT.clone().requires_grad_())
    assert gradcheck(*both, check_undefined_grad=False)
    with pytest.raises(GradientMismatch, match=r"where output\[0\] alone is used"):
        gradcheck(*both)


def test_what_is_not_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="check_forward_ad: got True, expected False"):
        gradcheck(torch.sin, X, check_forward_ad=True)
    with pytest.raises(ValueError, match="check_backward_ad: got False"):
        gradcheck(torch.sin, X, check_backward_ad=False)
    with pytest.raises(TypeError, match="got no tensor of floats that requires grad"):
        gradcheck(torch.mul, (KEPT, KEPT))
    with pytest.raises(TypeError, match="F: got None, expected"):
        gradcheck(inputs=X)
    with pytest.raises(TypeError, match=r"; call handgrad.torch.check_function, and give refer"):
        gradcheck(branching, X)
