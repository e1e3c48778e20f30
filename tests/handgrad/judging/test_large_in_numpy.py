"""Losses in NumPy of many parameters are judged as the same code in `jax.numpy`, if it is that."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.program.numpy_to_jax import TRANSLATED

RNG = np.random.default_rng(3)
W, V = RNG.normal(size=(13, 19)) / 5, RNG.normal(size=(19, 2)) / 5
X, Y = RNG.normal(size=(17, 13)), RNG.normal(size=(17, 2))


def plain(params: Any, x: Any, y: Any) -> Any:
    w, v = params
    return np.mean((np.tanh(x @ w) @ v - y) ** 2)


def in_place(params: Any, x: Any, y: Any) -> Any:
    w, v = params
    h = x @ w
    same = h
    same[:] = np.tanh(h)
    return np.mean((h @ v - y) ** 2)


def by_another_name(params: Any, x: Any, y: Any) -> Any:
    w, v = params
    h = np.tanh(x @ w)
    same = h
    same *= 2  # of a tracer, this makes another array, and leaves h
    return np.mean((h / 2 @ v - y) ** 2)


def gradient(params: Any, x: Any, y: Any) -> Any:
    w, v = params
    h = np.tanh(x @ w)
    d = 2 * (h @ v - y) / y.size
    return x.T @ (d @ v.T * (1 - h**2)), h.T @ d


@pytest.mark.parametrize("loss", [plain, in_place, by_another_name])
def test_a_right_one_is_certified(loss: Callable[..., Any]) -> None:
    report = check_gradient(gradient, loss, (W, V), X, Y, points=1)
    assert report.verdict == "agree"
    assert report.certified
    assert (TRANSLATED in report.certificate) == (loss is plain)


@pytest.mark.parametrize("loss", [plain, by_another_name])
def test_one_element_that_is_off_is_wrong(loss: Callable[..., Any]) -> None:
    def off(params: Any, x: Any, y: Any) -> Any:
        dw, dv = gradient(params, x, y)
        dw[7, 5] *= 1 + 1e-9
        return dw, dv

    report = check_gradient(off, loss, (W, V), X, Y, points=0)
    assert report.verdict == "disagree"
    assert report.blame == "yours"


def test_few_parameters_stay_on_power_series() -> None:
    report = check_gradient(gradient, plain, (W[:2, :3], V[:3]), X[:, :2], Y, points=0)
    assert report.verdict == "agree"
    assert TRANSLATED not in report.certificate
