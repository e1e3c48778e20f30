"""The command line, end to end: what is told apart, and how it ends.

What it prints is in tests/test_snapshots.py, what it refuses in test_refusals.py.
"""

import io
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
from rich.console import Console

import manual.article
import manual.sgd
from compare import cli, terminal
from compare.experiment import predict
from compare.people import NEWCOMERS
from models.planted import PLANTS, gradient_in
from tests.compare.calls import compare, progress_at, signalled, started
from tests.reference import EMILY, FRANK, LOSSES, PARTIALS, close
from tests.tiers import one_of_each, slowly


def test_run_finds_the_articles_numbers() -> None:
    ended = compare("run", "--init", "ones", "--json")
    answer = json.loads(ended.out)
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    assert list(answer) == [
        *("seed", "epochs", "learning_rate", "person", "sigmoid_derivative"),
        *("partials", "training", "predictions", "verdict"),
    ]
    assert [row["name"] for row in answer["partials"]] == list(PARTIALS)
    for row in answer["partials"]:
        assert list(row) == [
            *("name", "by_hand", "autodiff", "exact"),
            *("ulps", "ulps_by_hand", "ulps_autodiff", "verdict"),
        ]
        assert len(row["exact"]) > 40
        assert close(float(row["exact"]), PARTIALS[row["name"]], 14)
        for side, most in (("by_hand", 5), ("autodiff", 10)):
            assert 0 < row[f"ulps_{side}"] < most
            assert close(row[side], PARTIALS[row["name"]], 13)
    training = answer["training"]
    assert list(training) == ["loss", "first_divergence", "max_drift_ulps"]
    assert training["first_divergence"] is None
    assert [epoch for epoch, *_ in training["loss"]] == list(range(0, 1000, 10))
    for epoch, *losses in training["loss"]:
        assert epoch not in LOSSES or all(close(loss, LOSSES[epoch], 14) for loss in losses)
    for name, reference in (("Emily", EMILY), ("Frank", FRANK)):
        prediction = answer["predictions"][name]
        assert list(prediction) == ["by_hand", "autodiff", "label"]
        assert abs(prediction["by_hand"] - reference) < 1e-10
        assert abs(prediction["autodiff"] - reference) < 1e-10
    assert answer["verdict"] == "agree"


def test_in_a_narrow_window_the_curve_is_not_wrapped() -> None:
    shown, parameters = io.StringIO(), manual.article.draw_parameters(1)
    trained = progress_at([[0.5, 0.5], [0.1, 0.1]], parameters, parameters)
    terminal.show_trainings(Console(file=shown, width=40), trained)
    assert max(map(len, shown.getvalue().splitlines())) > 60


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
def test_regress_takes_a_file(tmp_path: Path) -> None:
    csv, plot = tmp_path / "rent.csv", tmp_path / "rent.svg"
    csv.write_text("city,area,rooms,rent\nA,50,4,700\nB,80,1,1000\nC,120,4,1500\nD,60,2,850\n")
    words = ("regress", str(csv), "--feature", "area", "--feature", "rooms")
    ended = compare(*words, "--plot", plot)
    assert ended.code == 0
    assert ended.out.splitlines()[-1].startswith("agree: ")
    assert plot.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    "kind", one_of_each(["exam", "sigmoid", "surface", "loss", "residuals"], ["exam"])
)
def test_plot(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"{kind}.png"
    assert compare("plot", kind, str(file)).code == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_no_command_shows_the_help() -> None:
    ended = compare()
    assert ended.code == 2
    assert "Commands:" in ended.err


def seconds_of_children() -> float:
    """The CPU seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


HELP = """
import sys
from compare.cli import cli, main
# Their help lists the activations, from their table.
listing = ["explain", "prove", "sweep", "train"]
others = [name for name in cli.commands if name not in listing]
for words in [["--help"], *([name, "--help"] for name in [*others, *listing]), ["break"]]:
    sys.argv = ["compare", *words]
    try:
        main()
    except SystemExit as ending:
        assert not ending.code, words
    is_quick = words[0] not in (*listing, "break")
    heavy = {"jax", "flint", "optax"} | ({"numpy", "rich"} if is_quick else set())
    assert not heavy & set(sys.modules), words
    assert len(sys.modules) < 200 or not is_quick, words
"""


def test_help_is_quick_and_loads_no_jax() -> None:
    """What it takes is what it loads: 60 ms for 146 modules, and as much again for NumPy.

    The list of planted mistakes does not wait for JAX either.
    """
    run = subprocess.run([sys.executable, "-c", HELP], check=True, capture_output=True, text=True)
    assert run.stdout.count("Usage: ") == 1 + len(cli.cli.commands)
    assert "[NUMBER]" in run.stdout


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
        *((words, 0) for words in ("break >&-", "break 2>&-", "explain w1 <&- 2>&-")),
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


def test_colours_on_a_terminal_unless_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR stands for a terminal."""
    green, words = "\x1b[32m", ("run", "--epochs", 0)
    assert green not in compare(*words).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert green in compare(*words).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert green not in compare(*words).out


@pytest.mark.slow
def test_a_terminal_without_the_signs() -> None:
    with started("break", env=os.environ | {"PYTHONIOENCODING": "ascii"}) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "?L/?w5 and ?L/?w6 are exchanged" in out
