"""What the stored answers show of ours; read from the files, without the other checkers."""

from functools import cache

import numpy as np
import pytest

from benchmarks.checkers import cases, tables
from benchmarks.checkers.cases import DERIVATIVES, GRADIENTS, MISTAKES, RIGHT, TORCH
from benchmarks.checkers.planted import limit, planted
from benchmarks.checkers.results import Check, Results, stored
from tests.tiers import one_of_each


@cache
def read(questions: str) -> Results:
    return Results.load(stored(questions))


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


@pytest.mark.parametrize(
    ("questions", "name"),
    [(DERIVATIVES, "handgrad"), (TORCH, "handgrad.torch.check_function")],
)
def test_ours_is_right_about_all(questions: str, name: str) -> None:
    """Or rounding may hide a mistake; no error of the harness stands for an answer.

    Some mistakes are hardly larger than the limit, which is not far above what is caught.
    """

    def ours(part: str) -> list[Check]:
        every = read(questions).checks
        return [check for check in every if (check.contender, check.part) == (name, part)]

    assert [c.case for c in ours(RIGHT) if tables.caught(c)] == []
    mistakes, known = ours(MISTAKES), read(questions).planted
    assert {c.reason for c in [*mistakes, *ours(RIGHT)]} <= {"", "undecidable"}
    larger = [check for check in mistakes if tables.is_larger(check, known[check.case])]
    assert len(larger) > 0.9 * len(mistakes), "a limit that leaves few would say nothing"
    assert [check.case for check in larger if not tables.caught(check)] == []
    times = [(known[check.case]["times"] or np.inf) / limit(check.format) for check in larger]
    assert sum(time < 100 for time in times) >= 10


@pytest.mark.parametrize("name", one_of_each(["arm", "softplus-rule"], ["arm"]))
def test_sizes_are_those_of_the_mistakes(name: str) -> None:
    about = [case for case in cases.cases(DERIVATIVES) if case.subject == name]
    found = planted(about)
    assert len(found) >= 8
    for case, known in found.items():
        was = read(DERIVATIVES).planted[case]
        assert (known["says"], known["kinds"]) == (was["says"], was["kinds"])
        # Three digits are stored, of which rounding may change the last.
        assert known["size"] == pytest.approx(was["size"], rel=0.01)
