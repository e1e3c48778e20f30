"""Timing a right gradient beside the one that JAX compiles."""

import time
from itertools import count
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import NotTimedError, time_gradient
from handgrad.speed.rounds import Ratio, ratio, rival
from tests.handgrad.reports import report

X, Y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]), np.array([1.0, 0.0, 2.0])
W = np.array([0.3, -0.7])


def loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2)


def gradient(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) / len(y)


def timed(gradient: Any, loss: Any = loss, *point: Any, **options: Any) -> Any:
    """The timings of few rounds; the gradient is taken to be right."""
    point = point or (W, X, Y)
    return time_gradient(gradient, loss, *point, report=report(), rounds=2, **options)


@pytest.mark.slow
def test_a_slow_gradient_is_slower_and_compiling_pays() -> None:
    def slow(*at: Any) -> Any:
        time.sleep(0.005)
        return gradient(*at)

    found = timed(slow)
    assert found.yours >= 0.005
    assert found.autodiff
    assert found.autodiff.seconds < found.first_call_of_autodiff
    assert found.on_device
    assert found.compiled_loss
    assert (found.static, found.not_compiled) == ((), None)
    assert timed(lambda *a: (np.float64(loss(*a)), gradient(*a)), has_value=True).autodiff


@pytest.mark.slow
def test_a_loss_that_cannot_be_compiled() -> None:
    of_numpy = timed(gradient, lambda w, x, y: np.mean(np.square(x @ w - y)))
    assert (of_numpy.autodiff, of_numpy.on_device, of_numpy.compiled_loss) == (None, None, None)
    assert min(of_numpy.yours, of_numpy.loss) > 0
    assert "nothing to compare with" in str(of_numpy)
    asks = timed(gradient, lambda w, x, y: loss(w, x, y) if w[0] > 0 else 0 * w[0])
    assert asks.autodiff
    assert (asks.autodiff.break_even, asks.first_call_of_autodiff) == (None, None)
    assert "The loss cannot be compiled: " in str(asks)


@pytest.mark.slow
def test_only_a_right_gradient_gets_a_time_and_its_last_answer_is_held_to_the_first() -> None:
    with pytest.raises(NotTimedError, match="disagree: a gradient gets a time once it is right"):
        time_gradient(lambda *a: gradient(*a) / 2, loss, W, X, Y)
    assert time_gradient(gradient, loss, W, X, Y, rounds=1).rounds == 1
    calls = count()
    with pytest.raises(NotTimedError, match="the last timed call did not answer"):
        timed(lambda *a: gradient(*a) * (1 if next(calls) < 3 else 2))


@pytest.mark.slow
def test_what_must_stay_as_it_is_is_a_constant() -> None:
    for loss, inputs, static in (
        (lambda w, x, k: jnp.sum(w * k * x[0]), (X, 2.5), ()),
        (lambda w, x, n: sum(jnp.sum(w**k * x[0]) for k in range(n)), (X, 3), ("n",)),
        (lambda w, o: jnp.sum(w) if o["mean"] == "no" else w[0], ({"mean": "no"},), ("o['mean']",)),
        (lambda w, x: jnp.sum(w) * float(x[0, 0]), (X,), ("x",)),
    ):
        found = timed(lambda w, *_: w, loss, W, *inputs)
        assert (found.static, found.not_compiled) == (static, None)


def test_the_bounds_of_a_ratio_and_when_a_difference_beyond_the_noise_pays() -> None:
    """Of 15, the fourth from either end: 1 - 2 (1 + 15 + 105 + 455) / 2¹⁵ = 0.965."""
    assert ratio([float(i) for i in range(15, 0, -1)], [1.0] * 15) == Ratio(8.0, 4.0, 12.0)
    # Of 2000 draws 95 % and more; three standard deviations of that number are 1.5 %.
    rng = np.random.default_rng(0)
    found = [ratio(rng.exponential(size=15).tolist(), [1.0] * 15) for _ in range(2000)]
    assert np.mean([r.low <= np.log(2) <= r.high for r in found]) > 0.935
    for yours, noise, late, word, calls in (
        (3.0, 1.03, 10.0, "slower", 5),  # 2 s saved by a call of autodiff
        (3.0, 1.03, -1.0, "slower", 0),
        (3.0, 4.0, 10.0, "as fast", None),
        (0.5, 1.03, 10.0, "faster", 0),
        (0.5, 1.03, -10.0, "faster", 20),  # half a second saved by a call of yours
        (1.0, 1.03, 10.0, "as fast", None),
        (3.0, 1.03, None, "slower", None),
    ):
        one = rival([yours] * 6, [1.0] * 6, Ratio(1.0, 1 / noise, noise), late)
        assert (one.comparison, one.break_even) == (word, calls)
