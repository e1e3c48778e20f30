"""Attacks on files, command lines, processes and numbers: samples, and that they can fail."""

from collections.abc import Iterator
from random import Random

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attack import cases
from tests.attack.extremes.table import table as extremes
from tests.attack.faults.table import stopped
from tests.attack.hostile import lines
from tests.attack.hostile.files import KINDS, REFUSALS
from tests.attack.hostile.limits import SECONDS
from tests.attack.mutants.command import because
from tests.attack.mutants.equivalent import EQUIVALENT
from tests.attack.parts import PARTS, Part
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


@pytest.mark.parametrize("part", PARTS[2:4], ids=lambda part: part.name)
def test_the_stored_cases_held(part: Part) -> None:
    """Or were skipped, with the reason; none is of a table that has changed since."""
    stored, shown = part.stored(), part.figures(part.stored())["rows"]
    assert len(shown) == len(stored) > 0
    assert [row["id"] for row in shown if row["outcome"] == "broken"] == []


def test_the_stored_inputs_were_refused_or_accepted() -> None:
    assert {row["id"]: row["found"] for row in PARTS[1].stored() if row.get("found")} == {}


def test_no_stored_edit_is_left() -> None:
    modules = PARTS[4].figures(PARTS[4].stored())["modules"]
    assert modules
    assert [row["name"] for row in modules if row["left"]] == []
    survived = [row for row in PARTS[4].stored() if row["outcome"] == "survived"]
    assert {because(row) for row in survived} == set(EQUIVALENT)


@pytest.mark.parametrize("fault", ["SIGTERM", "Ctrl-C"])
def test_a_plot_that_is_stopped(fault: str) -> None:
    assert "file" in stopped("plot", fault, 1)


@pytest.mark.night
def test_a_sample_of_extremes() -> None:
    table = extremes()
    for key in Random(0).sample([key for key in table if not key.startswith("sizes")], 25):
        row = cases.run(table[key], 60)
        assert row["outcome"] == "held", (key, row["says"])
