"""Errata on the loss: its square and its index."""

import numpy as np

import manual.article
from compare.errata.entry import Cell, Shown, erratum
from compare.errata.example import XS, YS, gradient_with, mean_loss, trained
from compare.experiment import Settings
from compare.people import NEWCOMERS, PEOPLE, label, raw, shifted
from manual.article import Parameters
from manual.losses import mse, squared_error

#: Epochs whose losses are shown.
EPOCHS = (0, 10, 100, 500, 999)


@erratum(
    1,
    title="The square is missing",
    section="Backpropagation",
    printed="∂L/∂y_pred = ∂(Σ (y_i − y_pred) / n) / ∂y_pred",
    right="∂L/∂y_pred = ∂(y − y_pred)² / ∂y_pred = −2 (y − y_pred) for one sample; "
    "−(2/n) (y_i − y_pred,i) for the mean over n",
    why="The loss is the mean of squared errors. Without the square its derivative is −1 for one "
    "sample, whatever was predicted and whatever is right: every update raises y_pred, for Bob "
    "and Charlie as for Alice and Diana.",
    printed_latex=r"\frac{\partial L}{\partial y_{pred}} = \frac{\partial "
    r"\frac{\sum\limits_{i=0}^{n} (y_i - y_{pred})}{n}}{\partial y_{pred}}",
    right_latex=r"\frac{\partial L}{\partial y_{pred}} = \frac{\partial (y - y_{pred})^2}"
    r"{\partial y_{pred}} = -2\,(y - y_{pred})",
)
def missing_square() -> Shown:
    """Run the article's training with the printed and with the right derivative."""
    settings = Settings(seed=0)
    trainings = (trained(settings, gradient=_printed_gradient), trained(settings))
    everybody = (*PEOPLE, *NEWCOMERS)
    losses = [[mean_loss(Parameters(*after[:, epoch])) for after in trainings] for epoch in EPOCHS]
    answers = [_answers(after[:, -1]) for after in trainings]
    women = [sum(label(answer) == "F" for answer in column) for column in answers]
    rows: list[tuple[Cell, ...]] = [("mean loss at the start", *[mean_loss(settings.start())] * 2)]
    rows += [(f"after epoch {epoch}", *pair) for epoch, pair in zip(EPOCHS, losses, strict=True)]
    for k, person in enumerate(everybody):
        gender = f", {person.gender}" if person.gender else ""
        pair = [f"{column[k]:.3f} {label(column[k])}" for column in answers]
        rows.append((f"{person.name}{gender}", *pair))
    return Shown(
        ("seed 0, η = 0.1", "as printed", "right"),
        tuple(rows),
        f"Trained as printed, {women[0]} of {len(everybody)} people come out as F and the loss "
        f"ends at {losses[-1][0]:.4f}; with the square it ends at {losses[-1][1]:.4f}, and "
        f"{women[1]} are F.",
        {
            "loss_printed": losses[-1][0],
            "loss_right": losses[-1][1],
            "answers_printed": answers[0],
            "answers_right": answers[1],
        },
    )


def _printed_gradient(params: Parameters, x: np.ndarray, y: np.ndarray) -> Parameters:  # noqa: ARG001 (what is printed does not depend on y)
    return gradient_with(-1.0, params, x)


def _answers(params: np.ndarray) -> list[float]:
    """Return the network's outputs for the four people, Emily and Frank."""
    x = shifted(raw((*PEOPLE, *NEWCOMERS)))
    return manual.article.feedforward(Parameters(*params), x).tolist()


@erratum(
    2,
    title="The sum begins at 0, and the prediction has no index",
    section="Backpropagation",
    printed="Σ (y_i − y_pred) / n with i = 0 to n",
    right="Σ (y_i − y_pred,i)² / n with i = 1 to n",
    why="From 0 to n there are n + 1 terms, one more than there are people. And each person has a "
    "prediction of his or her own: one y_pred for all of them could do no better than their "
    "mean.",
    printed_latex=r"\frac{\sum\limits_{i=0}^{n} (y_i - y_{pred})}{n}",
    right_latex=r"\frac{1}{n} \sum_{i=1}^{n} (y_i - y_{pred,i})^2",
)
def index_from_zero() -> Shown:
    """List the terms one by one, for the trained network and for the best single prediction."""
    n = len(YS)
    ypred = manual.article.feedforward(Parameters(*trained(Settings())[:, -1]), XS)
    # (y - c)² summed over people is least where c is their mean.
    single = YS.mean()
    rows: list[tuple[Cell, ...]] = []
    for i in range(n + 1):
        if 1 <= i <= n:
            k = i - 1
            own = squared_error(YS[k], ypred[k])
            alike = squared_error(YS[k], single)
            rows.append((str(i), PEOPLE[k].name, YS[k], float(ypred[k]), float(own), float(alike)))
        else:
            rows.append((str(i), "nobody", *["-"] * 4))
    people = sum(row[1] != "nobody" for row in rows)
    own, alike = float(mse(YS, ypred)), float(mse(YS, np.full(n, single)))
    rows.append(("", f"sum / {n}", "", "", own, alike))
    return Shown(
        ("i", "person", "y_i", "y_pred,i", "squared error", f"with one y_pred, {single:g}"),
        tuple(rows),
        f"From i = 0 to {n} there are {n + 1} terms for {people} people. With predictions of their "
        f"own the mean loss is {own:.6f}; with the best single one it is {alike:g}.",
        {
            "terms": n + 1,
            "people": people,
            "single": float(single),
            "loss_own": own,
            "loss_single": alike,
            "loss_of_zeros": float(mse(YS, np.zeros(n))),
        },
    )
