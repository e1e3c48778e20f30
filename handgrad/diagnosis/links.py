"""The kinds of mistake that show in one link of the chain: backpropagation is run with each.

A gradient is an affine function of the factor at one place, so two runs tell what every other
factor would give: what comes back through the place is the difference that a 0 there makes.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from handgrad.diagnosis import factors
from handgrad.diagnosis.engine import Clock, Engine
from handgrad.diagnosis.kinds import decays, ratio
from handgrad.diagnosis.rewired import Place, Switch
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory, explains
from handgrad.diagnosis.wording import of_place, of_switches

#: How these mistakes are told.
GIVES = "yours is what backpropagation gives if "

#: Pairs of places are looked through for so many places at most.
MOST_PAIRED = 300

#: How many of the wrong elements must be explained before the others are computed: a quick look.
FEW = 64

#: Steps of Gauss and Newton towards a learning rate; the usual ones take four or five.
STEPS = 12

#: The step of the slope's difference quotient: small beside usual learning rates, large beside the
#: rounding of a gradient.
DIFFERENCE = 1e-6

#: How much of a gap may be left by a first look, which is to spare computing and decides nothing:
#: what comes out of it is held to all points. A rate that is that good is worth holding to them,
#: one that is better than the other bound gets no better.
PLAUSIBLE, FOUND = 1e-2, 1e-9

#: The same for sums of two terms, of which there are thousands.
PLAUSIBLE_PAIR = 1e-3


@dataclass(frozen=True, eq=False)
class Search:
    """What the rules below are given."""

    engine: Engine
    evidence: Evidence
    within: np.ndarray  #: the elements that are to be explained
    clock: Clock

    def through(self, place: int, sample: Sample) -> np.ndarray:
        """What comes back through a place."""
        return self.engine.through(place, sample.given)


#: A switch by its number, its option by number, and itself.
Choice = tuple[int, int, Switch]

#: (search) -> theories.
Proposes = Callable[[Search], Iterator[Theory]]


def _factor_at_a_place(search: Search, inside: bool = False) -> Iterator[Theory]:
    """Nothing at all, a wrong sign, a factor too many, a missing factor: at one place.

    Where two places differ only by a factor, a term that is missing through one is a strange factor
    through the other: the simplest comes first, wherever it is. Places within one function come
    after what people write for its derivative as a whole.
    """
    first = search.evidence.fit[0]
    found = []
    for i, place in enumerate(search.engine.rewired.places):
        if search.clock.over:
            return
        if place.inside != inside:
            continue
        c = _fitted(first, search.through(i, first), search.within)
        if c is not None:
            values = dict.fromkeys((float(np.round(c)), c))
            found += [(_strangeness(search, value), i, value) for value in values if value != 1]
    for _, i, value in sorted(found):
        if search.clock.over:
            return
        theory = _scaled(search, [i], search.engine.rewired.places[i], value)
        yield _of_a_penalty(theory) if _is_a_penalty(theory, search, i) else theory


#: The same at places within one function.
_factor_inside = partial(_factor_at_a_place, inside=True)


def _is_a_penalty(theory: Theory, search: Search, place: int) -> bool:
    """Whether it explains the gap, and what comes back there is a multiple of the parameters."""
    concerned = search.evidence.wrong & (search.through(place, search.evidence.fit[0]) != 0)
    explained = concerned.any() and explains(theory, search.evidence, search.within)
    return bool(explained) and decays(search.engine, place, search.evidence, concerned)


def _of_a_penalty(theory: Theory) -> Theory:
    """The same theory by its own name."""
    says = theory.says.removesuffix(": a term is missing")
    return replace(theory, kind="weight-decay", says=f"{says}: the loss's weight decay")


def _strangeness(search: Search, factor: float) -> int:
    """How far-fetched a factor is."""
    named = factors.name(factor, search.evidence.given) is not None
    return {0.0: 0, -1.0: 1}.get(factor, 2 if named else 3)


def _factor_at_a_line(search: Search) -> Iterator[Theory]:
    """Nothing comes back, or with the wrong sign, at one place in every round of a loop."""
    alike: dict[object, list[int]] = {}
    places = search.engine.rewired.places
    for i, place in enumerate(places):
        alike.setdefault(_written(place), []).append(i)
    for some in alike.values():
        for value in (0.0, -1.0):
            if len(some) > 1 and not search.clock.over:
                yield _scaled(search, some, places[some[0]], value)


def _written(place: Place) -> object:
    """What places of different rounds of an unrolled loop have in common: where they stand."""
    use = place.uses[0] if place.uses else None
    nodes = (place.made_by, use and use[0])
    lines = [node and node.source and (node.source.file, node.source.line) for node in nodes]
    return *lines, *(node and node.name for node in nodes), use and use[1]


def _fitted(sample: Sample, through: np.ndarray, within: np.ndarray) -> float | None:
    """The factor that would explain the gap, if one may."""
    wrong = within & sample.wrong
    if not wrong.any() or (through[wrong] == 0).any():
        return None
    extra = ratio(sample.gap[wrong], through[wrong])
    return None if extra is None else 1 + extra


def _scaled(search: Search, some: list[int], place: Place, value: float) -> Theory:
    what = of_place(search.engine.rewired, place)
    if value == 0:
        kind, says = "unknown", f"nothing comes back {what}: a term is missing"
    elif value == -1:
        kind, says = "sign", f"what comes back {what} has the wrong sign"
    else:
        kind = "factor" if factors.name(value, search.evidence.given) else "unknown"
        part = factors.part(value, search.evidence.given, "what it should be")
        says = f"what comes back {what} is {part}"

    def predict(sample: Sample) -> np.ndarray:
        return search.engine.changed(sample.given, dict.fromkeys(some, value))

    return Theory(kind, GIVES + says, predict)


def _wrong_rule(search: Search) -> Iterator[Theory]:
    """A derivative that is wrong: at one link, at all of its like, at all but the last of them."""
    alike: dict[tuple[type, str], list[Choice]] = {}
    everywhere: dict[str, list[Choice]] = {}
    for i, switch in enumerate(search.engine.rewired.switches):
        for k, option in enumerate(switch.options):
            alike.setdefault((type(switch), option.group), []).append((i, k + 1, switch))
            if option.anywhere:
                everywhere.setdefault(option.anywhere, []).append((i, k + 1, switch))
    several = (members for members in everywhere.values() if len(members) > 1)
    for members in itertools.chain(alike.values(), several):
        for some in _choices(members):
            if search.clock.over:
                return
            yield _switched(search, some)


def _wrong_rule_for_some(search: Search) -> Iterator[Theory]:
    """A derivative that is wrong for the leaves that are wrong, and right on the way to the others.

    A bias whose gradient is taken before the activation's derivative, and the weights' after it.
    """
    evidence = search.evidence
    parts = evidence.given.parts()
    leaves = [k for k, part in enumerate(parts) if evidence.wrong[part].any()]
    if len(leaves) == len(parts):
        return
    concerned = np.zeros(evidence.wrong.size, dtype=bool)
    for k in leaves:
        concerned[parts[k]] = True
    rules = (rule(search) for rule in (_factor_at_a_place, _wrong_rule, _factor_inside))
    for theory in itertools.chain.from_iterable(rules):
        yield replace(theory, predict=partial(_in_part, search.engine, theory.predict, concerned))


def _in_part(
    engine: Engine, predict: Callable[[Sample], np.ndarray], concerned: np.ndarray, sample: Sample
) -> np.ndarray:
    return np.where(concerned, predict(sample), engine.right(sample.given))


def _choices(members: list[Choice]) -> Iterator[list[Choice]]:
    """All of them, those of one line, each, and all but one at either end."""
    yield members
    by_line: dict[object, list[Choice]] = {}
    for member in members:
        source = member[2].node.source
        by_line.setdefault(source and (source.file, source.line), []).append(member)
    if len(by_line) > 1:
        yield from by_line.values()
    if len(members) > 1 and len(by_line) < len(members):
        yield from ([member] for member in members)
    if len(members) > 2:
        yield members[:-1]
        yield members[1:]


def _switched(search: Search, members: list[Choice]) -> Theory:
    choice = {i: k for i, k, _ in members}
    options = [switch.options[k - 1] for _, k, switch in members]
    one = len({option.group for option in options}) == 1
    where = of_switches([switch for *_, switch in members])
    return Theory(
        options[0].kind,
        f"{GIVES}{options[0].says if one else options[0].anywhere}{where}",
        lambda sample: search.engine.changed(sample.given, choice=choice),
    )


def _two_terms_missing(search: Search) -> Iterator[Theory]:
    """Nothing comes back through two places, as where mean and variance are held constant."""
    first = search.evidence.fit[0]
    places = search.engine.rewired.places[:MOST_PAIRED]
    wrong = np.flatnonzero(search.within & first.wrong)[:FEW]
    if not wrong.size:
        return
    missing = np.array([-search.through(i, first)[wrong] for i in range(len(places))])
    gap, scale = first.gap[wrong], np.abs(first.gap[wrong])
    for i in range(len(places)):
        off = np.abs(missing[i] + missing[i + 1 :] - gap)
        for j in np.flatnonzero((off <= PLAUSIBLE_PAIR * scale).all(axis=1)) + i + 1:
            if search.clock.over:
                return
            yield _both_missing(search, i, int(j))


def _both_missing(search: Search, i: int, j: int) -> Theory:
    places = search.engine.rewired.places
    one, other = (of_place(search.engine.rewired, places[k]) for k in (i, j))
    return Theory(
        "unknown",
        f"{GIVES}nothing comes back {one}, nor {other}: two terms are missing",
        lambda sample: search.engine.changed(sample.given, {i: 0.0, j: 0.0}),
    )


def _updated(search: Search) -> Iterator[Theory]:
    """Derivatives taken with parameters that an update has moved: p - η · yours.

    A penalty's derivative may be added to yours later than that.
    """
    leaves = range(len(search.evidence.given.leaves))
    none = dict.fromkeys(leaves, 0.0)
    decay = _decay(search)
    decays = [none, decay] if any(decay.values()) else [none]
    groups = _updated_together(search.evidence)
    for moved, mixed, less in itertools.product(groups, (True, False), decays):
        if search.clock.over:
            return
        predict = partial(_after_update, search.engine, moved, mixed, less)
        rate = _rate(search.evidence.fit[0], predict, search.within)
        if rate and rate > 0:
            names = ", ".join(search.evidence.given.paths[k] for k in moved)
            which = "the parameters" if len(moved) == len(leaves) and len(moved) > 1 else names
            without = " without the loss's weight decay" if any(less[k] for k in moved) else ""
            says = (
                f"{GIVES}{which} {'are' if len(moved) > 1 else 'is'} updated too early, "
                f"by {rate:.6g} times yours{without}"
            )
            yield Theory("updated-parameter", says, partial(predict, rate=rate))


def _updated_together(evidence: Evidence) -> list[list[int]]:
    """Leaves that may have been updated: all, any one, or those whose own derivatives are right."""
    parts = evidence.given.parts()
    right = [k for k, part in enumerate(parts) if not evidence.wrong[part].any()]
    matrices = [k for k in right if evidence.given.leaves[k].ndim > 1]
    groups = [list(range(len(parts))), right, matrices, *([k] for k in range(len(parts)))]
    return [list(group) for group in dict.fromkeys(map(tuple, groups)) if group]


def _decay(search: Search) -> dict[int, float]:
    """By leaf, how many times the leaf a penalty of the loss adds to its derivative; 0 if none."""
    first, parts = search.evidence.fit[0], search.evidence.given.parts()
    found = dict.fromkeys(range(len(parts)), 0.0)
    for i in range(len(search.engine.rewired.places)):
        if search.clock.over:
            break
        through = search.through(i, first)
        for k in [k for k, rate in found.items() if not rate]:
            rate = ratio(through[parts[k]], first.params[parts[k]])
            own = np.zeros(through.size, dtype=bool)
            own[parts[k]] = True
            if rate and decays(search.engine, i, search.evidence, own):
                found[k] = rate
    return found


def _left_out(search: Search) -> Iterator[Theory]:
    """The derivatives are those at other parameters: with one leaf forgotten, 0, on the way."""
    for k, path in enumerate(search.evidence.given.paths):
        if search.clock.over:
            return
        says = f"{GIVES}{path} is left out of the forward pass, as if it were 0"
        yield Theory("unknown", says, partial(_without, search.engine, k))


def _without(engine: Engine, k: int, sample: Sample) -> np.ndarray:
    leaves = [np.zeros_like(a) if i == k else a for i, a in enumerate(sample.given.leaves)]
    return engine.changed(sample.given, leaves=leaves)


def _after_update(
    engine: Engine,
    moved: list[int],
    mixed: bool,
    less: dict[int, float],
    sample: Sample,
    rate: float,
) -> np.ndarray:
    """The gradient where some leaves are updated before it is taken, or before it is passed on.

    Args:
        engine: of the loss.
        moved: which leaves.
        mixed: whether only what is passed on sees them updated; the forward pass came before.
        less: by leaf, the multiple of it that is in yours and not in the update.
        sample: the point.
        rate: η.
    """
    parts, leaves = sample.given.parts(), sample.given.leaves
    yours = {k: sample.yours[parts[k]].reshape(leaves[k].shape) for k in moved}
    after = {k: leaves[k] - rate * (yours[k] - less[k] * leaves[k]) for k in moved}
    if mixed:
        return engine.changed(sample.given, updated=[after.get(k) for k in range(len(leaves))])
    found = engine.changed(sample.given, leaves=[after.get(k, p) for k, p in enumerate(leaves)])
    for k in moved:
        # An update needs the leaf's own derivative before.
        if len(moved) < len(parts):
            found[parts[k]] = engine.right(sample.given)[parts[k]]
    return found


def _rate(sample: Sample, predict: Callable[..., np.ndarray], within: np.ndarray) -> float | None:
    """The learning rate that explains the gap, by least squares, after Gauss and Newton."""
    wrong = within & sample.wrong
    weight = 1 / np.maximum(np.abs(sample.gap[wrong]), np.finfo(float).tiny)

    def off(rate: float) -> np.ndarray:
        return (predict(sample, rate=rate)[wrong] - sample.yours[wrong]) * weight

    rate, step = 0.0, DIFFERENCE
    here = off(rate)
    for _ in range(STEPS):
        slope = (off(rate + step) - here) / step
        square = float(slope @ slope)
        if not np.isfinite(square) or square == 0:
            return None
        rate -= float(slope @ here) / square
        here = off(rate)
        if not np.isfinite(here).all() or np.max(np.abs(here)) < FOUND:
            break
    return rate if np.isfinite(here).all() and np.max(np.abs(here)) < PLAUSIBLE else None


#: The rules, the simplest first.
RULES: tuple[Proposes, ...] = (
    _factor_at_a_place,
    _wrong_rule,
    _factor_inside,
    _factor_at_a_line,
    _wrong_rule_for_some,
    _updated,
    _left_out,
    _two_terms_missing,
)
