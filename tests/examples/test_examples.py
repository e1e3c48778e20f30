"""The examples find what they describe in the locked versions of the packages.

Where a later version has fixed the mistake, its test fails, and the example has to say so.
"""

import re
import runpy
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from examples import released_mistakes
from handgrad.report import GradientReport
from tests.tiers import slowly

FOLDER = Path(__file__).parents[2] / "examples"

#: What an example audits, if not what handgrad itself needs, by the first part of its name.
PACKAGES = {
    "lifelines": "lifelines",
    "skglm": "skglm",
    "sklearn": "sklearn",
    "statsmodels": "statsmodels",
    "optax": "optax",
}


def example(name: str) -> Any:
    """The module of an example; the test is skipped where its package is not installed."""
    package = PACKAGES.get(name.partition("_")[0])
    if package:
        pytest.importorskip(package, reason=f"{package} is not installed: see examples/README.md")
    return import_module(f"examples.{name}")


def exact_and_yours(report: GradientReport) -> tuple[np.ndarray, np.ndarray]:
    """The worst element of each leaf."""
    leaves = report.leaves
    return np.array([float(leaf.exact) for leaf in leaves]), np.array([a.yours for a in leaves])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("scipy_rosenbrock", "report"),
        slowly("scipy_rosenbrock", "report_on_the_hessian"),
        slowly("statsmodels_logit", "report"),
        slowly("sklearn_multinomial", "report"),
        slowly("optax_rules", "report"),
        ("optax_rules", "report_if_meant"),
        slowly("jax_pallas_softmax", "report"),
    ],
)
def test_what_is_right(name: str, function: str) -> None:
    assert getattr(example(name), function)().verdict == "agree"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "function", "blame", "error"),
    [
        ("statsmodels_logit", "report_where_separated", "yours", 1e-6),
        ("sklearn_multinomial", "report_where_certain", "both", 1e-8),
    ],
)
def test_what_loses_digits(name: str, function: str, blame: str, error: float) -> None:
    """The relative error is of this size: by less than a factor of ten."""
    report = getattr(example(name), function)()
    assert (report.verdict, report.blame) == ("imprecise", blame)
    exact, yours = exact_and_yours(report)
    assert error / 10 < abs(yours / exact - 1).max() < error * 10


@pytest.mark.slow
def test_sinc_loses_digits_before_jax_0_12() -> None:
    report = example("jax_erfcx").report_on_sinc()
    if jax.__version_info__ >= (0, 12):
        assert report.verdict == "agree"
        return
    assert (report.verdict, report.blame) == ("imprecise", "both")
    exact, yours = exact_and_yours(report)
    assert 1e-8 < abs(yours / exact - 1).max() < 1e-6


@pytest.mark.slow
def test_the_score_of_another_p_is_wrong() -> None:
    module = example("statsmodels_truncated")
    assert module.report(p=2).verdict == "agree"
    report = module.report(p=1)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    with jax.enable_x64(True):
        exact = jax.grad(module.log_likelihood)(module.PARAMS, module.X, module.Y, 1)
    yours = module.score(module.PARAMS, module.X, module.Y, 1)
    assert abs(yours / np.asarray(exact) - 1).max() > 0.1


@pytest.mark.slow
def test_three_outputs_give_three_times_the_gradient() -> None:
    module = example("sklearn_mlp")
    assert module.report(1).verdict == "agree"
    report = module.report(3)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    exact, yours = exact_and_yours(report)
    np.testing.assert_allclose(yours / exact, 3, rtol=1e-12)  # some roundings
    assert not any(finding.kind == "loss-value" for finding in report.findings)


@pytest.mark.slow
def test_a_kernel_without_its_derivative_has_few_digits() -> None:
    module = example("sklearn_matern")
    assert module.report(2.5).verdict == "agree"
    report = module.report(3.5)
    assert (report.verdict, report.blame) == ("undecidable", "yours")
    exact, yours = exact_and_yours(report)
    assert 1e-8 < abs(yours / exact - 1).max() < 1e-3, "some digits are right, and not many"
    assert not any(finding.kind == "loss-value" for finding in report.findings)


@pytest.mark.slow
def test_a_rule_that_multiplies_the_error_of_its_function() -> None:
    module = example("jax_erfcx")
    assert module.report(1.0).verdict == "agree"
    report = module.report(1e4)
    assert (report.verdict, report.blame) == ("imprecise", "yours")
    exact, yours = exact_and_yours(report)
    assert 1e-9 < abs(yours / exact - 1).max() < 1e-7


@pytest.mark.slow
def test_a_rule_that_is_meant_to_be_another() -> None:
    report = example("optax_rules").report_on_scaling()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    exact, yours = exact_and_yours(report)
    np.testing.assert_allclose(yours / exact, 0.5, rtol=1e-15)  # halving rounds nothing


@pytest.mark.slow
def test_the_diagonal_of_a_jacobian_in_a_kernel() -> None:
    report = example("jax_pallas_softmax").report_on_the_diagonal()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert [diagnosis.kind for diagnosis in report.diagnoses] == ["activation-derivative"]
    assert "only the diagonal" in report.diagnoses[0].says


