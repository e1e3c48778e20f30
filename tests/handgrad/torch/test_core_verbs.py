"""`check_gradient` and its siblings take tensors, modules and functions of PyTorch."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import (
    check_backward,
    check_custom,
    check_gradient,
    check_steps,
    exact_gradient,
    time_gradient,
)
from tests.torch_installed import torch

torch.manual_seed(1)
X, Y = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
W, B = torch.randn(3, 2, dtype=torch.float64), torch.randn(2, dtype=torch.float64)
PARAMS = {"w": W, "b": B}


def loss(params: Any, x: Any, y: Any) -> Any:
    return ((x @ params["w"] + params["b"] - y) ** 2).mean()


def gradient(params: Any, x: Any, y: Any) -> Any:
    r = 2 * (x @ params["w"] + params["b"] - y) / y.numel()
    return {"w": x.T @ r, "b": r.sum(0)}


def in_jax(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.matmul(x, params["w"]) + params["b"][None, :] - y) ** 2)


def in_numpy(params: Any, x: Any, y: Any) -> Any:
    return np.mean((np.dot(x, params["w"]) + params["b"] - y) ** 2)


@pytest.mark.parametrize("written", [loss, in_jax, in_numpy])
def test_tensors_and_a_loss_in_any_library(written: Any) -> None:
    report = check_gradient(gradient, written, PARAMS, X, Y, points=1)
    assert (report.verdict, report.points) == ("agree", 2)
    assert [leaf.path for leaf in report.leaves] == ["params['b']", "params['w']"]
    assert isinstance(report.params["w"], np.ndarray)

    def without_mean(params: Any, x: Any, y: Any) -> Any:
        return {name: g * y.numel() for name, g in gradient(params, x, y).items()}

    wrong = check_gradient(without_mean, written, PARAMS, X, Y, points=0)
    assert {f.kind for f in wrong.findings} == {"factor"}


def test_the_diagnosis_names_the_line_in_torch() -> None:
    def tanh_loss(w: Any, x: Any) -> Any:
        z = x @ w
        return torch.tanh(z).pow(2).sum()

    def no_derivative(w: Any, x: Any) -> Any:
        return x.T @ (2 * torch.tanh(x @ w))

    report = check_gradient(no_derivative, tanh_loss, W, X, points=0)
    assert {f.kind for f in report.findings} == {"activation-derivative"}
    assert "test_core_verbs.py, line" in str(report)
    assert "torch.tanh(z).pow(2).sum()" in str(report)


def test_points_of_the_callers_own_are_tensors_too() -> None:
    other = {"w": 2 * W, "b": B}
    assert check_gradient(gradient, loss, PARAMS, X, Y, points=[(other, X, Y)]).points == 2

    def right_at_the_first(params: Any, x: Any, y: Any) -> Any:
        return gradient({"w": W, "b": params["b"]}, x, y)

    assert check_gradient(right_at_the_first, loss, PARAMS, X, Y, points=0).verdict == "agree"
    report = check_gradient(right_at_the_first, loss, PARAMS, X, Y, points=[(other, X, Y)])
    assert (report.verdict, report.point) == ("disagree", 1)


def test_backward_fills_grad_of_tensors() -> None:
    w = W.clone().requires_grad_()

    def by_autograd(w: Any, x: Any) -> None:
        (x @ w).sin().sum().backward()

    def squares(w: Any, x: Any) -> Any:
        return (x @ w).sin().sum()

    assert check_gradient(by_autograd, squares, w, X, points=1).verdict == "agree"
    assert w.grad is None
    nothing = check_gradient(lambda w, x: None, squares, w, X, points=0)
    assert "returned None; is its return statement missing?" in nothing.headline


def test_what_is_wrong_in_the_form() -> None:
    def writes(params: Any, x: Any, y: Any) -> Any:
        found = gradient(params, x, y)
        params["w"] -= 0.1 * found["w"]
        return found

    report = check_gradient(writes, loss, PARAMS, X, Y, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("mutation", "params['w']")]

    def shorter(params: Any, x: Any, y: Any) -> Any:
        return {name: g.half() for name, g in gradient(params, x, y).items()}

    kinds = {f.kind for f in check_gradient(shorter, loss, PARAMS, X, Y, points=0).findings}
    assert kinds == {"dtype"}

    def flat(params: Any, x: Any, y: Any) -> Any:
        return gradient(params, x, y)["w"]

    assert check_gradient(flat, loss, PARAMS, X, Y, points=0).findings[0].kind == "structure"


def test_writes_to_tensors_on_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is not that of the arrays, so tensors are copied to it, here by `to`."""
    monkeypatch.setattr(torch.Tensor, "to", lambda x, *_: x.detach().clone())

    def writes(params: Any, x: Any, y: Any) -> Any:
        found = gradient(params, x, y)
        params["w"] -= 0.1 * found["w"]
        return found

    report = check_gradient(writes, loss, PARAMS, X, Y, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("mutation", "params['w']")]

    def of_module(model: Any, x: Any) -> Any:
        found = x.sum(0)
        with torch.no_grad():
            model.weight *= 2
        return [found[None, :]]

    linear = torch.nn.Linear(3, 1, bias=False).double()
    wrote = check_gradient(of_module, lambda model, x: model(x).sum(), linear, X, points=0)
    assert [(f.kind, f.leaf) for f in wrote.findings] == [("mutation", "weight")]

    def backward(dz: Any, cache: Any) -> Any:
        dz *= 2
        return affine_backward(dz / 2, cache)

    spoilt = check_backward(affine, backward, X, W, points=0)
    assert [(f.kind, f.leaf) for f in spoilt.findings] == [("mutation", "cotangent")]


