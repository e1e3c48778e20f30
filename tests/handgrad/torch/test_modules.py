"""Modules whose parameters are traced; the caller's module stays as it is."""

from typing import Any

import jax
import numpy as np
import pytest

from handgrad.program.aten.modules import filled
from handgrad.program.aten.tensors import to_array
from handgrad.program.aten.tracing import in_jax
from tests.handgrad.torch.both import by_jax
from tests.torch_installed import torch

nn = torch.nn
F64 = {"dtype": torch.float64}


def _input(*shape: int) -> np.ndarray[Any, Any]:
    return np.sin(np.arange(float(np.prod(shape)))).reshape(shape)


class Tied(nn.Module):
    """One weight under two names, and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3, **F64)
        self.head = nn.Linear(3, 5, bias=False, **F64)
        self.head.weight = self.embedding.weight
        self.all = [self.embedding.weight]
        self.calls = 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.last = x
        return self.head(self.embedding(torch.tensor([0, 3]))) + self.all[0].sum() + x


def _first(module: Any) -> Any:
    return lambda *x: module(*x)[0]


MODULES: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {}


def _case(name: str, module: Any, *inputs: Any, of: Any = lambda module: module) -> None:
    MODULES[name] = module, of(module), inputs


torch.manual_seed(0)
_case("mlp", nn.Sequential(nn.Linear(4, 3, **F64), nn.GELU(), nn.LayerNorm(3, **F64)), _input(5, 4))
_case("batch norm", nn.BatchNorm1d(4, **F64), _input(5, 4))
_case("its evaluation", nn.BatchNorm1d(4, **F64).eval(), _input(5, 4))
_case("its average", nn.BatchNorm1d(4, momentum=None, **F64), _input(5, 4))
_case("convolution", nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, **F64), _input(2, 2, 5, 7))
_case("lstm", nn.LSTM(4, 3, num_layers=2, bidirectional=True, **F64), _input(5, 2, 4), of=_first)
_case("gru", nn.GRU(4, 3, **F64), _input(5, 2, 4), of=_first)
_case("attention", nn.MultiheadAttention(6, 2, **F64), *[_input(5, 2, 6)] * 3, of=_first)
_case("block", nn.TransformerEncoderLayer(6, 2, 8, 0.0, **F64).eval(), _input(5, 2, 6))
_case("weight norm", nn.utils.parametrizations.weight_norm(nn.Linear(4, 3, **F64)), _input(5, 4))
_case("tied", Tied(), _input(2, 5))


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    module, f, inputs = MODULES[name]
    before = [(vars(part).copy(), part.state_dict()) for part in module.modules()]
    values = [{key: value.clone() for key, value in state.items()} for _, state in before]
    arrays = {key: to_array(p) for key, p in module.named_parameters()}
    (got,) = by_jax(f, arrays, *inputs, module=module)
    for part, (attributes, state), copies in zip(module.modules(), before, values, strict=True):
        assert vars(part) == attributes
        assert all(torch.equal(state[key], copies[key]) for key in state)
    expected = to_array(f(*map(torch.tensor, inputs)))
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_gradients_of_all_parameters() -> None:
    module = Tied()
    x = _input(2, 5)
    arrays = {key: to_array(p) for key, p in module.named_parameters()}
    with jax.enable_x64(True):
        theirs = jax.grad(lambda p: (in_jax(module, module)(p, x) ** 2).sum())(arrays)
    ours = torch.autograd.grad((module(torch.tensor(x)) ** 2).sum(), list(module.parameters()))
    assert list(theirs) == ["embedding.weight"]
    np.testing.assert_allclose(theirs["embedding.weight"], to_array(ours[0]), rtol=1e-12)


def test_a_parameter_that_a_closure_has() -> None:
    module = nn.Linear(4, 3, **F64)
    weight, data = module.weight, module.weight.data

    def f(x: Any) -> Any:
        return (x @ weight.T).sum() + (weight.data * 2).sum() + (module.weight * weight).sum()

    other = {"weight": _input(3, 4), "bias": _input(3)}
    (got,) = by_jax(f, other, _input(2, 4), module=module)
    w = other["weight"]
    expected = (_input(2, 4) @ w.T).sum() + 2 * w.sum() + (w * w).sum()
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert module.weight.data.data_ptr() == data.data_ptr()


def test_the_module_is_restored_after_an_error() -> None:
    module = Tied()
    weight = module.head.weight

    def fails() -> Any:
        with filled(module, {"embedding.weight": torch.zeros(5, 3, **F64)}):
            module.extra = 1
            assert module.head.weight is module.embedding.weight is module.all[0] is not weight
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert module.head.weight is module.embedding.weight is module.all[0] is weight
    assert not hasattr(module, "extra")
