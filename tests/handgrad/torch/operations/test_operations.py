"""What the judge sees of a call of PyTorch's: its values and slopes, evaluated in balls.

The values are held to PyTorch's own, the slopes in a random direction to those of its autograd.
"""

from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.aten.tensors import to_array, to_tensor
from handgrad.program.aten.tracing import in_jax
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from tests.handgrad.torch.operations import samples, samples_of_layers
from tests.handgrad.torch.operations.samples import LABELS, PLACES, TABLE, VECTOR, Sample, on
from tests.torch_installed import torch

F: Any = torch.nn.functional

SAMPLES = {
    **samples.ELEMENTWISE,
    **samples.ACTIVATIONS,
    **samples.REDUCTIONS,
    **samples.PRODUCTS,
    **samples.LINEAR_ALGEBRA,
    **samples_of_layers.LOSSES,
    **samples_of_layers.NORMALISATIONS,
    **samples_of_layers.CONVOLUTIONS,
    **samples_of_layers.INDEXING,
    **samples_of_layers.SHAPES,
    **samples_of_layers.FURTHER,
}

#: PyTorch rounds each of at most 60 terms of size 1 to 3 that a sample sums, and a function of them
#: by at most 4 ulps. Measured: 5 units for values, lgamma's, and 6 for slopes.
UNITS = 64


@pytest.mark.parametrize("name", SAMPLES)
def test_values_and_slopes_are_those_of_torch(name: str) -> None:
    sample, rng = SAMPLES[name], np.random.default_rng(11)
    arrays = sample.arrays()
    tensors = [to_tensor(array).requires_grad_() for array in arrays]
    expected = _tensors(sample.call(*tensors))
    along = [rng.uniform(-1.0, 1.0, array.shape) for array in arrays]
    forms, found = _in_balls(sample, arrays, along)
    assert forms == [(tuple(t.shape), str(t.dtype)) for t in expected]
    slope, smooth = 0.0, []
    for theirs, ours in zip(expected, found, strict=True):
        values = to_array(theirs)
        if not isinstance(ours, Dual):
            np.testing.assert_array_equal(ours, values)
            continue
        _assert_near(balls.midpoints(ours.value), values, torch.finfo(theirs.dtype).eps)
        if theirs.requires_grad:
            weights = rng.uniform(-1.0, 1.0, values.shape)
            smooth.append((to_tensor(weights).to(theirs.dtype) * theirs).sum())
            slope += float((weights * balls.midpoints(dual.tangents(ours, 1)[0])).sum())
    if smooth:
        terms = _slopes(sum(smooth), tensors, along)
        unit = max(torch.finfo(t.dtype).eps for t in expected if t.requires_grad)
        assert abs(slope - terms.sum()) <= UNITS * unit * max(1.0, abs(terms).sum())


def _tensors(made: Any) -> list[Any]:
    return [t.resolve_conj() for t in torch.utils._pytree.tree_leaves(made)]


def _in_balls(sample: Sample, arrays: list[Any], along: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return shapes and dtypes of what was traced, and the results with slopes in a direction."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(in_jax(sample.call))(*arrays)
    forms = [(aval.shape, f"torch.{aval.dtype}") for aval in program.out_avals]
    pairs = zip(arrays, along, strict=True)
    given = [Dual(balls.exact(array), balls.exact(v[None])) for array, v in pairs]
    with balls.precision(200):
        run = Run(RULES, Comparisons(final=True, undefined=True), {})
        return forms, run.closed(program, given)


def _assert_near(got: np.ndarray, values: np.ndarray, unit: float) -> None:
    expected = values.astype(np.float64)
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected))
    finite = np.isfinite(expected)
    scale = np.max(np.abs(expected[finite]), initial=1.0)
    assert np.max(np.abs(got - expected)[finite], initial=0.0) <= UNITS * unit * scale


def _slopes(loss: Any, tensors: list[Any], along: list[Any]) -> np.ndarray:
    """Return the terms of PyTorch's slope in a direction."""
    found = torch.autograd.grad(loss, tensors, allow_unused=True)
    pairs = [(g, v) for g, v in zip(found, along, strict=True) if g is not None]
    return np.concatenate([(to_array(g) * v).reshape(-1) for g, v in pairs])


# Half floats are rounded where PyTorch rounds them, and summed in float32.

#: PyTorch and JAX compute these in float32 with errors far below half a unit of the format, and
#: round once for each operation.
EXACT = {
    "add a number": VECTOR(lambda x: x + 0.1),
    "multiply by a number": VECTOR(lambda x: x * 0.3),
    "power": VECTOR(lambda x: x**3),
    "addcmul": on((5,), (5,), (5,))(lambda x, y, z: torch.addcmul(x, y, z, value=0.3)),
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
    "variance": on((7, 31))(lambda x: x.var(1)),
    "softmax": TABLE(lambda x: F.softmax(x, 1)),
    "mm": on((3, 64), (64, 5))(torch.mm),
    "conv1d": on((2, 3, 7), (5, 3, 2), (5,))(F.conv1d),
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
