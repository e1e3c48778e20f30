"""The random programs: what they are drawn from, what was stored, and that the attack can fail."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

from evaluation.rows import add, read
from handgrad.program.rules import RULES
from tests.attack.parts import PARTS
from tests.attack.programs import attack as of_programs
from tests.attack.programs.attack import COVERED, WANTED, attack, put
from tests.attack.programs.section import explanations, figures
from tests.corpus import programs as source
from tests.corpus.edits import Edit, edits
from tests.corpus.operations import STEPS
from tests.corpus.programs import Program

pytestmark = pytest.mark.slow

SMALL = Program(
    (
        ("a0", "jnp.sin(p) * q - p"),
        ("a1", "jnp.cumsum(a0, axis=0) @ r.T"),
        ("a2", "a1[:, np.array([2, 0, 2])] / (1.5 + q ** 2)"),
        ("a3", "jnp.sum(jnp.tanh(a2))"),
        ("", "a3"),
    )
)
SHAPES = {"p": (3,), "q": (2, 3), "r": (3, 3), "data": (5, 2)} | dict.fromkeys(
    ["a0", "a1", "a2"], (2, 3)
)
COSINE = Edit("operator", 0, "jnp.sin(p) * q - p", "jnp.cos(p) * q - p")


@pytest.fixture
def as_users_have_it() -> Iterator[None]:
    """JAX's own promotion of ranks and dtypes, which the texts use."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return PARTS[0].stored()


def test_every_operation_with_a_rule_is_drawn() -> None:
    assert {*STEPS, "add_any"} == COVERED


def test_every_kind_of_edit_is_proposed() -> None:
    proposed = [*edits(SMALL, SHAPES)]
    kinds = {"names", "factor", "axis", "sign", "index", "operator", "transpose"}
    assert {edit.kind for edit in proposed} == kinds
    for edit in proposed:
        assert edit.new != edit.old
        ast.parse(edit.of(SMALL).source)
    texts = {edit.new for edit in proposed}
    assert {
        "jnp.cos(p) * q - p",
        "jnp.cumsum(a0, axis=1) @ r.T",
        "jnp.cumsum(a0, axis=0) @ r",
    } <= texts
    assert {"jnp.sin(p) * q + p", "jnp.sin(p) - p", "jnp.cumsum(q, axis=0) @ r.T"} <= texts


def test_the_stored_programs_have_every_operation(rows: list[dict[str, Any]]) -> None:
    """In twenty programs at least, as soon as there are enough.

    A wanted line is left out where nothing fits its holes or its value is too large: half of them
    are far more than that.
    """
    covered = figures(rows)["covered"]
    programs = sum(row.get("part") == "right" for row in rows)
    assert {name: covered[name] for name in COVERED if covered[name] < _least(programs)} == {}
    assert all(row["equations"] >= 10 for row in rows if row.get("part") == "right")


def _least(programs: int) -> int:
    return min(20, programs * WANTED // len(STEPS) // 2)


def test_the_stored_verdicts_are_right_or_explained(rows: list[dict[str, Any]]) -> None:
    found = figures(rows)
    assert found["right"]["false alarm"] == found["wrong"]["false alarm"] == 0
    assert [row["id"] for row, reason in found["explained"] if not reason] == []
    assert set(explanations()) <= {row["id"] for row in rows}


def test_a_line_that_a_kill_cut_off_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "new" / "rows.jsonl"
    assert read(file) == {}
    add(file, [{"id": "1", "x": "a\u2028b"}, {"id": "2"}])
    with file.open("a") as stream:
        stream.write('{"id": "3", "x')
    assert [*read(file)] == ["1", "2"]
    add(file, [{"id": "4"}, {"id": "1", "x": "c"}])
    assert read(file) == {"1": {"id": "1", "x": "c"}, "2": {"id": "2"}, "4": {"id": "4"}}


@pytest.mark.usefixtures("as_users_have_it")
def test_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a short program."""
    monkeypatch.setattr(of_programs, "WANTED", 2)
    monkeypatch.setattr(source, "LINES", 3)
    right, wrong = attack(2, 2, diagnosed=False)
    assert right["outcome"] == "right", right["headline"]
    assert wrong["outcome"] in ("caught", "no value changed"), wrong["headline"]


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(
    ("planted", "outcomes"),
    [({}, ["right", "caught"]), ({"sin": RULES["cos"]}, ["false alarm", "missed"])],
)
def test_a_wrong_rule_is_a_false_alarm_and_a_miss(
    planted: dict[str, Any], outcomes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rule in planted.items():
        monkeypatch.setitem(RULES, name, rule)
    rows = put(SMALL, [COSINE], 0, diagnosed=False)
    assert [row["outcome"] for row in rows] == outcomes
    assert set(rows[0]["operations"]) >= {"sin", "cumsum", "gather", "dot_general"}
