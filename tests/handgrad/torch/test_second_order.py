"""Double backward: a backward pass that is right, and whose derivative is not."""

from typing import Any

import jax
import pytest
from jax import lax

from handgrad.program.aten.installed import torch
from handgrad.torch import check_function

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def function(backward: Any, keep: Any = None) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.tanh(x)
        ctx.y = y.detach()
        ctx.save_for_backward(y)
        return y

    members = {"forward": staticmethod(keep or forward), "backward": staticmethod(backward)}
    return type("Tanh", (torch.autograd.Function,), members)


def right(ctx: Any, d: Any) -> Any:
    (y,) = ctx.saved_tensors
    return d * (1 - y * y)


def detached(ctx: Any, d: Any) -> Any:
    return d * (1 - ctx.y * ctx.y)


@torch.no_grad()
def without_graph(ctx: Any, d: Any) -> Any:
    return right(ctx, d)


def of_a_constant_cotangent(ctx: Any, d: Any) -> Any:
    return right(ctx, d.detach())


WRONG = {"detached": detached, "no_grad": without_graph, "cotangent": of_a_constant_cotangent}


@pytest.mark.parametrize("name", WRONG)
def test_a_derivative_that_is_silently_wrong(name: str) -> None:
    f = function(WRONG[name])
    assert check_function(f, X, points=0).verdict == "agree"
    report = check_function(f, X, points=0, order=2)
    assert report.headline.startswith("disagree at second order: x: 3 of 3 elements"), str(report)
    assert report.leaves[0].path == "x"
    assert report.counterexample is None


@pytest.mark.parametrize(
    "f",
    [function(right), torch.sin, lambda x: x.prod() * x, torch.nn.functional.gelu],
    ids=["rule", "sin", "product", "rounded constants"],
)
def test_a_derivative_that_is_right(f: Any) -> None:
    report = check_function(f, X, points=1, order=2)
    assert report.headline.endswith("; at second order, too"), str(report)
    assert report.certificate.endswith(", held to differences of slopes by power series")


@jax.custom_jvp
def square(x: Any) -> Any:
    return x * x


@square.defjvp
def _(at: Any, along: Any) -> Any:
    return square(*at), 2 * lax.stop_gradient(at[0]) * along[0]


@pytest.mark.parametrize(
    ("f", "options"),
    [(lambda x: x * x.detach(), {}), (lambda x: x * x, {"reference": square})],
    ids=["forward", "reference"],
)
def test_the_right_slope_is_held_to_power_series(f: Any, options: Any) -> None:
    """JAX takes for constant what is not, in forward or in the reference."""
    report = check_function(f, X, points=0, order=2, **options)
    assert report.headline.startswith("undecidable at second order: JAX's derivative of the")


def test_digits_lost_at_second_order_alone() -> None:
    """PyTorch's derivative of expm1 is its result plus 1, of which little is left at -30."""

    class Excess(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return 1e-20 * (torch.exp(x) - x)

        @staticmethod
        def backward(ctx: Any, *d: Any) -> Any:
            return d[0] * 1e-20 * torch.expm1(*ctx.saved_tensors)

    report = check_function(Excess, X - 30, points=0, order=2)
    assert report.headline.startswith("agree: ")
    assert "at second order" not in report.headline
    assert report.warnings[0].startswith("imprecise at second order: x: 3 of 3 elements")
    report = check_function(Excess, X - 30, points=0, order=2, strict=True)
    assert report.headline.startswith("imprecise at second order: x: 3 of 3 elements")
    assert not report


def test_several_arguments_and_a_reference() -> None:
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, power: int) -> Any:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, *d: Any) -> Any:
            x, y = ctx.saved_tensors
            return d[0] * y, d[0] * x.detach(), None

    report = check_function(Product, X, X + 1, 2, points=0, order=2)
    assert report.headline.startswith("disagree at second order: x: ")
    assert check_function(Product, X, X + 1, 2, points=0, order=2, wrt="y")
    by = check_function(function(right), X, points=0, order=2, reference=torch.tanh)
    assert by.headline.endswith("; at second order, too")


def test_a_domain_that_directions_leave() -> None:
    x = torch.tensor([0.6, -0.8], dtype=torch.float64)
    with pytest.raises(ValueError, match="got 2 and domain='unit sphere', expected"):
        check_function(function(right), x, order=2, domain="unit sphere")


def test_what_has_no_second_derivative() -> None:
    with pytest.raises(
        TypeError,
        match=r"^order: backward of Tanh is marked once_differentiable",
    ):
        check_function(function(torch.autograd.function.once_differentiable(right)), X, order=2)
    with pytest.raises(ValueError, match="order: got 0, expected 1 or 2"):
        check_function(function(right), X, order=0)

    def raises(ctx: Any, d: Any) -> Any:
        out = right(ctx, d)
        if out.requires_grad:
            raise RuntimeError("no graph here")
        return out

    says = "^order: PyTorch cannot differentiate the backward pass of Tanh: RuntimeError: no graph"
    with pytest.raises(TypeError, match=says):
        check_function(function(raises), X, order=2)
