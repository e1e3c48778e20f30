"""Answers that write into what they are given, leaves called like words, lists that stay lists."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom, check_gradient, check_jacobian
from tests.corpus.case import Row, cases

W, X = np.array([0.5, -1.5]), np.array([1.0, 3.0])
TWO = {"w": W, "b": 1.0}


def summed(w: Any, data: Any) -> Any:
    return jnp.sum(w * data["a"])


def writes_into_the_data(w: Any, data: Any) -> Any:
    data["a"] += 1
    return data["a"] - 1


def of_two(theta: Any, x: Any) -> Any:
    return jnp.sum(theta["w"] * x) + theta["b"]


def renames(theta: Any, x: Any) -> Any:
    theta["new"] = theta.pop("w")
    return {"w": x, "b": 1.0}


def scale_forward(x: Any, layer: Any) -> Any:
    return x * layer["w"], (x, layer["w"])


def scale_backward(d: Any, cache: Any) -> Any:
    x, w = cache
    return d * w, {"w": -d * x}


def of_a_list(x: Any, powers: list[float]) -> Any:
    assert isinstance(powers, list)
    return np.array([x[0] * x[1], powers[0] * x[1]])


def by_columns(x: Any, powers: list[float]) -> Any:
    return np.array([[x[1], x[0]], [0.0, powers[0]]])


rule = jax.custom_jvp(lambda x, *rest: x * rest[0])
rule.defjvp(lambda at, d: (rule(*at), d[0] * at[1] - d[1] * at[0]))

CASES = [
    *cases("a dict of data", check_gradient, summed, W, {"a": X}, points=0)(
        Row("it is written to", writes_into_the_data, "data['a']", kinds=("mutation",)),
    ),
    *cases("a dict of parameters", check_gradient, of_two, TWO, X, points=0)(
        Row("right", lambda theta, x: {"w": x, "b": 1.0}),
        Row("a parameter is renamed", renames, verdict="disagree", kinds=("mutation",)),
        Row("a sign", lambda t, x: {"w": -x, "b": 1.0}, "disagree: theta['w']: "),
        Row(
            "a gradient under another name",
            lambda theta, x: {"w": x, "c": 1.0},
            "the gradient returned a dict of 'w', 'c' with no gradient of theta['b'] and something "
            "at grads['c']; theta is a dict of 'w', 'b'",
            verdict="disagree",
        ),
    ),
    *cases("a loss of a", check_gradient, lambda a: jnp.sum(a**2), X, points=0)(
        Row("a mean", lambda a: 2 * a / a.size, "in a, "),
        Row("an exchange", lambda a: 2 * a[::-1], "a[0] and a[1] are exchanged"),
    ),
    *cases("a list", check_jacobian, of_a_list, W, [2.0], points=[(X, [3.0]), ([1.0, 2.0], [3.0])])(
        Row("right", by_columns),
        Row("its sign", lambda x, powers: by_columns(x, [-p for p in powers])),
    ),
    *cases("a layer", check_backward, scale_forward, X, {"w": W}, points=0)(
        Row("a sign", scale_backward, "disagree: layer['w']: "),
        Row(
            "three gradients of two inputs",
            lambda d, cache: (d, d, d),
            "something at grads[2]; inputs is a list of 2",
        ),
    ),
    *cases("a rule of several arguments", check_custom, None, X, W, points=0)(
        Row("a sign", rule, "disagree: rest[0]: "),
    ),
]
