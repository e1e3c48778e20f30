"""What the stored answers about derivatives show of ours; the other checkers are not needed."""

import re
from functools import cache

import pytest

from benchmarks.checkers import counts
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.derivatives import cases
from benchmarks.checkers.derivatives.limits import LIMIT
from benchmarks.checkers.derivatives.planted import planted
from benchmarks.checkers.derivatives.table import OF_KIND, Counted, markdown
from benchmarks.checkers.results import DERIVATIVES, STORED_DERIVATIVES, Check, Results
from models.derivatives.derivatives import KINDS
from tests.tiers import one_of_each

OURS = "handgrad"

#: The part of the caught mistakes with a name that must be named.
NAMED = 0.5


@cache
def stored() -> Results:
    return Results.load_of(DERIVATIVES, STORED_DERIVATIVES)


def ours(part: str) -> list[Check]:
    return [c for c in stored().checks if (c.contender, c.part) == (OURS, part)]


def test_every_checker_was_asked_about_every_case() -> None:
    """A derivative, a mistake or a rewrite that is new has no answer before the run is repeated."""
    wanted = sorted(case.id for case in cases.cases())
    assert len(wanted) == len(set(wanted))
    assert {OURS, "jax.test_util", "scipy.optimize.check_grad", "numdifftools"} == {
        *stored().contenders
    }
    for name, reason in stored().contenders.items():
        assert reason is None, name
        assert sorted(c.case for c in stored().checks if c.contender == name) == wanted, name
    assert sorted(stored().planted) == [case for case in wanted if case.startswith(MISTAKES)]


def test_it_says_where_it_comes_from() -> None:
    found = stored().fingerprint
    assert re.fullmatch("[0-9a-f]{12}", found["revision"]), "of a commit, with nothing changed"
    assert {"python", "numpy", "jax", "scipy", "numdifftools"} <= set(found["versions"])


def test_there_are_many_mistakes_and_right_ones_of_each() -> None:
    for derivative in cases.DERIVATIVES:
        parts = [c.part for c in ours(MISTAKES) + ours(RIGHT) if c.subject == derivative.name]
        assert parts.count(MISTAKES) >= 8, derivative.name
        assert parts.count(RIGHT) >= 4, derivative.name
    assert {*OF_KIND.values()} == {*KINDS}


def test_no_right_one_is_called_wrong() -> None:
    assert [check.case for check in ours(RIGHT) if counts.caught(check)] == []


def test_every_check_ends_with_a_verdict() -> None:
    """Or rounding may hide a mistake; no error of the harness stands for an answer."""
    reasons = {check.reason for part in (MISTAKES, RIGHT) for check in ours(part)}
    assert reasons <= {"", "undecidable"}


def test_every_mistake_beyond_the_limit_is_caught() -> None:
    counted = Counted(stored())
    larger = [check for check in ours(MISTAKES) if counted.is_larger(check)]
    assert len(larger) > 0.9 * len(ours(MISTAKES)), "a limit that leaves few would say nothing"
    assert [check.case for check in larger if not counts.caught(check)] == []


def test_some_mistakes_are_near_the_limit() -> None:
    """Most are gross; these show that the limit is not far above what is caught."""
    times = [known["times"] for known in stored().planted.values()]
    assert sum(time is not None and LIMIT <= time < 100 * LIMIT for time in times) >= 10


def test_elements_that_are_named_are_wrong() -> None:
    """One that is right in the other convention is blamed in no element."""
    some = [check for check in ours(MISTAKES) if check.wrong_leaves]
    assert [c.case for c in some if not {*c.leaves} <= {*c.wrong_leaves}] == []
    assert sum(bool(check.leaves) for check in some) >= 0.9 * len(some)


def test_mistakes_are_named() -> None:
    counted = Counted(stored())
    named = counted.tally_named(ours(MISTAKES))
    assert named.yes >= NAMED * named.of


@pytest.mark.parametrize("name", one_of_each(["arm", "softplus-rule"], ["arm"]))
def test_sizes_are_those_of_the_mistakes(name: str) -> None:
    about = [case for case in cases.cases() if case.subject == name]
    for case, known in planted(about).items():
        was = stored().planted[case]
        assert (known["says"], known["kinds"]) == (was["says"], was["kinds"])
        # Three digits are stored, of which rounding may change the last.
        assert known["size"] == pytest.approx(was["size"], rel=0.01)


def test_the_table_counts_them() -> None:
    text = markdown(stored())
    assert f"{len(ours(MISTAKES))} wrong derivatives and {len(ours(RIGHT))} right ones" in text
    for kind in ("Jacobians", "Hessians", "products", "complex gradients", "rules of JAX"):
        assert f"| {kind}" in text
