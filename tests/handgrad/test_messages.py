"""Messages on what a function was given are in its own words, whichever function it is."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps
from tests.handgrad.test_hints import W, forward

#: What is neither a function nor a list, and an option that `check_steps` does not have.
THREE: Any = 3
UNKNOWN: Any = {"has_value": True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: check_gradient(lambda w, x: w, lambda w: jnp.sum(w), W),
            "gradient: missing a required argument: 'x'; it is called as gradient(params, "
            "*inputs), here with 1 argument",
        ),
        (
            lambda: check_gradient(lambda w, x: w, lambda w: jnp.sum(w), W, W),
            "loss: too many positional arguments; it is called as loss(params, *inputs), here "
            "with 2 arguments",
        ),
        (
            lambda: check_backward(lambda d, a: d, forward, W),
            "forward: missing a required argument: 'a'; it is called as forward(*inputs), here "
            "with 1 argument",
        ),
        (
            lambda: check_backward(forward, forward, W),
            "backward: too many positional arguments; it is called as backward(cotangent, cache), "
            "here with 2 arguments",
        ),
        (
            lambda: check_custom(jnp.tanh, W, W),
            "f: too many positional arguments; it is called as f(*args), here with 2 arguments",
        ),
        (lambda: check_backward(forward, THREE, W), "backward: got 3, expected a function"),
        (
            lambda: check_steps(THREE, W),
            "steps: got 3, expected a list of (name, forward, backward)",
        ),
        (
            lambda: check_steps([("s", forward, forward)], W, **UNKNOWN),
            "check_steps() got an unexpected keyword argument 'has_value'",
        ),
    ],
)
def test_functions_that_take_something_else(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError) as error:
        call()
    assert str(error.value) == message


@pytest.mark.parametrize("seed", [-1, 2.5, "q", None])
def test_every_function_says_the_same_of_a_seed(seed: Any) -> None:
    calls = itertools.chain(
        [lambda: check_gradient(lambda w: w, lambda w: jnp.sum(w), W, seed=seed)],
        [lambda: check_backward(forward, lambda d, a: d, W, seed=seed)],
        [lambda: check_custom(jax.nn.relu, W, seed=seed)],
        [lambda: check_steps([("s", forward, lambda d, a: d)], W, seed=seed)],
    )
    for call in calls:
        with pytest.raises(ValueError, match=f"^seed: got {seed!r}, expected a whole number"):
            call()
