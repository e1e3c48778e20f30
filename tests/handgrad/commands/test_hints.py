"""Hints fit the function that was called: they name options that it has."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad import check_backward, check_custom, check_gradient
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])

VERBS = [getattr(handgrad, n) for n in handgrad.__all__ if re.match("check_|exact_|time_", n)]


def options(verb: Callable[..., Any]) -> set[str]:
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name for p in inspect.signature(verb).parameters.values() if p.kind in kinds}


EVERY_OPTION = set[str]().union(*map(options, VERBS)) - {"inputs", "args", "f", "steps", "x", "v"}


def named(text: str) -> set[str]:
    """The options that a message names, of whichever function they are."""
    words = set(re.findall(r"[a-z_]+", text))
    # Words of plain English count where they are written as options alone.
    plain = {"loss", "gradient", "points", "rounds", "seconds", "report", "strict", "seed"}
    plain |= {"params", "forward", "backward", "cotangent", "referee"}
    return (words & EVERY_OPTION - plain) | set(re.findall(r"(\w+)=", text)) & EVERY_OPTION


def forward(x: Any) -> Any:
    a = jnp.tanh(x)
    return a, a


def custom(backward: Callable[..., Any]) -> Any:
    f = jax.custom_vjp(jnp.tanh)
    f.defvjp(lambda x: (jnp.tanh(x), x), backward)
    return f


#: What a gradient, a backward pass or a rule may answer that has not the form of a gradient.
ANSWERS: tuple[Callable[[Any], Any], ...] = (
    lambda d: (3.0, d),
    lambda d: {"w": d},
    lambda d: d[:2],
    lambda d: d.astype(np.float32),
)

#: Each verb, with an answer in the place of the right one.
CALLS: dict[Callable[..., Any], Callable[[Callable[[Any], Any]], Any]] = {
    check_gradient: lambda wrong: check_gradient(wrong, lambda w: jnp.sum(w**2), W, points=0),
    check_backward: lambda wrong: check_backward(forward, lambda d, a: wrong(d), W, points=0),
    check_custom: lambda wrong: check_custom(custom(lambda x, d: wrong(d)), W, points=0),
}


@pytest.mark.parametrize("verb", CALLS)
def test_a_hint_names_options_of_the_called_function_alone(verb: Callable[..., Any]) -> None:
    for wrong in ANSWERS:
        try:
            report = CALLS[verb](wrong)
            text = " ".join([report.headline, *report.warnings, report.reproduce])
        except TypeError as error:
            text = str(error)
        assert named(text) <= options(verb), text
        if verb is not check_gradient:
            assert "the gradient" not in text
            assert "the loss" not in text


#: Each hint where it is given: what is checked, and what Python and the command say of it.
GIVEN: dict[str, tuple[dict[str, Any], list[str], str, str]] = {
    "has_value": (
        {"gradient": "of_two"},
        [],
        "if it returns (loss, grads), say has_value=True",
        "if it returns (loss, grads), say --has-value",
    ),
    "time": (
        {"gradient": "right", "seconds": 1e-9},
        ["--seconds=1e-9"],
        "seconds= gives it more, directions=1 judges less",
        "--seconds gives it more, --directions 1 judges less",
    ),
    "elsewhere": (
        {"gradient": "right_if_positive"},
        [],
        "give points where it is not: points=[...], or points=0",
        "judge at the example alone: --points 0",
    ),
    "rule": (
        {"gradient": "right", "loss": "clipped", "points": 0},
        ["--points=0"],
        "if that is intended, declare it with trust_rules",
        "if that is intended, declare it with --trust-rule",
    ),
}

MINE = """
import jax, jax.numpy as jnp, numpy as np

def loss(w): return jnp.sum(w**2)
def right(w): return 2 * w
def of_two(w): return 1.0, 2 * w
def right_if_positive(w): return 2 * np.abs(w)

@jax.custom_jvp
def square(x): return x**2
square.defjvp(lambda x, dx: (square(*x), 3 * x[0] * dx[0]))
def clipped(w): return jnp.sum(square(w))

example = (np.array([0.3, 0.7, 1.2]),)
"""


@pytest.mark.parametrize("name", one_of_each(GIVEN, set(GIVEN) - {"elsewhere"}))
def test_a_hint_where_it_is_given(name: str, check: Any) -> None:
    chosen, words, in_python, by_command = GIVEN[name]
    functions: dict[str, Any] = {}
    exec(MINE, functions)
    options = {key: value for key, value in chosen.items() if key not in ("gradient", "loss")}
    loss = functions[chosen.get("loss", "loss")]
    report = check_gradient(functions[chosen["gradient"]], loss, *functions["example"], **options)
    text = " ".join(str(report).split())
    assert in_python in text
    assert "--" not in text
    ended = check(chosen["gradient"], *words, loss=chosen.get("loss", "loss"))
    text = " ".join((ended.out + ended.err).split())
    assert by_command in text
    assert not set(re.findall(r"\b([a-z_]+)=", text.partition("Again: ")[0])) & EVERY_OPTION
