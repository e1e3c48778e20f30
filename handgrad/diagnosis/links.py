"""The kinds of mistake in one link of the chain rule; a new kind is a function and a row.

Backpropagation is run with each mistake and compared with the gradient. The gradient is an affine
function of the factor at one place, so two runs give its value for every other factor.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from handgrad.diagnosis import (
    edits,
    factors,
    kinds,
    last_rules,
    other_constants,
    other_losses,
    updates,
)
from handgrad.diagnosis.backprop import Place, Rewired, Switch
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.theory import GIVES, Proposes, Search, Theory
from handgrad.diagnosis.wording import of_nodes, of_place, shortened
from handgrad.program.equations import is_imaginary, is_of_complex

#: Pairs are formed of this many places at most.
MOST_PAIRED = 300

#: The number of wrong elements that pairs of places are first compared at, to save time.
FEW = 64

#: The relative residual up to which a sum of two terms is proposed. There are thousands of such
#: sums: this only saves time, and all points decide.
PLAUSIBLE_PAIR = 1e-3


#: The number of a switch, the number of its option, and the switch.
Choice = tuple[int, int, Switch]


def _factor_at_a_place(search: Search, inside: bool = False) -> Iterator[Theory]:
    """Propose a factor at one place: 0 (a missing term), -1 (a wrong sign), or any other.

    If two places differ only by a factor, a term that is missing at one is an odd factor at the
    other; so the simplest factor is proposed first, at whatever place. Places inside one function
    are tried after the wrong derivatives of the function as a whole.
    """
    first = search.evidence.fit[0]
    found = []
    for i, place in enumerate(search.engine.rewired.places):
        if place.inside != inside:
            continue
        c = _fitted(first, search.through(i, first), search.within)
        if c is not None:
            values = dict.fromkeys((float(np.round(c)), factors.written(c, first.given)))
            found += [(_strangeness(search, value), i, value) for value in values if value != 1]
    for _, i, value in sorted(found):
        yield _scaled(search, [i], search.engine.rewired.places[i], value)


#: The same at places inside one function.
_factor_inside = partial(_factor_at_a_place, inside=True)


def _strangeness(search: Search, factor: float) -> int:
    """Rank a factor by plausibility: 0 is missing, -1 is a sign, then named ones, then others."""
    named = search.evidence.name(factor) is not None
    return {0.0: 0, -1.0: 1}.get(factor, 2 if named else 3)


def _factor_at_a_line(search: Search) -> Iterator[Theory]:
    """Propose the factor 0 or -1 at one place in every round of a loop."""
    alike: dict[object, list[int]] = {}
    places = search.engine.rewired.places
    for i, place in enumerate(places):
        if place.uses or place.made_by:  # a leaf is no line
            alike.setdefault(_written(search.engine.rewired, place), []).append(i)
    for some in alike.values():
        for value in (0.0, -1.0):
            if len(some) > 1:
                yield _scaled(search, some, places[some[0]], value)


def _written(rewired: Rewired, place: Place) -> object:
    """Return a key that the same place has in all rounds of an unrolled loop."""
    user, operand = place.uses[0] if place.uses else (None, None)
    return rewired.written(place.made_by), rewired.written(user), operand


def _fitted(sample: Sample, through: np.ndarray, within: np.ndarray) -> float | None:
    """Fit the factor that would explain the gap; None if none can."""
    wrong = within & sample.wrong
    if not wrong.any() or (through[wrong] == 0).any():
        return None
    extra = kinds.ratio(sample.gap[wrong], through[wrong])
    return None if extra is None else 1 + extra


def _scaled(search: Search, some: list[int], place: Place, value: float) -> Theory:
    what = of_place(search.engine.rewired, place)
    if value == 0:
        kind, says = "unknown", f"nothing comes back {what}: a term is missing"
    elif value == -1:
        kind, says = "sign", f"what comes back {what} has the wrong sign"
        if place.made_by is not None and is_imaginary(place.made_by.eqn):
            says = f"what comes back {what} is the conjugate of what it should be"
    else:
        # Inside one function, array lengths are no likely factors.
        name = factors.name(value) if place.inside else search.evidence.name(value)
        kind = "factor" if name else "unknown"
        part = factors.part(value, name, "what it should be")
        says = f"what comes back {what} is {part}"
    return search.theory(kind, says, scale=dict.fromkeys(some, value))


def _wrong_rule(search: Search, late: bool = False) -> Iterator[Theory]:
    """Propose a wrong derivative: at one link, at all links of a group, at all but one."""
    alike: dict[str, list[Choice]] = {}
    everywhere: dict[str, list[Choice]] = {}
    for i, switch in enumerate(search.engine.rewired.switches):
        for k, option in enumerate(switch.options if switch.late is late else ()):
            alike.setdefault(option.group or option.says, []).append((i, k + 1, switch))
            if option.anywhere:
                everywhere.setdefault(option.anywhere, []).append((i, k + 1, switch))
    several = (members for members in everywhere.values() if len(members) > 1)
    for members in itertools.chain(alike.values(), several):
        for some in _choices(members):
            yield _switched(search, some)


def _wrong_rule_for_some(search: Search) -> Iterator[Theory]:
    """Propose a derivative that is wrong for the wrong leaves, and right for the others.

    Example: the bias's gradient is taken before the activation's derivative, the weights' after it.
    """
    evidence = search.evidence
    parts = evidence.given.parts()
    leaves = [k for k, part in enumerate(parts) if evidence.wrong[part].any()]
    if len(leaves) < len(parts):
        rules = (rule(search) for rule in (_factor_at_a_place, _wrong_rule, _factor_inside))
        for theory in itertools.chain.from_iterable(rules):
            yield search.in_part(theory, leaves)


def _choices(members: list[Choice]) -> Iterator[list[Choice]]:
    """Yield subsets: all, those of one line, each alone, all but the last, all but the first."""
    yield members
    by_line: dict[object, list[Choice]] = {}
    for member in members:
        source = member[2].node.source
        by_line.setdefault(source and (source.file, source.line), []).append(member)
    if len(by_line) > 1:
        yield from by_line.values()
    if len(by_line) < len(members):
        yield from ([member] for member in members)
    if len(members) > 2:
        yield members[:-1]
        yield members[1:]


def _switched(search: Search, members: list[Choice]) -> Theory:
    choice = {i: k for i, k, _ in members}
    options = [switch.options[k - 1] for _, k, switch in members]
    one = len({option.group or option.says for option in options}) == 1
    where = of_nodes([switch.node for *_, switch in members])
    says = f"{options[0].says if one else options[0].anywhere}{where}"
    return search.theory(options[0].kind, says, choice=choice)


def _at_two_places(search: Search, factor: float) -> Iterator[Theory]:
    """Propose two missing terms, as if mean and variance were held constant, or two wrong signs.

    Args:
        search: the search.
        factor: 0 for terms, -1 for signs, as for a turn back.
    """
    first, rewired = search.evidence.fit[0], search.engine.rewired
    places = rewired.places[:MOST_PAIRED]
    wrong = np.flatnonzero(search.within & first.wrong)[:FEW]
    if not wrong.size:
        return
    moved = np.array([(factor - 1) * search.through(i, first)[wrong] for i in range(len(places))])
    gap = first.gap[wrong]
    allowed = PLAUSIBLE_PAIR * np.abs(gap) + (first.allowed[wrong] if factor else 0.0)
    for i in range(len(places)):
        off = np.abs(moved[i] + moved[i + 1 :] - gap)
        for j in np.flatnonzero((off <= allowed).all(axis=1)) + i + 1:
            some = [places[i], places[int(j)]]
            kind, says = _said_of_two(search, some, factor)
            yield search.theory(kind, says, scale={i: factor, int(j): factor})


def _said_of_two(search: Search, some: Sequence[Place], factor: float) -> tuple[str, str]:
    one, other = (of_place(search.engine.rewired, place) for place in some)
    twice = one == other
    if factor == 0:
        both = f"{one}, in two ways" if twice else f"{one}, nor {other}"
        return "unknown", f"nothing comes back {both}: two terms are missing"
    both = f"{one}, in two ways," if twice else f"{one}, and {other},"
    conjugate = all(map(_of_complex, some))
    more = ": a conjugate is missing, or is one too many" if conjugate else ""
    return "sign", f"what comes back {both} has the wrong sign{more}"


def _of_complex(place: Place) -> bool:
    """Tell whether a place is at an operation on complex numbers."""
    nodes = [place.made_by, *(node for node, _ in place.uses)]
    return any(node is not None and is_of_complex(node.eqn) for node in nodes)


def _only_one_use(search: Search) -> Iterator[Theory]:
    """Propose that of several contributions to a value only one counts, as with = for +=."""
    places = search.engine.rewired.places
    uses: dict[tuple[int, object], list[int]] = {}
    for i, place in enumerate(places):
        if len(place.uses) == 1:
            key = place.value, _written(search.engine.rewired, place)
            uses.setdefault(key, []).append(i)
    several = [some for some in uses.values() if len(some) > 2]
    leaves = [some for some in several if places[some[0]].made_by is None]
    groups = [[some] for some in several] + [leaves] * (len(leaves) > 1)
    for group in groups:
        what = shortened([of_place(search.engine.rewired, places[s[0]]) for s in group])
        for which, kept in (("last", slice(-1)), ("first", slice(1, None))):
            others = [i for some in group for i in some[kept]]
            says = f"of {len(group[0])} contributions {what} only the {which} counts"
            theory = _scaled(search, others, places[others[0]], 0.0)
            yield replace(theory, kind="overwritten", says=f"{GIVES}{says}, as with = for +=")


#: The rules, the simplest first.
RULES: tuple[Proposes, ...] = (
    other_losses.other_cotangent,
    _factor_at_a_place,
    _wrong_rule,
    _factor_inside,
    _factor_at_a_line,
    _wrong_rule_for_some,
    updates.updated,
    other_losses.mask_left_out,
    other_losses.leaf_left_out,
    other_losses.input_left_out,
    partial(other_losses.number_left_out, small=True),
    other_constants.another,
    partial(_wrong_rule, late=True),
    _only_one_use,
    partial(_at_two_places, factor=0.0),
    last_rules.another_order,
    last_rules.array_factor,
    last_rules.another_divisor,
    partial(other_losses.number_left_out, small=False),
    partial(_at_two_places, factor=-1.0),
    last_rules.factor_on_a_path,
    edits.other_axes,
    edits.other_operands,
)
