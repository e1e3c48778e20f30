"""Where gradients end: JAX's of the traced function end where PyTorch's do."""

from typing import Any

import numpy as np
import pytest

from handgrad.program.aten.tracing import in_jax
from tests.handgrad.torch.both import by_jax, slopes
from tests.torch_installed import torch

X = np.sin(np.arange(12.0)).reshape(3, 4) + 2


class _Cube(torch.autograd.Function):
    """What is computed without gradients in a forward has one all the same."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        with torch.no_grad():
            square = x.detach() * x
        with torch.enable_grad():
            cube = square * x.detach()
        return cube.clone()

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * dy


class _Itself(torch.autograd.Function):
    """Its backward returns what it saved, a view that has no slope without `create_graph`."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * 1

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        return ctx.saved_tensors[0].detach()


@torch.no_grad()
def _target(x: Any) -> Any:
    return x * x


def _in_inference_mode(x: Any) -> Any:
    with torch.inference_mode():
        y = x.detach() * x
    return y.clone()


def _switched(x: Any) -> Any:
    torch.set_grad_enabled(False)
    y = x * x
    torch.set_grad_enabled(True)
    return y


def _enabled_within(x: Any) -> Any:
    with torch.no_grad():
        y = x * 2
        with torch.enable_grad():
            z = x * 3
    return y * z


def _written_without(x: Any) -> Any:
    y = x * 2
    with torch.no_grad():
        y.clamp_(max=3)
        y.mul_(5)
    return y * x


def _written_by_data(x: Any) -> Any:
    y = x * 2
    y.data = y.data.clamp(max=3)
    y.data.mul_(5)
    return y * x


def _written_with(x: Any) -> Any:
    with torch.no_grad():
        y = x * 2
    y[0] = x[0]
    return y * x


def _gradients_inside(x: Any) -> Any:
    (without,) = torch.autograd.grad((x**3).sum(), x)
    return without * x


def _saved_inside(x: Any) -> Any:
    (without,) = torch.autograd.grad(_Itself.apply(x).sum(), x)
    return without * x


def _with_graph(x: Any) -> Any:
    (one,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (other,) = torch.autograd.grad((x**4).sum(), x, None, None, True)
    return one * other


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.detach() * x,
        lambda x: x.data * x,
        lambda x: _target(x) * x,
        lambda x: _Cube.apply(x) + x,
        lambda x: _Cube.apply(x).detach() * x,
        lambda x: _target(_Cube.apply(x)) * x,
        _in_inference_mode,
        _switched,
        _enabled_within,
        _written_without,
        _written_by_data,
        _written_with,
        _gradients_inside,
        _saved_inside,
        _with_graph,
        lambda x: (x + (x.round() - x).detach()) * x,
    ],
)
def test_gradients_end_where_pytorchs_do(f: Any) -> None:
    weights = torch.tensor(np.cos(np.arange(12.0)).reshape(3, 4))

    def loss(x: Any) -> Any:
        if not x.requires_grad:
            x = x.requires_grad_()
        y = f(x)
        return (y * weights).sum() + x.sum()

    ours, theirs = slopes(loss, X)
    np.testing.assert_allclose(theirs, ours, rtol=1e-13, atol=1e-13)


def test_what_is_left_of_a_mode_ends_with_the_call() -> None:
    def leaves_it(x: Any) -> Any:
        torch.set_grad_enabled(False)
        return x * 2

    by_jax(leaves_it, X)
    assert torch.is_grad_enabled()
    assert in_jax(lambda x: x * torch.is_grad_enabled())(X).all()
