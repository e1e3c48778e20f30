import math
from typing import NamedTuple
import jax.numpy as jnp
import numpy as np

print("a word while loading")


class Point(NamedTuple):
    w: object


def loss(params, x, y):
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def gradient(params, x, y):
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


def halved(params, x, y):
    return {name: grad / 2 for name, grad in gradient(params, x, y).items()}


def with_value(params, x, y):
    return np.float64(loss(params, x, y)), gradient(params, x, y)


def fails(params, x, y):
    return x @ np.ones(4)


def untraceable(params, x, y):
    return math.exp(params["w"][0])


def neuron(w, x):
    return jnp.square(1 / (1 + jnp.exp(-w * x)))


def lossy(w, x):
    s = 1 / (1 + np.exp(-w * x))
    return 2 * s * s * (1 - s) * x


def jump(w, x):
    return jnp.floor(w * x)


def nothing(w, x):
    return 0 * w


def example():
    rng = np.random.default_rng(3)
    params = {"w": rng.normal(size=3), "b": np.float64(0.5)}
    return params, rng.normal(size=(5, 3)), rng.normal(size=5)


saturated = (np.float64(1.0), 31.0)
at_a_jump = (np.float64(1.0), 1.0)
number = 3
named = Point(np.ones(3))
