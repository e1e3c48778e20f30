"""The evaluation on foreign code: its truth, its ratings, its command, and what is stored of it."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluation.foreign import results, runs
from evaluation.foreign.cli import foreign
from evaluation.foreign.subject import Subject, outcome
from evaluation.foreign.truth import measure
from evaluation.rows import read
from tests.installing import ROOT

AT = np.array([0.3, -1.2, 2.0])


def loss(xp: Any, x: Any) -> Any:
    return xp.sum(xp.tanh(x) * xp.exp(x))


def gradient(x: np.ndarray) -> np.ndarray:
    return (1 - np.tanh(x) ** 2 + np.tanh(x)) * np.exp(x)


def test_the_truth_tells_right_from_wrong() -> None:
    assert measure(loss, gradient(AT), AT, ()).relative < 1e-14
    error = measure(loss, gradient(AT) * [1, 1, 1.001], AT, ())
    assert (error.where, error.relative) == ("[2]", pytest.approx(1e-3))


def test_at_a_kink_both_sides_are_right() -> None:
    zero = np.array([0.0, 1.0])
    for side, relative in ((-1.0, 0), (0.3, 0), (1.0, 0), (1.5, 0.5)):
        error = measure(lambda xp, x: xp.sum(xp.abs(x)), np.array([side, 1.0]), zero, ())
        assert (error.kink, error.relative) == (True, pytest.approx(relative))


def test_what_is_too_small_to_be_seen_may_be_called_either() -> None:
    small, at = 1e-70, {"a": np.array([0.5]), "b": np.array([1.0])}

    def tiny(xp: Any, p: Any) -> Any:
        return xp.sum(small * p["a"] + xp.exp(p["b"]))

    subject = Subject("name", tiny, gradient, at)
    for a, expected in ((0, "right"), (small, "either"), (2 * small, "either"), (1e-3, "wrong")):
        answer = {"a": np.array([a]), "b": np.exp(at["b"])}
        assert subject.expected(measure(tiny, answer, at, ())) == expected


@pytest.mark.parametrize(
    ("expected", "verdict", "elsewhere", "rating"),
    [
        ("right", "agree", None, "right"),
        ("right", "disagree", "right", "wrong"),
        ("right", "disagree", "wrong", "right"),
        ("wrong", "imprecise", None, "wrong"),
        ("wrong", "disagree", None, "right"),
        ("wrong", "undecidable", None, "undecidable"),
        ("lossy", "agree", None, "wrong"),
        ("either", "disagree", None, "right"),
        ("right", "error", None, "error"),
    ],
)
def test_ratings(expected: str, verdict: str, elsewhere: str | None, rating: str) -> None:
    assert outcome({"expected": expected, "verdict": verdict, "elsewhere": elsewhere}) == rating


@pytest.mark.slow
def test_a_subject_is_judged_beside_its_truth() -> None:
    row = Subject("name", loss, lambda x: gradient(x) * 1.01, AT).judged()
    assert (row["expected"], row["verdict"], row["outcome"]) == ("wrong", "disagree", "right")


def test_no_stored_ruling_is_wrong() -> None:
    found = results.figures(results.stored())
    assert (found["wrong"], found["error"]) == (0, 0)
    assert found["share"] >= 98
    assert found["count"] >= 1223
    assert found["packages"] == 27 == len({package for _, package in runs.RUNS})
    assert f"{found['count']} hand-written gradients" in results.section()


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(foreign, [*map(str, words)], standalone_mode=False)


def refused(*words: str | Path) -> str:
    error = command(*words).exception
    assert isinstance(error, click.ClickException)
    return error.format_message()


def test_without_the_packages_an_error_says_how_they_are_installed(tmp_path: Path) -> None:
    says = refused("cma", "--environment", tmp_path / "none")
    assert f"{tmp_path}/none/bin/python -m pip install --no-deps -r evaluation/foreign" in says
    assert (ROOT / says.split()[-1]).exists()
    assert "expected the file" in refused("--resume")
    assert "mean 'astropy'?" in refused("astropi")


ENDING = """#!{python}
import json, os, signal, sys

asked = json.load(sys.stdin)
for name in ("a", "b", "c"):
    if name not in asked["skip"]:
        print(json.dumps({{"begins": name}}), flush=True)
        if name == "b":
            os.kill(os.getpid(), signal.SIGXCPU)
        print(json.dumps({{"id": name, "package": "cma", "outcome": "right", "says": ""}}))
"""


def test_what_takes_too_long_is_an_error_and_the_next_is_judged(tmp_path: Path) -> None:
    worker, out = tmp_path / "bin" / "python", tmp_path / "rulings.jsonl"
    worker.parent.mkdir()
    worker.write_text(ENDING.format(python=sys.executable))
    worker.chmod(0o755)
    words = ("cma", "--environment", tmp_path, "--out", out, "--limit", "3")
    assert command(*words).return_value == 1
    assert {key: row["outcome"] for key, row in read(out).items()} == {
        "a": "right",
        "b": "error",
        "c": "right",
    }
    assert read(out)["b"]["says"] == "no answer within 3 s of processor time"
    before = out.read_text()
    assert "in all" in command(*words, "--resume").output
    assert out.read_text() == before, "nothing is left to judge"


@pytest.mark.slow
def test_a_few_gradients_through_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a package that is installed here, too."""
    assert "expected 4.5.0" in refused("cma", "--environment", sys.prefix)
    (tmp_path / "requirements.txt").write_text(f"scipy=={version('scipy')}\n")
    monkeypatch.setattr(runs, "REQUIREMENTS", tmp_path / "requirements.txt")
    words = ("scipy", "--only", "least_squares", "--environment", sys.prefix, "--json")
    found = json.loads(command(*words).stdout)
    assert (found["right"], found["odd"]) == (8, {})
