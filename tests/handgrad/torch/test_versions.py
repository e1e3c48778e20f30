"""Versions of one gradient in torch, JAX and NumPy: each gets what it takes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import compare_gradients
from tests.corpus.torch_rows.modules import of_square, square
from tests.torch_installed import torch

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))
TENSORS = torch.tensor(W), torch.tensor(X)


def loss(w: Any, x: Any) -> Any:
    return ((x @ w) ** 2).sum()


def in_jax(w: Any, x: Any) -> Any:
    return jax.grad(lambda w: jnp.sum(jnp.matmul(x, w) ** 2))(w)


def loss_in_torch(w: Any, x: Any) -> Any:
    return torch.mv(x, w).square().sum()


def in_torch(w: Any, x: Any) -> Any:
    w = w.detach().clone().requires_grad_()
    loss_in_torch(w, x).backward()
    return w.grad


def halved(w: Any, x: Any) -> Any:
    return in_torch(w, x) / 2


def in_numpy(w: np.ndarray, x: np.ndarray) -> Any:
    if not isinstance(w, np.ndarray):
        raise TypeError("expected an array")
    return 2 * x.T @ (x @ w)


VERSIONS = {
    "torch": in_torch,
    "jax": in_jax,
    "numpy": in_numpy,
    "triton": halved,
    "mixed": lambda w, x: torch.from_numpy(in_numpy(w, x)),
}


@pytest.mark.parametrize(
    ("loss", "at"), [(loss, (W, X)), (loss_in_torch, TENSORS)], ids=["arrays", "tensors"]
)
def test_each_version_gets_what_it_takes(loss: Any, at: Any) -> None:
    report = compare_gradients(VERSIONS, loss, *at, points=[(at[0] + 1, at[1])])
    assert report.failing == ("triton",), str(report)
    assert [each.points for each in report.reports] == [2] * 5


def test_the_same_mistake_in_two_libraries() -> None:
    versions = {"torch": halved, "jax": lambda w, x: in_jax(w, x) / 2, "numpy": in_numpy}
    report = compare_gradients(versions, loss, *TENSORS, points=1)
    assert report.same_mistake == (("torch", "jax"),)
    says = "disagree: torch and jax are wrong in the same way; numpy alone is right"
    assert report.headline == says


def test_what_raises_with_either_is_told_as_it_was_called() -> None:
    def raises(w: Any, _: Any) -> Any:
        raise ValueError(f"no {type(w).__name__}")

    report = compare_gradients({"a": raises, "torch": in_torch}, loss, W, X, points=0)
    assert (report.versions[0].raised or "").startswith("ValueError: no ndarray")


def test_versions_of_a_module() -> None:
    def off(module: Any, x: Any) -> Any:
        weight, bias = torch.autograd.grad(square(module, x), list(module.parameters()))
        return weight, bias / 5

    versions = {"torch": of_square, "mine": off}
    module = torch.nn.Linear(3, 1).double()
    report = compare_gradients(versions, square, module, TENSORS[1], points=1)
    assert report.failing == ("mine",)
    assert "Where mine is worst, bias[0]" in str(report)
