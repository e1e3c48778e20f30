"""Check the gradient at the start of a training: compare it with autodiff, and with the judge."""

from typing import Any

import numpy as np

import autodiff.article
from compare.agreement import NAMES, Partial, compare_gradients
from compare.breaking.check import Check, grouped
from compare.experiment import Settings
from compare.people import PEOPLE, raw, shifted, targets
from handgrad import check_gradient
from models.model import Slip
from models.planted import gradient_in


def beside_autodiff(plant: Slip, settings: Settings) -> Check:
    """Compare the partial derivatives of the four people's losses with autodiff's."""
    gradient, form = gradient_in(plant, settings.sigmoid_derivative), settings.sigmoid_derivative
    wrong: dict[str, list[Partial]] = {}
    for person, (x, y) in zip(PEOPLE, _samples(), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            rows = compare_gradients(settings.start(), x, y, form, gradient)
        wrong[person.name] = [row for row in rows if row.verdict != "agree"]
    says = grouped({name: _named(rows) for name, rows in wrong.items() if rows})
    return Check(
        bool(says),
        says or f"all {len(NAMES)} partial derivatives of all {len(PEOPLE)} people agree",
    )


def _samples() -> list[tuple[Any, Any]]:
    return list(zip(shifted(raw(PEOPLE)), targets(PEOPLE), strict=True))


def _named(rows: list[Partial]) -> str:
    if len(rows) == len(NAMES):
        return "all nine partial derivatives disagree"
    what = "the partial derivatives by" if len(rows) > 1 else "the partial derivative by"
    return f"{what} {', '.join(row.name for row in rows)} disagree{'s' if len(rows) == 1 else ''}"


def before_the_judge(plant: Slip, settings: Settings) -> Check:
    """Run `handgrad` on the losses of all four people at once."""
    start = autodiff.article.Parameters(*settings.start())
    first, *others = [(start, *sample) for sample in _samples()]
    gradient = gradient_in(plant, settings.sigmoid_derivative)
    report = check_gradient(gradient, autodiff.article.loss, *first, points=others)
    diagnosis = next((diagnosis.says for diagnosis in report.diagnoses), None)
    at, person = f" at point {report.point}:", PEOPLE[report.point].name
    headline = report.headline.replace(at, f" for {person}:")
    says = f"{report.verdict}: {diagnosis}" if diagnosis else headline
    return Check(report.verdict == "disagree", says)
