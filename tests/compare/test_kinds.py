"""A file of another kind than expected is called what it is, by all commands that read files."""

import os
import re
from pathlib import Path

import pytest

from benchmarks.files import STORED_RESULTS
from compare.kinds import MODEL, OWN, PARAMETERS, expect, kind_of
from compare.wording import InputError
from handgrad.commands.file_kinds import CSV
from tests.compare.networks.calls import FEATURES, HAND, compare, refused
from tests.files_of_kinds import CONTENTS, database
from tests.test_project import tracked

HOW = {
    MODEL: f"{MODEL} with --out",
    PARAMETERS: f"{PARAMETERS}, as docs/teaching.md shows",
    CSV: CSV,
}

#: What reads a file, FILE in it, and the kind that it expects.
READERS = {
    "explain w1 --params FILE": PARAMETERS,
    "step --params FILE": PARAMETERS,
    "step --model FILE": MODEL,
    "resume FILE": MODEL,
    "predict --model FILE x=1": MODEL,
    "train --data FILE --target y": CSV,
    "regress FILE": CSV,
    "plot residuals out.svg --table FILE": CSV,
}


@pytest.mark.parametrize(("kind", "content"), CONTENTS, ids=[kind for kind, _ in CONTENTS])
def test_a_kind_is_told_by_the_first_bytes(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    assert kind_of(path) == kind


def test_a_database(tmp_path: Path) -> None:
    database(tmp_path / "mine.csv")
    assert kind_of(tmp_path / "mine.csv") == "an SQLite database"


def test_an_archive_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.npz"
    path.write_bytes(dict(CONTENTS)["a NumPy archive (.npz)"][:-9])
    assert kind_of(path) == "a zip archive that is cut short or damaged"


#: Text that begins as another format does.
OTHERWISE = {
    "GIF8 is a word\n": "text",
    "MZ and PK, 1\n": "text",
    "# A comment\n\nkey: value\n": "text",
    "# A comment\n\na,b\nc,d\n": "text",
    "# Notes\n\n[here](there)": "Markdown",
    "# Notes\r\n\r\nOf these:\r\n\r\n## One\r\n": "Markdown",
}


@pytest.mark.parametrize("text", OTHERWISE)
def test_text_that_could_be_taken_for_another(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.gif"
    path.write_text(text)
    assert kind_of(path) == OTHERWISE[text]


#: What this repository's files are, by the end of their names. A module may be empty, or only have
#: a docstring or constants; rows of a table may have lengths of their own.
ENDINGS = {
    ".css": {"text"},
    ".csv": {"a CSV file", "an empty file", "text"},
    ".html": {"an HTML page"},
    ".js": {"text"},
    ".json": {"JSON"} | {kind.name for kind in OWN},
    ".jsonl": {"text"},
    ".md": {"Markdown"},
    ".py": {"Python code", "an empty file", "text"},
    ".svg": {"an SVG image"},
    ".toml": {"text"},
    ".yml": {"text"},
}


def test_the_repositorys_own_files_are_what_their_names_say() -> None:
    found = {path: kind_of(path) for path in tracked() if path.suffix in ENDINGS}
    assert {path.suffix for path in found} == set(ENDINGS)
    assert {p: kind for p, kind in found.items() if kind not in ENDINGS[p.suffix]} == {}
    for path in [path for path, kind in found.items() if kind == "text"]:
        text = path.read_text(encoding="utf-8")
        assert path.suffix != ".py" or not re.search("^(import|from|def|class) ", text, re.M), path
        assert path.suffix != ".csv" or path.name == "ragged.csv"


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_says_what_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = HOW[READERS[reader]]
    words = reader.replace("FILE", "mine.txt").split()
    for kind, content in CONTENTS:
        if kind == "text":  # of which the reader says more
            continue
        Path("mine.txt").write_bytes(content)
        assert refused(*words) == f"mine.txt: {kind}; expected {expected}."
    Path("mine.txt").unlink()
    Path("mine.txt").mkdir()
    assert refused(*words) == f"mine.txt: a folder; expected {expected}."
    device = refused(*reader.replace("FILE", os.devnull).split())
    assert device.startswith(f"{os.devnull}: no regular file; expected a ")


#: Our own files: the command that prints one, and what the file is called.
PRINTED = {
    "step": "what `compare step --json` prints",
    "explain w1": "what `compare explain --json` prints",
    "run --epochs 1": "what `compare run --json` prints",
    "train --data iris --epochs 1": "what `compare train --json` prints",
    "predict --weight 128 --height 63 --epochs 1": "what `compare predict --json` prints",
    "predict --model model.npz --csv iris.csv": "what `compare predict --json` prints",
    "sweep --cases 10": "what `compare sweep --json` prints",
    "replay --case 1": "what `compare replay --json` prints",
    "prove": "what `compare prove --json` prints",
    "regress --steps 1": "what `compare regress --json` prints",
    "break half-mse --epochs 1": "what `compare break --json` prints",
}


@pytest.mark.slow
def test_what_a_command_prints_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert compare(*HAND, "--out", "model.npz").code == 0
    Path("iris.csv").write_text(f"{','.join(FEATURES)}\n5.1,3.5,1.4,0.2\n", encoding="utf-8")
    for words, kind in PRINTED.items():
        ended = compare(*words.split(), "--json")
        assert ended.err == "", words
        Path("printed.json").write_text(ended.out, encoding="utf-8")
        says = f"printed.json: {kind}; expected {MODEL} with --out."
        assert refused("resume", "printed.json") == says
    Path("printed.json").write_text("{}", encoding="utf-8")
    assert refused("resume", "printed.json") == f"printed.json: JSON; expected {MODEL} with --out."
    assert refused("explain", "w1", "--params", "model.npz") == (
        f"model.npz: {MODEL}, for resume and --model; expected {HOW[PARAMETERS]}."
    )
    printed = {kind.name for kind in OWN if kind.name.startswith("what `compare")}
    assert printed == set(PRINTED.values())


def test_stored_measurements_are_called_what_they_are() -> None:
    for name, what in {
        "cpu": "timings",
        "check_times": "times of checks",
        "checkers": "answers of checkers",
    }.items():
        with pytest.raises(InputError, match=f": a JSON file with {what}, for .*; expected {CSV}$"):
            expect(STORED_RESULTS / f"{name}.json", CSV)


def test_no_kind_is_part_of_another() -> None:
    """Which of them is found would depend on their order."""
    for kind in OWN:
        assert not [other for other in OWN if other != kind and set(other.keys) <= set(kind.keys)]
