"""Check a training for a mistake: its outcome, its loss curve, its updates."""

from typing import Any

import numpy as np

import manual.article
from compare.breaking.check import Check, grouped
from compare.experiment import Prediction, Settings, predict
from compare.lockstep import Divergence
from compare.people import NEWCOMERS, PEOPLE, UNDECIDED
from compare.trajectory import LARGEST, Trainings


def ran_away(params: Any) -> bool:
    """Whether a parameter exceeds `LARGEST` or is not a number."""
    return not np.all(np.abs(params) <= LARGEST)


def outcome(trainings: Trainings) -> Check:
    """Compare people's labels with those of the right training, which is the one by autodiff."""
    with np.errstate(over="ignore", invalid="ignore"):
        everybody = predict(trainings, PEOPLE + NEWCOMERS)
    wrong = {p.person.name: _mislabelled(p) for p in everybody if _label(p) != p.label_by_autodiff}
    newcomers = ", ".join(_beside(p) for p in everybody if p.person in NEWCOMERS)
    says = grouped(wrong) if wrong else f"no label changes: {newcomers}"
    return Check(bool(wrong), says)


def _label(p: Prediction) -> str | None:
    return None if np.isnan(p.by_hand) else p.label


def _mislabelled(p: Prediction) -> str:
    return f"{_label(p) or 'not a number'} instead of {p.label_by_autodiff}"


def _beside(p: Prediction) -> str:
    # Eight digits: there are mistakes that show in the seventh.
    return f"{p.person.name} {p.by_hand:.8f} (right: {p.autodiff:.8f})"


def training(settings: Settings, trainings: Trainings) -> Check:
    """Check whether the loss curve shows that nothing is learned."""
    problem = settings.problem()
    start = float(manual.article.mean_loss(settings.start(), problem.xs, problem.ys))
    # Without any epoch both are still at the start.
    end, right = trainings.losses[-1].tolist() if trainings.epochs else (start, start)
    if not np.isfinite(end) or ran_away(trainings.by_hand):
        return Check(True, f"the training runs away; its loss ends as {end:.4g}")
    stuck = end >= UNDECIDED
    how = "no better than always answering one half" if stuck else "which looks like learning"
    says = f"the loss goes from {start:.4g} to {end:.4g}, {how} (right: to {right:.4g})"
    # If the right training has not learned either, a high loss is no sign of a mistake.
    return Check(stuck and right < UNDECIDED, says)


def updates(trainings: Trainings) -> Check:
    """Compare every update with autodiff's from the same parameters."""
    first, total = trainings.first_divergence, trainings.epochs * len(PEOPLE)
    if first is None:
        return Check(False, f"all {total} updates agree")
    person = PEOPLE[first.sample].name
    return Check(True, f"epoch {first.epoch}, {person}: {_diverged(first)}")


def _diverged(first: Divergence) -> str:
    name = first.parameter
    what = f"∂L/∂{name} is" if first.quantity == "gradient" else f"{name} becomes"
    return f"{what} {first.by_hand:.15g}, by autodiff {first.autodiff:.15g}"
