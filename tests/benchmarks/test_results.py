"""Results as a file: what is read is what was written, and other files are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.checkers.results import Results as OfAnswers
from benchmarks.cli import cli
from benchmarks.files import STORED_RESULTS, Stored
from benchmarks.protocol.session import add
from benchmarks.results import Cell, Results, Row
from compare.wording import InputError
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import row_of


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """But for digits of the times beyond the sixth; written again, the same bytes."""
    made = made_results(("sample", "digits"))
    made.save(tmp_path / "a.json")
    again = Results.load(tmp_path / "a.json")
    assert [cell.label for cell in again.cells] == [cell.label for cell in made.cells]
    for cell, other in zip(made.cells, again.cells, strict=True):
        for row, found in zip(cell.rows, other.rows, strict=True):
            assert (row.name, row.absent, row.wrong) == (found.name, found.absent, found.wrong)
            for process, there in zip(row.samples, found.samples, strict=True):
                assert there == pytest.approx(process, rel=1e-5)
    again.save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "x",
            "line 1, column 1: Expecting value; expected a JSON file with timings, as "
            "`python -m benchmarks --out` writes it",
        ),
        ('{"schema": 2, "checks": []}', "cells is null; expected `array`, got `null`"),
        ('{"schema": 2, "schema": 2}', "schema twice; expected it once"),
        ('{"schema": 99, "cells": []}', "got schema 99"),
        (
            '{"schema": 2, "cells": [{"rows": []}], "left_out": [], "refused": [], "settings": {}, '
            '"fingerprint": {}}',
            ": cells[0]: object missing required field `case`",
        ),
    ],
)
def test_what_is_no_file_of_results_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        Results.load(file)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", [Results, OfAnswers])
def test_another_kind_of_file_is_refused(tmp_path: Path, kind: type[Stored]) -> None:
    file = tmp_path / "figure.json"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    expected = rf"; expected a JSON file with {kind.WHAT}, as `python -m benchmarks .*--out` writes"
    with pytest.raises(InputError, match=f"figure.json: no JSON{expected}"):
        kind.load(file)
    for name, other in {"cpu.json": Results, "checkers/torch.json": OfAnswers}.items():
        if other is not kind:
            with pytest.raises(InputError, match=rf"{name}: "):
                kind.load(STORED_RESULTS / name)


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "figures"
    file.write_bytes(b"")
    ended = CliRunner().invoke(cli, ["plot", str(STORED_RESULTS / "cpu.json"), str(file)])
    assert ended.exit_code == 2
    assert f"{file} is a file; expected a folder for the figures." in ended.output


def _without(name: str) -> Any:
    return lambda found: found["fingerprint"].pop(name)


def _row(**values: Any) -> Any:
    return lambda found: found["cells"][0]["rows"][0].update(values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_without("load"), "fingerprint: object missing required field `load`"),
        (_without("processor"), "missing required field `processor`"),
        (lambda found: found["settings"].pop("rounds"), "missing required field `rounds`"),
        (
            lambda found: found["fingerprint"].update(gpus=1),
            "gpus is 1; expected `array`, got `int`",
        ),
        (lambda found: found["cells"][0]["about"].pop("sizes"), "the sizes of three layers"),
        (_row(samples=[[1.0], [1.0, 2.0]]), "the same number of samples of every process"),
        (_row(samples=[[]]), "the same number of samples of every process"),
        (_row(samples=[[5e-324]]), "samples[0][0] is 5e-324; expected `float` >= 1e-15"),
        (_row(name="\ud800"), r"has '\ud800', half of a character; expected whole ones"),
        (
            _row(operations={"add": [1, 2.5]}),
            "cells[0].rows[0].operations[...][1]: expected `int`, got `float`",
        ),
        (lambda found: found.update(schema="\x1b[2J"), r"got schema '\x1b[2J'"),
    ],
)
def test_what_tables_need_is_asked_for(tmp_path: Path, change: Any, says: str) -> None:
    """Each ended the tables with a traceback."""
    file = tmp_path / "bad.json"
    made_results(("sample",)).save(file)
    found = json.loads(file.read_text(encoding="utf-8"))
    change(found)
    file.write_text(json.dumps(found))
    with pytest.raises(InputError) as raised:
        Results.load(file)
    assert says in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000])
def test_deep_nesting_and_huge_numbers_are_no_results(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match="no JSON"):
        Results.load(tmp_path / "bad.json")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        made_results(("sample",)).save(tmp_path / "file" / "a.json")


def one_process(seed: int, *, absent: str = "", wrong: str = "") -> Cell:
    (cell,) = made_results(("sample",), seed).cells
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
