"""Slip a mistake, and run five checks on it, from the weakest evidence to the strongest.

- `outcome`: are people labelled as after the right training?
- `training`: does the loss curve look as if something was learned?
- `updates`: does every update of the training equal autodiff's from the same parameters?
- `autodiff`: do the partial derivatives of the four people's losses at the start agree with it?
- `judge`: what are `handgrad`'s verdict and diagnosis for the gradient at the start?
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff.article
import manual.article
from compare.agreement import NAMES, compare_gradients
from compare.experiment import Settings, hand_path, predict, train
from compare.limits import LARGEST_VALUE
from compare.lockstep import Progress
from compare.people import NEWCOMERS, PEOPLE, UNDECIDED, XS, YS, label
from compare.wording import BY_AUTODIFF, BY_HAND
from handgrad import check_gradient
from models.model import Slip
from models.planted import gradient_in, kind_of, train_in


@dataclass(frozen=True)
class Check:
    """The result of one check of a planted mistake."""

    sees: bool  #: whether the check shows that something is wrong
    says: str  #: one sentence without its full stop


def checks(
    plant: Slip, settings: Settings, on_epoch: Callable[[int], None] = lambda _: None
) -> dict[str, Check]:
    """Run all five checks on a mistake.

    Args:
        plant: the mistake.
        settings: the training that contains it. The gradient is checked at its start.
        on_epoch: called with the number of epochs done so far.

    Returns:
        The result of each check by its name, in the order above.

    Raises:
        RanAwayError: the training runs away even without the mistake.
    """
    # A fresh gradient for each check: some mistakes leave something in a buffer between calls.
    form = settings.sigmoid_derivative
    gradient, loop = gradient_in(plant, form), train_in(plant, form)
    progress = train(settings, on_epoch, gradient=gradient, loop=loop)
    if _ran_away(progress.points[BY_AUTODIFF].params):
        hand_path(settings)  # without the mistake: if this runs away, its error says where
    return {
        "outcome": outcome(progress),
        "training": loss_curve(settings, progress),
        "updates": _updates(progress),
        "autodiff": beside_autodiff(plant, settings),
        "judge": before_the_judge(plant, settings),
    }


def _ran_away(params: Any) -> bool:
    return not np.all(np.abs(params) <= LARGEST_VALUE)


def outcome(progress: Progress) -> Check:
    """Compare people's labels with those of the right training, which is the one by autodiff."""
    with np.errstate(over="ignore", invalid="ignore"):
        everybody = predict(progress, PEOPLE + NEWCOMERS)
    wrong = {}
    for p in everybody:
        said, right = "not a number" if np.isnan(p.by_hand) else label(p.by_hand), label(p.autodiff)
        if said != right:
            wrong[p.person.name] = f"{said} instead of {right}"
    # Eight digits: there are mistakes that show in the seventh.
    newcomers = ", ".join(
        f"{p.person.name} {p.by_hand:.8f} (right: {p.autodiff:.8f})"
        for p in everybody
        if p.person in NEWCOMERS
    )
    return Check(bool(wrong), _grouped(wrong) if wrong else f"no label changes: {newcomers}")


def _grouped(said: dict[str, str]) -> str:
    """List descriptions with the people they apply to; people who share one are named together."""
    people: dict[str, list[str]] = {}
    for person, what in said.items():
        people.setdefault(what, []).append(person)
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in people.items())


def loss_curve(settings: Settings, progress: Progress) -> Check:
    """Check whether the loss curve shows that nothing is learned."""
    start = float(manual.article.mean_loss(settings.start(), XS, YS))
    # Without any epoch both are still at the start.
    end, right = progress.losses[-1].tolist() if len(progress.losses) else (start, start)
    if not np.isfinite(end) or _ran_away(progress.points[BY_HAND].params):
        return Check(True, f"the training runs away; its loss ends as {end:.4g}")
    stuck = end >= UNDECIDED
    how = "no better than always answering one half" if stuck else "which looks like learning"
    says = f"the loss goes from {start:.4g} to {end:.4g}, {how} (right: to {right:.4g})"
    # If the right training has not learned either, a high loss is no sign of a mistake.
    return Check(stuck and right < UNDECIDED, says)


