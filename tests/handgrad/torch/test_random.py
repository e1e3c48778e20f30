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
AT: Any = X.numpy()


def seeded(x: Any) -> Any:
    torch.manual_seed(5)
    return x * torch.rand(3, dtype=x.dtype)


def forward(x: Any) -> Any:
    return seeded(x), x


def backward(dy: Any, _: Any) -> Any:
    return seeded(dy)


def raises(x: Any) -> Any:
    seeded(x)
    raise ZeroDivisionError


def masked(x: Any) -> Any:
    kept = (torch.rand(x.shape) > 0.5).to(x.dtype)
    return x * kept, kept


def factors() -> Any:
    return seeded(torch.ones(3, dtype=X.dtype)).numpy()


def squares(x: Any) -> Any:
    return factors() * x**2


def total(x: Any) -> Any:
    return squares(x).sum()


@jax.custom_vjp
def rule(x: Any) -> Any:
    return squares(x)


rule.defvjp(lambda x: (squares(x), x), lambda x, dy: (2 * factors() * x * dy,))


#: Checks, of what draws in both passes; steps also before one is judged, versions in the loss, and
#: those of code for NumPy or JAX in the function and its derivative.
CHECKS: dict[str, Callable[..., Any]] = {
    "backward": lambda **how: check_backward(forward, backward, X, **how),
    "steps": lambda **how: check_steps([("scale", forward, backward)], X, **how),
    "versions": lambda **how: compare_gradients(
        {"mine": lambda x: seeded(x / x)}, lambda x: seeded(x).sum(), X, **how
    ),
    "gradient": lambda **how: (
        check_gradient(seeded, lambda x: seeded(x * x / 2).sum(), X, **how) or True
    ),
    "custom": lambda **how: check_custom(rule, AT, **how),
    "jacobian": lambda **how: check_jacobian(
        lambda x: np.diag(2 * factors() * x), squares, AT, **how
    ),
    "hessian": lambda **how: check_hessian(lambda _: np.diag(2 * factors()), total, AT, **how),
    "product": lambda **how: check_hvp(lambda _, v: 2 * factors() * v, total, AT, **how),
    "scipy": lambda **how: check_scipy(total, AT, jac=lambda x: 2 * factors() * x, **how),
    "function": lambda **how: check_function(seeded, X, **how),
    "gradcheck": lambda **_: gradcheck(seeded, X.clone().requires_grad_()),
    "what draws": lambda **how: (
        check_backward(masked, lambda d, m: d * m, X, **how).verdict == "undecidable"
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_numbers_that_are_drawn_are_those_without_a_check(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert CHECKS[name](points=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_also_where_a_pass_raises() -> None:
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        check_backward(raises, backward, X)
    with pytest.raises(ZeroDivisionError):
        check_steps([("a", raises, backward)], X)
    assert torch.equal(torch.get_rng_state(), before)
