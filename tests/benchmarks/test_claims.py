"""What docs/benchmarks.md and the README say in words is so in the stored numbers."""

from collections.abc import Callable
from copy import deepcopy
from statistics import median

import pytest

from benchmarks import names
from benchmarks.analysis.axes import exponent, fit
from benchmarks.analysis.factors import between, factors, verdict
from benchmarks.analysis.floors import dispatch_bound, over_floor
from benchmarks.check_times import results as check_times
from benchmarks.checkers import results as checkers
from benchmarks.checkers.cases import MISTAKES as PLANTED
from benchmarks.document.build import DOCUMENT, README, STORED
from benchmarks.document.queries import Queries
from benchmarks.document.reasons import reason
from benchmarks.goals import TAX, goals
from benchmarks.results import Results
from benchmarks.statistics import Interval, spread
from examples.released_mistakes import MISTAKES
from tests.benchmarks.sure import row_of, sure

#: The cells that most is said of.
SAMPLE, LARGE = "sample/1/float64/1", "digits/512/float32/1"


@pytest.fixture(scope="module")
def stored() -> Queries:
    return Queries(Results.load(STORED))


def ratio(asked: Queries, label: str, name: str, other: str) -> float:
    return sure(between(asked.cell(label), name, other)).middle


def tax(asked: Queries, label: str) -> float:
    return sure(factors(asked.cell(label))).autodiff_tax.middle


def floor(asked: Queries, label: str, name: str) -> float:
    return sure(over_floor(*asked.row(label, name))).middle


def time(asked: Queries, label: str, name: str) -> float:
    return spread(asked.row(label, name)[1].samples).median


def slope(asked: Queries, name: str, other: str) -> float:
    return sure(exponent(asked.axis("width/float32/1"), name, other)).middle


def dots(asked: Queries, label: str, name: str) -> int:
    return asked.row(label, name)[1].operations["dot"][0]


#: A sentence of the document, and what the numbers must be for it to stand.
CLAIMS: dict[str, Callable[[Queries], bool]] = {
    "There, by hand pays": lambda asked: (
        ratio(asked, SAMPLE, names.FLOATS, names.GRAD) < 0.5
        and ratio(asked, SAMPLE, names.FLOATS, names.ARTICLE) < 1
    ),
    "most of which is the call": lambda asked: dispatch_bound(*asked.row(SAMPLE, names.GRAD)),
    "The processor decides": lambda asked: all(
        floor(asked, LARGE, name) < 1.25 for name in (names.HAND, names.HAND_JIT, names.GRAD)
    ),
    "Autodiff costs no more than the same lines by hand": lambda asked: all(
        tax(asked, cell.label) < 1.03
        for cell in asked.results.cells
        if factors(cell) and min(cell.about["sizes"][1:-1]) >= 64 and cell.about["batch"] > 1
        if cell.threads == "1"
    ),
    "with one example, autodiff pays": lambda asked: (
        tax(asked, "map/256x1/float32/1") > 1.2 and tax(asked, "map/1024x1/float32/1") > 1.5
    ),
    "All of these times are of freed memory that is kept": lambda asked: all(
        sure(asked.row("mass/1000000/float64/1", name)[1].untuned)
        > 1.2 * time(asked, "mass/1000000/float64/1", name)
        for name in (names.HAND, names.GRAD)
    ),
    "mostly the price of the digits": lambda asked: (
        ratio(asked, "mass/1000000/float64/1", names.HAND_JIT, names.HAND_JIT_ARTICLE)
        > ratio(asked, "mass/1000000/float64/1", names.HAND_JIT_ARTICLE, names.GRAD)
    ),
    "against Python floats never": lambda asked: (
        verdict(asked.cell(SAMPLE), names.FLOATS, names.GRAD) == "faster"
    ),
    "nearly all of whose time is the fixed part": lambda asked: all(
        sure(fit(asked.axis("width/float32/1"), names.GRAD)).fixed
        > 0.9 * time(asked, f"width/{size}/float32/1", names.GRAD)
        for size in (2, 8, 16)
    ),
    "are the slower ones": lambda asked: (
        tax(asked, "mass/1000000/float64/1")
        < 1 / ratio(asked, "mass/1000000/float64/1", names.HAND_JIT_ARTICLE, names.GRAD)
        < 1
    ),
    "XLA compiles a loop as one piece": lambda asked: (
        [
            "call" in asked.row("training/1000/float64/1", name)[1].operations
            for name in (names.HAND_JIT, names.HAND_JIT_ARTICLE, names.GRAD)
        ]
        == [False, True, True]
    ),
    "is mapped again and again": lambda asked: all(
        sure(asked.row(label, name)[1].untuned) > 1.05 * time(asked, label, name)
        for label, name in ((LARGE, names.HAND), ("width/4096/float32/1", names.GRAD))
    ),
    "has more to write": lambda asked: (
        ratio(asked, "width/1024/float32/1", names.PRODUCTS["jax.jit"], names.LOSS)
        > 1.05 * sure(asked.cell("width/1024/float32/1").expected_cost)
    ),
    "The two more `dot`s": lambda asked: (
        dots(asked, "width/64/float32/1", names.HAND_JIT)
        == dots(asked, "width/64/float32/1", names.GRAD) + 2
    ),
    "reverse mode is nearly flat": lambda asked: (
        abs(slope(asked, names.GRAD, names.LOSS)) < 0.15
        and slope(asked, names.FORWARD, names.GRAD) > 0.5
        and slope(asked, names.DIFFERENCES, names.GRAD) > 0.5
    ),
}


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_sentence_is_so_in_the_numbers(stored: Queries, sentence: str) -> None:
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert sentence in text
    assert CLAIMS[sentence](stored)


