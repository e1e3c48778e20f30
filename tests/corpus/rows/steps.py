"""Wrong gradients that are made of steps: which step is wrong, and which cannot be judged."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient
from tests.corpus.case import Row, cases

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 2))
PARAMS = {"k": RNG.normal(size=6), "w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
TWO = {"v": RNG.normal(size=(6, 3)), "w": RNG.normal(size=(3, 2))}


def pooled(p: Any, x: Any, y: Any) -> Any:
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


def made_of(scale: Any = scale_backward, affine: Any = affine_backward) -> Callable[..., Any]:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        z, of_scale = scale_forward(x, p["k"])
        h, of_relu = relu_forward(z)
        a, of_pool = pool_forward(h)
        out, of_affine = affine_forward(a, p["w"], p["b"])
        da, dw, db = affine(2 * (out - y) / y.size, of_affine)
        _, dk = scale(relu_backward(pool_backward(da, of_pool), of_relu), of_scale)
        return {"k": dk, "w": dw, "b": db}

    return gradient


def step(name: str, function: Any) -> Any:
    """The function under the name of a step."""
    return type(function)(function.__code__.replace(co_name=name), globals(), name)


def halved(dz: Any, cache: Any) -> Any:
    x, k = cache
    return dz * k[None, :], (dz * x).sum(axis=0) / 2


def averaged(dz: Any, cache: Any) -> Any:
    a, w = cache
    return dz @ w.T, a.T @ dz, dz.mean(axis=0)


# A step that is used twice: the root mean square of each column is taken out.


def twice_normed(p: Any, x: Any, y: Any) -> Any:
    h = x @ p["v"]
    for _ in range(2):
        h = (h + 1) / jnp.sqrt(jnp.mean((h + 1) ** 2, axis=0))[None, :]
    return jnp.mean((h @ p["w"] - y) ** 2)


def norm_forward(z: Any) -> Any:
    s = (z**2).mean(axis=0) ** 0.5
    return z / s[None, :], (z, s)


def norm_backward(dn: Any, cache: Any) -> Any:
    """Wrong: s is taken for a constant."""
    return dn / cache[1][None, :]


def by_norms(p: Any, x: Any, y: Any) -> Any:
    n, first = norm_forward(x @ p["v"] + 1)
    m, second = norm_forward(n + 1)
    d = 2 * (m @ p["w"] - y) / y.size
    return {"v": x.T @ norm_backward(norm_backward(d @ p["w"].T, second), first), "w": m.T @ d}


# A power between two products.


def cube(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean(((x @ p["v"]) ** 3 @ p["w"] - y) ** 2)


def by(forward: Any, backward: Any) -> Callable[..., Any]:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        a, cache = forward(x @ p["v"])
        d = 2 * (a @ p["w"] - y) / y.size
        dz = backward(d @ p["w"].T, cache)
        return {"v": x.T @ (dz[0] if isinstance(dz, tuple) else dz), "w": a.T @ d}

    return gradient


def power_forward(z: Any, power: Any = 3.0) -> Any:
    return z**power, (z, power)


def power_backward(d: Any, cache: Any) -> Any:
    """A setting has no derivative: ∂L/∂power is nobody's question."""
    z, power = cache
    return (d * z ** (power - 1),)


def cube_forward(z: Any) -> Any:
    return z**3, z


def cube_backward(z: Any, d: Any) -> Any:
    """It would be judged with its arguments exchanged."""
    return d * z


# A step that answers for its second input alone.


def of_scaled(k: Any, x: Any) -> Any:
    return jnp.sum((x * k[None, :]) ** 2)


def first_forward(x: Any, k: Any) -> Any:
    return x * k[None, :], x


def first_backward(d: Any, x: Any) -> Any:
    """Nothing comes back to x, and what comes back to the weights is right."""
    return (d * x).sum(axis=0)


def of_a_later_input(k: Any, x: Any) -> Any:
    out, cache = first_forward(x, k)
    return first_backward(out, cache)  # 2 out


CASES = [
    *cases("steps", check_gradient, pooled, PARAMS, X, Y, points=0)(
        Row("right, though a pool is wrong at ties", made_of(), never=("step",)),
        Row(
            "a scaling is halved, a bias averaged, and a pool wrong at ties",
            made_of(step("scale_backward", halved), step("affine_backward", averaged)),
            "affine_backward (",
            "is the first of its 4 steps back that is wrong. Kind: factor.",
            "Also wrong: pool_backward (",
        ),
    ),
    *cases("steps that are used twice", check_gradient, twice_normed, TWO, X, Y, points=0)(
        Row(
            "a deviation is taken for a constant",
            by_norms,
            "is the first of its 2 steps back that is wrong.",
            "Also wrong: norm_backward (",
        ),
    ),
    *cases("a step between two products", check_gradient, cube, TWO, X, Y, points=0)(
        Row("right", by(cube_forward, lambda d, z: 3 * d * z**2), never=("step",)),
        Row(
            "a factor is missing in a step with a setting",
            by(power_forward, power_backward),
            "is wrong, its only step that was judged. Kind: factor.",
        ),
        Row(
            "a step takes its cache first",
            by(cube_forward, lambda d, z: cube_backward(z, d)),
            "cube_backward (",
            ": not judged, it does not have the form cube_forward(...) -> (output, cache), ",
        ),
        Row("without steps", by(lambda z: (z**3, z), lambda d, z: d * z), never=("step",)),
    ),
    *cases("a step for weights alone", check_gradient, of_scaled, PARAMS["k"], X, points=0)(
        Row(
            "it is not judged",
            of_a_later_input,
            "first_backward (",
            ": not judged, its answers are not those of its first inputs (",
        ),
    ),
]
