"""Parameters of modules: how their gradients are given, hooks on them, and what is refused."""

import re
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.program.aten.tensors import to_array
from handgrad.program.aten.tracing import in_jax
from tests.torch_installed import torch

nn = torch.nn
torch.manual_seed(4)
X, Y = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])


class Unused(nn.Module):
    """A layer, a weight that forward does not use, and one that requires no grad."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((3,), 0.75), requires_grad=False)
        self.layer = nn.Linear(3, 2)
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, x: Any) -> Any:
        return self.layer(x * self.scale)


def loss(module: Any, x: Any, y: Any) -> Any:
    return nn.functional.cross_entropy(module(x), y)


def backward(module: Any, x: Any, y: Any) -> None:
    loss(module, x, y).backward()


def _giving(grads: Callable[[Any], Any]) -> Callable[..., Any]:
    def gradient(module: Any, x: Any, y: Any) -> Any:
        backward(module, x, y)
        return grads(module)

    return gradient


FORMS: dict[str, Callable[[Any], Any]] = {
    "filled": lambda _: None,
    "by name": lambda m: {n: p.grad for n, p in m.named_parameters() if p.requires_grad},
    "all by name": lambda m: {n: p.grad for n, p in m.named_parameters()},
    "in order": lambda m: [p.grad for p in m.parameters() if p.requires_grad],
    "all in order": lambda m: [p.grad for p in m.parameters()],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_gradient_that_is_none_is_zero(form: str) -> None:
    report = check_gradient(_giving(FORMS[form]), loss, Unused(), X, Y, points=0)
    assert (report.verdict, report.findings) == ("agree", ())


def test_a_gradient_of_what_requires_none_is_too_many() -> None:
    of_frozen = _giving(lambda m: [torch.zeros(3), *[p.grad for p in m.parameters()][1:]])
    assert "scale" in check_gradient(of_frozen, loss, Unused(), X, Y, points=0).headline


def test_a_loss_that_is_returned_after_backward() -> None:
    def step(module: Any, x: Any, y: Any) -> Any:
        value = loss(module, x, y)
        value.backward()
        return value.item()

    def with_value(module: Any, x: Any, y: Any) -> Any:
        return step(module, x, y), None

    says = r"returned a number and has filled .grad; expected None, or \(loss, grads\) with has_va"
    assert re.search(says, check_gradient(step, loss, Unused(), X, Y, points=0).headline)
    assert check_gradient(with_value, loss, Unused(), X, Y, points=0, has_value=True)
    w = torch.ones(3, requires_grad=True)

    def of_tensor(w: Any, x: Any) -> Any:
        value = (x @ w).sin().sum()
        value.backward()
        return value

    def loss_of_tensor(w: Any, x: Any) -> Any:
        return (x @ w).sin().sum()

    assert re.search(says, check_gradient(of_tensor, loss_of_tensor, w, X, points=0).headline)


def _twice_grad(parameter: Any) -> None:
    parameter.grad.mul_(2)


@pytest.mark.parametrize("after", [False, True])
def test_hooks_of_parameters_change_gradients(after: bool) -> None:
    module = nn.Linear(3, 2)
    if after:
        module.weight.register_post_accumulate_grad_hook(_twice_grad)
    else:
        module.weight.register_hook(lambda g: 2 * g)
    report = check_gradient(backward, loss, module, X, Y, points=0)
    assert (report.verdict, [f.leaf for f in report.observed]) == ("disagree", ["weight"])
    assert module.weight.grad is None


def test_hooks_of_parameters_run_in_a_trace() -> None:
    module, other = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)
    module.weight.register_hook(lambda g: 2 * g)
    module.weight.register_post_accumulate_grad_hook(_twice_grad)

    def gradient(x: Any) -> Any:
        module(x).sin().sum().backward()
        return module.weight.grad

    traced = in_jax(gradient, module)({"weight": jnp.array(to_array(other.weight))}, to_array(X))
    other(X).sin().sum().backward()
    np.testing.assert_allclose(traced, 4 * to_array(other.weight.grad), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # which torch deprecates
def test_compiled_code_is_refused_and_left_as_it_is() -> None:
    module = torch.jit.script(nn.Sequential(nn.Linear(3, 2)))
    with pytest.raises(TypeError, match="expected the module that was scripted"):
        check_gradient(backward, loss, module, X, Y)
    assert all(p.grad is None for p in module.parameters())


def test_parameters_without_values_are_named() -> None:
    with pytest.raises(TypeError, match=r"^LazyLinear: weight has no shape yet; call the module"):
        check_gradient(backward, loss, nn.LazyLinear(2), X, Y)
    with pytest.raises(TypeError, match=r"^Linear: weight is on the device meta, expected"):
        check_gradient(backward, loss, nn.Linear(3, 2, device="meta"), X, Y)


def test_layers_that_a_cpu_computes_in_one_operation() -> None:
    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.lstm = nn.Conv1d(1, 2, 2), nn.LSTM(2, 2)

        def forward(self, x: Any) -> Any:
            return self.lstm(self.convolution(x[:2, None]).permute(2, 0, 1))[0][-1]

    enabled = torch._C._get_mkldnn_enabled()
    assert check_gradient(backward, loss, Layers(), X, Y[:2], points=0).verdict == "agree"
    assert torch._C._get_mkldnn_enabled() == enabled
