"""Every erratum: its texts, and that its run has a table and a conclusion."""

import math

import pytest

from compare.commands.errata import COUNT
from compare.errata.catalogue import ERRATA
from compare.errata.entry import Erratum
from tests.compare.errata.runs import shown

EACH = pytest.mark.parametrize("entry", ERRATA, ids=lambda entry: f"{entry.number}: {entry.title}")

#: A word of each, in the order of the article.
WORDS = (
    *("square", "0", "y_partial", "h1", "open", "exchanged", "first order", "ten", "slice"),
    *("stochastic", "slope", "area", "closed form", "all points", "MSE", "shift", "50"),
    *("McCulloch", "dendrites", "Ions", "seed", "Rounded"),
)


def test_all_are_there_in_order() -> None:
    assert [entry.number for entry in ERRATA] == list(range(1, COUNT + 1))
    assert len({entry.title for entry in ERRATA}) == len({entry.run for entry in ERRATA}) == COUNT
    for entry, word in zip(ERRATA, WORDS, strict=True):
        assert word in entry.title


@EACH
def test_the_texts(entry: Erratum) -> None:
    texts = (entry.title, entry.section, entry.printed, entry.right, entry.why)
    assert all(text == text.strip() and text for text in texts)
    assert entry.printed != entry.right
    assert entry.why.endswith(".")
    assert len(entry.printed) < 150
    for latex in (entry.printed_latex, entry.right_latex):
        assert latex is None or latex.count("{") == latex.count("}")
    assert entry.printed_latex != entry.right_latex or entry.printed_latex is None
    assert entry.right_latex or not entry.printed_latex


@pytest.mark.slow
@EACH
def test_the_run_has_a_table_and_a_conclusion(entry: Erratum) -> None:
    run = shown(entry.number)
    assert len(run.rows) > 1
    assert all(len(row) == len(run.columns) for row in run.rows)
    assert all(isinstance(cell, str) or math.isfinite(cell) for row in run.rows for cell in row)
    assert all(cell == cell.strip() for row in run.rows for cell in row if isinstance(cell, str))
    assert run.says.endswith(".")
    assert run.numbers
