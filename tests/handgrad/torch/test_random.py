"""The caller's random numbers of PyTorch are those without a check."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from handgrad import (
    check_backward,
    check_custom,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
    compare_gradients,
)
from handgrad.torch import check_function, gradcheck
from tests.torch_installed import torch

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def seeded(x: Any) -> Any:
    torch.manual_seed(5)
    return x * torch.rand(3, dtype=x.dtype)


def forward(x: Any) -> Any:
    return seeded(x), x


def backward(dy: Any, _: Any) -> Any:
    return seeded(dy)


def factors() -> Any:
    return seeded(torch.ones(3, dtype=X.dtype)).numpy()


def squares(x: Any) -> Any:
    return factors() * x**2


def sum_of_squares(x: Any) -> Any:
    return squares(x).sum()


@jax.custom_vjp
def rule(x: Any) -> Any:
    return squares(x)


rule.defvjp(lambda x: (squares(x), x), lambda x, dy: (2 * factors() * x * dy,))


#: Checks, of what draws in both passes; steps also before one is judged, versions in the loss, and
#: those of code for NumPy or JAX in the function and its derivative.
CHECKS: dict[str, Callable[[], Any]] = {
    "backward": lambda: check_backward(forward, backward, X, points=0),
    "steps": lambda: check_steps([("scale", forward, backward)], X, points=0),
    "versions": lambda: compare_gradients(
        {"mine": lambda x: seeded(x / x)}, lambda x: seeded(x).sum(), X, points=0
    ),
    "custom": lambda: check_custom(rule, X.numpy(), points=0),
    "jacobian": lambda: check_jacobian(
        lambda x: np.diag(2 * factors() * x), squares, X.numpy(), points=0
    ),
    "hessian": lambda: check_hessian(
        lambda _: np.diag(2 * factors()), sum_of_squares, X.numpy(), points=0
    ),
    "product": lambda: check_hvp(
        lambda _, v: 2 * factors() * v, sum_of_squares, X.numpy(), points=0
    ),
    "scipy": lambda: check_scipy(
        sum_of_squares, X.numpy(), jac=lambda x: 2 * factors() * x, points=0
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_numbers_that_are_drawn_are_those_without_a_check(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert CHECKS[name]()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["backward", "steps"])
def test_also_where_a_pass_raises(name: str) -> None:
    def raising(x: Any) -> Any:
        seeded(x)
        raise ZeroDivisionError

    torch.manual_seed(0)
    before = torch.get_rng_state()
    check: Any = check_backward if name == "backward" else check_steps
    what: Any = (raising, backward) if name == "backward" else ([("a", raising, backward)],)
    with pytest.raises(ZeroDivisionError):
        check(*what, X)
    assert torch.equal(torch.get_rng_state(), before)


def test_those_of_a_function_are_those_without_a_check() -> None:
    before = torch.get_rng_state()
    check_function(seeded, X, points=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert gradcheck(seeded, X.clone().requires_grad_())
    assert torch.equal(torch.get_rng_state(), before)
    check_gradient(lambda x: seeded(x / x), lambda x: seeded(x).sum(), X, points=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_is_drawn_from_anew_at_each_call() -> None:
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, generator: Any) -> Any:
            kept = (torch.rand(x.shape, generator=generator) > 0.5).to(x.dtype)
            ctx.save_for_backward(kept)
            return x * kept

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0], None

    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert check_function(Masked, X, generator, points=1).verdict == "agree"
    assert torch.equal(generator.get_state(), before)


def test_random_numbers_of_its_own_are_no_mistake_of_the_rule() -> None:
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            kept = (torch.rand(x.shape) > 0.5).to(x.dtype)
            ctx.save_for_backward(kept)
            return x * kept

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0]

    report = check_function(Masked, X)
    assert report.verdict == "undecidable"
    assert "forward is not a function of its arguments" in report.headline