def network() -> Any:
    layers = torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    made = torch.nn.Sequential(*layers).double()
    made[0].bias.requires_grad_(False)
    return made


NETWORK = network()


def of_module(model: Any, x: Any, y: Any) -> Any:
    return ((model(x) - y) ** 2).mean()


def by_names(model: Any, x: Any, y: Any) -> Any:
    of_module(model, x, y).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


def in_order(model: Any, x: Any, y: Any) -> Any:
    parameters = [p for p in model.parameters() if p.requires_grad]
    return torch.autograd.grad(of_module(model, x, y), parameters)


def read_of_grad(model: Any, x: Any, y: Any) -> None:
    of_module(model, x, y).backward()


@pytest.mark.parametrize("written", [by_names, in_order, read_of_grad])
def test_a_module_and_the_ways_to_return_its_gradient(written: Any) -> None:
    before = {name: x.clone() for name, x in NETWORK.state_dict().items()}
    report = check_gradient(written, of_module, NETWORK, X, Y, points=1)
    assert report.verdict == "agree"
    names = {name for name, p in NETWORK.named_parameters() if p.requires_grad}
    assert {leaf.path for leaf in report.leaves} == names
    assert all(torch.equal(x, before[name]) for name, x in NETWORK.state_dict().items())
    assert all(p.grad is None for p in NETWORK.parameters())


def test_a_wrong_leaf_of_a_module() -> None:
    def scaled(model: Any, x: Any, y: Any) -> None:
        read_of_grad(model, x, y)
        model[1].weight.grad *= 5

    plain = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)).double()
    report = check_gradient(scaled, of_module, plain, X, Y, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("factor", "1.weight")]
    assert report.counterexample is None

    def too_few(model: Any, x: Any, y: Any) -> Any:
        return in_order(model, x, y)[1:]

    found = check_gradient(too_few, of_module, NETWORK, X, Y, points=0).findings
    assert found[0].kind == "structure"


def test_tied_parameters_are_one_leaf() -> None:
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Linear(3, 3, bias=False).double()
            self.b = torch.nn.Linear(3, 3, bias=False).double()
            self.b.weight = self.a.weight

        def forward(self, x: Any) -> Any:
            return self.b(torch.tanh(self.a(x)))

    def square(model: Any, x: Any) -> Any:
        return model(x).pow(2).sum()

    def right(model: Any, x: Any) -> None:
        square(model, x).backward()

    report = check_gradient(right, square, Tied(), X, points=0)
    assert (report.verdict, [leaf.path for leaf in report.leaves]) == ("agree", ["a.weight"])


def test_a_module_without_parameters() -> None:
    with pytest.raises(TypeError, match="Tanh: got no parameter that requires grad"):
        check_gradient(read_of_grad, of_module, torch.nn.Tanh(), X, Y)


