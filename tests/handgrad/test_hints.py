"""Hints and messages fit the function that was called: its options, and its arguments' names."""

import inspect
import itertools
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad import (
    check_backward,
    check_custom,
    check_gradient,
    check_steps,
    exact_gradient,
    time_gradient,
)
from handgrad.judging.case import OF_GRADIENT, BackwardStep, CustomRule, Wording

W = np.array([0.3, -0.7, 1.2])

VERBS: tuple[Callable[..., Any], ...] = (
    check_backward,
    check_custom,
    check_gradient,
    check_steps,
    exact_gradient,
    time_gradient,
)


def options(verb: Callable[..., Any]) -> set[str]:
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name for p in inspect.signature(verb).parameters.values() if p.kind in kinds}


EVERY_OPTION = set[str]().union(*map(options, VERBS)) - {"inputs", "args", "f", "steps"}


def named(text: str) -> set[str]:
    """The options that a message names, of whichever function they are."""
    words = set(re.findall(r"[a-z_]+", text))
    # Words of plain English count where they are written as options alone.
    plain = {"loss", "gradient", "points", "rounds", "seconds", "report", "strict", "seed"}
    plain |= {"params", "forward", "backward", "cotangent", "referee"}
    return (words & EVERY_OPTION - plain) | set(re.findall(r"(\w+)=", text)) & EVERY_OPTION


#: What is neither a function nor a list, and an option that `check_steps` does not have.
THREE: Any = 3
UNKNOWN: Any = {"has_value": True}


def forward(x: Any) -> Any:
    a = jnp.tanh(x)
    return a, a


def custom(backward: Callable[..., Any]) -> Any:
    f = jax.custom_vjp(jnp.tanh)
    f.defvjp(lambda x: (jnp.tanh(x), x), backward)
    return f


#: What a gradient, a backward pass or a rule may answer that has not the form of a gradient.
ANSWERS: tuple[Callable[[Any], Any], ...] = (
    lambda d: None,
    lambda d: 3.0,
    lambda d: (3.0, d),
    lambda d: (d, d, d),
    lambda d: {"w": d},
    lambda d: "no",
    lambda d: d[:2],
    lambda d: d.astype(np.float32),
    lambda d: d.sum(),
)

#: Each verb, with an answer in the place of the right one.
CALLS: dict[Callable[..., Any], Callable[[Callable[[Any], Any]], Any]] = {
    check_gradient: lambda wrong: check_gradient(wrong, lambda w: jnp.sum(w**2), W, points=0),
    check_backward: lambda wrong: check_backward(forward, lambda d, a: wrong(d), W, points=0),
    check_custom: lambda wrong: check_custom(custom(lambda x, d: wrong(d)), W, points=0),
    check_steps: lambda wrong: (
        check_steps([("s", forward, lambda d, a: wrong(d))], W, points=0).steps[0].report
    ),
}


@pytest.mark.parametrize("verb", CALLS)
def test_a_hint_names_options_of_the_called_function_alone(verb: Callable[..., Any]) -> None:
    for wrong in ANSWERS:
        try:
            report = CALLS[verb](wrong)
            text = " ".join([report.headline, *report.warnings, report.reproduce])
        except TypeError as error:
            text = str(error)
        # A step is judged by `check_backward`, and its report says how to do so again.
        known = options(verb) | (options(check_backward) if verb is check_steps else set())
        assert named(text) <= known, text
        if verb is not check_gradient:
            assert "the gradient" not in text
            assert "the loss" not in text


def test_the_hints_that_there_are() -> None:
    pair = check_gradient(lambda w: (1.0, 2 * w), lambda w: jnp.sum(w**2), W, points=0)
    assert "has_value=True (--has-value on the command line)" in pair.headline
    assert named(pair.headline) == {"has_value"}
    for wording in (OF_GRADIENT, BackwardStep.wording, CustomRule.wording):
        assert isinstance(wording, Wording)
    assert not named("".join(BackwardStep.wording + CustomRule.wording))
    pair = check_backward(forward, lambda d, a: (1.0, d), W, points=0)
    assert pair.headline.endswith("expected a cotangent for each input")
    single = check_backward(forward, lambda d, a: 1.0, W, points=0)
    assert single.headline.endswith("expected a cotangent for each input, shaped like it")
    nothing = check_backward(forward, lambda d, a: None, W, points=0)
    assert nothing.headline.endswith("backward returned None; is its return statement missing?")


def test_every_public_check_is_here() -> None:
    verbs = {name for name in handgrad.__all__ if re.match("check_|exact_|time_", name)}
    assert {verb.__name__ for verb in VERBS} == verbs


def test_what_reproduces_a_judgement_is_a_call_of_the_same_function() -> None:
    right = check_backward(forward, lambda d, a: d * (1 - a * a), W, cotangent=W, points=0)
    assert right.reproduce.startswith(
        "check_backward(forward, backward, *inputs, cotangent=cotangent"
    )
    assert set(re.findall(r"(\w+)=", right.reproduce)) <= options(check_backward)


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
