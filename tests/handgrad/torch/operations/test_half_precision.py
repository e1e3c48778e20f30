"""Half floats: rounded where PyTorch rounds them, summed in float32."""

from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad.program.aten.tensors import to_array, to_tensor
from handgrad.program.aten.tracing import in_jax
from tests.handgrad.torch.operations.samples import LABELS, PLACES, TABLE, VECTOR, Sample, on
from tests.torch_installed import torch

F: Any = torch.nn.functional

#: PyTorch and JAX compute these in float32 with errors far below half a unit of the format, and
#: round once for each operation.
EXACT = {
    "add a number": VECTOR(lambda x: x + 0.1),
    "multiply by a number": VECTOR(lambda x: x * 0.3),
    "from one to the next": VECTOR(lambda x: ((x + 1) * x - 0.3) * 0.7),
    "power": VECTOR(lambda x: x**3),
    "addcmul": on((5,), (5,), (5,))(lambda x, y, z: torch.addcmul(x, y, z, value=0.3)),
    "lerp": on((5,), (5,))(lambda x, y: torch.lerp(x, y, 0.7)),
    "gelu": VECTOR(F.gelu),
    "silu": VECTOR(F.silu),
    "sigmoid": VECTOR(torch.sigmoid),
    "layer_norm": on((3, 31), (31,))(lambda x, w: F.layer_norm(x, (31,), w)),
    "conversions": VECTOR(lambda x: (x.float() * 0.1).to(x.dtype)),
}

#: PyTorch sums these in another order, or rounds once more within.
SUMS = {
    "divide by a number": VECTOR(lambda x: x / 3),  # which XLA multiplies by a rounded 1/3
    # PyTorch rounds the product as well, but only in the last few elements of an array.
    "add a multiple": on((5,), (5,))(lambda x, y: torch.add(x, y, alpha=0.3)),
    "sum": on((300,))(lambda x: x.sum()),
    "mean": on((7, 31))(lambda x: x.mean(1)),
    "variance": on((7, 31))(lambda x: x.var(1)),
    "norm": on((7, 31))(lambda x: x.norm(dim=0)),
    "softmax": TABLE(lambda x: F.softmax(x, 1)),
    "log_softmax": TABLE(lambda x: F.log_softmax(x, 1)),
    "mm": on((3, 64), (64, 5))(torch.mm),
    "addmm": on((5,), (3, 64), (64, 5))(torch.addmm),
    "conv1d": on((2, 3, 7), (5, 3, 2), (5,))(F.conv1d),
    "attention": on((1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4))(F.scaled_dot_product_attention),
    "mse_loss": on((300,), (300,))(F.mse_loss),
    "cross_entropy": TABLE(lambda x: F.cross_entropy(x, LABELS)),
    "scatter_add": on((3, 5), (2, 3))(lambda x, y: x.scatter_add(1, PLACES, y)),
}


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
@pytest.mark.parametrize("name", [*EXACT, *SUMS])
def test_half_floats_are_rounded_as_by_torch(name: str, dtype: Any) -> None:
    sample = (EXACT | SUMS)[name]
    arrays = sample.arrays(dtype)
    expected = to_array(sample.call(*map(to_tensor, arrays)))
    got = _by_jax(sample, arrays)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    # In float32 another order of a sum costs far less than a unit of the format: the result is
    # rounded to the same number or to the next one.
    units = np.abs(_rank(got) - _rank(expected))
    assert np.max(units) <= (name in SUMS), (got, expected)


def _by_jax(sample: Sample, arrays: list[Any]) -> np.ndarray:
    """Run the traced operations one by one: compiled together, XLA keeps excess precision."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(in_jax(sample.call))(*arrays)
        (made,) = jex.jaxpr_as_fun(program)(*arrays)
    return np.asarray(made)


def _rank(array: np.ndarray) -> np.ndarray:
    """Return the place of each number among those of its format."""
    bits = array.view(np.int16).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFF), bits)
