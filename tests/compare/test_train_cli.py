"""`compare train`, end to end."""

import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import manual.network
from compare.data import split
from compare.limits import shape
from manual.affine import Layer
from manual.network import Network
from tests.compare.calls import HAND, biased, compare, dataset, one_object, refused, signalled
from tests.tiers import one_of_each, slowly

BOTH = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 2)


@pytest.mark.slow
def test_json_by_both(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    answer = one_object(compare(*BOTH, "--json", "--out", path))
    assert list(answer["by"]) == ["hand", "autodiff"]
    assert answer["training"]["first_divergence"] is None
    assert 0 <= answer["training"]["max_drift_ulps"] < 1000
    assert (answer["model"], answer["verdict"]) == (str(path), "agree")


def test_a_file_is_replaced_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    ended = compare(*HAND, "--out", path)
    assert (ended.code, ended.err) == (0, "")
    assert f"Model: {path}" in ended.out
    content = path.read_bytes()
    assert "is there already" in refused(*HAND, "--out", path)
    assert path.read_bytes() == content
    assert compare(*HAND, "--seed", 1, "--out", path, "--overwrite").code == 0
    assert path.read_bytes() != content


@pytest.mark.parametrize("by", ["hand", slowly("autodiff"), slowly("both")])
@pytest.mark.parametrize("dtype", ["float64", slowly("float32")])
@pytest.mark.parametrize("name", ["digits", "diabetes"])
def test_what_is_written_predicts(tmp_path: Path, name: str, by: str, dtype: str) -> None:
    """By NumPy and `manual.network.predict` alone, as the training itself did."""
    path, data = tmp_path / "trained.npz", dataset(name)
    sizes, loss = {"digits": ((64, 8, 10), "softmax-ce"), "diabetes": ((10, 8, 1), "mse")}[name]
    network = Network(sizes, output="identity", loss=loss)
    words = ("--data", name, "--network", shape(sizes), "--epochs", 9, "--by", by, "--dtype", dtype)
    answer = one_object(compare("train", *words, "--out", path, "--json"))
    score = next(iter(answer["by"].values()))
    _, rows = split(data.y, 0.2, 0)
    with np.load(path) as of:
        layers = [Layer(of[f"w{k}"], of[f"b{k}"]) for k in (0, 1)]
        assert {array.dtype.name for layer in layers for array in layer} == {dtype}
        x = (data.x[rows] - of["x_mean"]) / of["x_sd"]
        said = manual.network.predict(network, layers, x.astype(dtype))
        wrong = (said[:, 0] * of["y_sd"] + of["y_mean"] - data.y[rows]) / of["y_sd"]
    if name == "digits":
        right = np.mean(said.argmax(axis=1) == data.y[rows])
        assert right == score["test_accuracy"] > 0.5
    else:
        assert np.mean(wrong**2) == pytest.approx(score["test_loss"], rel=1e-5)
        assert score["test_loss"] < 0.9


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.npz"
    path.write_text("old")

    def full(file: Any, **_: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    ended = compare(*HAND, "--json", "--out", path, "--overwrite")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"Error: [Errno 28] No space left on device: '{path}'.\n"
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


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


#: How the first layer's derivatives by hand are changed, the exit code, and what is said.
WRONG: dict[str, tuple[Any, int, str]] = {
    "a sign": (
        lambda g: g._replace(b=-g.b),
        1,
        r"disagree: update 0, gradient of params\[0\]\.b\[0\]: by hand .*the one by hand is off",
    ),
    "no number": (lambda g: g._replace(b=g.b * np.nan), 1, "by hand nan, by autodiff .* is off"),
    "a shape": (
        lambda g: g._replace(w=g.w.T),
        1,
        r"disagree: update 0, gradient of params\[0\]\.w: by hand it has shape \(7, 4\) and ",
    ),
    "a dtype": (lambda g: g._replace(w=g.w.astype("f4")), 1, r"has shape \(4, 7\) and float32"),
    # 1 says that the two sides disagree; of a mistake in a line nothing is known but where.
    "a line that breaks": (lambda g: 1 / 0, 70, "^.*Traceback .*ZeroDivisionError: division"),
}


@pytest.mark.parametrize("wrong", one_of_each(WRONG, ["a shape"]))
def test_a_wrong_gradient_ends_the_command(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    change, code, says = WRONG[wrong]
    right = manual.network.backward

    def changed(network: Any, cache: Any) -> Any:
        first, *others = right(network, cache)
        return [change(first), *others]

    monkeypatch.setattr(manual.network, "backward", changed)
    ended = compare(*BOTH)
    assert ended.code == code
    assert re.search(says, " ".join(f"{ended.out}{ended.err}".split()))


@pytest.mark.slow
def test_both_run_away_after_they_disagreed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the mistake, not the learning rate, and nothing is written."""
    monkeypatch.setattr(manual.network, "backward", biased)
    path = tmp_path / "m.npz"
    words = ("train", "--data", "davis", "--loss", "mse", "--output", "identity", "--out", path)
    fast = ("--activation", "identity", "--optimiser", "sgd", "--learning-rate", 0.9)
    ended = compare(*words, *fast)
    assert ended.code == 1
    assert ended.err.startswith("disagree: update 0, gradient of params[0].b[0]: by hand ")
    assert ended.err.endswith(" and the one by hand is off; then it ran away.\n")
    assert not path.exists()


@pytest.mark.slow
def test_an_interruption_says_how_far_it_came(tmp_path: Path) -> None:
    """By hand alone, for which no JAX is loaded."""
    words = (*HAND[:5], "--epochs", 100_000, "--out", tmp_path / "stopped.npz")
    no_jax = "import sys; sys.modules['jax'] = sys.modules['optax'] = None\n"
    with signalled(signal.SIGINT, 7, *words, code=no_jax) as process:
        _, err = process.communicate()
    assert process.returncode == 130
    assert re.fullmatch(r"\nStopped after \d+ of 100000 epochs\.\n", err)
    assert list(tmp_path.iterdir()) == []