def affine(x: Any, w: Any) -> Any:
    return x @ w, (x, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, x.T @ dz


def doubled(dz: Any, cache: Any) -> Any:
    dx, dw = affine_backward(dz, cache)
    return dx, 2 * dw


def square(z: Any) -> Any:
    return z * z, z


def square_backward(da: Any, z: Any) -> Any:
    return 2 * da * z


def test_a_backward_step() -> None:
    assert check_backward(affine, affine_backward, X, W, points=1).verdict == "agree"
    report = check_backward(affine, doubled, X, W, cotangent=torch.ones(5, 2), points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("factor", "w")]

    def writes(dz: Any, cache: Any) -> Any:
        dz *= 2
        return affine_backward(dz / 2, cache)

    spoilt = check_backward(affine, writes, X, W, points=0)
    assert [(f.kind, f.leaf) for f in spoilt.findings] == [("mutation", "cotangent")]


def test_steps_one_after_the_other() -> None:
    steps = [("affine", affine, affine_backward, (W,)), ("square", square, square_backward)]
    assert check_steps(steps, X, points=0).passes
    steps[0] = ("affine", affine, doubled, (W,))
    report = check_steps(steps, X, points=0)
    assert report.first_wrong is report.steps[0]
    # The cotangent comes by autodiff through the steps after it.
    cotangent = report.steps[0].report.trial.outcomes[0].given.inputs[0]
    (last,) = report.steps[1].report.trial.outcomes[0].given.inputs
    assert np.allclose(cotangent, 2 * (X @ W).numpy() * last)


def test_steps_inside_a_gradient_are_judged() -> None:
    def of_steps(w: Any, x: Any) -> Any:
        return (torch.tanh(x @ w) ** 2).sum()

    def matmul_forward(x: Any, w: Any) -> Any:
        return x @ w, (x, w)

    def matmul_backward(dz: Any, cache: Any) -> Any:
        x, w = cache
        return dz @ w.T, -x.T @ dz

    def composed(w: Any, x: Any) -> Any:
        z, cache = matmul_forward(x, w)
        a = torch.tanh(z)
        return matmul_backward(2 * a * (1 - a * a), cache)[1]

    report = check_gradient(composed, of_steps, W, X, points=0)
    assert report.steps is not None
    found = [(step.name.partition(" ")[0], step.report.verdict) for step in report.steps.steps]
    assert found == [("matmul_backward", "disagree")]


def test_the_exact_gradient() -> None:
    found = exact_gradient(loss, PARAMS, X, Y)
    expected = gradient(PARAMS, X, Y)["b"].numpy()
    assert np.allclose([float(number) for number in found["b"]], expected, rtol=1e-14)
    of_all = exact_gradient(of_module, NETWORK, X, Y)
    assert of_all["3.bias"].shape == (2,)


def test_a_time() -> None:
    seen = []

    def counted(params: Any, x: Any, y: Any) -> Any:
        seen.append(type(x))
        return gradient(params, x, y)

    timings = time_gradient(counted, loss, PARAMS, X, Y, rounds=3, seconds=0.2)
    assert set(seen) == {torch.Tensor}
    assert len(seen) > timings.rounds >= 1


def sampled(x: Any, w: Any) -> Any:
    return (x @ w) * torch.multinomial(w.abs(), 2).sum(), (x, w)


def test_each_verb_says_what_it_has_in_place_of_what_cannot_be_traced() -> None:
    """None of these has a reference=."""

    def says(call: Any, *args: Any) -> str:
        with pytest.raises(NotImplementedError) as raised:
            call(*args, points=0)
        return str(raised.value).partition(" is not covered; ")[2]

    def of_samples(w: Any) -> Any:
        return sampled(X, w)[0].sum()

    first = "write this with other operations of PyTorch or "
    on_arrays = first + "write it in JAX or NumPy, for arrays"
    assert says(check_gradient, torch.ones_like, of_samples, W) == (
        first + "give a loss in JAX or NumPy of the same formula"
    )
    assert says(check_backward, sampled, affine_backward, X, W) == on_arrays
    assert says(check_steps, [("sampled", sampled, affine_backward, (W,))], X) == on_arrays


def test_what_stops_a_loss_in_jax_is_told_of_arrays() -> None:
    def branches(w: Any) -> Any:
        return jnp.sum(w) * (2 if jnp.max(w) > 0 else 3)

    verdicts = [
        check_gradient(lambda w, f=f: f * torch.ones_like(w), branches, W, points=0).verdict
        for f in (2, 3)
    ]
    assert verdicts == ["agree", "disagree"]  # on power series

    def of_torch(w: Any) -> Any:
        return torch.sum(w) * (2 if torch.max(w) > 0 else 3)

    with pytest.raises(TypeError, match=r"loss: .*torch.where"):
        check_gradient(torch.ones_like, of_torch, W, points=0)


def test_a_loss_that_is_another_one_when_it_is_traced() -> None:
    def depends(w: Any) -> Any:
        return w.sum() * (2 if type(w) is torch.Tensor else 3)

    with pytest.raises(TypeError, match="loss: JAX traces another function: it gives "):
        check_gradient(torch.ones_like, depends, W, points=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_traced_loss_may_be_off_by_rounding_alone(dtype: Any) -> None:
    digits = {torch.float64: 1e-9, torch.float32: 1e-4}[dtype]

    def depends(w: Any) -> Any:
        return w.abs().sum() * (1.0 if type(w) is torch.Tensor else 1.0 + digits)

    def gradient(w: Any) -> Any:
        return w.sign() * (1.0 + digits)

    with pytest.raises(TypeError, match="loss: JAX traces another function: it gives "):
        check_gradient(gradient, depends, W.to(dtype), points=0)

    def in_bfloat16(w: Any) -> Any:
        return w.bfloat16().abs().sum().to(dtype)

    assert check_gradient(lambda w: w.sign(), in_bfloat16, W.to(dtype), points=0).passes


def test_a_function_of_tensors_where_arrays_are_given() -> None:
    says = (
        "reference: this is a function of PyTorch's tensors, and gets arrays; expected one in JAX"
    )
    with pytest.raises(TypeError, match=says):
        check_custom(jnp.sin, X.numpy(), reference=torch.sin)
