"""A file of another kind than expected is called what it is, by all commands that read files."""

from pathlib import Path

import pytest

from benchmarks.files import STORED_RESULTS
from compare.kinds import CSV, MODEL, OWN, PARAMETERS, expect
from compare.wording import InputError
from tests.compare.networks.calls import FEATURES, HAND, compare, refused
from tests.files_of_kinds import CONTENTS

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


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_says_what_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = HOW[READERS[reader]]
    words = reader.replace("FILE", "mine.txt").split()
    for kind, content in CONTENTS:
        Path("mine.txt").write_bytes(content)
        assert refused(*words) == f"mine.txt: {kind}; expected {expected}."
    Path("mine.txt").unlink()
    Path("mine.txt").mkdir()
    assert refused(*words) == f"mine.txt: a folder; expected {expected}."


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
