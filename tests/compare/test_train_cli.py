"""`compare train`, `resume`, and `predict --model`, end to end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

import manual.network
from compare.commands import networks
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
)


@pytest.mark.slow
def test_json_by_both(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 3, "--seed", 5)
    answer = one_object(compare(*words, "--json", "--out", path))
    assert list(answer) == ["data", "network", "seed", "by", "training", "model", "verdict"]
    assert list(answer["by"]) == ["hand", "autodiff"]
    for scores in answer["by"].values():
        assert list(scores) == ["train_accuracy", "test_accuracy", "train_loss", "test_loss"]
        assert 0.2 < scores["train_accuracy"] <= 1
        assert 0.2 < scores["train_loss"] < 3
    assert list(answer["training"]) == ["first_divergence", "max_drift_ulps"]
    assert answer["training"]["first_divergence"] is None
    assert 0 <= answer["training"]["max_drift_ulps"] < 1000
    assert (answer["data"], answer["network"], answer["seed"]) == ("iris", "4-7-3", 5)
    assert (answer["model"], answer["verdict"]) == (str(path), "agree")
    shown = compare("resume", path, "--epochs", 4)
    assert (shown.code, shown.err) == (0, "")
    assert "agree: 16 updates, each taken by both from common" in " ".join(shown.out.split())


def test_text_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    ended = compare(*HAND, "--out", path)
    assert (ended.code, ended.err) == (0, "")
    assert "120 rows to train on, 30 to test on" in ended.out
    assert "Network 4-8-3" in ended.out
    assert f"Model: {path}" in ended.out
    assert "autodiff" not in ended.out
    assert "\x1b" not in ended.out
    content = path.read_bytes()
    said = refused("resume", path, "--epochs", 2)
    assert "--epochs 2; expected at least 3, which are done" in said
    assert path.read_bytes() == content


def test_the_options_matter() -> None:
    def scores(*words: Any) -> Any:
        return one_object(compare(*HAND, "--json", *words))["by"]["hand"]

    usual = scores()
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
        ("--feature", "petal width (cm)"),
    ):
        assert scores(*words) != usual, words


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


@pytest.mark.slow
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
    offer = networks._Checkpoints.offer

    def interrupted(*now: Any) -> None:
        offer(*now)
        raise KeyboardInterrupt

    monkeypatch.setattr(networks._Checkpoints, "offer", interrupted)
    monkeypatch.setattr(os, "_exit", sys.exit)
    assert compare(*HAND) == (130, ANY, "\nStopped after 1 of 3 epochs.\n")
