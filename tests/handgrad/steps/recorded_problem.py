"""A loss and its gradient, made of steps, and what is seen and said of the steps of a wrong one."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient
from handgrad.report import GradientReport, StepsReport

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 2))
PARAMS = {"k": RNG.normal(size=6), "w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
NORMED = {"v": RNG.normal(size=(6, 3)), "w": RNG.normal(size=(3, 2))}


def loss(p: Any, x: Any, y: Any) -> Any:
    """A scaling, ReLU, the larger of each two neighbours, a linear layer, squares."""
    h = jax.nn.relu(x * p["k"][None, :]).reshape(5, 3, 2).max(axis=2)
    return jnp.mean((h @ p["w"] + p["b"][None, :] - y) ** 2)


def scale_forward(x: Any, k: Any) -> Any:
    return x * k[None, :], (x, k)


def scale_backward(dz: Any, cache: Any) -> Any:
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0)


def relu_forward(z: Any) -> Any:
    """JAX cannot trace it."""
    return np.maximum(z, 0), z


def relu_backward(da: Any, z: Any) -> Any:
    return da * (z > 0)


def pool_forward(h: Any) -> Any:
    blocks = h.reshape(5, 3, 2)
    out = blocks.max(axis=2)
    return out, (blocks, out)


def pool_backward(dout: Any, cache: Any) -> Any:
    """Wrong: of two that are tied, each is given all. It does no harm: all that are tied are 0."""
    blocks, out = cache
    return ((blocks == out[:, :, None]) * dout[:, :, None]).reshape(5, 6)


def affine_forward(a: Any, w: Any, b: Any) -> Any:
    return a @ w + b[None, :], (a, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.sum(axis=0)


def made_of(
    scale: Any = scale_backward, relu: Any = relu_backward, affine: Any = affine_backward
) -> Callable[..., Any]:
    """A gradient, some backward passes in place of the right ones; its pool is wrong as well."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        z, of_scale = scale_forward(x, p["k"])
        h, of_relu = relu_forward(z)
        a, of_pool = pool_forward(h)
        out, of_affine = affine_forward(a, p["w"], p["b"])
        da, dw, db = affine(2 * (out - y) / y.size, of_affine)
        _, dk = scale(relu(pool_backward(da, of_pool), of_relu), of_scale)
        return {"k": dk, "w": dw, "b": db}

    return gradient


def asked(gradient: Any, loss: Any = loss, params: Any = PARAMS) -> GradientReport:
    report = check_gradient(gradient, loss, params, X, Y, points=0)
    assert report.verdict == "disagree"
    return report


def seen(report: GradientReport) -> StepsReport:
    assert report.steps is not None
    return report.steps


def bare(name: str) -> str:
    """A step's name without where it stands."""
    return name.split(" (")[0]


def told(report: GradientReport) -> str:
    return " ".join(str(report).split())


def called(name: str, function: Any) -> Any:
    """A function that says it is called something else, as a step is found by its name."""
    code = function.__code__.replace(co_name=name)
    return type(function)(code, globals(), name)
