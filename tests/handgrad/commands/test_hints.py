"""Hints fit who called: in Python they name options of the function, on a command line its own."""

import re
from typing import Any

import pytest

from handgrad import check_gradient

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

@jax.custom_jvp
def square(x): return x**2
square.defjvp(lambda x, dx: (square(*x), 3 * x[0] * dx[0]))
def clipped(w): return jnp.sum(square(w))

example = (np.array([0.3, 0.7, 1.2]),)
"""


@pytest.mark.parametrize("name", GIVEN)
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
    assert not set(re.findall(r"\b([a-z_]+)=", text.partition("Again: ")[0]))
