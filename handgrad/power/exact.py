"""Mistakes planted in the exact derivative, at the points of a check.

Each kind of mistake is made in every leaf, in single elements, and in every link of the loss's own
backpropagation where it can be made; of a matrix in rows, columns and diagonals instead. One that
exceeds both tolerances at some point would have been caught.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.clock import Clock
from handgrad.data.attempts import raise_internal
from handgrad.diagnosis.engine import REFUSED, Engine, TooLargeError, engine
from handgrad.diagnosis.wording import of_nodes, of_place
from handgrad.judging.outcome import Trial
from handgrad.judging.ruling import Ruling
from handgrad.power.mistakes import Call, Leaves, Mistake, mistakes
from handgrad.power.results import Planted, Power

#: A usual learning rate.
RATE = 1e-2

#: The time limit for planting mistakes in the links.
SECONDS = 20.0


def power(trial: Trial) -> Power:
    """Plant mistakes at the points of a trial; its derivative is not used."""
    rulings = [outcome.ruling for outcome in trial.outcomes if outcome.ruling is not None]
    if not rulings:
        return Power((), 0)
    first, claim = rulings[0], trial.case.claim
    at = first.given.paths, _leaves(first), _call(trial, first)
    found = [
        _planted(m.kind, m.where, rulings, list(_changes(m, trial, rulings)))
        for m in mistakes(claim, *at, decays=not claim.is_matrix, plain=False)
    ]
    if claim.is_matrix:
        return Power(tuple(found), len(rulings))
    links, why_not = _in_links(trial, rulings)
    return Power((*found, *links), len(rulings), why_not)


def _call(trial: Trial, ruling: Ruling) -> Call:
    given = trial.case.claim.of_caller(ruling.given)
    return Call((given.params, *given.inputs))


def _leaves(ruling: Ruling) -> Leaves:
    """Return the exact derivative, float64, in the shapes of its leaves."""
    given, exact = ruling.given, _exact(ruling)
    pairs = zip(given.leaves, given.parts(), strict=True)
    return [exact[part].reshape(leaf.shape) for leaf, part in pairs]


def _changes(mistake: Mistake, trial: Trial, rulings: Sequence[Ruling]) -> Iterator[np.ndarray]:
    for ruling in rulings:
        made = mistake.made(_leaves(ruling), _call(trial, ruling))
        wrong = np.concatenate([np.asarray(leaf).reshape(-1) for leaf in made])
        yield trial.case.projected(ruling.given, wrong) - _exact(ruling)


def _exact(ruling: Ruling) -> np.ndarray:
    return balls.midpoints(ruling.yours.reference)


def _planted(
    mistake: str, where: str, rulings: Sequence[Ruling], changes: Sequence[np.ndarray]
) -> Planted:
    """Tell whether changes of the exact gradient, one for each point, would have been caught."""
    caught, largest = False, 0.0
    for ruling, change in zip(rulings, changes, strict=True):
        limits = np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
        size = np.where(np.isfinite(change), np.abs(change), np.inf)
        size = np.where(ruling.reference.known, size, 0.0)
        caught = caught or bool((size > limits).any())
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = size / ruling.yours.size
        largest = max(largest, float(np.nanmax(relative, initial=0.0)))
    return Planted(mistake, where, caught, largest)


def _in_links(trial: Trial, rulings: Sequence[Ruling]) -> tuple[list[Planted], str]:
    """Plant every wrong rule at every link, a missing term at every place, and an early update.

    Returns:
        The mistakes, and why some or all were not planted.
    """
    try:
        case, first = trial.case, rulings[0]
        is_traced = first.has_autodiff
        run = engine(case.loss, first.given, first.exact, case.domains, is_traced=is_traced)
    except TooLargeError:
        return [], "in the links of the chain: there are too many"
    except Exception as error:  # JAX may raise anything when it cannot trace the loss in float64
        raise_internal(error, *REFUSED)
        return [], "in the links of the chain: JAX cannot trace the loss"
    found, clock = [], Clock(SECONDS)
    for mistake, where, changes in _links(run, rulings):
        if clock.over:
            return found, "in the other links of the chain: time ran out"
        found.append(_planted(mistake, where, rulings, changes))
    return found, ""


def _links(run: Engine, rulings: Sequence[Ruling]) -> Iterator[tuple[str, str, list[np.ndarray]]]:
    def effect(**change: Any) -> list[np.ndarray]:
        return [run.changed(r.given, **change) - run.right(r.given) for r in rulings]

    for i, switch in enumerate(run.rewired.switches):
        where = of_nodes([switch.node]) or " somewhere in the loss"
        for k, option in enumerate(switch.options):
            mistake = "wrong-derivative" if option.kind == "unknown" else option.kind
            yield mistake, f"{option.says}{where}", effect(choice={i: k + 1})
    for i, link in enumerate(run.rewired.places):
        yield "dropped-term", of_place(run.rewired, link), effect(scale={i: 0.0})
    after = []
    for ruling in rulings:
        leaves = zip(ruling.given.leaves, ruling.given.parts(), strict=True)
        after.append([p - RATE * _exact(ruling)[part].reshape(p.shape) for p, part in leaves])
    changes = [
        run.changed(ruling.given, leaves=leaves) - run.right(ruling.given)
        for ruling, leaves in zip(rulings, after, strict=True)
    ]
    yield "updated-parameter", "all parameters", changes
