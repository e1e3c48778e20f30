"""Results as a file: what is read is what was written, and other files are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyperf
import pytest

from benchmarks.checkers.results import Results as OfAnswers
from benchmarks.files import STORED_RESULTS, Stored
from benchmarks.protocol.session import add
from benchmarks.results import Cell, Results, Row
from benchmarks.statistics import spread
from compare.wording import InputError
from tests.benchmarks.sure import SAMPLE, row_of, stored, stored_cell


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """Written again, the same bytes."""
    made = stored("sample", "digits")
    made.left_out, made.refused = ["a: no time left"], ["b: nothing is seen"]
    made.save(tmp_path / "a.json")
    again = Results.load(tmp_path / "a.json")
    assert (again.fingerprint, again.settings) == (made.fingerprint, made.settings)
    assert (again.left_out, again.refused) == (made.left_out, made.refused)
    for cell, other in zip(made.cells, again.cells, strict=True):
        assert replace(other, rows=[]) == replace(cell, rows=[])
        assert all(row_of(other, row.name) == row for row in cell.rows)
    again.save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


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
    assert row.median() == spread(row_of(cell, "grad-jit").samples).median
    about = suite.get_metadata()
    assert (about["cpu_model_name"], about["load_avg_1min"]) == ("AMD EPYC", 1.27)


@pytest.mark.parametrize("kind", [Results, OfAnswers])
def test_another_kind_of_file_is_refused(tmp_path: Path, kind: type[Stored]) -> None:
    file = tmp_path / "figure.json"
    expected = f"expected {kind.EXPECTED}"
    for content in (b"\x89PNG\r\n\x1a\n\x00", b"[" * 100_000, b"9" * 5000, b'["\\ud800"]'):
        file.write_bytes(content)
        with pytest.raises(InputError, match=f"figure.json: no JSON: .*; {expected}"):
            kind.load(file)
    for name, other in {"cpu.json": Results, "checkers/torch.json": OfAnswers}.items():
        if other is not kind:
            with pytest.raises(InputError, match=rf"{name}: "):
                kind.load(STORED_RESULTS / name)


def _run(**values: Any) -> Any:
    return lambda found: found["benchmarks"][0]["runs"][0].update(values)


def _row(**values: Any) -> Any:
    return lambda found: found["benchmarks"][0]["metadata"].update(values)


def _all(**values: Any) -> Any:
    return lambda found: found["metadata"].update(values)


ROW = f"{SAMPLE}/highest/cpu/article-lines"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found["metadata"].pop("load_avg_1min"), "missing required field `load`"),
        (lambda found: found["metadata"].pop("cpu_model_name"), "required field `processor`"),
        (lambda found: found["metadata"].pop("rounds"), "missing required field `rounds`"),
        (_all(gpus=1), "gpus is 1; expected `array`, got `int`"),
        (_all(refused="{"), "no file of pyperf's: DecodeError"),
        (_row(about='{"sizes": [2]}'), "the sizes of three layers"),
        (_row(operations='{"add": [1, 2.5]}'), f"{ROW}: operations[...][1]: expected `int`"),
        (_row(name=5), "hand-floats: object missing required field `case`"),
        (_row(size="[\x1b"), "no file of pyperf's: DecodeError"),
        (_run(values=[1.0]), "as many samples of every row and process"),
        (lambda found: found["benchmarks"][0]["runs"].pop(), "as many samples of every row and"),
        (_run(values=[]), "values and warmups are empty"),
        (_run(values=[5e-324]), "samples[0][0] is 5e-324; expected `float` >= 1e-15"),
        (lambda found: found.update(benchmarks=[]), "no file of pyperf's: ValueError"),
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


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        stored(SAMPLE).save(tmp_path / "file" / "a.json")


def one_process(seed: int, *, absent: str = "", wrong: str = "") -> Cell:
    cell = stored_cell(SAMPLE)
    timed: list[list[float]] = [] if absent or wrong else [[1.0] * 3]
    cell.rows = [
        Row("grad-jit", "contender", samples=[[float(seed)] * 3], gate_error=0.1 * seed),
        Row("c", "contender", absent=absent, wrong=wrong, samples=timed),
    ]
    return cell


def joined(*processes: Cell) -> Cell:
    results = Results({}, {})
    for process in processes:
        add(results, process)
    (cell,) = results.cells
    return cell


def test_processes_are_joined_row_by_row() -> None:
    cell = joined(one_process(1), one_process(2))
    row = row_of(cell, "grad-jit")
    assert row.samples == [[1.0] * 3, [2.0] * 3]
    assert row.gate_error == pytest.approx(0.2)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("why", ["absent", "wrong"])
def test_what_one_process_could_not_time_has_no_time(first: bool, why: str) -> None:
    """Else its rounds would be set beside another process's."""
    order = [one_process(1, **{why: "a reason"}), one_process(2)]
    row = row_of(joined(*(order if first else order[::-1])), "c")
    assert (row.samples, getattr(row, why), row.timed) == ([], "a reason", False)
