"""`compare predict --model`, end to end: predictions, warnings, verdicts, refusals."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import manual.network
from compare.networks.files import load, save
from manual.network import Network
from tests.compare.networks.calls import (
    FEATURES,
    HAND,
    VALUES,
    biased,
    compare,
    one_object,
    refused,
)
from tests.tiers import one_of_each


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("iris") / "iris.npz"
    assert compare(*HAND, "--out", path).code == 0
    return path


def test_features_by_name(iris: Path) -> None:
    usual = one_object(compare("predict", "--model", iris, *VALUES, "--json"))
    assert list(usual) == ["target", "classes", "rows", "warnings", "first_divergence", "verdict"]
    assert (usual["warnings"], usual["first_divergence"], usual["verdict"]) == ([], None, None)
    (row,) = usual["rows"]
    assert row["features"] == dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))
    said = row["by"]["hand"]
    assert said["prediction"] in usual["classes"]
    chances = said["probabilities"]
    assert list(chances) == usual["classes"]
    assert sum(chances.values()) == pytest.approx(1)
    assert max(chances, key=chances.get) == said["prediction"]
    apart = [part for text in VALUES for part in ("--" + text).split("=")]
    for words in (VALUES[::-1], apart):
        assert one_object(compare("predict", "--model", iris, *words, "--json")) == usual
    text = compare("predict", "--model", iris, *VALUES)
    assert (text.code, text.err) == (0, "")
    assert said["prediction"] in text.out
    assert text.out.endswith("\n\nNot compared: one of the two trained alone.\n")


BAD_FEATURES: list[tuple[list[str], str]] = [
    (VALUES[:-1], "no value for petal width (cm); expected NAME=VALUE for each feature"),
    ([*VALUES, "petal with (cm)=1"], "no feature 'petal with (cm)'"),
    ([*VALUES, VALUES[0]], "'sepal length (cm)' a second time; expected each feature once"),
    ([*VALUES[:-1], "petal width (cm)=1e308"], "'1e308'; expected a finite number of size at most"),
    ([*VALUES, "--seed", "3"], "--seed beside --model"),
    ([*VALUES, "--out", "x.csv"], "--out without --csv"),
    ([*VALUES, "--csv", "absent.csv"], "features beside --csv"),
]


@pytest.mark.parametrize(("words", "expected"), BAD_FEATURES)
def test_bad_features(iris: Path, words: list[str], expected: str) -> None:
    assert expected in refused("predict", "--model", iris, *words, "--json")


def test_far_from_everything(tmp_path: Path, iris: Path) -> None:
    far = (1e100, -1e100, 0, 7)
    words = [f"{name}={value}" for name, value in zip(FEATURES, far, strict=True)]
    ended = compare("predict", "--model", iris, *words)
    assert ended.code == 0
    warnings = ended.err.splitlines()
    assert len(warnings) == 3
    assert warnings[0].startswith("Warning: sepal length (cm) 1e+100 lies 1.24e+100 standard dev")
    answer = one_object(compare("predict", "--model", iris, *words, "--json"))
    assert [f"Warning: {warning}." for warning in answer["warnings"]] == warnings
    path = tmp_path / "float32.npz"
    assert compare(*HAND, "--dtype", "float32", "--out", path).code == 0
    said = refused("predict", "--model", path, *words)
    assert "row 1: too far from what the network was trained on, in float32" in said


def test_a_table(tmp_path: Path, iris: Path) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    header = ["id", *FEATURES[::-1], "a, note"]
    rows = [["a1", "0.2", "1.4", "3.50", "5.1", 'said "hm"'], ["", "2.5", "6.0", "3.3", "6.3", "é"]]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    ended = compare("predict", "--model", iris, "--csv", table, "--out", out)
    assert (ended.code, ended.err) == (0, "")
    assert f"2 predictions from {table}: {out}" in ended.out
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == [*header, "predicted species", "probability"]
    assert [row[:-2] for row in found[1:]] == rows
    answer = one_object(compare("predict", "--model", iris, "--csv", table, "--json"))
    for row, said in zip(found[1:], answer["rows"], strict=True):
        by_hand = said["by"]["hand"]
        assert row[-2] == by_hand["prediction"]
        assert float(row[-1]) == max(by_hand["probabilities"].values())
    printed = compare("predict", "--model", iris, "--csv", table)
    assert printed.out == out.read_text(encoding="utf-8")
    content = out.read_bytes()
    words = ("predict", "--model", iris, "--csv", table, "--out", out)
    assert "is there already; expected a new file for --out, or --overwrite" in refused(*words)
    assert out.read_bytes() == content
    out.write_text("old")
    assert compare(*words, "--overwrite").code == 0
    assert out.read_bytes() == content
    said = refused("predict", "--model", iris, "--csv", out)
    assert "a column 'predicted species' is there already; expected a file without it" in said


def test_rows_far_from_everything(tmp_path: Path, iris: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text(",".join(FEATURES) + "\n5,3,1,0.2\n50,3,1,0.2\n60,3,1,0.2\n")
    ended = compare("predict", "--model", iris, "--csv", table)
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 4
    assert re.fullmatch(r"Warning: sepal .* 60 in line 4 lies .*; 1 more beyond 4\.\n", ended.err)


@pytest.mark.slow
def test_a_model_that_is_not_done_says_so(tmp_path: Path, iris: Path) -> None:
    path = tmp_path / "m.npz"
    save(replace(load(iris), epochs=9), path)
    answer = one_object(compare("predict", "--model", path, *VALUES, "--json"))
    assert answer["warnings"] == ["3 of the model's 9 epochs are done"]


@pytest.mark.slow
def test_a_model_of_two_sides_that_disagreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, table = tmp_path / "model.npz", tmp_path / "in.csv"
    table.write_text(",".join(FEATURES) + "\n5,3,1,0.2\n")
    monkeypatch.setattr(manual.network, "backward", biased)
    words = ("train", "--data", "iris", "--network", "4-7-3", "--epochs", 1, "--out", path)
    assert compare(*words).code == 1
    predict = ("predict", "--model", path)
    warning = "the two trainings of this model disagreed; a new one tells where"
    answer = one_object(compare(*predict, *VALUES, "--json"), code=1)
    assert (answer["warnings"], answer["verdict"]) == ([warning], "disagree")
    assert answer["first_divergence"] is None
    text, csv_file = compare(*predict, *VALUES), compare(*predict, "--csv", table)
    for ended, last in ((text, text.out), (csv_file, csv_file.err)):
        assert ended.code == 1
        assert ended.err.startswith(f"Warning: {warning}.\n")
        assert "\ndisagree: the two trainings of this model; the predictions lie within" in last


def _hardly(network: Network, params: Any, x: Any) -> Any:
    return PREDICT(network, params, x) * (1 + 1e-9)


def _late(network: Network, params: Any, x: Any) -> Any:
    """Only the last row is wrong."""
    right = PREDICT(network, params, x)
    return right + 1e-6 * (np.arange(len(x)) == 2)[:, None]


PREDICT = manual.network.predict

#: Data, and an example of its features.
EXAMPLES = {"davis": ["weight=60", "height=168"], "iris": VALUES, "diabetes": ["bmi=26"]}


@pytest.mark.parametrize("data", one_of_each(EXAMPLES, ["davis"]))
def test_predictions_of_two_sides_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    """A billionth more than is right is seen, in any row; and so are logits for probabilities."""
    path, table, out = tmp_path / "m.npz", tmp_path / "in.csv", tmp_path / "out.csv"
    features = ["--feature", "bmi"] if data == "diabetes" else []
    train = ("train", "--data", data, *features, "--epochs", 0, "--out", path)
    sizes = f"{len(EXAMPLES[data])}-7-{3 if data == 'iris' else 1}"
    assert compare(*train, "--network", sizes).code == 0
    ask = ("predict", "--model", path)
    names, values = zip(*(text.split("=") for text in EXAMPLES[data]), strict=True)
    table.write_text("".join(",".join(row) + "\n" for row in (names, values, values, values)))

    right = compare(*ask, *EXAMPLES[data])
    assert (right.code, right.err) == (0, "")
    assert right.out.endswith("agree: by hand and by autodiff, every prediction within rounding\n")
    answer = one_object(compare(*ask, *EXAMPLES[data], "--json"))
    assert (answer["first_divergence"], answer["verdict"]) == (None, "agree")
    printed = compare(*ask, "--csv", table)
    assert (printed.code, printed.out.count("\n")) == (0, 4)
    assert printed.err == "agree: by hand and by autodiff, every prediction within rounding\n"

    monkeypatch.setattr(manual.network, "predict", _hardly)
    wrong = compare(*ask, *EXAMPLES[data])
    assert (wrong.code, wrong.err) == (1, "")
    assert "\ndisagree: prediction" in wrong.out
    assert "by hand is off" in " ".join(wrong.out.split())
    found = one_object(compare(*ask, *EXAMPLES[data], "--json"), code=1)["first_divergence"]
    assert (found["row"], found["output"], found["along"], found["off"]) == (0, 0, *["by_hand"] * 2)
    assert found["by_hand"] == pytest.approx(found["autodiff"] * (1 + 1e-9), rel=1e-12)
    assert abs(found["by_hand"] - found["autodiff"]) > found["bound"] > 0
    with monkeypatch.context() as patch:
        patch.setattr(manual.network, "predict", PREDICT)
        patch.setattr(manual.network, "LINKS", {})
        assert compare(*ask, *EXAMPLES[data]).code == int(data != "diabetes")
    monkeypatch.setattr(manual.network, "predict", _late)
    written = compare(*ask, "--csv", table, "--out", out)
    assert (written.code, out.read_text().count("\n")) == (1, 4)
    assert "in row 2: by hand" in " ".join(written.out.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", "sepal length (cm)"),
        (",".join(FEATURES) + "\n1,2,3,wide\n", "line 2, column petal width"),
    ],
)
def test_bad_tables(tmp_path: Path, iris: Path, text: str, expected: str) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    table.write_text(text)
    assert expected in refused("predict", "--model", iris, "--csv", table, "--out", out)
    assert not out.exists()
