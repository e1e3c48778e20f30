"""`compare errata` on the command line: the list, one of them, JSON, and bad input."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from compare.cli import ERRATA as COUNT
from compare.errata import catalogue
from compare.errata.catalogue import ERRATA
from tests.compare.calls import compare
from tests.compare.errata.runs import shown
from tests.tiers import one_of_each


@pytest.fixture
def run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command shows the result of an earlier test's run."""
    known = (replace(entry, shows=partial(shown, entry.number)) for entry in ERRATA)
    monkeypatch.setattr(catalogue, "ERRATA", tuple(known))


@pytest.fixture
def errata(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "80")
    return partial(compare, "errata")


KEYS = ("number", "title", "section", "printed", "right", "why", "printed_latex", "right_latex")


def test_the_list(errata: Any) -> None:
    code, out, err = errata()
    assert (code, err) == (0, "")
    assert re.findall(r"^ ?(\d+) ", out, re.M) == [str(entry.number) for entry in ERRATA]


@pytest.mark.usefixtures("run_once")
@pytest.mark.parametrize(
    "entry", one_of_each(ERRATA, ERRATA[:1]), ids=lambda entry: str(entry.number)
)
def test_one_of_them(errata: Any, entry: Any) -> None:
    code, out, err = errata(str(entry.number))
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    for said in (entry.section, entry.printed, entry.right, entry.why):
        assert " ".join(said.split()) in text
    run = json.loads(errata(str(entry.number), "--json").out)["run"]
    assert len(run["rows"]) > 1
    assert all(len(row) == len(run["columns"]) for row in run["rows"])
    assert "null" not in json.dumps(run)


def test_as_json(errata: Any) -> None:
    listed = json.loads(errata("--json").out)["errata"]
    assert [entry["number"] for entry in listed] == list(range(1, COUNT + 1))
    assert {tuple(entry) for entry in listed} == {KEYS}
