"""Results as a file: what is read is what was written, and other files are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyperf
import pytest

from benchmarks.checkers.results import Results as OfAnswers
from benchmarks.files import STORED_RESULTS, Stored
from benchmarks.results import Results
from benchmarks.statistics import typical
from compare.wording import InputError
from tests.benchmarks.sure import SAMPLE, row_of, stored


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    made = stored("sample", "digits")
    made.left_out, made.refused = ["a: no time left"], ["b: nothing is seen"]
    made.save(tmp_path / "a.json")
    again = Results.load(tmp_path / "a.json")
    for kept in ("about", "left_out", "refused"):
        assert getattr(again, kept) == getattr(made, kept)
    for cell, other in zip(made.cells, again.cells, strict=True):
        assert replace(other, rows=[]) == replace(cell, rows=[])
        assert all(row_of(other, row.name) == row for row in cell.rows)


def test_pyperf_reads_the_file(tmp_path: Path) -> None:
    """`python -m pyperf compare_to`, `stats` and `metadata` take it."""
    made = stored(SAMPLE)
    made.save(tmp_path / "a.json")
    suite = pyperf.BenchmarkSuite.load(str(tmp_path / "a.json"))
    (cell,) = made.cells
    names = [f"{cell.label}/{row.name}" for row in cell.rows if row.timed]
    assert suite.get_benchmark_names() == names
    row = suite.get_benchmark(f"{cell.label}/grad-jit")
    assert (row.get_nrun(), row.get_unit()) == (5, "second")
    assert row.median() == typical(row_of(cell, "grad-jit").samples)


@pytest.mark.parametrize(("kind", "other"), [(Results, "checkers/torch"), (OfAnswers, "cpu")])
def test_another_kind_of_file_is_refused(tmp_path: Path, kind: type[Stored], other: str) -> None:
    file = tmp_path / "figure.json"
    for content in (b"\x89PNG\r\n\x1a\n\x00", b"[" * 100_000, b"9" * 5000, b'["\\ud800"]'):
        file.write_bytes(content)
        with pytest.raises(InputError, match=f"figure.json: no JSON: .*; expected {kind.EXPECTED}"):
            kind.load(file)
    with pytest.raises(InputError, match=f"{other}.json: "):
        kind.load(STORED_RESULTS / f"{other}.json")


def _run(**values: Any) -> Any:
    return lambda found: found["benchmarks"][0]["runs"][0].update(values)


def _row(**values: Any) -> Any:
    return lambda found: found["benchmarks"][0]["metadata"].update(values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found["metadata"].pop("rounds"), "missing required field `rounds`"),
        (lambda found: found["metadata"].update(gpus=1), "gpus is 1; expected `array`, got `int`"),
        (_row(operations='{"add": [1, 2.5]}'), "operations[...][1]: expected `int`"),
        (_row(size="[\x1b"), "no file of pyperf's: DecodeError"),
        (lambda found: found["benchmarks"][0]["runs"].pop(), "as many samples of every row and"),
        (_run(values=[1.0]), "as many samples of every row and process"),
        (_run(values=[5e-324]), "samples[0][0] is 5e-324; expected `float` >= 1e-15"),
        (lambda found: found.update(version=[1]), "no file of pyperf's: TypeError"),
    ],
)
def test_what_tables_need_is_asked_for(tmp_path: Path, change: Any, says: str) -> None:
    """Each would end the tables with a traceback."""
    file = tmp_path / "bad.json"
    stored(SAMPLE).save(file)
    found = json.loads(file.read_text(encoding="utf-8"))
    change(found)
    file.write_text(json.dumps(found))
    with pytest.raises(InputError) as raised:
        Results.load(file)
    assert says in str(raised.value)
    assert str(raised.value).isprintable()
