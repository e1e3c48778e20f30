"""The tables and figures of docs/benchmarks.md are those of the stored results."""

import re

import numpy as np
import pytest

from benchmarks.cases import specs
from benchmarks.document import (
    DOCUMENT,
    FIGURES,
    SAMPLE,
    cell_of,
    shown,
    tables,
    time,
    with_tables,
)
from compare.wording import InputError
from tests.benchmarks.sure import stored, stored_cell


@pytest.mark.slow
def test_the_tables_of_documents_are_those_of_the_results() -> None:
    """`make document` makes them anew; what is lacking there, or in the results, is an error."""
    for document, made in tables().items():
        text = document.read_text(encoding="utf-8")
        assert text == with_tables(text, made)
    with pytest.raises(InputError, match="got 0 tables b, expected one"):
        with_tables("<!-- table: a -->\n<!-- end -->\n", {"b": ""})
    with pytest.raises(InputError, match=f"the results have no cell {SAMPLE}/highest/cpu"):
        cell_of(stored("map"), SAMPLE)
    cell = stored_cell(SAMPLE)
    with pytest.raises(InputError, match=re.escape(f"{cell.label} has no time of nobody")):
        time(cell, "nobody")


def test_its_figures_are_there_and_no_others() -> None:
    names = shown(DOCUMENT.read_text(encoding="utf-8"))
    assert names
    assert sorted(file.name for file in FIGURES.iterdir()) == names


def test_the_stored_run_is_whole() -> None:
    run = stored()
    assert (run.failed, run.left_out, run.refused) == ([], [], [])
    assert [cell.label for cell in run.cells] == [s.label for s in specs(full=True)]
    rounds, processes = (run.about[name] for name in ("rounds", "processes"))
    assert (rounds >= 30, processes >= 5) == (True, True)
    shapes = {np.shape(row.samples) for cell in run.cells for row in cell.rows if row.timed}
    assert shapes == {(processes, rounds // processes)}
    assert all(kind["keeps freed memory"] for kind in run.about["workers"].values())
