"""`compare train`, `resume`, and `predict --model`, end to end."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

import manual.network
from compare import interrupts
from compare.networks.files import load
from tests.compare.networks.calls import (
    HAND,
    VALUES,
    arrays,
    biased,
    compare,
    one_object,
    refused,
    signalled,
    started,
)

SCORES = ["train_accuracy", "test_accuracy", "train_loss", "test_loss"]
KEYS = ["data", "network", "seed", "by", "training", "model", "verdict"]


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("iris") / "iris.npz"
    assert compare(*HAND, "--out", path).code == 0
    return path


def test_json_by_both(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 3, "--seed", 5)
    answer = one_object(compare(*words, "--json", "--out", path))
    assert list(answer) == KEYS
    assert list(answer["by"]) == ["hand", "autodiff"]
    for scores in answer["by"].values():
        assert list(scores) == SCORES
        assert 0.2 < scores["train_accuracy"] <= 1
        assert 0.2 < scores["train_loss"] < 3
    assert list(answer["training"]) == ["first_divergence", "max_drift_ulps"]
    assert answer["training"]["first_divergence"] is None
    assert 0 <= answer["training"]["max_drift_ulps"] < 1000
    assert (answer["data"], answer["network"], answer["seed"]) == ("iris", "4-7-3", 5)
    assert (answer["model"], answer["verdict"]) == (str(path), "agree")
    said = one_object(compare("predict", "--model", path, *VALUES, "--json"))
    (row,) = said["rows"]
    assert list(row["by"]) == ["hand", "autodiff"]
    shown = compare("resume", path, "--epochs", 4)
    assert (shown.code, shown.err) == (0, "")
    assert "agree: 16 updates, each taken by both from common parameters" in " ".join(
        shown.out.split()
    )


def test_json_by_hand() -> None:
    answer = one_object(compare(*HAND, "--json"))
    assert (list(answer), list(answer["by"])) == (KEYS, ["hand"])
    assert (answer["training"], answer["model"], answer["verdict"]) == (None, None, None)


def test_json_of_a_number() -> None:
    words = ("train", "--data", "diabetes", "--by", "hand", "--epochs", 2, "--json")
    scores = one_object(compare(*words))["by"]["hand"]
    assert scores["train_accuracy"] is scores["test_accuracy"] is None
    assert 0 < scores["train_loss"] < 5


def test_text_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    ended = compare(*HAND, "--out", path)
    assert (ended.code, ended.err) == (0, "")
    assert "120 rows to train on, 30 to test on" in ended.out
    assert "Network 4-8-3" in ended.out
    assert f"Model: {path}" in ended.out
    assert "autodiff" not in ended.out
    assert "\x1b" not in ended.out


def test_no_epochs(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    answer = one_object(compare(*HAND[:-1], 0, "--json", "--out", path))
    assert answer["by"]["hand"]["train_loss"] > 0.5
    assert compare("resume", path, "--epochs", 3, "--json").code == 0
    other = tmp_path / "other.npz"
    assert compare(*HAND, "--out", other).code == 0
    assert arrays(path) == arrays(other)


def test_the_options_matter() -> None:
    def scores(*words: Any) -> Any:
        return one_object(compare(*HAND, "--json", *words))["by"]["hand"]

    usual = scores()
    assert scores() == usual
    for words in (
        ("--seed", 1),
        ("--activation", "tanh"),
        ("--loss", "mse"),
        ("--l2", 0.1),
        ("--optimiser", "sgd"),
        ("--learning-rate", 0.1),
        ("--batch", 7),
        ("--test", 0.5),
        ("--dtype", "float32"),
        ("--network", "4-5-5-3"),
        ("--epochs", 4),
    ):
        assert scores(*words) != usual, words
    assert scores("--feature", "petal width (cm)") != usual


@pytest.mark.slow
def test_by_hand_loads_no_jax(tmp_path: Path) -> None:
    """Neither to train, nor to go on, nor to predict."""
    path = str(tmp_path / "model.npz")
    calls = [[*map(str, HAND), "--out", path], ["resume", path, "--epochs", "4"]]
    calls.append(["predict", "--model", path, *VALUES])
    code = f"""
import sys
from compare.cli import main
for words in {calls!r}:
    sys.argv = ["compare", *words]
    try: main()
    except SystemExit as ending: assert ending.code == 0, (words, ending.code)
    assert not {{"jax", "optax"}} & set(sys.modules), words
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def change_first(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Change the first layer's derivatives by hand."""
    right = manual.network.backward

    def wrong(network: Any, cache: Any) -> Any:
        first, *others = right(network, cache)
        return [change(first), *others]

    monkeypatch.setattr(manual.network, "backward", wrong)


def test_a_wrong_side_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    change_first(monkeypatch, lambda layer: layer._replace(b=-layer.b))
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 2)
    answer = one_object(compare(*words, "--json"), code=1)
    assert answer["verdict"] == "disagree"
    found = answer["training"]["first_divergence"]
    assert (found["update"], found["quantity"], found["off"]) == (0, "gradient", "by_hand")
    assert found["parameter"] == "params[0].b[0]"
    ended = compare(*words)
    assert (ended.code, ended.err) == (1, "")
    text = " ".join(ended.out.split())
    assert "disagree: update 0, gradient of params[0].b[0]: by hand" in text
    assert "and the one by hand is off" in text


