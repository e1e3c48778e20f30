"""The table of options: each reaches "Again:" and counterexamples from every check."""

from collections.abc import Callable
from functools import partial
from inspect import Parameter, signature
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
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
    compare_gradients,
)
from handgrad.judging.options import DEFAULT, NAMES, Options
from handgrad.report import StepsReport

#: A value of each option that is not the default, and how it is written.
OTHER: dict[str, tuple[Any, str]] = {
    "seed": (7, "seed=7"),
    "referee": ("series", "referee='series'"),
    "has_value": (True, "has_value=True"),
    "trust_rules": ([jnp.sin, "mine"], "trust_rules=['mine', 'sin']"),
    "computed_in": (("float32", "float64"), "computed_in=('float32', 'float64')"),
    "convention": ("torch", "convention='torch'"),
    "domain": (("interval", -2, 2), "domain=('interval', -2, 2)"),
}
X = np.array([0.5, -1.0])


def cube(x: Any) -> Any:
    return x**3, x


def cube_back(d: Any, x: Any) -> Any:
    return 3 * d * x**2


def loss(x: Any) -> Any:
    return jnp.sum(x**3)


def gradient(x: Any) -> Any:
    return 3 * x**2


def hessian(x: Any) -> Any:
    return np.diag(6 * x)


def product(x: Any, v: Any) -> Any:
    return 6 * x * v


ruled = jax.custom_jvp(lambda x: x**3)
ruled.defjvp(lambda at, along: (at[0] ** 3, 3 * at[0] ** 2 * along[0]))

#: Calls of all checks, but for options.
CALLS: dict[Callable[..., Any], Callable[..., Any]] = {
    check_gradient: partial(check_gradient, gradient, loss, X),
    check_backward: partial(check_backward, cube, cube_back, X),
    check_custom: partial(check_custom, ruled, X),
    check_jacobian: partial(check_jacobian, hessian, gradient, X),
    check_hessian: partial(check_hessian, hessian, loss, X),
    check_hvp: partial(check_hvp, product, loss, X),
    check_scipy: partial(check_scipy, loss, X, jac=gradient),
    check_steps: partial(check_steps, [("cube", cube, cube_back)], X),
    compare_gradients: partial(compare_gradients, {"g": gradient}, loss, X),
}


def options_of(check: Callable[..., Any]) -> list[str]:
    """Return the options of the table that a check has."""
    return [name for name in NAMES if name in signature(check).parameters]


def test_every_check_is_here() -> None:
    named = {name for name in handgrad.__all__ if name.startswith(("check_", "compare_"))}
    assert {check.__name__ for check in CALLS} == named
    assert set(OTHER) == set(NAMES)


@pytest.mark.parametrize("check", CALLS, ids=lambda check: check.__name__)
def test_the_signature_has_the_defaults_of_the_table_and_the_docstring_the_names(
    check: Any,
) -> None:
    for name in options_of(check):
        parameter = signature(check).parameters[name]
        assert parameter.kind is Parameter.KEYWORD_ONLY
        assert Options.of({name: parameter.default}).handed_on() == DEFAULT.handed_on()
        assert name in check.__doc__.partition("Args:")[2].partition("Returns:")[0]


def handed_on_by(call: Callable[..., Any], asked: list[str]) -> None:
    """Assert that a call says these options in the line that gives its report again."""
    for options in ({name: OTHER[name][0] for name in asked}, {}):
        report = call(points=0, **options)
        line = (report.steps[0].report if isinstance(report, StepsReport) else report).reproduce
        assert [name for name in OTHER if f"{name}=" in line] == [n for n in OTHER if n in options]
        assert all(OTHER[name][1] in line for name in options)


#: Judges nothing else; the table of `handgrad.torch` asks for it.
unjudged = pytest.fixture(lambda: None)


@pytest.mark.parametrize("check", CALLS, ids=lambda check: check.__name__)
def test_each_is_in_the_line_that_gives_it_again(check: Any) -> None:
    handed_on_by(CALLS[check], options_of(check))


@pytest.mark.slow
def test_each_is_in_the_test_that_a_counterexample_is() -> None:
    asked = {name: value for name, (value, _) in OTHER.items() if name != "has_value"}
    code = check_gradient(lambda x: 6 * x**2, loss, X, points=0, **asked).counterexample.as_code()
    for name in asked:
        assert OTHER[name][1].replace("'", '"') in code


#: Options that have no such value, and the errors.
REFUSED: list[tuple[str, Any, str]] = [
    *(
        ("seed", seed, f"seed: got {seed!r}, expected a whole number from 0")
        for seed in (-1, 2.5, "q", None)
    ),
    ("referee", "me", "referee: got 'me', expected one of auto, series, program"),
    ("computed_in", "short", "computed_in: got 'short', expected a format or .*"),
]


@pytest.mark.parametrize(
    ("check", "name", "value", "error"),
    [(f, *refused) for f in CALLS for refused in REFUSED if refused[0] in options_of(f)],
)
def test_a_value_that_is_none_is_refused(check: Any, name: str, value: Any, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{error}$"):
        CALLS[check](**{name: value})
