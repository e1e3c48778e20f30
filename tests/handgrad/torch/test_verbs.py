"""What else of `handgrad` takes tensors, and what is as it was after a check."""

from typing import Any

import numpy as np
import pytest

from handgrad import (
    check_backward,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_steps,
    exact_gradient,
    time_gradient,
)
from handgrad.torch import check_function
from tests.corpus.torch_rows.gradients import (
    PARAMS,
    W,
    X,
    Y,
    affine_backward,
    affine_forward,
    doubled,
    doubling_cotangent,
    mean_square,
    of_mean_square,
    stepping,
)
from tests.corpus.torch_rows.modules import MODULES, of_square, square, updating
from tests.torch_installed import torch


def test_steps_one_after_the_other() -> None:
    squares = ("square", lambda z: (z * z, z), lambda da, z: 2 * da * z)
    assert check_steps([("affine", affine_forward, affine_backward, (W,)), squares], X, points=0)
    report = check_steps([("affine", affine_forward, doubled, (W,)), squares], X, points=0)
    assert report.first_wrong is report.steps[0]


def test_the_exact_gradient() -> None:
    found = exact_gradient(mean_square, PARAMS, X, Y)
    expected = of_mean_square(PARAMS, X, Y)["b"].numpy()
    assert np.allclose([float(number) for number in found["b"]], expected, rtol=1e-14)
    module, x = MODULES["mlp"]
    assert exact_gradient(square, module, x)["2.bias"].shape == (3,)


@pytest.mark.parametrize("check", [check_jacobian, check_hessian, check_hvp])
def test_what_takes_no_tensors(check: Any) -> None:
    with pytest.raises(TypeError, match=r"^x: got a tensor of PyTorch, expected arrays; "):
        check(lambda x, *v: 2 * x, lambda x: x @ x, torch.ones(3))


def test_a_time() -> None:
    seen = []

    def counted(params: Any, x: Any, y: Any) -> Any:
        seen.append(type(x))
        return of_mean_square(params, x, y)

    timings = time_gradient(counted, mean_square, PARAMS, X, Y, rounds=3, seconds=0.2)
    assert set(seen) == {torch.Tensor}
    assert len(seen) > timings.rounds >= 1


def test_writes_to_tensors_on_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is not that of the arrays, so tensors are copied to it, here by `to`."""
    monkeypatch.setattr(torch.Tensor, "to", lambda x, *_: x.detach().clone())
    linear = torch.nn.ModuleDict({"layer": torch.nn.Linear(3, 1, bias=False).double()})
    for report, leaf in (
        (check_gradient(stepping, mean_square, PARAMS, X, Y, points=0), "params['w']"),
        (check_backward(affine_forward, doubling_cotangent, X, W, points=0), "cotangent"),
        (
            check_gradient(
                lambda m, x: updating(m) or [x.sum(0)[None, :]],
                lambda m, x: m["layer"](x).sum(),
                linear,
                X,
                points=0,
            ),
            "layer.weight",
        ),
    ):
        assert [(f.kind, f.leaf) for f in report.findings] == [("mutation", leaf)]


@pytest.mark.parametrize("name", ["batch norm by an average", "one weight in two places"])
def test_a_module_is_left_as_it_was(name: str) -> None:
    module, x = MODULES[name]
    before = [(vars(part).copy(), part.state_dict()) for part in module.modules()]
    values = [{key: value.clone() for key, value in state.items()} for _, state in before]

    def raises(module: Any, x: Any) -> Any:
        module.extra = x
        raise KeyError

    check_gradient(of_square, square, module, x, points=1)
    check_function(module, x, points=1)
    with pytest.raises(KeyError):
        check_gradient(raises, raises, module, x)
    for part, (attributes, state), copies in zip(module.modules(), before, values, strict=True):
        assert vars(part) == attributes
        assert all(torch.equal(state[key], copies[key]) for key in state)
    assert all(p.grad is None for p in module.parameters())


@pytest.mark.filterwarnings("ignore:.*torch.jit")  # which torch deprecates
def test_compiled_code_is_refused_and_left_as_it_is() -> None:
    module = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 2)).double())
    with pytest.raises(TypeError, match="expected the module that was scripted"):
        check_gradient(of_square, square, module, X)
    assert all(p.grad is None for p in module.parameters())