def test_a_side_of_nan_ends_with_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right = manual.network.backward
    change_first(monkeypatch, lambda layer: layer._replace(b=layer.b * np.nan))
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 2)
    path = tmp_path / "m.npz"
    answer = one_object(compare(*words, "--out", path, "--json"), code=1)
    assert answer["verdict"] == "disagree"
    assert answer["training"]["first_divergence"]["by_hand"] is None
    # The file has the newest parameters that are finite, and records that the sides disagreed.
    model = load(path)
    assert model.progress.epochs == 0
    assert model.progress.first_divergence is not None
    text = compare(*words, "--out", path, "--overwrite").out
    assert f"Model: {path}, as it was after 0 epochs; later ones ran away\n" in text
    # Corrected, it goes on from there, and the verdict stays.
    monkeypatch.setattr(manual.network, "backward", right)
    ended = compare("resume", path)
    assert ended.code == 1
    assert "none of them are done." in ended.out
    assert "disagree: before this run, in update 0, gradient of" in " ".join(ended.out.split())
    assert load(path).progress.epochs == 2


@pytest.mark.slow
def test_both_run_away_after_they_disagreed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the mistake, not the learning rate; the file records it as well."""
    monkeypatch.setattr(manual.network, "backward", biased)
    path = tmp_path / "m.npz"
    words = ("train", "--data", "davis", "--loss", "mse", "--output", "identity", "--out", path)
    fast = ("--activation", "identity", "--optimiser", "sgd", "--learning-rate", 0.9)
    ended = compare(*words, *fast, "--checkpoint-every", 3600)
    assert ended.code == 1
    assert ended.err.startswith("disagree: update 0, gradient of params[0].b[0]: by hand ")
    assert ended.err.endswith(" and the one by hand is off; then it ran away.\n")
    found = load(path).progress.first_divergence
    assert found is not None
    assert found.update == 0
    assert compare("predict", "--model", path, "weight=60", "height=168").code == 1


def test_a_program_that_breaks_does_not_end_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 says that the two sides disagree; of a mistake in a line nothing is known but where."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("in a hand-written line")

    monkeypatch.setattr(manual.network, "backward", broken)
    ended = compare(*HAND)
    assert ended.code == 70
    assert ended.err.startswith("Traceback")
    assert ended.err.endswith("ZeroDivisionError: in a hand-written line\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda g: g._replace(b=g.b + np.zeros((2, 1))), "params[0].b has shape (2, 7) and"),
        (lambda g: g._replace(w=g.w.T), "params[0].w has shape (7, 4) and float64"),
        (lambda g: g._replace(w=g.w.astype("f4")), "params[0].w has shape (4, 7) and float32"),
    ],
)
def test_a_gradient_of_another_form_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: Any, expected: str
) -> None:
    change_first(monkeypatch, change)
    path = tmp_path / "m.npz"
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 2, "--json")
    ended = compare(*words, "--out", path)
    assert (ended.code, ended.out) == (1, "")
    name, reason = expected.split(" ", 1)
    assert ended.err.startswith(f"disagree: update 0, gradient of {name}: by hand it {reason}")
    assert ended.err.count("\n") == 1
    assert compare("predict", "--model", path, *VALUES).code == 1
    assert compare("train", "--by", "hand", *words[1:]).code == 1


@pytest.mark.slow
def test_the_progress_bar_has_loss_and_accuracy() -> None:
    """Where standard error is a terminal, and nowhere else."""
    mine, terminal = pty.openpty()
    with started(*HAND[:5], "--epochs", 30, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal that nobody holds open
            while part := os.read(mine, 4096):
                shown += part
        process.communicate(timeout=60)
    os.close(mine)
    assert process.returncode == 0
    last = [line for line in re.split(rb"[\r\n]+", shown) if b"epochs" in line][-1]
    assert re.search(rb"30/30.* epochs .*loss 0\.\d+, accuracy 0\.\d+", last), last


def test_resume_refuses_fewer_epochs(iris: Path) -> None:
    content = iris.read_bytes()
    assert "--epochs 2; expected at least 3, which are done" in refused(
        "resume", iris, "--epochs", 2
    )
    assert "Missing argument 'FILE'" in refused("resume")
    assert iris.read_bytes() == content
    done = one_object(compare("resume", iris, "--json"))
    assert done["model"] == str(iris)


@pytest.mark.slow
def test_a_plot(tmp_path: Path) -> None:
    picture = tmp_path / "loss.svg"
    ended = compare(*HAND, "--plot", picture)
    assert (ended.code, ended.err) == (0, "")
    assert f"Loss curves: {picture}" in ended.out
    assert b"<svg" in picture.read_bytes()[:400]


@pytest.mark.slow
def test_an_interruption_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    path, alone = tmp_path / "stopped.npz", tmp_path / "alone.npz"
    words = [*HAND[:5], "--epochs", 100_000, "--checkpoint-every", 3600]
    with signalled(signal.SIGINT, 7, *words, "--out", path) as process:
        _, err = process.communicate()
    assert process.returncode == 130
    with np.load(path) as archive:
        done = len(archive["losses"])
    assert 0 < done < 100_000
    onward = f"`python -m compare resume {path}` goes on"
    assert err == f"\nStopped after {done} of 100000 epochs; {onward}.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["stopped.npz"]
    assert compare("resume", path, "--epochs", done + 5, "--json").code == 0
    assert compare(*HAND[:5], "--epochs", done + 5, "--out", alone).code == 0
    assert arrays(path) == arrays(alone)


def test_an_interruption_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interrupts, "check", interrupted)
    monkeypatch.setattr(os, "_exit", sys.exit)
    assert compare(*HAND) == (130, ANY, "\nStopped after 1 of 3 epochs.\n")
