"""Wrong links that are fitted and tried after all others: array factors, signs, orders, numbers."""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from handgrad.data.numerals import short
from handgrad.diagnosis import factors, kinds
from handgrad.diagnosis.backprop import Option, Switch
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.rearranged import of_others
from handgrad.diagnosis.rules import UNDIVIDED, WITHOUT
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.theory import GIVES, Search, Theory
from handgrad.diagnosis.wording import of_nodes, of_place, of_value
from handgrad.program.graph import REARRANGING

#: The relative difference up to which one array is proposed for another. This only saves time, and
#: all points decide.
PLAUSIBLE = 1e-3

#: At most so many places are tried.
MOST_PLACES = 300


def array_factor(search: Search) -> Iterator[Theory]:
    """Propose that what comes back through a place lacks one of the loss's arrays, as factor.

    Example: 1/σ of each row is forgotten at the end of a layer norm's backward pass.
    """
    first, engine, found = search.evidence.fit[0], search.engine, _only_wrong_leaf(search)
    if found is None:
        return
    shape, part = search.evidence.given.leaves[found[0]].shape, found[1]
    wrong = (search.within & first.wrong)[part]
    gap = first.gap[part][wrong]
    allowed = first.allowed[part][wrong] + PLAUSIBLE * np.abs(gap)
    arrays = {o: _spread(a, shape)[wrong] for o, a in _arrays_of(engine, first, shape).items()}
    for i in range(min(len(engine.rewired.places), MOST_PLACES) if wrong.any() else 0):
        through = search.through(i, first)[part][wrong]
        for (number, array), power in itertools.product(arrays.items(), (-1, 1)):
            with np.errstate(divide="ignore", invalid="ignore"):
                off = np.abs(through * (array**power - 1) - gap)
            if through.all() and (off <= allowed).all():
                yield _lacks(search, i, number, power, part, shape)


def _only_wrong_leaf(search: Search) -> tuple[int, slice] | None:
    """Return the leaf that is wrong, if only one is, and its elements."""
    parts = search.evidence.given.parts()
    wrong = [
        k for k, part in enumerate(parts) if (search.evidence.wrong & search.within)[part].any()
    ]
    return (wrong[0], parts[wrong[0]]) if len(wrong) == 1 else None


def _arrays_of(engine: Engine, sample: Sample, shape: tuple[int, ...]) -> dict[int, np.ndarray]:
    """Return the loss's arrays, by number, that fit a shape and are not the same everywhere."""
    return {
        number: array
        for number, array in engine.values(sample.given).items()
        if array.ndim <= len(shape) and array.dtype.kind == "f" and array.size > 1
        if all(n in (1, m) for n, m in zip(reversed(array.shape), reversed(shape), strict=False))
        if np.isfinite(array).all() and np.ptp(array) > 0
    }