@pytest.mark.slow
def test_rounding_of_bfloat16_is_told_from_a_mistake() -> None:
    """Sums in bfloat16 are off by several units in the last place, and are right."""
    module = example("jax_pallas_layer_norm")
    for sums, least, most in (("float32", 0, 0.51), ("bfloat16", 2, 20)):
        report = module.report(jax.numpy.dtype(sums))
        assert report.verdict == "agree"
        assert least < max(leaf.ulps for leaf in report.leaves) < most
        assert "Rounding in bfloat16" in str(report)
    report = module.report(through_scale=False)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert "a term is missing" in " ".join(str(report).split())


@pytest.mark.parametrize("mistake", released_mistakes.MISTAKES, ids=lambda m: m.about[:24])
def test_a_released_mistake_is_one(mistake: released_mistakes.Mistake) -> None:
    """What a release answered is not the exact value; where it is installed, it answers so."""
    exact = float(mistake.exact())
    assert not abs(mistake.answer - exact) <= 1e-9 * abs(exact)
    if mistake.installed() == mistake.release:
        np.testing.assert_allclose(float(mistake.released()), mistake.answer, rtol=1e-12)


@pytest.mark.slow
def test_a_power_that_is_right_in_two_dimensions() -> None:
    module = example("sklearn_tsne")
    assert module.report(2).verdict == "agree"
    report = module.report(3)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert not any(finding.kind == "loss-value" for finding in report.findings)
    ends, better = module.missed(3)
    assert better < 0.6 * ends
    ends, better = module.missed(2)
    assert better > 0.9 * ends


@pytest.mark.slow
def test_second_derivatives_of_likelihoods() -> None:
    module = example("statsmodels_hessians")
    for right in (module.of_linear(0.7), module.of_counts(1), module.of_counts(2)):
        assert right.verdict == "agree"
    wrong = module.of_linear(), module.of_counts(), module.of_series(), module.of_series(2)
    assert [(report.verdict, report.blame) for report in wrong] == [("disagree", "yours")] * 4
    yours, right = module.standard_errors()
    assert 0.01 < np.abs(yours / right - 1).max() < 0.1


@pytest.mark.slow
def test_marginal_effects() -> None:
    module = example("statsmodels_effects")
    found = [exact_and_yours(report) for report in (module.of_kernel(), module.of_regression())]
    ratios = [yours / exact for exact, yours in found]
    np.testing.assert_allclose(np.ravel(ratios), [2, 2 / 5], rtol=1e-14)  # some roundings
    assert (module.of_truncated().verdict, module.of_truncated().blame) == ("disagree", "yours")
    yours, right = module.effects()
    assert yours > 1.5 * right


@pytest.mark.slow
def test_a_denominator_that_categories_share() -> None:
    module = example("statsmodels_nominal")
    right = module.report(2), module.report(model=module.WithTheDenominator)
    assert [report.verdict for report in right] == ["agree", "agree"]
    report = module.report()
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert [diagnosis.kind for diagnosis in report.diagnoses] == ["zero"]
    of_gee, of_right, of_likelihood = module.standard_errors(200)
    assert max(of_gee / of_likelihood) < 0.8
    assert np.abs(of_right / of_likelihood - 1).max() < 0.1


def test_a_parenthesis_at_the_wrong_place() -> None:
    module = example("skglm_poisson")
    assert module.report(module.of_each).verdict == "agree"
    report = module.report()
    assert (report.verdict, report.blame) == ("disagree", "yours")


def test_a_likelihood_with_ties() -> None:
    assert {*example("lifelines_cox").report().verdicts.values()} == {"agree"}


@pytest.mark.night
@pytest.mark.slow
def test_what_three_packages_differentiate() -> None:
    """All is right but what the audit lists as wrong, and none raises."""
    for package in ("sklearn", "statsmodels"):
        pytest.importorskip(package, reason=f"{package} is not installed: see examples/README.md")
    module = import_module("examples.audit_of_packages")
    report = module.report(points=2)
    assert set(report.verdicts.values()) == {"agree", "disagree"}, str(report)
    assert set(report.failing) == set(module.WRONG), str(report)
    assert {one.blame for one in report.audited if not one} == {"yours"}
    packages = Counter(re.split("[.:]", name)[0] for name in report)
    assert packages == {"scipy": 23, "statsmodels": 41, "sklearn": 26}
    reproduced = Counter(report[name].reproduce.partition("(")[0] for name in report)
    assert reproduced["check_jacobian"] > 20
    assert reproduced["check_hessian"] > 10
    assert reproduced["check_hvp"] == 2
    certified = [report[name].to_dict()["certified"] for name in report]
    assert certified.count(False) == 17


@pytest.mark.slow
def test_as_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(FOLDER / "scipy_rosenbrock.py"), run_name="__main__")
    assert capsys.readouterr().out.count("Again: check_") == 2


def test_the_readme_has_a_line_on_each() -> None:
    names = re.findall(r"\[([\w.]+)/?\]\(\1\)", (FOLDER / "README.md").read_text())
    packages = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert sorted(names) == sorted({path.name for path in FOLDER.glob("*.py")} | packages)
