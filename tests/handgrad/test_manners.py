"""What every report has: a truth, a line, a version; and what asserts that it passes."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad.clock import SECONDS
from handgrad.data.findings import NotJudged
from handgrad.power import Planted, Power
from handgrad.report import StepReport, StepsReport
from tests.handgrad.reports import RIGHT, leaf, report, timings, wrong
from tests.tiers import one_of_each

W, X = np.array([0.5, -1.5, 2.0]), np.array([1.0, 3.0, -2.0])


def loss(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


def gradient(factor: float) -> Callable[..., Any]:
    return lambda w, x: factor * w * x**2


def forward(x: Any) -> Any:
    return x * x, x


def backward(factor: float) -> Callable[..., Any]:
    return lambda d, x: factor * d * x


def custom(factor: float) -> Callable[..., Any]:
    f = jax.custom_jvp(lambda x: jnp.sin(x))
    f.defjvp(lambda x, dx: (jnp.sin(*x), factor * jnp.cos(*x) * dx[0]))
    return f


#: The arguments with which each check passes for a factor of 1 and for no other.
ARGUMENTS: dict[str, Callable[[float], tuple[Any, ...]]] = {
    "gradient": lambda factor: (gradient(2 * factor), loss, W, X),
    "backward": lambda factor: (forward, backward(2 * factor), X),
    "custom": lambda factor: (custom(factor), X),
    "jacobian": lambda factor: (lambda x: np.diag(2 * factor * x), lambda x: x * x, X),
    "hessian": lambda factor: (lambda x: np.diag(6 * factor * x), lambda x: (x**3).sum(), X),
    "hvp": lambda factor: (lambda x, v: 6 * factor * x * v, lambda x: (x**3).sum(), X),
    "steps": lambda factor: ([("square", forward, backward(2 * factor))], X),
}


@pytest.mark.parametrize("name", one_of_each(ARGUMENTS, ["gradient", "backward", "steps"]))
def test_each_check_has_an_assertion_that_raises_its_report(name: str) -> None:
    check, require = getattr(handgrad, f"check_{name}"), getattr(handgrad, f"assert_{name}")
    assert signature(require) == signature(check).replace(return_annotation=None)
    assert require.__doc__.startswith(f"Raise unless `check_{name}` passes")
    assert signature(check).parameters["seconds"].default == SECONDS, "as of the command"
    assert check(*ARGUMENTS[name](1.0), points=0)
    assert require(*ARGUMENTS[name](1.0), points=0) is None
    refused = check(*ARGUMENTS[name](1.5), points=0)
    assert not refused
    with pytest.raises(handgrad.GradientMismatch) as raised:
        require(*ARGUMENTS[name](1.5), points=0)
    assert type(raised.value.report) is type(refused)
    assert str(raised.value) == str(raised.value.report)
    assert str(raised.value) == str(refused)


def test_every_check_has_one() -> None:
    names = {name.removeprefix("check_") for name in handgrad.__all__ if name.startswith("check_")}
    assert names - {"scipy"} == set(ARGUMENTS)  # which takes its functions by name


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("verdict", ["agree", "imprecise", "disagree", "undecidable"])
def test_a_report_is_true_exactly_if_it_passes(verdict: str, strict: bool) -> None:
    made = report(verdict=verdict, strict=strict)
    passes = verdict == "agree" or (verdict == "imprecise" and not strict)
    step = StepReport("mean", made)
    assert [bool(r) for r in (made, step, StepsReport((step,)))] == [passes] * 3
    # A wrong step is named, though it is false itself.
    first = StepsReport((step,)).to_dict()["first_wrong"]
    assert first == (None if passes else "mean")


MISSED = Planted("sign", "w", False, 1e-17)

LINES = [
    (report(RIGHT), "<GradientReport: agree, 9 points>"),
    (
        wrong(),
        "<GradientReport: disagree, blame both, worst params['w'][0, 1], 9 points>",
    ),
    (
        StepsReport((StepReport("mean", wrong()), StepReport("square", report()))),
        "<StepsReport: mean is the first that does not pass, 2 steps judged>",
    ),
    (StepsReport((StepReport("mean", report()),)), "<StepsReport: all pass, 1 step judged>"),
    (
        StepsReport((), (NotJudged("a", "its inputs are not known"),)),
        "<StepsReport: does not pass, 0 steps judged, 1 not>",
    ),
    (
        timings(1e-4),
        "<Timings: yours 100 µs, takes 0.1 times as long as jit(value_and_grad(loss)) "
        "(0.1 to 0.1)>",
    ),
    (Power((MISSED,), 3), "<Power: 0 of 1 caught, 3 points>"),
]


@pytest.mark.parametrize(("made", "line"), LINES)
def test_one_line(made: Any, line: str) -> None:
    assert repr(made) == line
    assert isinstance(made, StepReport) or next(iter(made.to_dict().items())) == ("schema", 1)


def test_the_object_is_json_whatever_the_numbers_are() -> None:
    odd = leaf(ulps=math.nan, yours=-math.inf, index=(np.int64(1),), sharp=np.float32(0.5))
    data = report(odd, points=np.int64(9), seconds=0.25).to_dict()
    found = json.loads(json.dumps(data, allow_nan=False))
    assert found == data, "NumPy's numbers become plain ones"
    (of_leaf,) = found["leaves"]
    assert [of_leaf[name] for name in ("ulps", "yours", "sharp")] == ["nan", "-inf", 0.5]
    assert (of_leaf["index"], found["points"], found["seconds"]) == ([1], 9, 0.25)


def test_neither_rich_nor_click_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, handgrad.report; from tests.handgrad.reports import wrong; str(wrong());"
        "wrong()._repr_html_(); assert not {'rich', 'click', 'jax', 'flint'} & sys.modules.keys();"
        "wrong().__rich__(); assert 'rich' in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
