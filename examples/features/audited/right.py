"""Losses, each with its derivative beside it, where `handgrad check --all` finds it."""

from typing import Any

import numpy as np

from handgrad import gradient_of

X = np.array([[1.0, 0.5], [1.0, -1.2], [1.0, 2.1]])


def pinball(r: Any) -> Any:
    return np.sum(np.where(r > 0, 0.9 * r, -0.1 * r))


def pinball_grad(r: Any) -> Any:
    return np.where(r > 0, 0.9, -0.1)


def pinball_example() -> Any:
    return (np.array([0.4, -1.1, 2.0]),)


def ridge(w: Any, x: Any) -> Any:
    return np.sum((x @ w) ** 2) + 0.1 * np.sum(w**2)


def d_ridge(w: Any, x: Any) -> Any:
    return 2 * x.T @ (x @ w) + 0.2 * w


def ridge_example() -> Any:
    return np.array([0.3, -0.7]), X


def cosh_loss(r: Any) -> Any:
    return np.sum(np.logaddexp(r, -r))


@gradient_of(cosh_loss, like=pinball_example)
def slope(r: Any) -> Any:
    return np.tanh(r)
