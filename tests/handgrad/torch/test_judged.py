"""A loss in PyTorch before the judge: its program, its lines, and what it cannot be judged for."""

from typing import Any

import jax
import numpy as np
import pytest

import handgrad
from handgrad.program.aten.errors import UncoveredOperationError
from handgrad.program.aten.tensors import to_array
from handgrad.program.aten.tracing import in_jax
from handgrad.program.graph import Numbering, flattened
from tests.torch_installed import torch

W = np.sin(np.arange(1.0, 13.0)).reshape(4, 3)
X = np.cos(np.arange(20.0)).reshape(5, 4)
LABELS = torch.tensor([0, 2, 1, 1, 0])


class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x + 0.5 * x

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        return dy * 2 * x  # and not 2x + 1/2


def _right(w: Any, x: Any) -> Any:
    return torch.nn.functional.cross_entropy(torch.tanh(x @ w), LABELS, label_smoothing=0.1)


def _wrong(w: Any, x: Any) -> Any:
    return torch.nn.functional.cross_entropy(_Square.apply(x @ w), LABELS)


def _by_autograd(loss: Any) -> Any:
    def gradient(w: Any, x: Any) -> Any:
        weight = torch.tensor(w, requires_grad=True)
        return to_array(torch.autograd.grad(loss(weight, torch.tensor(x)), weight)[0])

    return gradient


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_gradient(dtype: Any) -> None:
    w, x = W.astype(dtype), X.astype(dtype)
    report = handgrad.check_gradient(_by_autograd(_right), in_jax(_right), w, x, points=2)
    assert report.verdict == "agree"
    assert report.certificate == "every element by power series in ball arithmetic"


def test_a_wrong_rule_is_found_at_its_line() -> None:
    report = handgrad.check_gradient(_by_autograd(_wrong), in_jax(_wrong), W, X, points=2)
    assert report.verdict == "disagree"
    line = _Square.forward.__code__.co_firstlineno + 3
    assert "a term is missing" in str(report)
    assert f"(forward pass: tests/handgrad/torch/test_judged.py, lines {line}, " in " ".join(
        str(report).split()
    )


def _number(w: Any, x: Any) -> Any:
    return (w * w.max().item()).sum() + x.sum()


def _branch(w: Any, x: Any) -> Any:
    if w.sum() > 0:
        return (w * 2).sum()
    return x.sum()


def _outside(w: Any, x: Any) -> Any:
    return torch.from_numpy(np.exp(w.numpy())).sum() + x.sum()


def _valid(w: Any, x: Any) -> Any:
    # PyTorch's compiler, once loaded, turns the checks off that are else the default.
    normal = torch.distributions.Normal(w, w.exp(), validate_args=True)
    return normal.log_prob(w).sum() + x.sum()


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (_number, "w.max().item() needs the numbers .* leave the tensor as it is"),
        (_branch, r"w.sum\(\) > 0 needs the numbers .* torch.where\(condition, a, b\)"),
        (_outside, "w.numpy() needs the numbers"),
        (_valid, "pass validate_args=False"),
    ],
)
def test_numbers_of_a_traced_tensor(loss: Any, says: str) -> None:
    pattern = says.replace("()", r"\(\)")
    with pytest.raises(TypeError, match=rf"^loss: .*test_judged.py, line \d+: .*{pattern}"):
        handgrad.check_gradient(lambda w, _: w, in_jax(loss), W, X, referee="series")


def test_numbers_of_an_input_are_known() -> None:
    def loss(w: Any, x: Any) -> Any:
        scale = x.max().item() if x.sum() > 0 else 0.5
        return (w**2).sum() * scale

    report = handgrad.check_gradient(_by_autograd(loss), in_jax(loss), W, X, points=1)
    assert report.verdict == "agree"


def test_an_operation_that_is_not_covered() -> None:
    def loss(w: Any, x: Any) -> Any:
        return w.sum() * torch.multinomial(w.abs(), 2).sum() + x.sum()

    says = r"line \d+: torch.multinomial\(w.abs\(\), 2\): aten.multinomial.default is not covered"
    with pytest.raises(UncoveredOperationError, match=says):
        handgrad.check_gradient(lambda w, _: w, in_jax(loss), W, X, points=1)


def test_an_option_that_is_not_covered() -> None:
    def f(x: Any) -> Any:
        return torch.linalg.lu_factor(x.mT @ x, pivot=False)[0]

    with pytest.raises(UncoveredOperationError, match=r"line \d+: torch.linalg.*without pivots"):
        jax.make_jaxpr(in_jax(f))(W)


def test_a_random_draw_is_no_function() -> None:
    def loss(w: Any, x: Any) -> Any:
        return torch.nn.functional.dropout(x @ w, 0.5).sum()

    torch.manual_seed(0)
    report = handgrad.check_gradient(_by_autograd(loss), in_jax(loss), W, X, points=1)
    assert report.verdict == "undecidable"
    assert "not a function of its arguments" in str(report)


def test_power_series_are_no_tensors() -> None:
    with pytest.raises(TypeError, match="not on power series"):
        in_jax(torch.sin)(np.array([object()]))


def test_memory_that_a_kernel_would_read() -> None:
    for f in (lambda x: x.data_ptr(), np.from_dlpack, lambda x: x.untyped_storage()):
        with pytest.raises(
            UncoveredOperationError, match=r"kernel outside of PyTorch.* is not covered$"
        ):
            in_jax(f)(W)


def test_hooks_have_nothing_to_do() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        y.retain_grad()
        y.register_hook(print).remove()
        return y

    assert in_jax(f)(W).tolist() == (2 * W).tolist()


def test_a_call_is_named_as_the_caller_knows_it() -> None:
    linear = torch.nn.Linear(4, 3).double()

    def f(x: Any) -> Any:
        y = torch.nn.functional.layer_norm(linear(x), (3,))
        return y.softmax(-1)

    with jax.enable_x64(True):
        program = jax.make_jaxpr(in_jax(f))(X)
    nodes = flattened(program, Numbering()).nodes
    assert {node.call.name for node in nodes if node.call} >= {"layer_norm", "softmax", "Linear"}


@pytest.mark.parametrize("held", [False, True])
def test_a_module_in_training_mode_draws(held: bool) -> None:
    made = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5)).double()
    x = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3)

    def loss(w: Any, x: Any) -> Any:
        return (made(w) ** 2).sum() if held else (w(x) ** 2).sum()

    def gradient(w: Any, x: Any) -> Any:
        return 0 * w if held else loss(w, x).backward()

    checked = (gradient, loss, x if held else made, x)
    headline = handgrad.check_gradient(*checked, points=0).headline
    assert (
        "draws from PyTorch's generator: call torch.manual_seed(0) inside it, or eval()" in headline
    )
    made.eval()
    report = handgrad.check_gradient(*checked, points=0)
    assert report.verdict == ("disagree" if held else "agree")


@pytest.mark.parametrize("check", [handgrad.check_backward, handgrad.check_steps])
def test_a_check_leaves_the_generator_as_it_was(check: Any) -> None:
    def forward(x: Any) -> Any:
        kept = (torch.rand(x.shape) > 0.5).to(x.dtype)
        return x * kept, kept

    def backward(dy: Any, kept: Any) -> Any:
        return dy * kept

    steps = check is handgrad.check_steps
    before = torch.get_rng_state()
    given = ([("drop", forward, backward)],) if steps else (forward, backward)
    report = check(*given, torch.tensor(W))
    assert "draws from PyTorch's generator: call torch" in " ".join(str(report).split())
    assert torch.equal(torch.get_rng_state(), before)
