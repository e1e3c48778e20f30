"""The command line, end to end: what it prints, how it ends, and what it says of bad input."""

import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import manual.article
import manual.sgd
from compare import cli, terminal
from compare.agreement import NAMES
from compare.experiment import Trainings, predict
from compare.people import NEWCOMERS
from models.planted import PLANTS, gradient_in
from tests.compare.calls import compare, signalled, started
from tests.reference import EMILY, FRANK, LOSSES, PARTIALS, close
from tests.tiers import one_of_each, slowly


def test_run_shows_the_published_predictions() -> None:
    ended = compare("run")
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"Emily +128 lb +63 in +0\.951 F +0\.951 F", ended.out)
    assert re.search(r"Frank +155 lb +68 in +0\.039 M +0\.039 M", ended.out)
    assert ended.out.splitlines()[-1].startswith("agree: ")
    assert [line.split()[0] for line in ended.out.splitlines() if " agree" in line][:9] == list(
        NAMES
    )
    assert "⡇" in ended.out  # the loss curve
    assert "\x1b" not in ended.out  # no colours in a pipe


def test_the_loss_is_printed_as_often_as_asked() -> None:
    out = compare("run", "--epochs", 35, "--every", 10).out
    rows = re.findall(r"^(\d+) +(0\.\d+) +(0\.\d+) *$", out, re.MULTILINE)
    assert [int(epoch) for epoch, *_ in rows] == [0, 10, 20, 30, 34]
    assert float(rows[0][1]) > float(rows[-1][1])
    assert compare("run", "--every", 0).code == 2


def test_in_a_narrow_window_the_curve_is_not_wrapped() -> None:
    shown, parameters = io.StringIO(), manual.article.draw_parameters(1)
    trainings = Trainings(np.array([[0.5, 0.5], [0.1, 0.1]]), None, 0.0, parameters, parameters)
    terminal.show_trainings(Console(file=shown, width=40), trainings)
    assert max(map(len, shown.getvalue().splitlines())) > 60


def test_run_as_json() -> None:
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
        assert 0 < row["ulps_by_hand"] < 5
        assert 0 < row["ulps_autodiff"] < 10
        assert close(row["by_hand"], PARTIALS[row["name"]], 13)
        assert close(row["autodiff"], PARTIALS[row["name"]], 13)
        assert row["verdict"] == "agree"
    training = answer["training"]
    assert list(training) == ["loss", "first_divergence", "max_drift_ulps"]
    assert training["first_divergence"] is None
    assert [epoch for epoch, *_ in training["loss"]] == list(range(0, 1000, 10))
    for epoch, by_hand, autodiff in training["loss"]:
        if epoch in LOSSES:
            assert close(by_hand, LOSSES[epoch], 14)
            assert close(autodiff, LOSSES[epoch], 14)
    for name, label, reference in (("Emily", "F", EMILY), ("Frank", "M", FRANK)):
        prediction = answer["predictions"][name]
        assert list(prediction) == ["by_hand", "autodiff", "label"]
        assert abs(prediction["by_hand"] - reference) < 1e-10
        assert abs(prediction["autodiff"] - reference) < 1e-10
        assert prediction["label"] == label
    assert answer["verdict"] == "agree"


def test_a_loss_of_digits_is_explained() -> None:
    ended = compare("run", "--init", "ones", "--person", "Bob", "--epochs", 0)
    assert "autodiff takes σ′ as σ(1 - σ), which cancels" in " ".join(ended.out.split())


@pytest.mark.slow
def test_the_options_matter() -> None:
    def losses(*words: str) -> Any:
        return json.loads(compare("run", "--epochs", "11", "--json", *words).out)["training"][
            "loss"
        ]

    usual = losses()
    assert losses() == usual
    assert [epoch for epoch, *_ in usual] == [0, 10]
    for words in ("--seed 1", "--learning-rate 0.2"):
        assert losses(*words.split()) != usual


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
    answer = compare("run", "--epochs", "5", "--json")
    first = json.loads(answer.out)["training"]["first_divergence"]
    assert answer.code == 1
    assert json.loads(answer.out)["verdict"] == "disagree"
    assert (first["epoch"], first["sample"]) == (0, "Alice")
    shown = compare("run", "--epochs", "5")
    assert shown.code == 1
    assert "First divergence: epoch 0, Alice, " in shown.out
    assert re.search(r"^disagree: ", shown.out, flags=re.MULTILINE)
    assert "by hand is off" in " ".join(shown.out.split())


def test_a_person_of_ones_own() -> None:
    ended = compare("run", "--weight", "128", "--height", "63")
    assert ended.code == 0
    assert re.search(r"You +128 lb +63 in +0\.951 F +0\.951 F", ended.out)
    assert "Warning" not in ended.out
    words = ["--weight", "58.05982336", "--height", "160.02", "--units", "metric", "--json"]
    metric = json.loads(compare("run", *words).out)["predictions"]["You"]
    assert abs(metric["by_hand"] - 0.951) < 5e-4
    assert metric["label"] == "F"
    assert metric["warnings"] == []


