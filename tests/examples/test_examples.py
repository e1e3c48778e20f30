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
from tests.tiers import one_of_each

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


JAX_0_12 = jax.__version_info__ >= (0, 12)

#: Calls of examples, the verdict and whom it blames, and within what relative errors lie.
FOUND: dict[str, tuple[Any, ...]] = {
    "scipy_rosenbrock.report()": ("agree",),
    "scipy_rosenbrock.report_on_the_hessian()": ("agree",),
    "statsmodels_logit.report()": ("agree",),
    "statsmodels_logit.report_where_separated()": ("imprecise", "yours", 1e-7, 1e-5),
    "sklearn_multinomial.report()": ("agree",),
    "sklearn_multinomial.report_where_certain()": ("imprecise", "both", 1e-9, 1e-7),
    "statsmodels_truncated.report(p=2)": ("agree",),
    "statsmodels_truncated.report(p=1)": ("disagree", "yours", 0.1, np.inf),
    # Three outputs give three times the gradient.
    "sklearn_mlp.report(1)": ("agree",),
    "sklearn_mlp.report(3)": ("disagree", "yours", 2 - 1e-11, 2 + 1e-11),
    # A kernel without its derivative: some digits are right, and not many.
    "sklearn_matern.report(2.5)": ("agree",),
    "sklearn_matern.report(3.5)": ("undecidable", "yours", 1e-8, 1e-3),
    # A power that is right in two dimensions.
    "sklearn_tsne.report(2)": ("agree",),
    "sklearn_tsne.report(3)": ("disagree", "yours"),
    # A rule that multiplies the error of its function.
    "jax_erfcx.report(1.0)": ("agree",),
    "jax_erfcx.report(1e4)": ("imprecise", "yours", 1e-9, 1e-7),
    "jax_erfcx.report_on_sinc()": ("agree",) if JAX_0_12 else ("imprecise", "both", 1e-8, 1e-6),
    # A rule that is meant to be another; halving rounds nothing.
    "optax_rules.report()": ("agree",),
    "optax_rules.report_if_meant()": ("agree",),
    "optax_rules.report_on_scaling()": ("disagree", "yours", 0.5, 0.5),
    "jax_pallas_softmax.report()": ("agree",),
    "jax_pallas_softmax.report_on_the_diagonal()": ("disagree", "yours"),
    # Second derivatives of likelihoods.
    "statsmodels_hessians.of_linear(0.7)": ("agree",),
    "statsmodels_hessians.of_counts(1)": ("agree",),
    "statsmodels_hessians.of_counts(2)": ("agree",),
    "statsmodels_hessians.of_linear()": ("disagree", "yours"),
    "statsmodels_hessians.of_counts()": ("disagree", "yours"),
    "statsmodels_hessians.of_series()": ("disagree", "yours"),
    "statsmodels_hessians.of_series(2)": ("disagree", "yours"),
    "statsmodels_effects.of_kernel()": ("disagree", "yours", 1 - 1e-13, 1 + 1e-13),
    "statsmodels_effects.of_regression()": ("disagree", "yours", 0.6 - 1e-13, 0.6 + 1e-13),
    "statsmodels_effects.of_truncated()": ("disagree", "yours"),
    # A denominator that categories share.
    "statsmodels_nominal.report(2)": ("agree",),
    "statsmodels_nominal.report(model=module.WithTheDenominator)": ("agree",),
    "statsmodels_nominal.report()": ("disagree", "yours"),
    # A parenthesis at the wrong place.
    "skglm_poisson.report(module.of_each)": ("agree",),
    "skglm_poisson.report()": ("disagree", "yours"),
}
QUICK = ["scipy_rosenbrock.report()", "optax_rules.report_if_meant()"]
QUICK += [call for call in FOUND if call.startswith("skglm")]

#: The kind of a diagnosis, and what it says.
DIAGNOSED = {
    "jax_pallas_softmax.report_on_the_diagonal()": ("activation-derivative", "only the diagonal"),
    "statsmodels_nominal.report()": ("zero", ""),
}


def judged(
    example: Any, call: str, verdict: str, blame: Any = None, low: float = 0, high: float = np.inf
) -> GradientReport:
    """The report of a call of an example, held to what is found."""
    name, _, of = call.partition(".")
    report = eval(f"module.{of}", {"module": example(name)})
    assert (report.verdict, report.blame) == (verdict, blame), str(report)
    errors = [abs(leaf.yours / float(leaf.exact) - 1) for leaf in report.leaves]
    assert verdict == "agree" or low <= min(errors) <= max(errors) <= high, errors
    assert not any(finding.kind == "loss-value" for finding in report.findings)
    return report


@pytest.mark.by_day(len(FOUND))
@pytest.mark.parametrize("call", one_of_each(FOUND, QUICK))
def test_what_is_found(call: str) -> None:
    report = judged(example, call, *FOUND[call])
    if call in DIAGNOSED:
        kind, says = DIAGNOSED[call]
        assert [diagnosis.kind for diagnosis in report.diagnoses] == [kind]
        assert says in report.diagnoses[0].says


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
def test_what_mistakes_cost() -> None:
    """A worse embedding, wrong standard errors, a wrong effect."""
    for dimensions, least, most in ((3, 0, 0.6), (2, 0.9, np.inf)):
        ends, better = example("sklearn_tsne").missed(dimensions)
        assert least < better / ends < most
    yours, right = example("statsmodels_hessians").standard_errors()
    assert 0.01 < np.abs(yours / right - 1).max() < 0.1
    yours, right = example("statsmodels_effects").effects()
    assert yours > 1.5 * right
    of_gee, of_right, of_likelihood = example("statsmodels_nominal").standard_errors(200)
    assert max(of_gee / of_likelihood) < 0.8
    assert np.abs(of_right / of_likelihood - 1).max() < 0.1


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
