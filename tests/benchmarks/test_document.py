"""docs/benchmarks.md says what the stored results say, and nothing that somebody typed."""

import re

import numpy as np
import pytest

from benchmarks.analysis.floors import floor
from benchmarks.cases import Choice
from benchmarks.document.build import (
    CHECKING,
    DOCUMENT,
    FIGURES,
    HERE,
    PYTORCH,
    README,
    SCIPY,
    STORED,
    document,
    filled,
    shown,
    tables,
    with_tables,
)
from benchmarks.document.queries import Queries, UnknownError
from benchmarks.document.reasons import REASONS
from benchmarks.results import Results
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import row_of

#: A number with a unit of what is measured: it must come from the results.
MEASURED = re.compile(
    r"\b\d+(\.\d+)?\s?((ns|µs|ms|kB|MB|GB|GFLOP/s|times|minutes)\b|%)|\b\d+\.\d\d+\b"
)

#: What a template looks up, and the cells and axes in it.
LOOKED_UP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
PLACE = re.compile(r'"([a-z0-9-]+(?:/\w+){2,3})"')

#: What the protocol is.
NOT_OF_THE_RUN = ("95 %", "1.00")

TEMPLATES = sorted(HERE.glob("*.md.j2"))


@pytest.fixture(scope="module")
def stored() -> Results:
    return Results.load(STORED)


@pytest.mark.slow
def test_the_document_is_what_the_results_say(stored: Results) -> None:
    """`make document` makes it anew."""
    assert DOCUMENT.read_text(encoding="utf-8") == document(stored)


@pytest.mark.slow
def test_the_tables_of_documents_are_those_of_the_results(stored: Results) -> None:
    made = tables(stored)
    assert set(made) == {README, CHECKING, PYTORCH, SCIPY}
    for document_with, its_tables in made.items():
        text = document_with.read_text(encoding="utf-8")
        assert text == with_tables(text, its_tables)


def test_a_table_that_the_document_lacks_is_an_error() -> None:
    text = "<!-- table: a -->\n\nold\n\n<!-- end -->\n"
    assert with_tables(text, {"a": "new\n"}) == text.replace("old", "new")
    with pytest.raises(UnknownError, match="got 0 tables b, expected one"):
        with_tables(text, {"b": ""})


def test_its_figures_are_there_and_no_others() -> None:
    names = shown(DOCUMENT.read_text(encoding="utf-8"))
    assert names
    assert sorted(file.name for file in FIGURES.iterdir()) == names


def test_no_measured_number_is_typed() -> None:
    texts = [LOOKED_UP.sub("", file.read_text(encoding="utf-8")) for file in TEMPLATES]
    text = "\n".join([*texts, *(reason.text for reason in REASONS)])
    typed = {found[0] for found in MEASURED.finditer(text)} - {*NOT_OF_THE_RUN}
    assert typed == set()
    assert MEASURED.search("takes 28 ms")


def test_placeholders_ask_for_cells_of_the_full_set() -> None:
    """So that a case that is changed is missed before an hour has been measured."""
    labels = {spec.label for spec in Choice(full=True).specs()}
    axes = {"/".join([case, *kind[:2]]) for case, _, *kind in (one.split("/") for one in labels)}
    found = [place for file in TEMPLATES for place in PLACE.findall(file.read_text("utf-8"))]
    assert len(found) > 80
    for place in found:
        assert f"{place}/highest/cpu" in labels or place in axes, place


def test_the_stored_run_is_whole(stored: Results) -> None:
    assert (stored.failed, stored.left_out, stored.refused) == ([], [], [])
    assert [cell.label for cell in stored.cells] == [s.label for s in Choice(full=True).specs()]
    assert not stored.settings["plants"]
    rounds, processes = (stored.settings[name] for name in ("rounds", "processes"))
    assert (rounds >= 30, processes >= 5) == (True, True)
    shapes = {np.shape(row.samples) for cell in stored.cells for row in cell.rows if row.timed}
    assert shapes == {(processes, rounds // processes)}
    assert all(kind["keeps freed memory"] for kind in stored.fingerprint["workers"].values())


@pytest.mark.parametrize(
    ("looked_up", "says"),
    [
        ("time('width/3/float32/all', 'hand-numpy')", "no cell width/3/float32/all"),
        ("time('digits/1797/float32/all', 'nobody')", "has no time of nobody"),
        ("tme('digits/1797/float32/all')", "'tme' is undefined"),
        ("time()", "missing 2 required positional arguments"),
    ],
)
def test_what_the_results_do_not_know_is_an_error(looked_up: str, says: str) -> None:
    with pytest.raises(UnknownError, match=re.escape(says)) as raised:
        filled(f"It takes {{{{ {looked_up} }}}}.", made_results(("digits",)))
    assert str(raised.value).startswith((f"{looked_up}: ", "'tme'"))
    assert "\n" not in str(raised.value)


def test_numbers_are_those_of_the_results() -> None:
    results = made_results(("digits",))
    (cell,) = results.cells
    for row in cell.rows:
        row.samples = [[2e-3 if row.name == "hand-numpy" else 1e-3] * 6] * 5
    text = "{% set cell = 'digits/1797/float32/all' %}{{ time(cell, 'hand-numpy') }}"
    text += " {{ ratio(cell, 'hand-numpy', 'grad-jit') }}"
    assert filled(text, results) == "2.00 ms 2.00"
    assert {*Queries(results).contenders()} == {row.name for row in cell.rows if row.timed}


def test_what_noise_hides_is_no_goal_that_was_reached() -> None:
    results = made_results(("digits",))
    (cell,) = results.cells
    again, hand = row_of(cell, "grad-jit-again"), row_of(cell, "hand-numpy")
    said = '{% include "goals.md.j2" %}'
    assert ", asked at most 1.05: " in filled(said, results)
    again.samples = [[(1 + 0.2 * (at % 2)) * s for at, s in enumerate(p)] for p in again.samples]
    below = floor(cell, hand)
    assert below is not None
    wide = [0.9, 0.95, 1.03, 1.1, 1.15]
    hand.samples = [[s * by for s in p] for p, by in zip(below, wide, strict=True)]
    hidden = f"- `{cell.label}`: hand-numpy / floor: the noise is too large to say.\n"
    assert filled(said, results) == hidden
    results.cells = []
    assert filled(said, results) == "All of it was reached.\n"
