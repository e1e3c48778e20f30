"""Check the gradient at the start of a training: compare it with autodiff, and with the judge."""

from typing import Any

import numpy as np

import autodiff.article
from compare.agreement import NAMES, Partial, compare_gradients
from compare.breaking.check import Check, grouped
from compare.experiment import Settings
from compare.people import PEOPLE, raw, shifted, targets
from handgrad import GradientReport, check_gradient
from models.planted import Plant


def beside_autodiff(plant: Plant, settings: Settings) -> Check:
    """Compare the partial derivatives of the four people's losses with autodiff's."""
    gradient, form = plant.gradient_in(settings.sigmoid_derivative), settings.sigmoid_derivative
    wrong: dict[str, list[Partial]] = {}
    for person, (x, y) in zip(PEOPLE, _samples(), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            rows = compare_gradients(settings.start(), x, y, form, gradient)
        wrong[person.name] = [row for row in rows if row.verdict != "agree"]
    says = grouped({name: _named(rows) for name, rows in wrong.items() if rows})
    return Check(
        bool(says),
        says or f"all {len(NAMES)} partial derivatives of all {len(PEOPLE)} people agree",
        {"disagree": {name: _numbers(rows) for name, rows in wrong.items()}},
    )


def _samples() -> list[tuple[Any, Any]]:
    return list(zip(shifted(raw(PEOPLE)), targets(PEOPLE), strict=True))


def _named(rows: list[Partial]) -> str:
    if len(rows) == len(NAMES):
        return "all nine partial derivatives disagree"
    what = "the partial derivatives by" if len(rows) > 1 else "the partial derivative by"
    return f"{what} {', '.join(row.name for row in rows)} disagree{'s' if len(rows) == 1 else ''}"


def _numbers(rows: list[Partial]) -> dict[str, dict[str, float]]:
    return {row.name: {"by_hand": row.by_hand, "autodiff": row.autodiff} for row in rows}


def before_the_judge(plant: Plant, settings: Settings) -> Check:
    """Run `handgrad` on the losses of all four people at once."""
    start = autodiff.article.Parameters(*settings.start())
    first, *others = [(start, *sample) for sample in _samples()]
    gradient = plant.gradient_in(settings.sigmoid_derivative)
    report = check_gradient(gradient, autodiff.article.loss, *first, points=others)
    diagnosis = next((diagnosis.says for diagnosis in report.diagnoses), None)
    person = PEOPLE[report.point].name
    headline = report.headline.replace(f" at point {report.point}:", f" for {person}:")
    return Check(
        report.verdict == "disagree",
        f"{report.verdict}: {diagnosis}" if diagnosis else headline,
        {
            "verdict": report.verdict,
            "diagnosis": diagnosis,
            "parameters": _wrong(report),
            "person": person,
        },
    )


def _wrong(report: GradientReport) -> list[str]:
    if report.verdict != "disagree":
        return []
    found = {str(finding.leaf).removeprefix("params.") for finding in report.observed}
    return [name for name in NAMES if name in found]
