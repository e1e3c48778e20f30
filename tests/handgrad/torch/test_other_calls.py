"""Rules that are right as they are usually called, and wrong as PyTorch may call them as well."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handgrad import GradientMismatch, check, torch_reports
from handgrad.judging.pytorch.autograd import not_contiguous
from handgrad.judging.pytorch.subjects import subject_of
from handgrad.program.aten.installed import torch
from handgrad.torch import assert_function, check_function
from tests.handgrad.torch import rules

torch.manual_seed(0)
X = torch.randn(3, 5, dtype=torch.float64)
WEIGHT, BIAS = torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
NORM = (X, WEIGHT, BIAS, 1e-5)
POSITIVE = X[0].abs() + 0.5


@pytest.mark.parametrize(
    ("rule", "condition", "what"),
    [
        (rules.Views, "where the cotangent is not contiguous", "backward raised RuntimeError"),
        (rules.Asserts, "where the cotangent is not contiguous", "raised AssertionError (tests"),
        (rules.Memory, "where the cotangent is not contiguous", "bias: 5 of 5 elements"),
        (rules.IgnoresExpansion, "where the cotangent is expanded", "bias: 5 of 5 elements"),
        (rules.WritesToSaved, "in a second pass through the same graph", "x: "),
        (rules.OnClass, "where it is called again, at other values", "x: "),
        (rules.NeedsExchanged, "where weight alone requires grad", "returned None for weight"),
    ],
)
def test_a_rule_that_is_right_as_it_is_usually_called(rule: Any, condition: str, what: str) -> None:
    report = check_function(rule, *NORM, points=1)
    assert report.verdict == "disagree"
    assert report.headline.startswith(f"disagree {condition}")
    assert what in report.headline


@pytest.mark.parametrize(
    ("rule", "headline"),
    [
        (rules.NeedsBoth, r"disagree where output\[0\] alone is used: backward raised TypeError"),
        (rules.NothingAlone, r"disagree where output\[1\] alone is used: . of 5 elements"),
    ],
)
def test_an_output_that_is_not_used(rule: Any, headline: str) -> None:
    with pytest.raises(GradientMismatch, match="^" + headline[:30]):
        assert_function(rule, POSITIVE, X[1], points=0)


def test_all_calls_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def report_on(*args: Any) -> Any:
        given.append(args[-1])
        return check.report_on(*args)

    monkeypatch.setattr(torch_reports, "report_on", report_on)
    left = SimpleNamespace(over=False, left=7.0)
    monkeypatch.setattr(torch_reports, "Clock", lambda _: left)
    report = check_function(rules.Memory, *NORM, points=0, seconds=40.0)
    assert report.headline.startswith("disagree where the cotangent is not contiguous")
    assert given == [30.0, 7.0]
    left.over = True
    report = check_function(rules.Memory, *NORM, points=0, seconds=40.0)
    assert report.verdict == "agree"
    assert report.warnings[-1] == (
        "no time was left to judge it where the cotangent is not contiguous"
    )


def test_a_rerun_in_exact_arithmetic_has_no_memory() -> None:
    subject = subject_of(rules.Squared, (X[0], 0.5))
    cotangents = [np.ones(5)]
    assert subject.gradient_in_jax(subject.arrays, cotangents)[0].shape == (5,)
    for other in ({"layout": not_contiguous}, {"passes": 2}, {"called_again": True}):
        with pytest.raises(TypeError, match="has no memory"):
            replace(subject, **other).gradient_in_jax(subject.arrays, cotangents)