def test_a_person_outside_the_training_range() -> None:
    words = ("run", "--epochs", 0, "--weight", "200", "--height", "59")
    out = " ".join(compare(*words).out.split())
    ending = "; the network extrapolates."
    assert f"weight 200 lb lies outside the training range, 120 to 160 lb{ending}" in out
    assert f"height 59 in lies outside the training range, 60 to 72 in{ending}" in out
    told = json.loads(compare(*words, "--json").out)["predictions"]["You"]
    assert [warning.split()[0] for warning in told["warnings"]] == ["weight", "height"]


def test_predictions_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the network that each has trained, by both."""
    right = manual.article.feedforward
    monkeypatch.setattr(manual.article, "feedforward", lambda *at: right(*at) * (1 + 1e-9))
    ended = compare("run", "--epochs", "5")
    assert ended.code == 1
    last = ended.out.splitlines()[-1]
    assert last == "disagree: the predictions differ by more than rounding explains"
    answer = json.loads(compare("run", "--epochs", "5", "--json").out)
    assert answer["verdict"] == "disagree"


def test_each_prediction_is_of_its_own_network() -> None:
    trainings = Trainings(
        np.empty((0, 2)),
        None,
        0.0,
        manual.article.draw_parameters(1),
        manual.article.draw_parameters(2),
    )
    (emily, _) = predict(trainings, NEWCOMERS)
    x = [-7.0, -3.0]
    assert emily.by_hand == manual.article.feedforward(trainings.by_hand, x)
    np.testing.assert_allclose(
        emily.autodiff, manual.article.feedforward(trainings.autodiff, x), rtol=1e-14
    )


@pytest.mark.slow
def test_a_warning_where_the_network_has_not_learned() -> None:
    out = compare("run", "--learning-rate", "1e10", "--epochs", "20").out
    assert "no better than always answering one half" in " ".join(out.split())


@pytest.mark.slow
def test_regress(tmp_path: Path) -> None:
    csv, plot = tmp_path / "rent.csv", tmp_path / "rent.svg"
    csv.write_text("city,area,rooms,rent\nA,50,4,700\nB,80,1,1000\nC,120,4,1500\nD,60,2,850\n")
    words = ("regress", str(csv), "--feature", "area", "--feature", "rooms")
    ended = compare(*words, "--plot", plot)
    assert ended.code == 0
    assert ended.out.splitlines()[-1].startswith("agree: ")
    assert plot.read_text().startswith("<?xml")
    for name in ("area", "rooms", "intercept"):
        closed, *descents = map(
            float, re.findall(rf"^{name} +(\S+) +(\S+) +(\S+)", ended.out, re.M)[0]
        )
        assert descents == pytest.approx([closed] * 2, rel=1e-9)


def test_a_warning_where_the_descent_has_not_arrived() -> None:
    assert "give it more --steps" in compare("regress", "bdims", "--steps", "3").out


@pytest.mark.parametrize(
    "kind", one_of_each(["exam", "sigmoid", "surface", "loss", "residuals"], ["exam"])
)
def test_plot(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"{kind}.png"
    assert compare("plot", kind, str(file)).code == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_an_unwritable_plot(tmp_path: Path) -> None:
    folder = tmp_path / "a.svg"
    folder.mkdir()
    assert "is a directory; expected a file" in compare("plot", "exam", str(folder)).err
    assert "File name too long; expected a file" in compare("plot", "exam", "9" * 300 + ".svg").err


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
    match = re.fullmatch(r"\s*Stopped after (\d+) of 1000000 epochs\.\n", err)
    assert match, err
    assert int(match[1]) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["break >&-", "break 2>&-", "explain w1 <&-", "explain w1 <&- 2>&-"]
)
def test_without_a_standard_stream(words: str) -> None:
    command = f"{sys.executable} -m compare {words}"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


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


@pytest.mark.slow
@pytest.mark.parametrize("errors", ["2> >(true)", "2>/dev/full"])
def test_what_is_wrong_ends_with_2_though_nobody_can_read_it(errors: str) -> None:
    command = ["bash", "-c", f"{sys.executable} -m compare nope {errors}"]
    assert subprocess.run(command, check=False).returncode == 2


def test_colours_on_a_terminal_unless_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR stands for a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    green = "\x1b[32m"
    assert green in compare("run", "--epochs", 0).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert green not in compare("run", "--epochs", 0).out


@pytest.mark.slow
def test_a_terminal_without_the_signs() -> None:
    with started("break", env=os.environ | {"PYTHONIOENCODING": "ascii"}) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "?L/?w5 and ?L/?w6 are exchanged" in out