def _updates(progress: Progress) -> Check:
    """Compare every update with autodiff's from the same parameters."""
    first = progress.first_divergence
    if first is None:
        return Check(False, f"all {len(progress.losses) * len(PEOPLE)} updates agree")
    epoch, person = divmod(first.update, len(PEOPLE))
    name = first.parameter
    what = f"∂L/∂{name} is" if first.quantity == "gradient" else f"{name} becomes"
    numbers = f"{first.by_hand:.15g}, by autodiff {first.autodiff:.15g}"
    return Check(True, f"epoch {epoch}, {PEOPLE[person].name}: {what} {numbers}")


def beside_autodiff(plant: Slip, settings: Settings) -> Check:
    """Compare the partial derivatives of the four people's losses with autodiff's."""
    gradient, form = gradient_in(plant, settings.sigmoid_derivative), settings.sigmoid_derivative
    said = {}
    for person, x, y in zip(PEOPLE, XS, YS, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            rows = compare_gradients(settings.start(), x, y, form, gradient)
        if wrong := [row.name for row in rows if row.verdict != "agree"]:
            said[person.name] = _named(wrong)
    says = _grouped(said)
    all_agree = f"all {len(NAMES)} partial derivatives of all {len(PEOPLE)} people agree"
    return Check(bool(says), says or all_agree)


def _named(wrong: list[str]) -> str:
    if len(wrong) == len(NAMES):
        return "all nine partial derivatives disagree"
    one, names = len(wrong) == 1, ", ".join(wrong)
    return f"the partial derivative{'s' * (not one)} by {names} disagree{'s' * one}"


def before_the_judge(plant: Slip, settings: Settings) -> Check:
    """Run `handgrad` on the losses of all four people at once."""
    start = autodiff.article.Parameters(*settings.start())
    first, *others = [(start, x, y) for x, y in zip(XS, YS, strict=True)]
    gradient = gradient_in(plant, settings.sigmoid_derivative)
    report = check_gradient(gradient, autodiff.article.loss, *first, points=others)
    diagnosis = next((diagnosis.says for diagnosis in report.diagnoses), None)
    at, person = f" at point {report.point}:", PEOPLE[report.point].name
    headline = report.headline.replace(at, f" for {person}:")
    says = f"{report.verdict}: {diagnosis}" if diagnosis else headline
    return Check(report.verdict == "disagree", says)


def lesson(plant: Slip, found: dict[str, Check]) -> str:
    """Write one or a few sentences on which of the checks miss a mistake, and why that matters."""
    blind = [name for name, check in found.items() if not check.sees]
    if not blind:
        return (
            "Every check sees it: so coarse a mistake shows in the outcome. Where it is, the "
            "outcome does not say."
        )
    if len(blind) == len(found):
        return (
            "No check sees it here: it shows at none of the points that they look at. Agreement at "
            "some points is no proof for all; try another start (--init normal, --seed)."
        )
    few = "weak evidence: four people can be learned with many a mistake."
    weak = {
        ("outcome",): f"Right answers are {few}",
        ("training",): "A loss that falls is weak evidence: many a mistake still goes downhill.",
        ("outcome", "training"): f"Right answers and a falling loss are {few}",
    }
    said = [weak.get(tuple(name for name in blind if name in ("outcome", "training")), "")]
    if "updates" in blind:
        said.append("In so few epochs no update goes wrong.")
    if {"autodiff", "judge"} & set(blind):
        said.append(
            "The gradient is right at every point: a check of gradients alone does not see what "
            "the training does with them."
            if kind_of(plant) == "training"
            else "At the start the gradient is right; the training comes to points where it is "
            "wrong, and a check of gradients knows only the points it is given."
        )
    return f"Blind: {', '.join(blind)}. {' '.join(filter(None, said))}"
