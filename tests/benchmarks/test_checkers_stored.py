"""What the stored answers about torch functions show of ours; read from the file, without torch."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from benchmarks.checkers import counts
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.functions.table import Counted
from benchmarks.checkers.results import FUNCTIONS, STORED_TORCH, Check, Results
from benchmarks.commands.checkers_torch import FORMATS
from tests.benchmarks.sure import sure

OURS = "handgrad.torch.check_function"

#: Where the functions are.
MODULES = Path(__file__).parents[2] / "models" / "torch_functions"

#: The part of the caught mistakes that must be named, in all formats together and in each.
NAMED = 0.8

#: A rewrite that is one in short formats only; the other right way is the class as it is.
IN_SHORT_FORMATS, AS_WRITTEN = "in-its-format", "as-written"


@cache
def stored() -> Results:
    return Results.load_of(FUNCTIONS, STORED_TORCH)


def ours(part: str, *formats: str) -> list[Check]:
    """Our answers about right ones, or mistakes."""
    found = [c for c in stored().checks if (c.contender, c.part) == (OURS, part)]
    return [check for check in found if check.format in (formats or FORMATS)]


def cases_in_source() -> Iterator[str]:
    """The cases of all functions, as their modules list draws, mistakes and rewrites."""
    for file in sorted(MODULES.glob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Model":
                named, *tables = call.args
                assert isinstance(named, ast.Starred)
                name, *_ = ast.unparse(named.value).strip("()").split(", ")
                draws, slips, rewrites = ([*map(text, sure_dict(t).keys)] for t in tables)
                yield from cases_of(ast.literal_eval(name), len(draws), slips, rewrites)


def cases_of(name: str, draws: int, slips: list[str], rewrites: list[str]) -> Iterator[str]:
    for dtype in FORMATS:
        yield from (f"{MISTAKES}/{name}/{slug}/0/{dtype}" for slug in slips)
        short = dtype not in ("float64", "float32")
        right = [AS_WRITTEN, *(r for r in rewrites if short or r != IN_SHORT_FORMATS)]
        yield from (f"{RIGHT}/{name}/{slug}/{k}/{dtype}" for slug in right for k in range(draws))


def text(key: ast.expr | None) -> str:
    return ast.literal_eval(sure(key))


def sure_dict(table: ast.expr) -> ast.Dict:
    assert isinstance(table, ast.Dict), ast.unparse(table)[:60]
    return table


def test_every_checker_was_asked_about_every_case() -> None:
    """A function, a mistake or a rewrite that is new has no answer before the run is repeated."""
    wanted = sorted(cases_in_source())
    assert len({case.split("/")[1] for case in wanted}) == 10
    for name, reason in stored().contenders.items():
        assert reason is None, name
        assert sorted(c.case for c in stored().checks if c.contender == name) == wanted, name


def test_it_says_where_it_comes_from() -> None:
    found = stored().fingerprint
    assert re.fullmatch("[0-9a-f]{12}", found["revision"]), "of a commit, with nothing changed"
    assert {"python", "numpy", "jax", "torch"} <= set(found["versions"])


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


@pytest.mark.parametrize("formats", [FORMATS, *([each] for each in FORMATS)])
def test_most_mistakes_are_named(formats: list[str]) -> None:
    named = Counted(stored()).tally_named(ours(MISTAKES, *formats))
    assert named.yes >= NAMED * named.of


def test_none_is_given_another_name() -> None:
    assert Counted(stored()).tally_misnamed(ours(MISTAKES)).yes == 0
