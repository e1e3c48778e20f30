"""The examples in torch find what they describe; they run where `make test-torch` has installed it.

Where a later version has fixed a mistake, its test fails, and the example has to say so.
"""

from importlib import import_module
from typing import Any

import pytest

from tests import torch_installed
from tests.examples.test_examples import judged

torch_installed.required()

pytestmark = pytest.mark.slow


def example(name: str) -> Any:
    """The module of an example; a package that it audits is missing only where torch is, too."""
    return import_module(f"examples.{name}")


#: As in tests/examples/test_examples.py.
FOUND: dict[str, tuple[Any, ...]] = {
    "torch_lobpcg.report()": ("agree",),
    "entmax_activations.report()": ("agree",),
    "entmax_activations.report_on_alpha()": ("agree",),
    # A window of channels is shifted; one channel has no neighbours.
    "torch_lrn.report(1)": ("agree",),
    "torch_lrn.report()": ("disagree", "yours"),
    # The gradient of a sample is an approximation.
    "torch_dirichlet.report(0.5, 0.3)": ("agree",),
    "torch_dirichlet.report(10.0, 0.7)": ("disagree", "yours", 1.5e-4, 6e-4),
    "torch_dirichlet.report(50.0, 0.3)": ("disagree", "yours", 1e-3, 4e-3),
    # Damping costs ε²/t², where t = 2.4 is the sum of the two singular values.
    "roma_procrustes.report(1e-12)": ("agree",),
    "roma_procrustes.report()": ("disagree", "yours", 1.7e-11, 1.8e-11),
}


@pytest.mark.by_day(len(FOUND))
@pytest.mark.parametrize("call", FOUND)
def test_what_is_found(call: str) -> None:
    judged(example, call, *FOUND[call])


def test_a_shifted_window_passes_gradcheck_where_it_is_narrow() -> None:
    module = example("torch_lrn")
    assert module.passes_gradcheck(5e-3, 1e-3)
    assert not module.passes_gradcheck(0.3, 0.75)
    # With more channels the forward pass is another function.
    report = module.report(5)
    assert report.verdict == "disagree"
    assert any(finding.kind == "loss-value" for finding in report.findings)


def test_no_gradient_for_alpha() -> None:
    report = example("entmax_activations").report_on_normmax()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert {leaf.path: leaf.verdict for leaf in report.leaves} == {
        "alpha": "disagree",
        "X": "agree",
    }
    assert "backward returned None for alpha" in report.headline
