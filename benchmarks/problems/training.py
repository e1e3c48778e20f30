"""The article's training: 1000 epochs of four updates, every update kept and judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

from benchmarks.problems.gate import Gate
from benchmarks.problems.gradient import GradientProblem
from compare.agreement import NAMES, stack, stacked
from compare.experiment import Settings
from compare.people import PEOPLE, raw, shifted, targets
from compare.reference import CANCELLING, STABLE, article_gradient, descent_bounds
from manual.article import Parameters

#: The two forms of σ' that lines may use; an update within the bounds of either is right.
FORMS = (STABLE, CANCELLING)


@dataclass(frozen=True, eq=False)
class TrainingProblem:
    """The article's training, which judges answers by the bounds of `compare.reference`."""

    about: dict[str, Any]  #: for the results
    arguments: tuple[Any, ...]
    """Parameters, inputs (4, 2), targets (4,), learning rate, order (epochs, 4)."""
    moved: int  #: the bytes of the parameters stored after every update, the order, and the start
    parameters: int = len(NAMES)
    products: Sequence[tuple[int, int, int]] = ()  #: none: sums have two terms and are unrolled

    def loss_alone(self) -> None:
        """Prepare nothing: the loss is no part of a training."""

    def gate(self) -> Self:
        """Return what judges answers: every update, from the parameters before it."""
        return self

    def complaint(self, leaves: Sequence[np.ndarray]) -> str:
        """Describe the first wrong update; "" if all are right. One leaf, of shape (9, updates)."""
        (path,) = leaves
        order = self.arguments[-1]
        expected = (len(NAMES), order.size)
        if path.shape != expected:
            return f"the parameters: got shape {path.shape}, expected {expected}"
        wrong = ~(self._parts(path) <= 1)
        if not wrong.any():
            return ""
        update, parameter = np.argwhere(wrong.T)[0].tolist()
        epoch = update // order.shape[1]
        return f"{NAMES[parameter]} in epoch {epoch}, update {update}: {path[parameter, update]!r}"

    def share(self, leaves: Sequence[np.ndarray]) -> float:
        """Compute the largest error of an update in units of the tolerance."""
        return float(self._parts(leaves[0]).max())

    def _parts(self, path: np.ndarray) -> np.ndarray:
        """Compute each update's distance from the third program's, over what it may be."""
        start, xs, ys, rate, order = self.arguments
        before = np.concatenate([stack(start)[:, None], path[:, :-1]], axis=1)
        rows = np.ravel(order)
        bounds = article_gradient(Parameters(*before), xs[rows], ys[rows])
        found = []
        for form in FORMS:
            grads = stacked(bounds[form])
            after = descent_bounds(before, rate, grads)
            with np.errstate(invalid="ignore", divide="ignore"):
                found.append(np.abs(path - after.value) / after.error)
        # NaN lies within neither.
        return np.where(np.isfinite(path), np.fmin(*found), np.inf)


def training_problem(epochs: int = 1000) -> TrainingProblem:
    """Build the article's training: four people, from ones."""
    settings = Settings(init="ones", epochs=epochs)
    start, order = settings.start(), settings.sample_order()
    about = {"sizes": [2, 2, 1], "updates": order.size}
    return TrainingProblem(
        about={**about, "activation": "sigmoid", "loss": "squared error"},
        arguments=(start, shifted(raw(PEOPLE)), targets(PEOPLE), settings.learning_rate, order),
        moved=8 * (order.size * (len(NAMES) + 1) + len(NAMES) + 3 * len(PEOPLE)),
    )


#: What is timed, a loss and its gradient or a training, and what judges answers to it.
Problem: TypeAlias = GradientProblem | TrainingProblem
Judge: TypeAlias = Gate | TrainingProblem
