"""The optimisers by hand, where their formulas can be followed with a pencil."""

import math
from typing import Any

import numpy as np
import pytest

from manual.affine import Layer
from manual.optimisers import OPTIMISERS, Adam, Momentum, Optimiser, Sgd

W, B = np.array([[2.0, -3.0, 0.5]]), np.array([1.0, 0.0, -7.0])
PARAMS = [Layer(W, B)]
GRADS = [Layer(np.array([[1.0, -2.0, 0.0]]), np.array([4.0, 1e-3, -1e3]))]


def after(optimiser: Optimiser, updates: int, grads: Any = GRADS) -> Layer:
    """The only layer after so many updates along one and the same gradient."""
    params, state = PARAMS, optimiser.init(PARAMS)
    for made in range(updates):
        assert state.updates == made
        params, state = optimiser.update(params, grads, state)
    return params[0]


def test_plain_descent_goes_straight() -> None:
    end = after(Sgd(0.25), 8)
    np.testing.assert_array_equal(end.w, W - 2 * GRADS[0].w)  # eighths and quarters are exact
    np.testing.assert_allclose(end.b, B - 2 * GRADS[0].b, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("updates", [1, 3, 30])
def test_a_heavy_ball_gathers_speed(updates: int) -> None:
    """v_k = g (1 - μᵏ) / (1 - μ), and w loses η times the sum of them."""
    mu, eta = 0.5, 0.25
    way = sum((1 - mu**k) / (1 - mu) for k in range(1, updates + 1))
    end = after(Momentum(eta, mu), updates)
    # Powers of two make every operation exact until 2⁻⁵³ is reached, at some 30 updates.
    np.testing.assert_allclose(end.w, W - eta * way * GRADS[0].w, rtol=1e-14)


@pytest.mark.parametrize("updates", [1, 3, 100])
def test_along_one_gradient_adam_steps_by_the_learning_rate(updates: int) -> None:
    """Both corrected means are then g and g² themselves, so each step is η g / (|g| + ε)."""
    eta, epsilon = 0.01, 1e-8
    end = after(Adam(eta), updates)
    for start, reached, g in zip(B, end.b, GRADS[0].b, strict=True):
        step = eta * g / (abs(g) + epsilon)
        # The means take five roundings an update, of at most one unit each, and sums as many.
        allowed = 8 * updates * math.ulp(max(abs(start), abs(reached), 1.0))
        assert abs(reached - (start - updates * step)) <= allowed
    assert end.w[0, 2] == W[0, 2]  # no gradient, no step


def test_adam_remembers_two_means() -> None:
    """After g and -g: m = (0.09 - 0.1) g, v = (0.000999 + 0.001) g², by β₁ = 0.9, β₂ = 0.999."""
    adam = Adam(1.0)
    params, state = adam.update(PARAMS, GRADS, adam.init(PARAMS))
    _, state = adam.update(params, [Layer(-GRADS[0].w, -GRADS[0].b)], state)
    m, v = (moment[0].b for moment in state.moments)
    g = GRADS[0].b
    # 1 - β is rounded at the size of 1: by 2⁻⁵⁴ / 0.1 of itself, a tenth of which cancels away, and
    # by 2⁻⁵⁴ / 0.001. A few roundings come on top.
    np.testing.assert_allclose(m, -0.01 * g, rtol=1e-13)
    np.testing.assert_allclose(v, 0.001999 * g * g, rtol=1e-13)


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
