"""What the stored answers show of ours; read from the files, without the other checkers."""

import re
from functools import cache

import pytest

from benchmarks.checkers import cases, tables
from benchmarks.checkers.cases import DERIVATIVES, FORMATS, GRADIENTS, MISTAKES, RIGHT, TORCH
from benchmarks.checkers.limits import limit
from benchmarks.checkers.planted import planted
from benchmarks.checkers.results import Check, Results, stored
from tests.tiers import one_of_each

#: Our checker, and the part of the caught mistakes with a name that must be named.
OURS = {DERIVATIVES: ("handgrad", 0.5), TORCH: ("handgrad.torch.check_function", 0.8)}

each = pytest.mark.parametrize("questions", OURS)


@cache
def read(questions: str) -> Results:
    return Results.load(stored(questions))


def ours(questions: str, part: str) -> list[Check]:
    """Our answers about right ones, or mistakes."""
    name, _ = OURS[questions]
    return [c for c in read(questions).checks if (c.contender, c.part) == (name, part)]


def hold_every_case(questions: str) -> None:
    """What is new has no answer before the run is repeated."""
    wanted = sorted(case.id for case in cases.cases(questions))
    for name, reason in read(questions).contenders.items():
        assert reason is None, name
        found = sorted(c.case for c in read(questions).checks if c.contender == name)
        assert found == wanted, name
    mistakes = [case for case in wanted if not case.startswith(RIGHT)]
    assert sorted(read(questions).planted) == mistakes


@pytest.mark.parametrize("questions", [GRADIENTS, DERIVATIVES])
def test_every_checker_was_asked_about_every_case(questions: str) -> None:
    hold_every_case(questions)


@each
def test_it_says_where_it_comes_from(questions: str) -> None:
    found = read(questions).fingerprint
    assert re.fullmatch("[0-9a-f]{12}", found["revision"]), "of a commit, with nothing changed"
    assert {"python", "numpy", "jax", "torch"} <= set(found["versions"])


@each
def test_ours_is_right_about_all(questions: str) -> None:
    """Or rounding may hide a mistake; no error of the harness stands for an answer."""
    assert [c.case for c in ours(questions, RIGHT) if tables.caught(c)] == []
    mistakes, known = ours(questions, MISTAKES), read(questions).planted
    assert {c.reason for c in [*mistakes, *ours(questions, RIGHT)]} <= {"", "undecidable"}
    larger = [check for check in mistakes if tables.is_larger(known, check)]
    assert len(larger) > 0.9 * len(mistakes), "a limit that leaves few would say nothing"
    assert [check.case for check in larger if not tables.caught(check)] == []


@each
@pytest.mark.parametrize("dtype", FORMATS)
def test_most_mistakes_are_named(questions: str, dtype: str) -> None:
    _, part = OURS[questions]
    found = [c for c in ours(questions, MISTAKES) if c.format in ("", dtype)]
    named = tables.tally_named(read(questions).planted, found)
    assert named.yes >= part * named.of
    if questions == TORCH:
        assert tables.tally_misnamed(read(questions).planted, found).yes == 0


def test_there_are_many_mistakes_and_right_ones_of_each_derivative() -> None:
    for name in tables.OF_KIND:
        every = ours(DERIVATIVES, MISTAKES) + ours(DERIVATIVES, RIGHT)
        parts = [c.part for c in every if c.subject == name]
        assert (parts.count(MISTAKES) >= 8, parts.count(RIGHT) >= 4) == (True, True), name
    # Most are gross; some show that the limit is not far above what is caught.
    times = [known["times"] for known in read(DERIVATIVES).planted.values()]
    assert sum(time is not None and 1 <= time / limit("") < 100 for time in times) >= 10


def test_elements_that_are_named_are_wrong() -> None:
    """One that is right in the other convention is blamed in no element."""
    some = [check for check in ours(DERIVATIVES, MISTAKES) if check.wrong_leaves]
    assert [c.case for c in some if not {*c.leaves} <= {*c.wrong_leaves}] == []
    assert sum(bool(check.leaves) for check in some) >= 0.9 * len(some)


@pytest.mark.parametrize("name", one_of_each(["arm", "softplus-rule"], ["arm"]))
def test_sizes_are_those_of_the_mistakes(name: str) -> None:
    about = [case for case in cases.cases(DERIVATIVES) if case.subject == name]
    found = planted(DERIVATIVES, about)
    assert len(found) >= 8
    for case, known in found.items():
        was = read(DERIVATIVES).planted[case]
        assert (known["says"], known["kinds"]) == (was["says"], was["kinds"])
        # Three digits are stored, of which rounding may change the last.
        assert known["size"] == pytest.approx(was["size"], rel=0.01)
