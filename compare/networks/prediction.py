"""Predict with trained networks for rows of features, in the data's own units and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.networks import flat
from compare.networks.files import Model
from compare.networks.prepared import codes
from compare.networks.ranges import output_ranges
from compare.networks.trainers import SIDE_LABELS, ByHand, Trainer
from compare.verdict import BY_HAND, Verdict
from compare.wording import InputError, shown

#: Warn about a row this many standard deviations from the mean of the training part.
FAR = 4.0


@dataclass(frozen=True, eq=False)
class Predictions:
    """One side's predictions for n rows."""

    values: list[Any]  #: labels, or numbers in the target's unit
    probabilities: (
        np.ndarray | None
    )  #: of every class, shape (n, classes); None if the outputs are no probabilities


def predict(model: Model, x: np.ndarray) -> dict[str, Predictions]:
    """Predict by every side that trained; the predictions by side.

    Args:
        model: a trained model.
        x: features in the data's own units, float64, shape (n, features).

    Raises:
        InputError: a row lies so far from the training data that a prediction overflows.
    """
    inputs = _inputs(model, x)
    return {
        side: _predictions(model, _trainer(model, side).predict(point.params, inputs))
        for side, point in model.progress.points.items()
    }


@dataclass(frozen=True)
class Divergence:
    """The first prediction at which a side is off by more than rounding explains.

    Its numbers are outputs of the network, where a numeric target is standardised.
    """

    row: int  #: counted from 0
    output: int  #: counted from 0
    along: str  #: the side whose trained parameters both predict with, `by_hand` or `autodiff`
    off: str  #: the side outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


def first_divergence(model: Model, x: np.ndarray) -> Divergence | None:
    """Predict by both sides with the parameters of each, and judge the outputs.

    Arguments and errors as for `predict`.

    Returns:
        The first row at which a side is off; None if there is none, or only one side trained.
    """
    points, plan = model.progress.points, model.plan
    inputs, found = _inputs(model, x), []
    for along, point in points.items() if len(points) == 2 else ():
        by_hand, auto = (
            _trainer(model, side).predict(point.params, inputs) for side in SIDE_LABELS
        )
        params = flat.split(point.params[None], plan.network.sizes)
        right = output_ranges(plan.network, params, inputs[None], plan.floats)[0]
        _refuse_overflow(model, right.magnitude)
        verdict = Verdict(by_hand, auto, right, right)
        for row, output in np.argwhere(~verdict.agree)[:1].tolist():
            found.append(Divergence(row, output, along, *verdict.gap((row, output))))
    return min(found, key=lambda divergence: divergence.row, default=None)


def _inputs(model: Model, x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # values too large for float32 become infinite
        return model.scale.standardised(x).astype(model.plan.numpy_dtype)


def far_off(model: Model, x: np.ndarray, lines: Sequence[int] | None = None) -> list[str]:
    """Return a warning for each feature that lies far from the training mean in some row.

    Args:
        model: a trained model.
        x: features in the data's own units, float64, shape (n, features).
        lines: the line numbers of the rows in their file.
    """
    distances = np.abs(model.scale.standardised(x))
    sentences = []
    for at in np.flatnonzero((distances > FAR).any(axis=0)):
        row = int(distances[:, at].argmax())
        others = int(np.count_nonzero(distances[:, at] > FAR)) - 1
        where = f" in line {lines[row]}" if lines else ""
        more = f"; {others} more beyond {FAR:g}" if others else ""
        sentences.append(
            f"{shown(model.source.features[at])} {x[row, at]:g}{where} lies "
            f"{distances[row, at]:.3g} standard deviations from the mean of the training part{more}"
        )
    return sentences


def _trainer(model: Model, side: str) -> Trainer:
    nothing = np.empty((0, 0))
    if side == BY_HAND:
        return ByHand(model.plan, nothing, nothing)
    from compare.networks.by_autodiff import ByAutodiff

    return ByAutodiff(model.plan, nothing, nothing)


def _predictions(model: Model, outputs: np.ndarray) -> Predictions:
    _refuse_overflow(model, outputs)
    classes = model.source.classes
    if classes is None:
        values = model.target.in_units(outputs.astype(np.float64))[:, 0].tolist()
        return Predictions(values, None)
    labels = [classes[code] for code in codes(outputs)]
    probabilities = outputs
    if outputs.shape[1] == 1:
        probabilities = np.concatenate([1 - outputs, outputs], axis=1)
    return Predictions(labels, probabilities if _are_probabilities(model) else None)


def _refuse_overflow(model: Model, outputs: np.ndarray) -> None:
    overflown = ~np.isfinite(outputs).all(axis=1)
    if overflown.any():
        raise InputError(
            f"row {np.argmax(overflown) + 1}: too far from what the network was trained on, in "
            f"{model.plan.dtype}; expected features of usual size"
        )


def _are_probabilities(model: Model) -> bool:
    """Whether outputs are probabilities: with bce, softmax-ce, or a sigmoid for two classes."""
    network = model.plan.network
    if network.loss == "softmax-ce":
        return True
    return network.sizes[-1] == 1 and (network.loss == "bce" or network.output == "sigmoid")