def _spread(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(array, shape).reshape(-1)


def _lacks(
    search: Search, place: int, number: int, power: int, part: slice, shape: tuple[int, ...]
) -> Theory:
    """Return the theory that a factor is missing: a value of the loss, or its inverse."""
    engine = search.engine
    what = of_value(engine.rewired, number)
    where = of_place(engine.rewired, engine.rewired.places[place])
    too_many = "is not divided by" if _divides(engine, number) else "has once too often the factor"
    lacks = "lacks the factor" if power < 0 else too_many

    def predict(sample: Sample) -> np.ndarray:
        value = _spread(engine.values(sample.given)[number], shape)
        found = engine.right(sample.given).copy()
        with np.errstate(divide="ignore", invalid="ignore"):
            found[part] += engine.through(place, sample.given)[part] * (value**power - 1)
        return found

    return Theory("missing-factor", f"{GIVES}what comes back {where} {lacks} {what}", predict)


def _divides(engine: Engine, number: int) -> bool:
    """Tell whether something is divided by a value, or by what only rearranges it."""
    same = {number}
    for node in engine.rewired.graph.all_nodes():
        if node.name == "div" and node.operands[1] in same:
            return True
        if node.name in REARRANGING and node.operands[0] in same:
            same.update(node.outputs)
    return False


def another_order(search: Search) -> Iterator[Theory]:
    """Propose that a leaf is exact, in another order along an axis: halves for pairs, reversed."""
    found = _only_wrong_leaf(search)
    if found is None:
        return
    leaf, part = found
    shape, path = search.evidence.given.leaves[leaf].shape, search.evidence.given.paths[leaf]
    first = search.evidence.fit[0]
    yours, exact, allowed = (
        a[part].reshape(shape) for a in (first.yours, first.exact, first.allowed)
    )
    for axis, length in enumerate(shape):
        order = _order(yours, exact, allowed, axis) if length > 1 else None
        if order is not None:
            says = (
                f"{path} is exact but for the order along axis {axis}: {', '.join(map(str, order))}"
            )
            yield Theory("exchanged", says, of_others(part, shape, axis, order))


def _order(
    yours: np.ndarray, exact: np.ndarray, allowed: np.ndarray, axis: int
) -> list[int] | None:
    """Return which slice of exact each slice of yours is, if each is one and the order another."""
    mine, true, by = (
        np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (yours, exact, allowed)
    )
    near = np.abs(mine[:, None] - true[None]) <= by[:, None] + PLAUSIBLE * np.abs(true[None])
    alike = np.all(near, axis=2)
    order = [int(row.argmax()) for row in alike]
    distinct = alike.any(axis=1).all() and len(set(order)) == len(order)
    return order if distinct and order != sorted(order) else None


def _that_say(engine: Engine, says: str) -> Iterator[tuple[dict[int, int], Switch, Option]]:
    """Yield the choices of one wrong rule, each with its switch."""
    for i, switch in enumerate(engine.rewired.switches):
        for k, option in enumerate(switch.options):
            if option.says == says:
                yield {i: k + 1}, switch, option


def another_divisor(search: Search) -> Iterator[Theory]:
    """Propose that a quotient was divided by one number: the padded length for that of each row."""
    first, engine = search.evidence.fit[0], search.engine
    wrong = search.within & first.wrong
    for choice, switch, _ in _that_say(engine, UNDIVIDED) if wrong.any() else ():
        through = engine.changed(first.given, choice=choice)
        factor = kinds.ratio(first.yours[wrong], through[wrong])
        if factor:
            factor = 1 / factors.written(1 / factor, first.given)
            says = f"a quotient were divided by {short(1 / factor)}, not by its divisor"
            predict = partial(_divided, engine, choice, factor)
            yield Theory("constant", f"{GIVES}{says}{of_nodes([switch.node])}", predict)


def _divided(engine: Engine, choice: dict[int, int], factor: float, sample: Sample) -> np.ndarray:
    return factor * engine.changed(sample.given, choice=choice)


def factor_on_a_path(search: Search) -> Iterator[Theory]:
    """Propose that a product's other factor is missing on one of several paths back alone.

    Example: the weight is missing in the sum by which a norm's backward pass goes through 1/σ.
    """
    first, engine = search.evidence.fit[0], search.engine
    wrong = search.within & first.wrong
    for choice, switch, option in _that_say(engine, WITHOUT) if wrong.any() else ():
        for i, place in enumerate(engine.rewired.places[:MOST_PLACES]):
            predict = partial(_on_a_path, engine, i, choice)
            allowed = first.allowed + PLAUSIBLE * np.abs(first.gap)
            if (np.abs(predict(first) - first.yours) <= allowed)[wrong].all():
                where = of_place(engine.rewired, place)
                says = f"{option.says}{of_nodes([switch.node])}, in what comes back {where}"
                yield Theory(option.kind, f"{GIVES}{says}", predict)


def _on_a_path(engine: Engine, place: int, choice: dict[int, int], sample: Sample) -> np.ndarray:
    given = sample.given
    wrong = engine.changed(given, choice=choice) - engine.changed(given, {place: 0.0}, choice)
    return engine.changed(given, {place: 0.0}) + wrong
