"""Accurate functions of float arrays, where the textbook formula loses digits."""

import math
from typing import Any

import numpy as np

Array = Any


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^-z); never overflows."""
    e = np.exp(-abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


def sigmoid_derivative(z: Array) -> Array:
    """σ(z)σ(-z), and not σ(1 - σ), which is 0 where σ rounds to 1."""
    e = np.exp(-abs(z))
    return e / (1 + e) ** 2


def tanh_derivative(z: Array) -> Array:
    """1 / cosh² z, and not 1 - tanh² z, which is 0 where tanh rounds to 1."""
    e = np.exp(-2 * abs(z))
    return 4 * e / (1 + e) ** 2


def bernoulli_delta(z: Array, y: Array) -> Array:
    """σ(z) - y without the cancellation at labels 0 and 1."""
    return (1 - y) * sigmoid(z) - y * sigmoid(-z)


def binomial_delta(z: Array, failures: Array, successes: Array) -> Array:
    """failures σ(z) - successes σ(-z), also where the two nearly cancel at small z."""
    halves = (failures - successes) / 2 + (failures + successes) / 2 * np.tanh(z / 2)
    return np.where(abs(z) < 1, halves, failures * sigmoid(z) - successes * sigmoid(-z))


def softmax(z: Array) -> Array:
    """The softmax along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_delta(z: Array, labels: Array) -> Array:
    """softmax(z) minus the one-hot labels; at the label it is minus the sum of the others."""
    p = softmax(z)
    hot = one_hot(labels, z.shape[-1])
    others = np.where(hot, 0.0, p)
    return np.where(hot, -others.sum(axis=-1, keepdims=True), p)


def softmax_backward(p: Array, dp: Array) -> Array:
    """dz_i = p_i Σ_j p_j (dp_i - dp_j): no digit is lost where p is nearly one-hot."""
    return p * ((dp[..., :, None] - dp[..., None, :]) * p[..., None, :]).sum(axis=-1)


def one_hot(labels: Array, classes: int) -> Array:
    """A boolean mask with one more axis, of that many classes."""
    return np.asarray(labels)[..., None] == np.arange(classes)


def normal_density(z: Array) -> Array:
    """φ(z)."""
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def size(rng: np.random.Generator, large: float = 12.0, small: float = 1e-3) -> float:
    """Draw a scale: about 1, in a fifth of the draws so large that sigmoids saturate, or tiny."""
    if rng.random() < 0.8:
        return float(rng.uniform(0.3, 1.5))
    return float(rng.choice([large, small]))
