"""What the optimisers by hand refuse and leave alone; they are judged in test_reference.py."""

from typing import Any

import numpy as np
import pytest

from manual.affine import Layer
from manual.optimisers import OPTIMISERS

W, B = np.array([[2.0, -3.0, 0.5]]), np.array([1.0, 0.0, -7.0])
PARAMS = [Layer(W, B)]
GRADS = [Layer(np.array([[1.0, -2.0, 0.0]]), np.array([4.0, 1e-3, -1e3]))]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_gradient_of_fewer_layers_is_refused(name: str) -> None:
    optimiser, params = OPTIMISERS[name](0.1), PARAMS * 2
    with pytest.raises(ValueError, match="shorter"):
        optimiser.update(params, GRADS, optimiser.init(params))


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nothing_is_written_to_and_nothing_widened(name: str, dtype: Any) -> None:
    params = [Layer(W.astype(dtype), B.astype(dtype))]
    grads = [Layer(g.w.astype(dtype), g.b.astype(dtype)) for g in GRADS]
    for layer in (*params, *grads):
        layer.w.flags.writeable = layer.b.flags.writeable = False
    optimiser = OPTIMISERS[name](0.1)
    state = optimiser.init(params)
    for _ in range(2):
        params, state = optimiser.update(params, grads, state)
    assert all(part.dtype == dtype for part in params[0])
    assert all(part.dtype == dtype for moment in state.moments for part in moment[0])
