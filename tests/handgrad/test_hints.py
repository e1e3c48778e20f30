"""Hints fit the function that was called: they name options that it has."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

import handgrad
from handgrad import (
    check_backward,
    check_custom,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
    exact_gradient,
    time_gradient,
)
from handgrad.commands.check import check
from handgrad.judging.case import (
    OF_BACKWARD,
    OF_COMMAND,
    OF_GRADIENT,
    OF_RULE,
    Wording,
)
from handgrad.judging.vectors.cases import OF_JACOBIAN
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])

VERBS: tuple[Callable[..., Any], ...] = (
    check_backward,
    check_custom,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
    exact_gradient,
    time_gradient,
)


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
    assert pair.headline.endswith("; if it returns (loss, grads), say has_value=True")
    assert named(pair.headline) == {"has_value"}
    pair = check_backward(forward, lambda d, a: (1.0, d), W, points=0)
    assert pair.headline.endswith("expected a cotangent for each input")
    single = check_backward(forward, lambda d, a: 1.0, W, points=0)
    assert single.headline.endswith("expected a cotangent for each input, shaped like it")
    nothing = check_backward(forward, lambda d, a: None, W, points=0)
    assert nothing.headline.endswith("backward returned None; is its return statement missing?")


#: What a hint on the command line may name.
OF_COMMAND_LINE = {name for option in check.params for name in option.opts}

#: Each way to call the judge: its words, and the options that it has.
SURFACES: dict[str, tuple[Wording, set[str]]] = {
    "check_gradient": (OF_GRADIENT, {f"{name}=" for name in options(check_gradient)}),
    "check_backward": (OF_BACKWARD, {f"{name}=" for name in options(check_backward)}),
    "check_steps": (OF_BACKWARD, {f"{name}=" for name in options(check_steps)}),
    "check_jacobian": (OF_JACOBIAN, {f"{name}=" for name in options(check_jacobian)}),
    "check_custom": (OF_RULE, {f"{name}=" for name in options(check_custom)}),
    "handgrad check": (OF_COMMAND, OF_COMMAND_LINE),
}

#: The hints that a surface never gives, as what they are about does not occur there; the two tests
#: below the next one look.
NEVER = {
    "check_backward": {"has_value", "every_element"},
    "check_steps": {"has_value", "every_element"},
    "check_custom": {"has_value", "every_element", "trust_rules"},
    "check_jacobian": {"has_value", "every_element"},
    "check_gradient": set[str](),
    "handgrad check": set[str](),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_every_hint_names_options_that_there_are(surface: str) -> None:
    wording, known = SURFACES[surface]
    for field, text in wording._asdict().items():
        if field in NEVER[surface]:
            continue
        text = f"{text}=" if field in ("has_value", "trust_rules") and "--" not in text else text
        assert set(re.findall(r"--[a-z-]+|\b[a-z_]+=", text)) <= known, (field, text)


@pytest.mark.parametrize("verb", [check_backward, check_custom, check_steps])
def test_these_judge_every_element_of_gradients_without_a_loss(verb: Callable[..., Any]) -> None:
    case = CALLS[verb](lambda d: (d,)).trial.case
    assert not case.has_value
    assert not case.along_directions


@pytest.mark.slow
def test_no_rule_is_trusted_where_a_rule_is_checked() -> None:
    """It is held against autodiff of its function, which uses no rules."""
    square = jax.custom_jvp(lambda x: x**2)
    square.defjvp(lambda x, dx: (square(*x), 3 * x[0] * dx[0]))
    assert "declare it" not in str(check_custom(square, W, points=0))
    whole = check_backward(lambda x: (square(x), x), lambda d, x: 2 * x * d, W, points=0)
    assert "declare it with trust_rules" in " ".join(str(whole).split())


#: Each hint where it is given: by what is checked, in Python and by the command.
GIVEN: dict[str, tuple[dict[str, Any], list[str], str, str]] = {
    "has_value": (
        {"gradient": "of_two"},
        [],
        "if it returns (loss, grads), say has_value=True",
        "if it returns (loss, grads), say --has-value",
    ),
    "says": (
        {"gradient": "right", "has_value": True},
        ["--has-value"],
        "expected (loss, grads), as has_value says",
        "expected (loss, grads), as --has-value says",
    ),
    "time": (
        {"gradient": "right", "seconds": 1e-9},
        ["--seconds=1e-9"],
        "seconds= gives it more, directions=1 judges less",
        "--seconds gives it more, --directions 1 judges less",
    ),
    "directions": (
        {"gradient": "wrong", "directions": 1},
        ["--directions=1"],
        "a check without directions= says",
        "a check without --directions says",
    ),
    "no less time": (
        {"gradient": "right", "seconds": 1e-9, "directions": 1},
        ["--seconds=1e-9", "--directions=1"],
        "for one point; seconds= gives it more No point judged",
        "for one point; --seconds gives it more No point judged",
    ),
    "trusted": (
        {"gradient": "right", "trust_rules": ["ste"]},
        ["--trust-rule=ste"],
        "trust_rules: the loss has no custom rule 'ste'",
        "--trust-rule: the loss has no custom rule 'ste'",
    ),
    "elsewhere": (
        {"gradient": "right_if_positive"},
        [],
        "give points where it is not: points=[...], or points=0",
        "judge at the example alone: --points 0",
    ),
    "rule": (
        {"gradient": "right", "loss": "clipped", "points": 0},
        ["--loss=clipped", "--points=0"],
        "if that is intended, declare it with trust_rules",
        "if that is intended, declare it with --trust-rule",
    ),
}

FILE = """
import jax, jax.numpy as jnp, numpy as np

