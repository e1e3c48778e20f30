"""All checks: their options, their assertions, and what every report has."""

import json
import math
from collections.abc import Callable
from functools import partial
from inspect import Parameter, signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad import StepReport, StepsReport, check_gradient
from tests.handgrad.reports import RIGHT, leaf, report, wrong
from tests.tiers import one_of_each

X = np.array([0.5, -1.0])


def cubes(x: Any) -> Any:
    return jnp.sum(x**3)


def slope(x: Any, factor: float = 1.0) -> Any:
    return 3 * factor * x**2


def cube_forward(x: Any) -> Any:
    return x**3, x


def ruled(factor: float) -> Any:
    f = jax.custom_jvp(lambda x: x**3)
    f.defjvp(lambda x, dx: (x[0] ** 3, slope(x[0], factor) * dx[0]))
    return f


def steps(factor: float) -> Any:
    return [("cube", cube_forward, lambda d, x: d * slope(x, factor))]


#: The arguments with which each check passes for a factor of 1 and for no other.
VERBS: dict[str, Callable[[float], tuple[Any, ...]]] = {
    "check_gradient": lambda k: (partial(slope, factor=k), cubes, X),
    "check_backward": lambda k: (cube_forward, steps(k)[0][2], X),
    "check_custom": lambda k: (ruled(k), X),
    "check_jacobian": lambda k: (lambda x: np.diag(6 * k * x), slope, X),
    "check_hessian": lambda k: (lambda x: np.diag(6 * k * x), cubes, X),
    "check_hvp": lambda k: (lambda x, v: 6 * k * x * v, cubes, X),
    "check_steps": lambda k: (steps(k), X),
    "compare_gradients": lambda k: ({"g": partial(slope, factor=k)}, cubes, X),
}
CALLS = {
    getattr(handgrad, name): partial(getattr(handgrad, name), *VERBS[name](1)) for name in VERBS
}
CALLS[handgrad.check_scipy] = partial(handgrad.check_scipy, cubes, X, jac=slope)

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


def options_of(check: Callable[..., Any]) -> list[str]:
    """Return the options of the table that a check has."""
    return [name for name in OTHER if name in signature(check).parameters]


def test_every_check_is_here_and_all_have_the_same_defaults() -> None:
    named = {name for name in handgrad.__all__ if name.startswith(("check_", "compare_"))}
    assert {check.__name__ for check in CALLS} == named
    defaults: dict[str, set[Any]] = {}
    for check in CALLS:
        for name in ("points", "strict", "seconds", *options_of(check)):
            parameter = signature(check).parameters[name]
            assert parameter.kind is Parameter.KEYWORD_ONLY
            defaults.setdefault(name, set()).add(parameter.default)
            assert name in check.__doc__.partition("Args:")[2].partition("Returns:")[0]
    assert {name for name, values in defaults.items() if len(values) != 1} == set()


def handed_on_by(call: Callable[..., Any], asked: list[str]) -> None:
    """Assert that a call says these options in the line that gives its report again."""
    options = {name: OTHER[name][0] for name in asked}
    made = call(points=0, **options)
    line = (made.steps[0].report if isinstance(made, StepsReport) else made).reproduce
    assert [name for name in OTHER if f"{name}=" in line] == [n for n in OTHER if n in options]
    assert all(OTHER[name][1] in line for name in options)


#: Judges nothing else; the table of `handgrad.torch` asks for it.
unjudged = pytest.fixture(lambda: None)


@pytest.mark.parametrize(
    "check",
    one_of_each(CALLS, [check_gradient, handgrad.check_custom, handgrad.check_scipy]),
    ids=lambda check: check.__name__,
)
def test_each_is_in_the_line_that_gives_it_again(check: Any) -> None:
    handed_on_by(CALLS[check], options_of(check))


@pytest.mark.slow
def test_each_is_in_the_test_that_a_counterexample_is() -> None:
    asked = {name: value for name, (value, _) in OTHER.items() if name != "has_value"}
    found = check_gradient(*VERBS["check_gradient"](2.0), points=0, **asked).counterexample
    for name in asked:
        assert OTHER[name][1].replace("'", '"') in found.as_code()


@pytest.mark.parametrize("name", one_of_each(VERBS, ["check_steps"]))
def test_each_check_has_an_assertion_that_raises_its_report(name: str) -> None:
    check = getattr(handgrad, name)
    require = getattr(handgrad, name.replace("check", "assert").replace("compare", "assert"))
    assert signature(require) == signature(check).replace(return_annotation=None)
    assert require.__doc__.startswith(f"Raise unless `{name}` passes")
    assert require(*VERBS[name](1.0), points=0) is None
    refused = check(*VERBS[name](1.5), points=0)
    assert not refused
    with pytest.raises(handgrad.GradientMismatch) as raised:
        require(*VERBS[name](1.5), points=0)
    assert type(raised.value.report) is type(refused)
    assert str(raised.value) == str(raised.value.report) == str(refused)


BOTH = StepsReport((StepReport("mean", wrong()), StepReport("square", report())))
LINES = [
    (report(RIGHT), "<GradientReport: agree, 9 points>"),
    (wrong(), "<GradientReport: disagree, blame both, worst params['w'][0, 1], 9 points>"),
    (BOTH, "<StepsReport: mean is the first that does not pass, 2 steps judged>"),
]


@pytest.mark.parametrize(("made", "line"), LINES)
def test_one_line_and_data_with_a_version(made: Any, line: str) -> None:
    assert repr(made) == line
    assert next(iter(made.to_dict().items())) == ("schema", 1)


def test_the_object_is_json_whatever_the_numbers_are() -> None:
    odd = leaf(ulps=math.nan, yours=-math.inf, index=(np.int64(1),), sharp=np.float32(0.5))
    data = report(odd, points=np.int64(9), seconds=0.25).to_dict()
    found = json.loads(json.dumps(data, allow_nan=False))
    assert found == data, "NumPy's numbers become plain ones"
    (of_leaf,) = found["leaves"]
    assert [of_leaf[name] for name in ("ulps", "yours", "sharp")] == ["nan", "-inf", 0.5]
    assert (of_leaf["index"], found["points"], found["seconds"]) == ([1], 9, 0.25)
