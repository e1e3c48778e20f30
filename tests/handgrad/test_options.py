"""The table of options: each reaches the judge, "Again:" and counterexamples from every check."""

from collections.abc import Callable
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
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.custom_cases import custom_function
from handgrad.judging.forward_values import values_case
from handgrad.judging.options import DEFAULT, NAMES, Options
from handgrad.judging.random_slopes import directional_case
from handgrad.shrinking.reproduction import check_of

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

#: Calls of all checks, with options.
CALLS: dict[Callable[..., Any], Callable[..., Any]] = {
    check_gradient: lambda **options: check_gradient(gradient, loss, X, **options),
    check_backward: lambda **options: check_backward(cube, cube_back, X, **options),
    check_custom: lambda **options: check_custom(ruled, X, **options),
    check_jacobian: lambda **options: check_jacobian(hessian, gradient, X, **options),
    check_hessian: lambda **options: check_hessian(hessian, loss, X, **options),
    check_hvp: lambda **options: check_hvp(product, loss, X, **options),
    check_scipy: lambda **options: check_scipy(loss, X, jac=gradient, **options),
    check_steps: lambda **options: check_steps([("cube", cube, cube_back)], X, **options),
    compare_gradients: lambda **options: compare_gradients({"g": gradient}, loss, X, **options),
}


class JudgedError(BaseException):
    """What comes in place of judging: the case and the line that makes it again."""


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """No case is judged."""

    def judge(case: Case, _: Any, __: Any, ___: bool, reproduce: str, ____: float) -> Any:
        raise JudgedError(case, reproduce)

    monkeypatch.setattr("handgrad.check.judge", judge)


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


@pytest.mark.usefixtures("unjudged")
@pytest.mark.parametrize("check", CALLS, ids=lambda check: check.__name__)
def test_each_reaches_the_judge_the_line_and_the_counterexample(check: Any) -> None:
    handed_on_by(CALLS[check], options_of(check))


def handed_on_by(call: Callable[..., Any], asked: list[str]) -> None:
    """Assert that a call hands on these options, and no others."""
    with pytest.raises(JudgedError) as judged:
        call(**{name: OTHER[name][0] for name in asked})
    case, line = judged.value.args
    code = check_of(case).options
    expected = Options.of({name: OTHER[name][0] for name in asked}).handed_on()
    assert case.handed_on() == expected
    for name in asked:
        text = OTHER[name][1]
        assert text in line
        assert f"{name}={code[name]}" == text.replace("'", '"')
    with pytest.raises(JudgedError) as judged:
        call()
    assert set(NAMES).isdisjoint(check_of(judged.value.args[0]).options)
    assert "=" not in judged.value.args[1]


def test_values_and_their_reference_get_all_but_the_referee() -> None:
    options = Options.of({name: value for name, (value, _) in OTHER.items()})
    function = custom_function(jnp.sin, (X,), np.sin, options)
    case, pair = function.case(), function.pair
    assert case.handed_on() == options.handed_on()
    assert pair is not None
    assert values_case(pair, function.given, case)[0].handed_on() == options.handed_on(
        referee="auto"
    )


def test_a_look_along_directions_gets_all_but_the_referee() -> None:
    alone = {name: value for name, (value, _) in OTHER.items() if name != "computed_in"}
    options = Options.of(alone)
    whole = Case(lambda x: (loss(x), gradient(x)), loss, **options.handed_on(referee="auto"))
    assert directional_case(whole, point_at(X, ()), 2)[0].handed_on() == options.handed_on()


#: Options that have no such value, and the errors.
REFUSED: list[tuple[str, Any, str]] = [
    ("seed", -1, "seed: got -1, expected a whole number from 0"),
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
