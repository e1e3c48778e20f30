"""Losses and their gradients by name, one with a mistake: docs/howto/audit.md's package."""

import numpy as np


def huber(r):
    """Quadratic within 1, linear beyond."""
    return np.sum(np.where(np.abs(r) <= 1, r**2 / 2, np.abs(r) - 0.5))


def huber_grad(r):
    """r, clipped."""
    return np.clip(r, -1, 1)


def log_cosh(r):
    """Like Huber's, and smooth."""
    return np.sum(np.log(np.cosh(r)))


def log_cosh_grad(r):
    """By hand."""
    return np.tanh(r)


def logistic(w, x, y):
    """Labels are -1 and 1."""
    return np.sum(np.log1p(np.exp(-y * (x @ w))))


def d_logistic(w, x, y):
    """By hand."""
    return x.T @ (-y / (1 + np.exp(y * (x @ w))))


def ridge(w, strength):
    """A penalty."""
    return strength * np.sum(w**2)


def ridge_grad(w, strength):
    """By hand, with a mistake."""
    return strength * w


huber_example = (np.array([-2.3, -0.4, 0.7, 1.6]),)
ridge_example = np.array([0.3, -0.7, 1.1]), 0.1


def logistic_example():
    """Seven rows."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(3), rng.standard_normal((7, 3)), rng.choice([-1.0, 1.0], 7)
