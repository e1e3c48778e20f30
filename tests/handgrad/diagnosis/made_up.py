"""Evidence that is made up: any gradient, and a mistake in it, at six points."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from handgrad.data.point import point_at
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.judging.case import Case

Leaves = tuple[Any, ...]
#: (exact, parameters) -> yours, leaf by leaf.
Mistake = Callable[[Leaves, Leaves], Leaves]


def curved(*leaves: Any) -> Leaves:
    """A gradient that is no constant times the parameters."""
    return tuple(np.exp(leaf) + np.cos(3 * leaf) for leaf in leaves)


def no_loss(*_: Any) -> Any:
    raise NotImplementedError


def evidence_of(
    mistake: Mistake, exact: Callable[..., Leaves], *leaves: Any, loss: Any = None
) -> Evidence:
    """Two points to fit at and four to confirm at; without a loss there are no links."""
    rng, given = np.random.default_rng(0), point_at(leaves, ())
    samples = []
    for _ in range(6):
        point = given.moved([leaf + rng.normal(size=leaf.shape) for leaf in given.leaves])
        right = exact(*point.leaves)
        yours, true = (
            np.concatenate([np.ravel(leaf) for leaf in gradient])
            for gradient in (mistake(right, point.leaves), right)
        )
        noise = 1e-15 * np.abs(true)
        wrong = np.abs(yours - true) > noise
        samples.append(Sample(point, yours, true, noise, wrong, np.ones(given.size, dtype=bool)))
    outcome = SimpleNamespace(given=given, ruling=None)
    case = Case(loss or no_loss, loss or no_loss)
    trial: Any = SimpleNamespace(outcomes=[outcome], deciding=0, case=case)
    return Evidence(trial, tuple(samples[:2]), tuple(samples[2:]))
