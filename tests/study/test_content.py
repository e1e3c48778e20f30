"""What the page is told: the passes as Python judged them, and the errata as their runs show."""

from typing import Any

import pytest

from compare.people import NEWCOMERS, PEOPLE
from compare.trace import Trace
from compare.traced.request import PassRequest


def assert_is(told: dict[str, Any], of: Trace) -> None:
    """A pass of the page is the trace, number by number."""
    for name, quantity in of.quantities.items():
        if quantity.step == 0:
            assert told["given"][name] == quantity.by_hand
            continue
        for side in ("by_hand", "autodiff", "exact", "ulps_by_hand", "ulps_autodiff"):
            assert told[side][name] == getattr(quantity, side), (name, side)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "form"), [({"seed": 44}, "stable"), ({"init": "ones"}, "article")]
)
def test_passes_of_the_four_from_both_starts(
    content: dict[str, Any], form: str, start: dict[str, Any]
) -> None:
    """Whom, from where, and how can be told from the numbers that are given."""
    person = PEOPLE[1]
    of = PassRequest(person="bob", sigmoid_derivative=form, **start).trace()
    given = {q.name: q.by_hand for q in of.quantities.values() if q.step == 0}
    (told, *_) = (of for of in content["passes"] if (of["given"], of["form"]) == (given, form))
    assert told["sample"] == person.name
    assert_is(told, of)
    expected = {(p.name, f) for p in PEOPLE for f in ("stable", "article")}
    assert {(of["sample"], of["form"]) for of in content["passes"]} == expected


@pytest.mark.slow
def test_people_as_in_the_table(content: dict[str, Any]) -> None:
    for key, people in (("samples", PEOPLE), ("newcomers", NEWCOMERS)):
        told = content[key]
        assert [(of["name"], of["weight"], of["height"], of["gender"]) for of in told] == [
            (of.name, of.weight, of.height, of.gender) for of in people
        ]
    assert content["shift"] == [135, 66]
    alice = next(of for of in content["samples"] if of["key"] == "alice")
    assert alice["given"] == {"x1": -2, "x2": -1, "y": 1}


@pytest.mark.slow
def test_quantities_know_the_line_that_computes_them(content: dict[str, Any]) -> None:
    of = PassRequest(person="alice").trace().quantities["dL_dw1"]
    (told,) = (q for q in content["quantities"] if q["name"] == "dL_dw1")
    assert told["where"] == f"{of.file}, line {of.line}"
    assert told["statement"] == of.statement
    assert told["factors"] == of.factors
    (given,) = (q for q in content["quantities"] if q["name"] == "w1")
    assert given["where"] is given["statement"] is None
    assert given["mathml"]["formula"] is given["mathml"]["places"] is None
