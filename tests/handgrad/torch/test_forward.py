"""Forward passes of rules: traced, or held to a reference where they cannot be."""

import ctypes
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.judging.pytorch.subjects import Subject
from handgrad.program.aten.installed import torch
from handgrad.torch import check_function
from tests.handgrad.torch import rules

torch.manual_seed(0)
X = torch.randn(3, 5, dtype=torch.float64)
WEIGHT = torch.randn(5, dtype=torch.float64)


REFERENCES = {
    "torch": lambda x, w: x.pow(2) + torch.mul(x, w),
    "jax": lambda x, w: jnp.square(x) + jnp.multiply(x, w),
    "numpy": lambda x, w: np.square(x) + np.multiply(x, w),
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
def test_a_reference_stands_for_what_cannot_be_traced(reference: Any) -> None:
    args = X[0], WEIGHT
    assert check_function(rules.OutOfSight, *args, reference=reference, points=1).verdict == "agree"
    wrong = check_function(rules.OutOfSightWrong, *args, reference=reference, points=0)
    assert [f.leaf for f in wrong.findings] == ["x"]


def test_values_are_held_to_the_reference_first() -> None:
    report = check_function(
        rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: x**2 + x * w * (x > 1), points=0
    )
    assert report.verdict == "disagree"
    (found,) = report.findings
    assert (found.kind, found.leaf) == ("loss-value", "output")
    with pytest.raises(TypeError, match=r"reference: got shape .*, expected"):
        check_function(rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: (x + w).sum())
    with pytest.raises(TypeError, match="reference: got 2 outputs, expected 1"):
        check_function(rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: (x, w))


def test_what_cannot_be_traced_is_named_with_what_helps() -> None:
    with pytest.raises((TypeError, NotImplementedError), match=r"rules.py, line \d+: .*reference="):
        check_function(rules.OutOfSight, X[0], WEIGHT)


def test_an_operation_that_is_not_covered_is_named_with_the_reference() -> None:
    def sampled(x: Any) -> Any:
        return x * torch.multinomial(x.abs(), 2).sum()

    says = "is not covered; write this with other operations of PyTorch or give reference=, a "
    with pytest.raises(NotImplementedError, match=says + "function .* in PyTorch, JAX or NumPy$"):
        check_function(sampled, X[0])

    def branches(x: Any) -> Any:
        return 2 * x if x.sum() > 0 else x

    with pytest.raises(TypeError, match=r"^forward: .*torch.where.*; give reference=, a "):
        check_function(branches, X[0])


def test_code_that_takes_addresses_is_not_traced() -> None:
    class Copy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = torch.empty_like(x)
            ctypes.memmove(y.data_ptr(), x.data_ptr(), x.numel() * x.element_size())
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    with pytest.raises(NotImplementedError, match=r"test_forward.py, line \d+: .*data_ptr.*refer"):
        check_function(Copy, X)
    assert check_function(Copy, X, reference=lambda x: x.clone(), points=0).verdict == "agree"


def test_values_that_depend_on_a_tensor_without_gradient() -> None:
    class Power(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, n: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.n = n.item()
            return x**ctx.n if ctx.n else x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return dy * ctx.n * x ** (ctx.n - 1), None

    assert check_function(Power, X, torch.tensor(3), points=0).verdict == "agree"


def test_what_is_another_function_when_it_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Subject.forward
    by = np.array([1.0, 1.0, 1.0 + 1e-9, 1.0, 1.0])
    monkeypatch.setattr(
        Subject, "forward", lambda self, arrays: [by * out for out in forward(self, arrays)]
    )
    says = r"forward: output\[2\]: JAX traces another function: it gives .* where yours gives "
    with pytest.raises(TypeError, match=says):
        check_function(rules.Squared, X[0], 0.5, points=0)
