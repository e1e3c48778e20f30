"""The tables about torch functions say what the stored answers say; torch is not needed here."""

from collections.abc import Callable
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from benchmarks.checkers.functions import table
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG
from benchmarks.checkers.results import FUNCTIONS, GRADIENTS, Check, Planted, Results
from compare.wording import InputError
from tests.benchmarks.planted_checkers import check, results
from tests.benchmarks.sure import ended, one_line
from tests.benchmarks.test_checkers_table import rows

#: A mistake that has a kind, and lines.
SLIP = Planted(
    says="nothing comes back", kinds=["constant"], lines=["mean = "], size=0.25, times=200.0
)


def answer(what: str, dtype: str, verdict: str, part: str = "mistakes", **others: Any) -> Check:
    made = check("always right", part, what, verdict, subject="norm", **others)
    return replace(made, format=dtype, case=f"{made.case}/{dtype}")


def made_up() -> Results:
    made = replace(results(**{"always wrong": "not installed"}), command=FUNCTIONS)
    made.checks = [
        answer("mean", "float64", WRONG, kinds=["constant"]),
        answer("mean", "bfloat16", WRONG, kinds=["unknown", "rounding"], lines=["mean = z.mean()"]),
        answer("eps", "float64", WRONG, kinds=["sign"], lines=["z = x"]),
        answer("eps", "bfloat16", RIGHT),
        answer("shape", "float64", WRONG, kinds=["shape"], seconds=3.0),
        answer("shape", "bfloat16", NO_ANSWER, reason="time"),
        answer("as-written", "float64", RIGHT, part="right"),
        answer("as-written", "bfloat16", WRONG, part="right"),
    ]
    made.planted = {c.case: {**SLIP} for c in made.checks if c.part == "mistakes"}
    small = made.planted["mistakes/norm/eps/0/bfloat16"]
    small |= {"size": 1e-5, "times": 0.1}
    for dtype in ("float64", "bfloat16"):
        shape = made.planted[f"mistakes/norm/shape/0/{dtype}"]
        shape |= {"kinds": ["shape"], "size": None, "times": None}
    return made


def of_format(text: str, dtype: str) -> dict[str, str]:
    """The cells about one format, by what they count."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[1]: cells[2] for cells in lines if cells[0] == dtype}


def test_each_format_has_its_counts() -> None:
    text = table.markdown(made_up())
    wide, half = (of_format(text, dtype) for dtype in ("float64", "bfloat16"))
    assert wide["mistakes larger than rounding, caught"] == "3 of 3"
    assert wide["smaller mistakes, caught"] == "-"
    assert wide["right ones called wrong"] == "0 of 1"
    assert wide["named the mistake, of those caught"] == "2 of 3"
    assert wide["named another mistake"] == "1 of 3"
    assert wide["seconds on the clock, median; longest"] == "1; 3"
    assert wide["CPU seconds, median; longest"] == "-", "which are not recorded of all"
    assert half["mistakes larger than rounding, caught"] == "1 of 2 (1 no answer)"
    assert half["smaller mistakes, caught"] == "0 of 1"
    assert half["right ones called wrong"] == "1 of 1"
    assert half["named the mistake, of those caught"] == "1 of 1", "by its line"
    assert half["named another mistake"] == "0 of 1", "what is unknown, or lost digits, is no name"
    assert half["no answer"] == "1 of 4 (1 time)"
    assert "1 function, 6 wrong ones and 2 right ones" in text
    assert "Not asked: `always wrong`, not installed." in text
    assert "missed was 0.1 times rounding (norm in bfloat16, `eps`)" in text
    assert (
        "from 129 times rounding in float64, and 7.2 times rounding in bfloat16 on, it is" in text
    )


def test_a_mistake_is_larger_from_the_limit_of_its_format_on() -> None:
    made = made_up()
    wide, half = made.checks[:2]
    for one in (wide, half):
        made.planted[one.case]["times"] = 100.0
    counted = table.Counted(made)
    assert [counted.is_larger(one) for one in (wide, half)] == [False, True]


def test_each_mistake_has_its_size_and_the_formats_in_which_it_is_caught() -> None:
    made = made_up()
    for name in ("mean", "eps", "shape"):
        for dtype in ("float64", "bfloat16"):
            made.planted[f"mistakes/norm/{name}/0/{dtype}"]["says"] = name
    found = rows(table.markdown(made))
    assert found["norm: mean"] == ["0.2", "yes"]
    assert found["norm: eps"] == ["0.2", "float64"]
    assert found["norm: shape"] == ["-", "yes"], "of those with an answer"


def test_the_brief_table_has_the_first_rows_of_each_format() -> None:
    text = table.in_brief(made_up())
    assert text.splitlines()[0] == "|  |  | `always right` |"
    assert len(text.splitlines()) == 2 + 2 * table.Counted.IN_BRIEF + 2
    assert "must be caught, from 129 times rounding in float64, and 7.2 times" in text
    assert of_format(text, "bfloat16")["right ones called wrong"] == "1 of 1"


def test_stored_results_are_read_again(tmp_path: Path) -> None:
    stored = tmp_path / "results.json"
    made_up().save(stored)
    assert Results.load_of(FUNCTIONS, stored) == made_up()
    with pytest.raises(InputError, match="answers of `benchmarks checkers-torch`, expected"):
        Results.load_of(GRADIENTS, stored)
    made = made_up()
    del made.planted["mistakes/norm/eps/0/bfloat16"]
    made.save(stored)
    with pytest.raises(InputError, match="eps/0/bfloat16 is not in planted"):
        Results.load_of(FUNCTIONS, stored)


def test_without_torch_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    find: Callable[[str], Any] = util.find_spec
    monkeypatch.setattr(
        "benchmarks.commands.checkers_torch.find_spec",
        lambda name: None if name == "torch" else find(name),
    )
    for option in ([], ["--subject", "layer-norm"], ["--contender", "torch.autograd.gradcheck"]):
        assert ended("checkers-torch", *option) == 2
        one_line(capsys, "torch is not installed: ")
    stored = tmp_path / "results.json"
    made_up().save(stored)
    assert ended("checkers-torch", "--table", str(stored)) == 0
    assert capsys.readouterr().out == table.markdown(made_up())
    assert ended("checkers", "--table", str(stored)) == 2
    one_line(capsys, "expected those of `benchmarks checkers`")
