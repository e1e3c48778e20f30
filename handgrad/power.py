"""The power of a check: which mistakes, planted in the exact gradient, it would have caught.

Each kind of mistake is made in every leaf, in single elements, and in every link of the loss's own
backpropagation where it can be made. One that exceeds both tolerances at some point would have been
caught.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.clock import Clock
from handgrad.data.attempts import raise_internal
from handgrad.data.numerals import place, plural, short
from handgrad.data.point import Point, index_of
from handgrad.diagnosis.engine import REFUSED, Engine, TooLargeError, engine
from handgrad.diagnosis.wording import of_nodes, of_place
from handgrad.judging.judgement import as_json
from handgrad.judging.outcome import Trial
from handgrad.judging.ruling import Ruling
from handgrad.render import Document, Renderable, Table

#: The most missed mistakes of each kind to name.
MOST_MISSED = 3

#: A small relative error of a single element.
SLIGHT = 1e-6

#: A usual weight decay and learning rate.
DECAY, RATE = 1e-3, 1e-2

#: The time limit for planting mistakes in the links.
SECONDS = 20.0


@dataclass(frozen=True)
class Planted:
    """A mistake that was planted."""

    mistake: str  #: its kind: `sign`, `zero`, `factor`, ...
    where: str  #: a leaf, an element, or a place in the loss
    caught: bool  #: whether some point shows it
    change: float  #: the largest relative change of an element; 0 if there is none


@dataclass(frozen=True, repr=False)
class Power(Renderable):
    """The planted mistakes of each kind, caught and missed."""

    planted: tuple[Planted, ...]
    points: int  #: the number of points
    not_planted: str = ""  #: what was not planted, and why; empty if all was
    rtol: float | None = None  #: that of a test, if that is asked of; None of the check itself

    @property
    def missed(self) -> tuple[Planted, ...]:
        """The mistakes that no point shows."""
        return tuple(p for p in self.planted if not p.caught)

    def of_tolerance(self, rtol: float) -> "Power":
        """Tell what a test at these points would catch that compares elements with right ones.

        Args:
            rtol: the test's relative tolerance of every element; it has no absolute one.
        """
        planted = tuple(replace(p, caught=p.change > rtol) for p in self.planted)
        return replace(self, planted=planted, rtol=rtol)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON; an infinite change is the string "inf"."""
        return as_json(self)

    def __repr__(self) -> str:
        caught = f"{len(self.planted) - len(self.missed):,} of {len(self.planted):,} caught"
        return f"<Power: {caught}, {plural(self.points, 'point')}>"

    def _content(self) -> Document:
        return _document(self)


def power(trial: Trial) -> Power:
    """Plant mistakes at the points of a trial; its gradient is not used."""
    rulings = [outcome.ruling for outcome in trial.outcomes if outcome.ruling is not None]
    if not rulings:
        return Power((), 0)
    links, why_not = _in_links(trial, rulings)
    found = [*_in_leaves(rulings), *_in_elements(rulings), *links]
    return Power(tuple(found), len(rulings), why_not)


def together(powers: Mapping[str, Power]) -> Power:
    """Return several powers as one, each mistake with the name of that which it is of."""
    planted = [
        replace(one, where=f"{name}, {one.where}")
        for name, power in powers.items()
        for one in power.planted
    ]
    left = [f"{p.not_planted} ({name})" for name, p in powers.items() if p.not_planted]
    return Power(tuple(planted), sum(p.points for p in powers.values()), "; ".join(left))


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


def _in_leaves(rulings: Sequence[Ruling]) -> Iterator[Planted]:
    given = rulings[0].given
    for k, (path, part) in enumerate(zip(given.paths, given.parts(), strict=True)):
        for mistake, change in _of_a_leaf(rulings, k):
            changes = [np.zeros(ruling.yours.answer.size) for ruling in rulings]
            for whole, of_leaf in zip(changes, change, strict=True):
                whole[part] = of_leaf
            yield _planted(mistake, path, rulings, changes)
    yield from _exchanged(rulings)


def _of_a_leaf(rulings: Sequence[Ruling], k: int) -> Iterator[tuple[str, list[np.ndarray]]]:
    given = rulings[0].given
    part, shape = given.parts()[k], given.leaves[k].shape
    exact = [_exact(ruling)[part] for ruling in rulings]
    for mistake, factor in _factors(given):
        yield mistake, [(factor - 1) * g for g in exact]
    params = [ruling.given.leaves[k].reshape(-1).astype(np.float64) for ruling in rulings]
    yield "weight-decay", [DECAY * p for p in params]
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        yield "transposed", [g.reshape(shape).T.reshape(-1) - g for g in exact]


