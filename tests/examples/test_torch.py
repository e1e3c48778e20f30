"""The examples in torch find what they describe; they run where `make test-torch` has installed it.

Where a later version has fixed a mistake, its test fails, and the example has to say so.
"""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from handgrad.report import GradientReport
from tests import torch_installed

torch_installed.required()

pytestmark = pytest.mark.slow


def example(name: str) -> Any:
    """The module of an example; a package that it audits is missing only where torch is, too."""
    return import_module(f"examples.{name}")


def errors(report: GradientReport) -> dict[str, float]:
    """The relative error of the worst element of each leaf."""
    return {leaf.path: abs(leaf.yours / float(leaf.exact) - 1) for leaf in report.leaves}


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("torch_lobpcg", "report"),
        ("entmax_activations", "report"),
        ("entmax_activations", "report_on_alpha"),
    ],
)
def test_what_is_right(name: str, function: str) -> None:
    assert getattr(example(name), function)().verdict == "agree"


def test_a_window_of_channels_is_shifted() -> None:
    module = example("torch_lrn")
    report = module.report()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert not any(finding.kind == "loss-value" for finding in report.findings)
    assert module.passes_gradcheck(5e-3, 1e-3)
    assert not module.passes_gradcheck(0.3, 0.75)
    # The mistake is the shift, and no other: with it undone, torch's own check passes it.
    assert module.report(1).verdict == "agree", "one channel has no neighbours"


def test_with_more_channels_the_forward_pass_is_another_function() -> None:
    report = example("torch_lrn").report(5)
    assert report.verdict == "disagree"
    assert any(finding.kind == "loss-value" for finding in report.findings)


@pytest.mark.parametrize(("a", "x", "error"), [(10.0, 0.7, 3e-4), (50.0, 0.3, 2e-3)])
def test_the_gradient_of_a_sample_is_an_approximation(a: float, x: float, error: float) -> None:
    """The relative error is of this size: by less than a factor of two."""
    module = example("torch_dirichlet")
    assert module.report(0.5, 0.3).verdict == "agree"
    report = module.report(a, x)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    (found,) = errors(report).values()
    assert error / 2 < found < error * 2


def test_no_gradient_for_alpha() -> None:
    report = example("entmax_activations").report_on_normmax()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert {leaf.path: leaf.verdict for leaf in report.leaves} == {
        "alpha": "disagree",
        "X": "agree",
    }
    assert "backward returned None for alpha" in report.headline


def test_damping_costs_digits() -> None:
    """ε²/t², where t = 2.4 is the sum of the two singular values."""
    module = example("roma_procrustes")
    assert module.report(1e-12).verdict == "agree"
    report = module.report()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    singular = np.linalg.svd(module.M[0].numpy(), compute_uv=False).sum()
    (found,) = errors(report).values()
    np.testing.assert_allclose(found, (1e-5 / singular) ** 2, rtol=1e-3)
