"""What a report hints at when an answer has another form than was expected, or a rule is wrong."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom
from tests.corpus.case import RAISED, Row, cases

W = np.array([0.3, -0.7, 1.2])


def forward(x: Any) -> Any:
    a = jnp.tanh(x)
    return a, a


def backward(d: Any, a: Any) -> Any:
    return d * (1 - a * a)


def of_tanh(rule: Any) -> Any:
    f = jax.custom_vjp(jnp.tanh)
    f.defvjp(lambda x: (jnp.tanh(x), x), rule)
    return f


CASES = [
    *cases("form of a rule's cotangents", check_custom, None, W, points=0)(
        Row(
            "a number as well",
            of_tanh(lambda x, d: (3.0, d)),
            never=("has_value", "the gradient", "the loss"),
            verdict=RAISED,
        ),
    ),
    *cases("form of cotangents", check_backward, forward, W, points=0)(
        Row(
            "a number as well",
            lambda d, a: (1.0, d),
            "expected a cotangent for each input",
            never=("has_value",),
        ),
        Row("a number", lambda d, a: 1.0, "expected a cotangent for each input, shaped like it"),
        Row(
            "nothing", lambda d, a: None, "backward returned None; is its return statement missing"
        ),
    ),
    *cases("given cotangent", check_backward, forward, W, cotangent=W, points=0)(
        Row(
            "right", backward, "check_backward(forward, backward, x, cotangent=cotangent, points=0)"
        ),
    ),
]
