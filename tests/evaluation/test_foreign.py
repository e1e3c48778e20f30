"""The evaluation on foreign code: its truth, its ratings, its command, and what is stored of it."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluation.foreign import results, runs
from evaluation.foreign.cli import cli as foreign
from evaluation.foreign.subject import Subject, outcome
from evaluation.foreign.truth import measure
from evaluation.rows import read

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
    assert (found["wrong"], found["error"], found["odd"]) == (0, 0, [])
    assert found["share"] >= 98
    assert (found["gradients"], found["packages"]) == (1223, 27)


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(foreign, [*map(str, words)], standalone_mode=False)


def test_what_is_missing_is_said_with_the_next_step(tmp_path: Path) -> None:
    for words, says in (
        (["cma", "--environment", tmp_path], f"{tmp_path}/bin/python -m pip install --no-deps -r"),
        (["cma", "--environment", sys.prefix], "cma is not installed there; expected 4.5.0"),
        (["--resume"], "expected the file"),
    ):
        assert says in str(command(*words).exception)


#: Begins three gradients, and takes too long for the second.
WORKER = f"""#!{sys.executable}
import json, os, signal, sys
skip = json.load(sys.stdin)["skip"]
for name in {{"a", "b", "c"}} - {{*skip}}:
    print(json.dumps({{"begins": name}}), flush=True)
    if name == "b":
        os.kill(os.getpid(), signal.SIGXCPU)
    print(json.dumps({{"id": name, "package": "cma", "outcome": "right", "says": ""}}), flush=True)
"""


def test_what_takes_too_long_is_an_error_and_the_others_are_judged(tmp_path: Path) -> None:
    worker, out = tmp_path / "bin" / "python", tmp_path / "rulings.jsonl"
    worker.parent.mkdir()
    worker.write_text(WORKER)
    worker.chmod(0o755)
    words = ("cma", "--environment", tmp_path, "--out", out, "--limit", "3", "--resume")
    assert "- b: error; no answer within 3 s" in command(*words).stdout
    before = out.read_text()
    assert (command(*words).return_value, out.read_text()) == (1, before), "nothing is left"
    outcomes = {key: row["outcome"] for key, row in read(out).items()}
    assert outcomes == {"a": "right", "b": "error", "c": "right"}


@pytest.mark.slow
def test_a_few_gradients_through_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a package that is installed here, too."""
    (tmp_path / "requirements.txt").write_text(f"scipy=={version('scipy')}\n")
    monkeypatch.setattr(runs, "REQUIREMENTS", tmp_path / "requirements.txt")
    words = ("scipy", "--only", "least_squares", "--environment", sys.prefix, "--json")
    found = json.loads(command(*words).stdout)
    assert (found["right"], found["odd"]) == (8, [])
