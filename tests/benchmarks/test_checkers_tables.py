"""The tables count what was answered; tests/test_snapshots.py has those of stored answers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from benchmarks.checkers import tables
from benchmarks.checkers.cases import GRADIENTS, NO_ANSWER, RIGHT, TIMES, WRONG
from benchmarks.checkers.contenders import OURS
from benchmarks.checkers.results import Check, Results
from compare.wording import InputError
from tests.benchmarks.planted_checkers import B, W, check, known, results

PEER = "jax.test_util.check_grads"


def of_gradients() -> Results:
    """In the last model a kink's other choice is caught, though it is called right."""
    made = results()
    right, wrong = partial(check, "always right"), partial(check, "always wrong")
    made.checks = [
        right("mistakes", "half-mse", RIGHT),
        right("mistakes", "half-mse", NO_ANSWER, subject="n", reason="time"),
        right("elements", "sign", RIGHT, subject="10000"),
        right("right", "tiny", RIGHT, seconds=3.0),
        wrong("mistakes", "half-mse", WRONG, kinds=("factor",), leaves=(W,)),
        wrong("mistakes", "half-mse", WRONG, kinds=("sign",), leaves=(B,), subject="n"),
        wrong("mistakes", "missing-square", WRONG, kinds=("unknown",), parameters=1),
        wrong("mistakes", "relu-at-zero", RIGHT, kinds=("convention",)),
        wrong("elements", "sign", WRONG, kinds=("unknown",), subject="10000"),
        wrong("right", "tiny", WRONG, seconds=2.0),
    ]
    kinds = {"half-mse": "factor", "missing-square": "unknown", "relu-at-zero": "convention"}
    made.planted = {c.case: known(kinds.get(c.what, "sign")) for c in made.checks}
    return made


#: Rows of it, counted by hand.
COUNTED = """
| caught | `missing-square`: what was done | - | 1 of 1 |
| caught | `half-mse`: what was done | 0 of 2 (1 no answer) | 2 of 2 |
| caught | `relu-at-zero`: what was done [^kink] | - | 1 of 1 |
| caught | all 3 kinds in whole models | 0 of 2 (1 no answer) | 4 of 4 |
| caught | in one element: what was done | 0 of 1 | 1 of 1 |
| called wrong | right ones: tiny losses | 0 of 1 | 1 of 1 |
| named | the parameter, of several, of those caught | - | 1 of 3 |
| named | the mistake | - | 2 of 4 |
| named | another mistake | - | 1 of 5 |
| no answer |  | 1 of 4 (1 time) | 0 of 6 |
| seconds | median; longest | 1; 3 | 1; 2 |
| 4 planted mistakes, caught | 0 | 4 |
| 1 right gradients, called wrong | 0 | 1 |
| seconds, median | 1 | 1 |
"""


def test_the_tables_count_what_was_answered() -> None:
    made = of_gradients()
    text = f"{tables.markdown(made)}\n{tables.in_brief(made)}".splitlines()
    assert [row for row in COUNTED.strip().splitlines() if row not in text] == []


def test_seconds_of_processors_are_compared_once_they_are_recorded_of_all() -> None:
    made = of_gradients()
    made.checks = [
        replace(c, cpu=None if c.verdict == NO_ANSWER else c.seconds / 2) for c in made.checks
    ]
    assert "| CPU seconds, median | 0.5 | 0.5 |" in tables.in_brief(made)
    made.checks[0] = replace(made.checks[0], cpu=None)
    assert "| seconds, median | 1 | 1 |" in tables.in_brief(made)
    assert "| seconds | median; longest | 1; 3 | 1; 2 |" in tables.markdown(made)


SMALLEST = "2-2-1, 4"


def timed(name: str, *seconds: float, by: str = OURS, size: int = 9) -> list[Check]:
    """Make up first calls of these seconds, and later ones of half of them."""
    about = {"subject": name, "points": 9, "judged": size, "elements": size, "cpu": 1.0}
    calls = [(0, s) for s in seconds] + [(k, s / 2) for k, s in enumerate(seconds, 1)]
    return [check(by, "right", "sized", RIGHT, call=k, **about, seconds=s) for k, s in calls]


def of_times(*checks: list[Check]) -> Results:
    made = replace(results(TIMES), contenders={OURS: None, PEER: None})
    made.checks = [one for each in checks for one in each]
    return made


@pytest.mark.parametrize("call", [1, 4], ids=["first", "later"])
@pytest.mark.parametrize(
    ("verdict", "reason"), [(WRONG, ""), (RIGHT, "imprecise"), (NO_ANSWER, "time")]
)
def test_a_check_that_does_not_agree_has_no_time(call: int, verdict: str, reason: str) -> None:
    """What a peer says stands beside its time; the others are medians."""
    ours, theirs = timed(SMALLEST, 3.0, 1.0, 2.0), timed(SMALLEST, 0.5, 0.25, 7.0, by=PEER)
    assert "| 2-2-1, 4 | 9 | 9 | 2, 1 s | 0.5, 0.25 s |" in tables.markdown(of_times(ours, theirs))
    assert tables.failed(of_times(ours, theirs)) == []
    ours[call] = replace(ours[call], verdict=verdict, reason=reason)
    made, why = of_times(ours, theirs), reason or verdict
    assert f"| no time: {why} | 0.5, 0.25 s |" in tables.markdown(made)
    assert tables.failed(made) == [f"{SMALLEST}: {why}"]
    assert tables.failed(replace(made, questions=GRADIENTS)) == []
    peer = [replace(one, contender=PEER) for one in ours]
    unanswered = verdict == NO_ANSWER
    assert tables.both(peer) == (f"no time: {why}" if unanswered else f"2, 1 s ({why})")


def test_elements_that_were_not_judged_are_said() -> None:
    calls = timed(SMALLEST, 1.0, 1.0, 1.0)
    calls[4] = replace(calls[4], points=4)
    assert tables.points(calls) == "4 to 9"
    calls[4] = replace(calls[4], judged=5)
    assert tables.points(calls) == "4 to 9, and 5 of 9 elements"


def test_stored_results_are_read_again_and_hold_together(tmp_path: Path) -> None:
    file, made = tmp_path / "results.json", of_gradients()
    made.save(file)
    assert Results.load(file) == made
    del made.planted["mistakes/n/half-mse/0"]
    made.save(file)
    with pytest.raises(InputError, match="n/half-mse/0 is not in planted"):
        Results.load(file)
    replace(made, questions="riddles").save(file)
    with pytest.raises(InputError, match="questions is 'riddles'; expected one of gradients, "):
        Results.load(file)
