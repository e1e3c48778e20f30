"""Comparisons of the kernel: certain, refused, or ties that a small step decides."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb

from handgrad.arithmetic import balls, dual, sorting
from handgrad.arithmetic.comparisons import (
    EQUAL,
    GREATER,
    LESS,
    UNORDERED,
    AnotherPathError,
    Comparisons,
    Decided,
    Decisions,
    MorePrecisionNeededError,
    PatchedError,
)
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import (
    UndecidableKinkError,
    at_random,
    check_continuous,
    check_flat_ties,
    check_smooth,
)

NAN = arb(math.nan)


def series(values: list[Any], *directions: list[Any]) -> Dual:
    """Return numbers, floats or balls, with slopes in each direction."""

    def array(numbers: list[Any]) -> np.ndarray:
        return balls.boxed([n if isinstance(n, arb) else arb(n) for n in numbers], (len(numbers),))

    return Dual(array(values), np.stack([array(d) for d in directions]) if directions else None)


# Pairs.

#: (x, its slope, y, its slope, outcome, whether it is a tie, whether that is flat).
PAIRS: list[tuple[Any, Any, Any, Any, int, bool, bool]] = [
    (1, None, 2, None, LESS, False, False),
    (2, 1, 1, 1, GREATER, False, False),
    (arb(1, 0.25), None, arb(2, 0.25), 1, LESS, False, False),
    (3, None, 3, None, EQUAL, False, False),
    (3, 0.5, 3, None, GREATER, True, False),
    (3, -0.5, 3, None, LESS, True, False),
    (3, None, 3, 1, LESS, True, False),
    (3, 2, 3, 1, GREATER, True, False),
    (3, 1, 3, 1, EQUAL, False, True),
    (3, 0, 3, None, EQUAL, False, True),
    (math.inf, 1, math.inf, 2, EQUAL, False, False),
    (-math.inf, None, math.inf, None, LESS, False, False),
    (NAN, 1, 3, 1, UNORDERED, False, False),
    (3, 1, NAN, 1, UNORDERED, False, False),
]


@pytest.mark.parametrize(("x", "s", "y", "t", "outcome", "tied", "flat"), PAIRS)
def test_pairs(x: Any, s: Any, y: Any, t: Any, outcome: int, tied: bool, flat: bool) -> None:
    # One direction decides; the other may be the other way.
    given = ((x, s), (y, t))
    both = [series([0, 0, v], *([] if d is None else [[0, 0, d], [0, 0, -d]])) for v, d in given]
    run = Comparisons()
    run.order(dual.constant([1.0]), dual.constant([2.0]))
    found = run.order(*both)
    assert found.dtype == np.int8
    assert found[2] == outcome
    assert ((1, 2) in run.ties) == tied
    assert ((1, 2) in run.flat) == flat
    assert not run.unproved
    assert run.patched == ([(1, 2)] if outcome == UNORDERED else [])
    if tied:
        assert run.ties[1, 2].outcome == outcome
        assert float(run.ties[1, 2].normal[0]) == (s or 0) - (t or 0)
    again = Comparisons(forced={(1, 2): -outcome or LESS})
    again.order(dual.constant([1.0]), dual.constant([2.0]))
    assert again.order(*both)[2] == ((-outcome or LESS) if tied or flat else outcome)
    if tied:
        assert again.ties[1, 2].outcome == -outcome


def test_outcomes_have_an_order() -> None:
    assert [LESS, EQUAL, GREATER, UNORDERED] == [-1, 0, 1, 2]


def test_a_tie_that_the_direction_leaves_open() -> None:
    run = Comparisons()
    assert run.order(series([3], [0], [1]), series([3], [0], [0])).tolist() == [EQUAL]
    assert run.ties[0, 0].outcome == EQUAL
    key = series([1, 1, 1], [2, 1, 0], [0, 1, 2])
    assert Comparisons().sorted([key]).tolist() == [2, 1, 0]
    key = series([1, 1, 1], [1, 2, 0], [0, 1, 2])
    assert Comparisons().sorted([key]).tolist() == [2, 0, 1]


def test_a_copy_of_a_number_is_no_tie() -> None:
    x = series([3, 4], [1, 1], [2, 0])
    run = Comparisons()
    assert run.order(x, x).tolist() == [EQUAL, EQUAL]
    assert not run.flat
    assert not run.ties
    number, slope = arb(3), arb(1)
    alike = Dual(balls.boxed([number] * 3, (3,)), balls.boxed([slope] * 3, (1, 3)))
    assert run.sorted([alike]).tolist() == [0, 1, 2]
    assert not run.flat
    wide = series([arb(3, 1)], [arb(1, 1)])
    assert run.order(wide, wide).tolist() == [EQUAL]
    assert not run.unproved


def test_pairs_are_broadcast() -> None:
    run = Comparisons()
    rows = Dual(balls.exact([[1.0, 2.0], [3.0, 4.0]]), balls.exact(np.ones((1, 2, 2))))
    assert run.order(rows, series([3, 2], [0, 0])).tolist() == [[LESS, GREATER], [GREATER, GREATER]]
    assert list(run.ties) == [(0, 1), (0, 2)]
    assert run.order(series([3], [1]), rows).tolist() == [[GREATER, GREATER], [EQUAL, LESS]]
    assert run.flat == {(1, 2)}


#: What only more bits can tell: numbers, or the slopes of equal ones.
UNCLEAR = [
    (series([arb(3, 1)], [1]), series([3], [0])),
    (series([arb(3, 1)]), series([3])),
    (series([arb(3.5, 0.5)]), series([3])),
    (series([3]), series([arb(3.5, 0.5)])),
    (series([3], [arb(0, 1)]), series([3], [0])),
    (series([math.inf]), series([arb(0, math.inf)])),
    (series([-math.inf]), series([arb(0, math.inf)])),
]


@pytest.mark.parametrize("pair", UNCLEAR)
def test_more_precision_is_asked_for(pair: tuple[Dual, Dual]) -> None:
    with pytest.raises(MorePrecisionNeededError):
        Comparisons().order(*pair)
    last = Comparisons(final=True)
    last.order(*pair)
    assert last.unproved == {(0, 0)}
    x, y = pair
    run = Comparisons(final=True, forced={(0, 0): LESS})
    # Whose slopes are not known is decided by nothing else.
    assert run.order(x, y)[0] == (EQUAL if x.tangent is None else LESS)


def test_what_is_no_number_may_be_one_at_more_bits() -> None:
    pair = series([arb("nan"), 2], [0, 0]), series([1, 1], [0, 0])
    with pytest.raises(MorePrecisionNeededError):
        Comparisons().order(*pair)
    assert Comparisons(undefined=True).order(*pair).tolist() == [UNORDERED, GREATER]


def test_patches_are_refused() -> None:
    run = Comparisons(strict=True)
    run.check_patches()
    run.order(series([NAN]), series([1]))
    assert run.patched == [(0, 0)]
    with pytest.raises(PatchedError, match="whether a number is finite"):
        run.check_patches()
    rerun = run.for_rerun()
    with pytest.raises(PatchedError):
        rerun.check_patches()
    lenient = Comparisons()
    lenient.order(series([NAN]), series([1]))
    lenient.check_patches()


# Reruns.


def test_a_rerun_is_the_same_but_for_its_ties() -> None:
    run = Comparisons(final=True, undefined=True, strict=True)
    run.order(series([1, 2], [0, 0]), series([1, 1], [1, 1]))
    again = run.for_rerun({(0, 0): GREATER})
    assert (again.final, again.undefined, again.strict) == (True, True, True)
    assert again.first is run.decided
    assert again.on_another_path
    assert again.order(series([1, 2], [0, 0]), series([1, 1], [1, 1])).tolist() == [GREATER] * 2
    assert not again.on_another_path
    assert not run.on_another_path
    assert not run.for_rerun().forced
    for values in ([1], [1, 2, 3]):
        other = run.for_rerun()
        other.order(series(values), series([0]))
        assert other.on_another_path


def test_decisions_are_repeated() -> None:
    run = Comparisons()
    one, tie = series([1, 1, 3], [1, 1, 1]), series([2, 1, 2], [0, 0, 0])
    assert run.order(one, tie).tolist() == [LESS, GREATER, GREATER]
    assert floats(run.repeated(lambda: np.array([7.0]))) == [7]
    frozen = Comparisons(frozen=run.decided)
    # Another side in the first is contested; the tie may be on either.
    found = frozen.order(series([2.5, 0.5, 1]), tie)
    assert found.tolist() == [LESS, GREATER, GREATER]
    assert floats(frozen.repeated(lambda: np.array([9.0]))) == [7]
    (others,) = run.decided.others
    assert list(others) == [0]
    assert others[0].tolist() == [GREATER, GREATER, LESS]
    assert [t.tolist() for t in frozen.decided.tied] == [[False, True, False], [False]]
    with pytest.raises(AnotherPathError, match="other comparisons"):
        frozen.order(one, tie)
    for values in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(AnotherPathError):
            Comparisons(frozen=run.decided).order(series(values), series(values))
    same = Comparisons(frozen=run.decided)
    same.order(one, tie)
    equal = Comparisons(frozen=run.decided)
    equal.order(series([2, 1, 2]), tie)
    assert len(run.decided.others) == 1


def test_contests_of_one_run_are_together() -> None:
    run = Comparisons()
    for _ in range(2):
        run.order(series([1]), series([2]))
    for _ in range(2):
        frozen = Comparisons(frozen=run.decided)
        for _ in range(2):
            frozen.order(series([3]), series([2]))
    assert [list(of) for of in run.decided.others] == [[0, 1], [0, 1]]


def test_decisions_may_be_others_instead() -> None:
    instead = {1: np.array([GREATER], np.int8), 2: np.array([GREATER, LESS], np.int8)}
    run = Comparisons(instead=instead)
    pair = series([1]), series([2])
    assert [run.order(*pair).tolist() for _ in range(3)] == [[LESS], [GREATER], [LESS]]
    assert [made.tolist() for made in run.decided.made] == [[LESS], [GREATER], [LESS]]
    fewer = Comparisons(instead={0: np.array([GREATER], np.int8)})
    assert fewer.order(series([1, 1]), series([2, 2])).tolist() == [LESS, LESS]


def test_given_outcomes_come_in_turn() -> None:
    run = Decided(outcomes=(LESS, GREATER))
    found = [run.order(series([1, 2]), series([5])).tolist() for _ in range(5)]
    assert found == [[LESS, LESS], [GREATER, GREATER]] * 2 + [[LESS, LESS]]
    assert run.count == 5


# Sorting.


def floats(array: Any) -> list[Any]:
    return np.asarray(array).astype(float).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_sorted_by_keys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = [rng.integers(0, 4, (5, 7)).astype(float) for _ in range(2)]
    keys[0][rng.random((5, 7)) < 0.2] = np.nan
    for used in (keys[:1], keys):
        found = Comparisons().sorted([dual.constant(key) for key in used])
        assert found.tolist() == np.lexsort(used[::-1]).tolist()
    # A small step along the direction sorts what is equal; then come the other keys.
    along = rng.integers(-1, 2, (5, 7)).astype(float)
    moving = Dual(balls.exact(keys[0]), balls.exact(along[None]))
    run = Comparisons()
    found = run.sorted([moving, dual.constant(keys[1])])
    order = np.lexsort([keys[1], np.where(np.isnan(keys[0]), 0, along), keys[0]])
    known = ~np.isnan(np.take_along_axis(keys[0], order, -1))
    assert found[known].tolist() == order[known].tolist()
    for (_, pair), tie in run.ties.items():
        i, j = divmod(pair, 35)
        assert i < j
        assert keys[0].flat[i] == keys[0].flat[j]
        assert float(tie.normal[0]) == along.flat[i] - along.flat[j]
        assert tie.outcome == np.sign(along.flat[i] - along.flat[j])


def test_ties_are_sorted_as_they_are_forced() -> None:
    key = series([2, 1, 1, 1], [0, 3, 2, 1])
    run = Comparisons()
    assert run.sorted([key]).tolist() == [3, 2, 1, 0]
    assert set(run.ties) == {(0, 4 * 2 + 3), (0, 4 * 1 + 2)}
    forced = {where: -tie.outcome for where, tie in run.ties.items()}
    assert run.for_rerun(forced).sorted([key]).tolist() == [1, 2, 3, 0]
    one = run.for_rerun({(0, 4 * 2 + 3): LESS}).sorted([key])
    assert one.tolist() == [2, 3, 1, 0]
    flat = Comparisons()
    assert flat.sorted([series([1, 1], [2, 2])]).tolist() == [0, 1]
    assert flat.flat == {(0, 1)}
    assert Comparisons(forced={(0, 1): GREATER}).sorted([series([1, 1], [2, 2])]).tolist() == [1, 0]
    with pytest.raises(MorePrecisionNeededError):
        Comparisons().sorted([series([arb(1, 1), 1], [1, 2])])
    last = Comparisons(final=True)
    last.sorted([series([arb(1, 1), 1], [1, 2])])
    assert last.unproved == {(0, 1)}


def test_sorted_orders_are_repeated() -> None:
    run, second = Comparisons(), dual.constant([[4.0, 3, 2, 1], [1, 2, 3, 4]])

    def sort(run: Comparisons, *rows: list[float]) -> list[list[int]]:
        along = balls.exact([[[0.0, 1, 0, 0], [0, 0, 1, 0]]])
        return run.sorted([Dual(balls.exact(rows), along), second]).tolist()

    order = [[2, 1, 3, 0], [3, 1, 2, 0]]
    assert sort(run, [3, 1, 1, 2], [4, 2, 2, 1]) == order
    near, far = (Comparisons(frozen=run.decided) for _ in range(2))
    assert sort(near, [3, 0.5, 1.5, 2], [4, 3, 1.5, 1]) == order
    assert not run.decided.others
    assert sort(far, [3, 1, 1, 4], [4, 2, 2, 1]) == order
    (others,) = run.decided.others
    assert {k: v.tolist() for k, v in others.items()} == {0: [[2, 1, 0, 3], [3, 1, 2, 0]]}
    rows = balls.exact(np.ones((3, 4)))
    for frozen, key in (
        (run.decided, series([1, 2])),
        (run.decided, Dual(rows)),
        (Decisions(), second),
    ):
        with pytest.raises(AnotherPathError):
            Comparisons(frozen=frozen).sorted([key])


def test_numbers_closer_than_floats_are_sorted() -> None:
    with balls.precision(200):
        near = [arb(1) + k * arb(2) ** -100 for k in (3, 1, 2)]
        three, rising = balls.boxed(near, (1, 3)), balls.exact([[0, 1, 2]])
        assert sorting.by_midpoints([three]).tolist() == [[1, 2, 0]]
        assert sorting.by_midpoints([three, rising]).tolist() == [[1, 2, 0]]
        assert sorting.by_midpoints([three[:, :2]]).tolist() == [[1, 0]]
        two = balls.boxed([NAN, NAN], (1, 2))
        none = sorting.tied(two, np.array([[0, 1]]), np.array([[True, True]]))
        assert none.tolist() == [[False, False]]
        keys = balls.boxed([*near, NAN, *near], (1, 7))
        order = sorting.by_midpoints([keys])
        assert order.tolist() == [[1, 5, 2, 6, 0, 4, 3]]
        second = balls.exact([[0, 2, 0, 0, 0, 1, 0]])
        assert sorting.by_midpoints([keys, second]).tolist() == [[5, 1, 2, 6, 0, 4, 3]]
        nan = np.array([[False] * 3 + [True] + [False] * 3])
        assert sorting.tied(keys, order, nan).tolist() == [[False, True] * 3 + [False]]
    assert [(g.start, g.stop) for g in sorting.groups(np.array([0, 1, 1, 0, 0, 1], bool))] == [
        (0, 3),
        (4, 6),
    ]
    assert sorting.by_midpoints([balls.exact([[1.0]])]).tolist() == [[0]]
    assert sorting.descend(balls.exact([[1, 2], [2, 1]]))
    assert not sorting.descend(balls.exact([[1, 1], [1, 2]]))


# What ties change.


def maximum(run: Comparisons, a: Dual, b: Dual) -> Dual:
    which = run.order(a, b) == LESS
    s, t = (dual.tangents(of, 2) for of in (a, b))
    return Dual(np.where(which, b.value, a.value), np.where(which[None], t, s))


#: Functions of two numbers, of their comparisons, and whether they are smooth where these are 0.
FUNCTIONS: dict[str, tuple[Callable[[Comparisons, Dual, Dual], Dual], bool]] = {
    "max": (lambda run, x, y: maximum(run, x, y), False),
    "max, squared": (lambda run, x, y: maximum(run, x, y) * maximum(run, x, y), True),
    "the same on either side": (
        lambda run, x, y: x if (run.order(x, y) == LESS)[0] else x + y - y,
        True,
    ),
    "a jump": (lambda run, x, y: x + y if (run.order(x, y) == LESS)[0] else one(x) + y, False),
    "a jump at the point": (
        lambda run, x, y: x + y if (run.order(x, y) != EQUAL)[0] else one(x) + y,
        False,
    ),
    "a flat tie": (lambda run, x, y: x if (run.order(x * x, y * y) != EQUAL)[0] else y, False),
    "a flat jump": (lambda run, x, y: x if (run.order(x * x, y * y) != LESS)[0] else one(x), False),
    "a flat tie that does not matter": (
        lambda run, x, y: x + y if (run.order(x * x, y * y) != EQUAL)[0] else y + x,
        True,
    ),
    "flat ties of which only a mixture matters": (
        lambda run, x, y: y if mixed(run, x, y) else x + y - y,
        False,
    ),
}


def one(x: Dual) -> Dual:
    return Dual(x.value + arb(1), x.tangent)


def mixed(run: Comparisons, x: Dual, y: Dual) -> bool:
    found = {int(run.order(x * x, y * y)[0]) for _ in range(6)}
    return len(found) > 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_smooth_or_not(name: str) -> None:
    function, is_smooth = FUNCTIONS[name]

    def step(run: Comparisons, direction: np.ndarray | None) -> tuple[arb, np.ndarray]:
        moves = balls.exact([[1.0, 0.5]]) if direction is None else direction
        given = [
            Dual(balls.exact([0.0]), np.stack([moves[0, k : k + 1], own])) for k, own in own_slopes
        ]
        found = function(run, *given)
        return found.value[0], dual.tangents(found, 2)[1]

    own_slopes = list(enumerate(balls.exact([[1.0], [-3.0]])))
    run = Comparisons()
    here = step(run, None)
    if is_smooth:
        check_smooth(step, run, here, 2)
    else:
        with pytest.raises(UndecidableKinkError):
            check_smooth(step, run, here, 2)
    if not run.flat:
        check_flat_ties(lambda how: pytest.fail("nothing is to be tried"), run, here)


def test_the_sides_that_are_tried() -> None:
    """At the point itself, on the opposite side, and on those of some directions."""
    runs: list[tuple[dict[Any, int], bool]] = []

    def step(run: Comparisons, direction: np.ndarray | None) -> tuple[arb, np.ndarray]:
        runs.append((dict(run.forced), direction is None))
        run.order(series([0, 0], [1, -1]), series([0, 0], [0, 0]))
        return arb(1), balls.exact([2.0])

    run = Comparisons()
    check_smooth(step, run, step(run, None), 3)
    ties, flipped = dict.fromkeys([(0, 0), (0, 1)], EQUAL), {(0, 0): LESS, (0, 1): GREATER}
    assert runs == [({}, True), (ties, True), (flipped, True), *[({}, False)] * 8]


def test_values_on_two_sides() -> None:
    check_continuous(arb(1, 0.5), arb(1.25))
    with pytest.raises(UndecidableKinkError, match="the loss jumps"):
        check_continuous(arb(1), arb(2))


def test_directions_are_of_very_different_sizes() -> None:
    drawn = abs(at_random(np.random.default_rng(0), 400))
    assert drawn.shape == (400,)
    ratios = np.quantile(drawn, [0.05, 0.95])
    assert ratios[1] / ratios[0] > 100
