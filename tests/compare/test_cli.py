"""The command line, end to end: what is told apart, and how it ends.

What it prints is in tests/test_snapshots.py, what it refuses in test_refusals.py.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import manual.article
import manual.sgd
from compare.experiment import predict
from compare.people import NEWCOMERS
from models.planted import PLANTS, gradient_in
from tests.compare.calls import compare, progress_at, signalled, started
from tests.reference import EMILY, FRANK, LOSSES, PARTIALS, close
from tests.tiers import slowly


def test_run_finds_the_articles_numbers() -> None:
    ended = compare("run", "--init", "ones", "--json")
    answer = json.loads(ended.out)
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    assert [row["name"] for row in answer["partials"]] == list(PARTIALS)
    for row in answer["partials"]:
        assert len(row["exact"]) > 40
        assert close(float(row["exact"]), PARTIALS[row["name"]], 14)
        for side, most in (("by_hand", 5), ("autodiff", 10)):
            assert 0 < row[f"ulps_{side}"] < most
            assert close(row[side], PARTIALS[row["name"]], 13)
    training = answer["training"]
    assert training["first_divergence"] is None
    assert [epoch for epoch, *_ in training["loss"]] == list(range(0, 1000, 10))
    for epoch, *losses in training["loss"]:
        assert epoch not in LOSSES or all(close(loss, LOSSES[epoch], 14) for loss in losses)
    for name, reference in (("Emily", EMILY), ("Frank", FRANK)):
        prediction = answer["predictions"][name]
        assert abs(prediction["by_hand"] - reference) < 1e-10
        assert abs(prediction["autodiff"] - reference) < 1e-10
    assert answer["verdict"] == "agree"


@pytest.mark.parametrize("slug", ["half-mse", slowly("update-before-use")])
def test_a_disagreement_ends_with_1(monkeypatch: pytest.MonkeyPatch, slug: str) -> None:
    if slug == "half-mse":
        wrong = gradient_in(PLANTS[slug])  # made of the right one, so before that is replaced
        monkeypatch.setattr(manual.article, "gradient", lambda p, x, y, derivative: wrong(p, x, y))
    else:
        right = manual.sgd.update
        monkeypatch.setattr(
            manual.sgd,
            "update",
            lambda p, g, rate: right(p, g, rate)._replace(b3=p.b3 + rate * g.b3),
        )
    answer, shown = (compare("run", "--epochs", 5, *words) for words in (["--json"], []))
    first = json.loads(answer.out)["training"]["first_divergence"]
    assert (answer.code, shown.code) == (1, 1)
    assert json.loads(answer.out)["verdict"] == "disagree"
    assert (first["epoch"], first["sample"], first["off"]) == (0, "Alice", "by_hand")
    text = " ".join(shown.out.split())
    assert "First divergence: epoch 0, Alice, " in text
    assert "and the one by hand is off" in text
    assert re.search(r"^disagree: ", shown.out, flags=re.MULTILINE)


def test_units_of_ones_own() -> None:
    words = "--weight 58.05982336 --height 160.02 --units metric --epochs 5 --json"
    metric = json.loads(compare("run", *words.split()).out)["predictions"]
    assert abs(metric["You"]["by_hand"] - metric["Emily"]["by_hand"]) < 1e-12
    assert metric["You"]["warnings"] == []


def test_predictions_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the network that each has trained, by both."""
    right = manual.article.feedforward
    monkeypatch.setattr(manual.article, "feedforward", lambda *at: right(*at) * (1 + 1e-9))
    ended = compare("run", "--epochs", 5)
    assert ended.code == 1
    last = ended.out.splitlines()[-1]
    assert last == "disagree: the predictions differ by more than rounding explains"


def test_each_prediction_is_of_its_own_network() -> None:
    own = manual.article.draw_parameters(1), manual.article.draw_parameters(2)
    emily, _ = predict(progress_at(np.empty((0, 2)), *own), NEWCOMERS)
    by_hand, autodiff = (manual.article.feedforward(params, [-7.0, -3.0]) for params in own)
    assert emily.by_hand == by_hand
    np.testing.assert_allclose(emily.autodiff, autodiff, rtol=1e-14)


@pytest.mark.slow
def test_what_is_drawn(tmp_path: Path) -> None:
    """And a regression of a file's columns."""
    csv, plot = tmp_path / "rent.csv", tmp_path / "rent.svg"
    csv.write_text("city,area,rooms,rent\nA,50,4,700\nB,80,1,1000\nC,120,4,1500\nD,60,2,850\n")
    ended = compare("regress", csv, "--feature", "area", "--feature", "rooms", "--plot", plot)
    assert ended.code == 0
    assert ended.out.splitlines()[-1].startswith("agree: ")
    assert plot.read_text().startswith("<?xml")
    for kind in ("exam", "sigmoid", "surface", "loss", "residuals"):
        assert compare("plot", kind, tmp_path / f"{kind}.png").code == 0
        assert (tmp_path / f"{kind}.png").read_bytes().startswith(b"\x89PNG")


def seconds_of_children() -> float:
    """The CPU seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("words", ["run --help", "train --help", "break"])
def test_help_loads_no_jax(words: str) -> None:
    """Nor do the activations that it lists, or the list of planted mistakes."""
    code = "import sys; from compare.exit_codes import run\n"
    code += "try: run('compare')\nfinally: assert not {'jax', 'flint', 'optax'} & set(sys.modules)"
    with started(*words.split(), run=("-c", code)) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out


@pytest.mark.slow
def test_an_interruption_says_how_far_it_got() -> None:
    with signalled(signal.SIGINT, 20, "run", "--epochs", 1_000_000) as process:
        _, err = process.communicate()
    assert process.returncode == 130
    assert re.fullmatch(r"\s*Stopped after [1-9]\d* of 1000000 epochs\.\n", err), err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        *((words, 0) for words in ("break >&-", "explain w1 <&- 2>&-")),
        *((words, 2) for words in ("nope 2> >(true)", "nope 2>/dev/full")),
    ],
)
def test_without_a_standard_stream(words: str, code: int) -> None:
    """Also where nobody can read what is wrong, it ends with 2."""
    command = ["bash", "-c", f"{sys.executable} -m compare {words}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (code, "")


@pytest.mark.parametrize("room", ["benchmarks", "compare", "study"])
def test_in_a_python_that_lacks_the_libraries(room: str) -> None:
    command = [sys.executable, "-S", "-m", room]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: the package 'click' is not installed; expected")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started("break", stdout=writing) as process:
        os.close(writing)
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == 0
