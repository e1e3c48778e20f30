"""Functions that are easily taken for others: no wrong answer passes, and no right one fails."""

from collections.abc import Iterator

import jax
import numpy as np
import pytest

from evaluation.rows import Row
from tests.attack.families import in_place, others
from tests.attack.families.attempt import WRONGLY, Attempt
from tests.attack.families.made import Made, drawn
from tests.attack.parts import PARTS

pytestmark = pytest.mark.slow

#: Drawn by a slow test, of the first family and of each other one; the attack itself
#: draws more of them, others in every run.
DRAWN, FEWER, SEED = 20, 2, 43


@pytest.fixture(autouse=True)
def as_users_have_it() -> Iterator[None]:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def judged(*attempts: Attempt) -> list[Row]:
    """Put answers before the judge, none of which it may rule on wrongly."""
    rows = [row for attempt in attempts for row in attempt.rows()]
    assert [row for row in rows if row["outcome"] in (*WRONGLY, "error")] == []
    return rows


def certified(rows: list[Row]) -> float:
    """Return the share of right rulings that are certified."""
    return sum(row["certified"] for row in rows if row["verdict"] != "undecidable") / len(rows)


@pytest.mark.parametrize("line", in_place.SHORT)
def test_short_ones(line: str) -> None:
    rows = judged(in_place.short(line))
    assert certified(rows) == 1


@pytest.mark.night
def test_drawn_ones() -> None:
    made = (drawn(in_place.FAMILY, in_place.draw, SEED, number) for number in range(DRAWN))
    assert certified(judged(*made)) >= 0.95


@pytest.mark.night
@pytest.mark.parametrize("family", others.DRAWN)
def test_other_families(family: str) -> None:
    judged(*(drawn(family, others.DRAWN[family], SEED, number) for number in range(FEWER)))


def test_passes_that_are_not_linear() -> None:
    rows = judged(*(others.linear_pass(SEED, number) for number in range(FEWER)))
    assert [row for row in rows if row["verdict"] == "undecidable"] == []


def test_a_truth_of_another_function_is_no_truth() -> None:
    made = Made("v = h = x.copy(); v *= 2", "h", lambda x, c: 2 * x, lambda x, c: x)
    x = np.array([0.5, -2.0])
    made.held(x, x)
    with pytest.raises(AssertionError):
        made._replace(plain=made.taken).held(x, x)


def test_no_stored_ruling_is_wrong() -> None:
    (part,) = (part for part in PARTS if part.name == "families")
    found = part.figures(part.stored())
    assert [row for row in found["odd"] if row["outcome"] in WRONGLY] == []
    assert {row["name"] for row in found["table"]} >= {in_place.FAMILY, *others.DRAWN}
