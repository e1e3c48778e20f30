"""Attacks on files, command lines, processes and numbers: samples, and that they can fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attack import cases
from tests.attack.cases import BrokenError, SkippedError
from tests.attack.extremes.table import table as extremes
from tests.attack.faults.table import stopped
from tests.attack.hostile import lines
from tests.attack.hostile.files import KINDS, REFUSALS
from tests.attack.hostile.limits import SECONDS
from tests.attack.mutants import command as mutants
from tests.attack.parts import PARTS, Part
from tests.attack.platforms import table as platforms
from tests.tiers import fewer, one_of_each

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def as_users_have_it() -> Iterator[None]:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@fewer(2)
@given(rng=st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", one_of_each([*KINDS], ["module"]))
def test_a_mutated_file_is_read_or_refused_in_one_line(
    name: str, rng: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind = KINDS[name]
    path = tmp_path_factory.getbasetemp() / f"mutated{kind.suffix}"
    content, other = (rng.choice(kind.seeds()) for _ in range(2))
    for _ in range(rng.choice((0, 1, 1, 2, 6))):
        content = rng.choice(kind.mutations)(rng, content, other)
    path.write_bytes(content)
    try:
        with cases.at_most(2 * SECONDS):
            kind.read(path)
    except REFUSALS as error:
        says = getattr(error, "format_message", error.__str__)()
        assert says.isprintable(), says  # so it is one line
    assert path.read_bytes() == content


@pytest.mark.night
@pytest.mark.parametrize("program", lines.PROGRAMS)
def test_a_sample_of_command_lines(program: str) -> None:
    row = lines.batch(program, 8, Random(program))
    assert row["defects"] == []


def test_what_a_command_line_must_not_do(tmp_path: Path) -> None:
    assert lines.wrong("compare", 2, "", "Error: no.\n") is None
    assert lines.wrong("compare", 70, "", "Traceback (most recent call last)")
    assert lines.wrong("compare", 2, "", "")
    assert lines.wrong("compare", 2, "", "Error: \x1b[2J.\n")
    (tmp_path / "model.npz").write_bytes(b"PK and no more")
    assert "not whole" in (lines.broken(tmp_path, {"model.npz": b"old"}, ()) or "")
    assert lines.broken(tmp_path, {"model.npz": b"PK and no more"}, ()) is None
    assert "gone" in (lines.broken(tmp_path, {"other.npz": b""}, ()) or "")
    (tmp_path / ".curve.svg").write_bytes(b"<svg/>")
    before = {"model.npz": b"PK and no more"}
    assert "left behind" in (lines.broken(tmp_path, before, ()) or "")
    assert lines.broken(tmp_path, before, ("plot", "sigmoid", ".curve.svg")) is None


def _skip() -> str:
    raise SkippedError("no such disk")


def _break() -> str:
    raise BrokenError("half a file")


@pytest.mark.parametrize(
    ("case", "outcome", "says"),
    [
        (lambda: "well", "held", "well"),
        (_skip, "skipped", "no such disk"),
        (_break, "broken", "half a file"),
        (lambda: str(1 / 0), "broken", "ZeroDivisionError"),
    ],
)
def test_outcomes_of_cases(case: cases.Case, outcome: str, says: str) -> None:
    row = cases.run(case, 100)
    assert row["outcome"] == outcome
    assert says in row["says"]


@pytest.mark.parametrize("part", PARTS[2:5], ids=lambda part: part.name)
def test_the_stored_cases_held(part: Part) -> None:
    """Or were skipped, with the reason; none is of a table that has changed since."""
    stored, shown = part.stored(), part.figures(part.stored())["rows"]
    assert len(shown) == len(stored) > 0
    assert [row["id"] for row in shown if row["outcome"] == "broken"] == []


def test_the_stored_inputs_were_refused_or_accepted() -> None:
    assert {row["id"]: row["found"] for row in PARTS[1].stored() if row.get("found")} == {}


DUMPED = [
    [
        {"mutations": [{"module_path": "handgrad/arithmetic/m.py", "start_pos": [at, 4]} | what]},
        ended,
    ]
    for at, what, ended in (
        (1, {"operator_name": "core/AddNot"}, {"test_outcome": "killed"}),
        (2, {"operator_name": "core/AddNot"}, {"test_outcome": "survived"}),
        (2, {"operator_name": "core/AddNot"}, {"test_outcome": "survived"}),
        (3, {"operator_name": "core/NumberReplacer"}, {"test_outcome": "survived"}),
        (3, {"operator_name": "core/NumberReplacer"}, None),
    )
]


def test_edits_are_counted_by_how_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "EQUIVALENT", {"the last is the first": ("x = a[-1]",)})
    source = "if a:\n    x = a[-1]\nreturn 1\n"
    rows = [*mutants.decided("\n".join(map(json.dumps, DUMPED)), {"m.py": source})]
    assert [row["id"] for row in rows[1:3]] == [f"m.py: x = a[-1]: AddNot {k}" for k in (1, 2)]
    assert [row.get("says") for row in rows] == [
        *(None, "the last is the first", "the last is the first", "no test notices", None)
    ]
    shown = mutants.figures([row for row in rows if "outcome" in row])
    counts = {"edits": 4, "killed": 1, "equivalent": 2, "left": 1}
    assert shown["modules"] == [{"name": "m.py"} | counts]
    assert shown["edits"] == 4


def test_no_stored_edit_is_left() -> None:
    modules = PARTS[5].figures(PARTS[5].stored())["modules"]
    assert modules
    assert [row["name"] for row in modules if row["left"]] == []


@pytest.mark.parametrize("fault", ["SIGTERM", "Ctrl-C"])
def test_a_plot_that_is_stopped(fault: str) -> None:
    assert "file" in stopped("plot", fault, 1)


@pytest.mark.night
def test_a_sample_of_extremes() -> None:
    table = extremes()
    for key in Random(0).sample([key for key in table if not key.startswith("sizes")], 25):
        row = cases.run(table[key], 60)
        assert row["outcome"] == "held", (key, row["says"])


@pytest.mark.parametrize("room", platforms.ROOMS)
def test_what_is_imported_is_declared(room: str) -> None:
    assert platforms.declared(room)
