"""The gallery of features: every row is as expected, and a wrong expectation is told."""

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner

from examples.features import all as gallery
from examples.features.__main__ import main
from examples.features.table import Feature
from tests.examples.test_examples import FOLDER

#: XLA's programs are small here, and run once each.
HURRIED = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


@pytest.mark.slow
def test_every_row_is_as_expected() -> None:
    """In a process of its own, since the number of devices is one of the process."""
    command = [sys.executable, "-m", "examples.features", "--json"]
    ended = subprocess.run(
        command, cwd=FOLDER.parent, env=os.environ | HURRIED, capture_output=True, check=False
    )
    assert ended.returncode in (0, 1), ended.stderr.decode()
    found = json.loads(ended.stdout)
    off = [row for row in found["rows"] if row["came"] != row["expected"] or row["not_said"]]
    assert not off
    assert found["passes"]
    assert ended.returncode == 0
    assert len(found["rows"]) == sum(len(feature.rows) for feature in gallery.FEATURES.values())


def test_each_feature_is_right_and_wrong_in_two_ways() -> None:
    rows = [row for feature in gallery.FEATURES.values() for row in feature.rows]
    assert len(rows) >= 40
    for name, feature in gallery.FEATURES.items():
        right = Counter(row.planted.startswith("right") for row in feature.rows)
        assert right[True] >= 1, name
        assert right[False] >= 2, name
        assert all(row.names for row in feature.rows if not row.planted.startswith("right")), name


WRONG: dict[str, Any] = {
    "verdict": lambda row: row._replace(expected="agree"),
    "words": lambda row: row._replace(names=("row 2, column 1",)),
    "right": lambda row: row._replace(check=gallery.FEATURES["root"].rows[0].check),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_as_expected_is_told(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the exit code, by the row's mark, and as data."""
    row = gallery.FEATURES["root"].rows[-1]
    for rows, code in (((row,), 0), ((WRONG[what](row),), 1)):
        monkeypatch.setitem(gallery.FEATURES, "root", Feature("a root", *rows))
        shown = CliRunner().invoke(main, ["root"])
        assert shown.exit_code == code, shown.output
        assert ("NOT as expected" in shown.output) is bool(code)
        found = json.loads(CliRunner().invoke(main, ["root", "--json"]).output)
        assert found["passes"] is not bool(code)
        assert found["rows"][0]["as_expected"] is not bool(code)


def test_a_feature_that_there_is_not() -> None:
    shown = CliRunner().invoke(main, ["rot"])
    assert shown.exit_code == 2
    assert "no feature 'rot'; expected one of jacobian, " in shown.output
    assert "check_scipy" in CliRunner().invoke(main, ["root", "--list"]).output