def _factors(given: Point) -> list[tuple[str, float]]:
    found = [("sign", -1.0), ("zero", 0.0), ("factor 1/2", 0.5), ("factor 2", 2.0)]
    shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(given.inputs)]
    length = next((shape[0] for shape in shapes if shape), None)
    if length:
        what = "batch size" if any(len(shape) > 1 for shape in shapes) else "length of an input"
        found += [(f"factor {what}", float(length)), (f"factor 1/{what}", 1 / length)]
    return found


def _exchanged(rulings: Sequence[Ruling]) -> Iterator[Planted]:
    """Exchange every leaf with the next one of its shape."""
    given = rulings[0].given
    parts, shapes = given.parts(), [leaf.shape for leaf in given.leaves]
    for k, shape in enumerate(shapes):
        m = next((m for m in range(k + 1, len(shapes)) if shapes[m] == shape), None)
        if m is None:
            continue
        changes = []
        for ruling in rulings:
            exact = _exact(ruling)
            changed = exact.copy()
            changed[parts[k]], changed[parts[m]] = exact[parts[m]], exact[parts[k]]
            changes.append(changed - exact)
        yield _planted("exchanged", f"{given.paths[k]} and {given.paths[m]}", rulings, changes)


def _in_elements(rulings: Sequence[Ruling]) -> Iterator[Planted]:
    """Plant in the largest, the median and the smallest element of every leaf that are not 0."""
    given, exact = rulings[0].given, [_exact(ruling) for ruling in rulings]
    slips = (("sign", -2.0), ("zero", -1.0), (f"off by {SLIGHT:.0e}", SLIGHT))
    for path, part in zip(given.paths, given.parts(), strict=True):
        for i in _some(exact[0], part):
            where = path + place(index_of(given, path, i - part.start))
            for slip, factor in slips:
                changes = [np.zeros(g.size) for g in exact]
                for change, g in zip(changes, exact, strict=True):
                    change[i] = factor * g[i]
                yield _planted(f"one element: {slip}", where, rulings, changes)


def _some(exact: np.ndarray, part: slice) -> list[int]:
    order = part.start + np.argsort(np.abs(exact[part]), kind="stable")
    order = order[exact[order] != 0]
    chosen = {int(order[k]) for k in (0, len(order) // 2, -1)} if order.size else set()
    return sorted(chosen)


def _in_links(trial: Trial, rulings: Sequence[Ruling]) -> tuple[list[Planted], str]:
    """Plant every wrong rule at every link, a missing term at every place, and an early update.

    Returns:
        The mistakes, and why some or all were not planted.
    """
    try:
        case = trial.case
        run = engine(case.loss, rulings[0].given, rulings[0].exact, case.domains)
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


def _document(power: Power) -> Document:
    """Return a table by kinds, with the missed mistakes by name."""
    if not power.planted:
        return Document(("No mistake was planted: no point was judged.",))
    rows: list[tuple[str, ...] | str] = []
    for kind in dict.fromkeys(p.mistake for p in power.planted):
        some = [p for p in power.planted if p.mistake == kind]
        rows.append((kind, f"{sum(p.caught for p in some)} of {len(some)}"))
        rows += _missed_rows([p for p in some if not p.caught], power.rtol)
    left = (f"None was planted {power.not_planted}.",) if power.not_planted else ()
    return Document((_sum_up(power), Table(tuple(rows), ("planted", "caught")), *left))


def _sum_up(power: Power) -> str:
    caught = len(power.planted) - len(power.missed)
    return (
        f"Of {plural(len(power.planted), 'planted mistake')} {caught:,} would have been caught at "
        f"{plural(power.points, 'point')}"
        + ("." if power.rtol is None else f" by a test with rtol={power.rtol:g}.")
    )


def _missed_rows(missed: Sequence[Planted], rtol: float | None) -> list[str]:
    lines = [f"  missed: {_described(p, rtol)}" for p in missed[:MOST_MISSED]]
    more = len(missed) - MOST_MISSED
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _described(planted: Planted, rtol: float | None) -> str:
    if planted.change == 0:
        return f"{planted.where}: makes no difference at these points"
    within = "rounding" if rtol is None else "the tolerance"
    return f"{planted.where}: changes {short(planted.change, 2)} of an element, within {within}"