def loss(w): return jnp.sum(w**2)
def right(w): return 2 * w
def wrong(w): return 3 * w
def of_two(w): return 1.0, 2 * w
def right_if_positive(w): return 2 * np.abs(w)

@jax.custom_jvp
def square(x): return x**2
square.defjvp(lambda x, dx: (square(*x), 3 * x[0] * dx[0]))
def clipped(w): return jnp.sum(square(w))

example = (np.array([0.3, 0.7, 1.2]),)
"""


@pytest.mark.parametrize("name", one_of_each(GIVEN, set(GIVEN) - {"elsewhere"}))
def test_a_hint_where_it_is_given(name: str, tmp_path: Path) -> None:
    chosen, words, in_python, by_command = GIVEN[name]
    file = tmp_path / "functions.py"
    file.write_text(FILE)
    functions: dict[str, Any] = {}
    exec(FILE, functions)
    options = {key: value for key, value in chosen.items() if key not in ("gradient", "loss")}
    loss = functions[chosen.get("loss", "loss")]
    report = check_gradient(functions[chosen["gradient"]], loss, *functions["example"], **options)
    text = " ".join(str(report).split())
    assert in_python in text
    assert "--" not in text
    named = [f"{file}:{chosen['gradient']}", "--loss=loss", *words, "--like=example"]
    ended = CliRunner().invoke(check, named, standalone_mode=False)
    text = " ".join(ended.output.split())
    assert by_command in text
    assert not set(re.findall(r"\b([a-z_]+)=", text.partition("Again: ")[0])) & EVERY_OPTION


def test_every_public_check_is_here() -> None:
    verbs = {name for name in handgrad.__all__ if re.match("check_|exact_|time_", name)}
    assert {verb.__name__ for verb in VERBS} == verbs


def test_what_reproduces_a_judgement_is_a_call_of_the_same_function() -> None:
    right = check_backward(forward, lambda d, a: d * (1 - a * a), W, cotangent=W, points=0)
    assert right.reproduce == "check_backward(forward, backward, x, cotangent=cotangent, points=0)"
    assert set(re.findall(r"(\w+)=", right.reproduce)) <= options(check_backward)