def test_the_readme_says_what_is_so(stored: Queries) -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert "for one tiny gradient only C beats floats" in text
    sample = stored.cell(SAMPLE)
    least = {row.name: min(map(min, row.samples)) for row in sample.timed("contender")}
    assert sorted(least, key=lambda name: least[name])[:2] == [names.C, names.FLOATS]
    assert "Compiled, autodiff costs no more than hand lines" in text
    assert CLAIMS["Autodiff costs no more than the same lines by hand"](stored)


def test_the_readme_says_how_long_checks_take() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert "takes 0.03 to 0.3 seconds up to a thousand parameters" in text
    assert "parameters, from nine at 100,000, longer with" in text
    assert "explaining a wrong one, about a second" in text
    asked = checkers.Results.load(checkers.STORED).checks
    of_ours = [check for check in asked if check.contender == check_times.OURS]
    explained = median(check.seconds for check in of_ours if check.part == PLANTED)
    assert 0.5 < explained < 1.5
    rows = check_times.Results.load(check_times.STORED).rows
    ours = [row for row in rows if row.contender == check_times.OURS]
    # Dense networks, which are called by their sizes, at nine points.
    dense = {r.parameters: r for r in ours if r.subject[0].isdigit() and "one" not in r.subject}
    small = [call.seconds for count, row in dense.items() if count < 1000 for call in row.calls]
    assert (round(min(small), 2), round(max(small), 1)) == (0.03, 0.3)
    assert round(median(call.seconds for call in dense[101_770].calls)) == 9
    others = [row for row in ours if not row.subject[0].isdigit()]
    assert all(min(call.seconds for call in row.calls) > max(small) for row in others)


def test_the_readme_counts_the_wrong_derivatives() -> None:
    assert f"[{len(MISTAKES)} wrong derivatives]" in README.read_text(encoding="utf-8")


def test_two_counts_of_the_work_agree(stored: Queries) -> None:
    """XLA's own of the compiled gradient, and the formula's of its products: some more is right.

    With one example a product xᵀ·dz has nothing to add, a sixth of the formula's operations.
    """
    compared = 0
    for cell in stored.results.cells:
        counted = stored.row(cell.label, names.GRAD)[1].counted_flops
        if counted is not None and cell.flops is not None and cell.about["sizes"] != [2, 2, 1]:
            least = 1 if cell.about["batch"] > 1 else 5 / 6
            assert 0.99 * least <= counted / cell.flops < 1.3, cell.label
            compared += 1
    assert compared > 30


def test_every_missed_goal_has_its_reason(stored: Queries) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for goal in goals(stored.results):
        if goal.met is False:
            assert sure(reason(goal, stored.cell(goal.cell))) in text
            row = f"| `{goal.cell}` | " if goal.what == TAX else f"- `{goal.cell}`: {goal.what} is "
            assert row in text


def test_a_goal_that_nobody_has_looked_into_has_no_reason(stored: Queries) -> None:
    """A tax above 1 without copies, and one below 1 where the hand lines ask for nothing more."""
    cell = stored.cell("width/256/float32/1")
    goal = next(goal for goal in goals(stored.results) if goal.cell == cell.label)
    above = goal._replace(found=Interval(1.3, 1.2, 1.4), met=False)
    assert reason(above, cell) is None
    below = goal._replace(found=Interval(0.9, 0.85, 0.95), met=False)
    assert reason(below, cell) is not None
    assert reason(below._replace(found=Interval(0.5, 0.4, 0.6)), cell) is None
    same = deepcopy(cell)
    row_of(same, names.HAND_JIT).operations = row_of(same, names.GRAD).operations
    assert reason(below, same) is None
