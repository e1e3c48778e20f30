"""The appendix of the page: its digits, its mistakes and who is blind to them, against Python."""

import json
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from compare.errata.catalogue import ERRATA
from compare.people import PEOPLE, raw, shifted, targets
from compare.traced.article import trace_article
from manual.activations import sigmoid
from manual.article import Parameters, draw_parameters, loss, ones_parameters
from models.planted import LOOPS, MISTAKES, gradient_in
from study import gallery
from study.recorded import recorded
from tests.study.browser import Opened

XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)
STARTS = {"ones": ones_parameters(), "random": draw_parameters(44)}

#: What a place computes for a state.
_SEEN = """([place, state]) => {
  const of = page.PLACES.find(({ key }) => key === place).seen(page.study, state);
  if (of.rows) return of.rows;
  const { quotient, exact, isDead, off, lines: [line] } = of;
  const [hand, autodiff] = [of.hand, of.autodiff].map(off);
  return { quotient, exact: exact.toString(), isDead, line, hand, autodiff };
}"""


@pytest.mark.slow
@pytest.mark.parametrize("of", ["alice-w1", "charlie-b3"])
def test_the_nudge_is_wrong_by_a_v(opened: Opened, of: str) -> None:
    """Its quotient is NumPy's, its slope the exact one, and both arms rise from the middle."""
    person, name = of.split("-")
    at = [one.name.lower() for one in PEOPLE].index(person)
    params, x, y = STARTS["ones"], XS[at], float(YS[at])
    found = opened("place=digits").evaluate(_SEEN, ["digits", {"of": of, "power": -3}])
    up, down = (
        loss(params._replace(**{name: getattr(params, name) + by}), x, y) for by in (1e-3, -1e-3)
    )
    assert found["quotient"] == pytest.approx((up - down) / 2e-3, rel=1e-10)
    exact = Decimal(trace_article(params, x, y).quantities[f"dL_d{name}"].exact or "nan")
    assert abs(Decimal(found["exact"]) / exact - 1) < Decimal("1e-30")
    steps, wrong = np.array(found["line"]).T
    best = steps[np.argmin(wrong)]
    assert 1e-7 < best < 1e-3
    arms = [
        np.polyfit(np.log10(steps[side]), np.log10(wrong[side]), 1)[0]
        for side in ((steps > 1e-13) & (steps < 1e-7), (steps > 1e-3) & (steps < 1e-1))
    ]
    assert arms == pytest.approx([-1, 2], abs=0.15)
    assert max(found["hand"], found["autodiff"]) < 1e-14 < wrong.min()


@pytest.mark.slow
def test_on_bob_the_nudge_is_dead_and_the_formulas_are_not(opened: Opened) -> None:
    page = opened("place=digits&of=bob-w1&power=-5")
    found = page.evaluate(_SEEN, ["digits", {"of": "bob-w1", "power": -5}])
    assert found["isDead"]
    assert found["quotient"] == 0
    assert max(found["hand"], found["autodiff"]) < 1e-14
    text = page.locator("main").text_content() or ""
    assert "does not move at all" in text
    # Of h1(1 - h1) the first digits are right, of the other form all that are shown but the last.
    right = (
        f"{float(trace_article(STARTS['ones'], XS[1], 0.0).quantities['dh1_dz1'].exact or 0):.15e}"
    )
    known = [
        row.locator(".known").text_content() or ""
        for row in page.locator("details .digits tr:has(.known)").all()
    ]
    assert [right.startswith(digits) for digits in known] == [True, True]
    assert [len(digits) > 14 for digits in known] == [False, True]


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_a_mistake_shows_in_what_it_makes_wrong(opened: Opened, start: str) -> None:
    """And in nothing else: right is what the page computes, wrong what Python does."""
    page = opened("place=mistakes")
    for slug, plant in MISTAKES.items():
        rows = page.evaluate(_SEEN, ["mistakes", {"mistake": slug, "start": start}])
        wrong = {row["name"] for row in rows if row["isOff"]}
        if slug not in LOOPS and slug != "accumulates":  # of a round all are, after the first
            assert wrong <= set(plant.leaves), slug


@pytest.mark.slow
def test_every_mistake_opens_at_the_smallest_width(opened: Opened) -> None:
    page = opened("place=mistakes", size=(320, 640))
    buttons = page.locator(".gallery button")
    assert buttons.count() == len(MISTAKES) + len(ERRATA)
    for button in buttons.all():
        button.press("Enter")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert button.get_attribute("aria-pressed") == "true"
    assert re.search("erratum-22", page.evaluate("page.store.state.mistake"))


@pytest.mark.slow
def test_the_gallery_has_every_mistake_once() -> None:
    assert sorted(" ".join(gallery.GROUPS.values()).split()) == sorted(MISTAKES)
    assert json.loads(gallery.STORED.read_text("utf-8")).keys() == MISTAKES.keys()
    assert [of["key"] for of in gallery.errata()] == [f"erratum-{of.number}" for of in ERRATA]


@pytest.mark.parametrize("start", STARTS)
def test_the_nine_numbers_are_those_of_the_mistake(start: str) -> None:
    for of in gallery.planted():
        found = of["at"][start]
        if found["person"] is None:
            continue
        at = [one.name.lower() for one in PEOPLE].index(found["person"])
        with np.errstate(all="ignore"):
            right = gradient_in(MISTAKES[of["key"]])(STARTS[start], XS[at], float(YS[at]))
        np.testing.assert_array_equal(np.array(found["numbers"], float), np.array(right, float))


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["exchanged", "off-by-a-millionth", "bias-not-updated"])
def test_who_is_stored_as_blind_is_blind(slug: str) -> None:
    """`python -m study.gallery` stores it anew."""
    stored = json.loads(gallery.STORED.read_text("utf-8"))[slug]
    for start, settings in gallery.STARTS.items():
        assert stored[start] == gallery.seen_by(MISTAKES[slug], settings)


def test_what_jax_records_computes_the_loss() -> None:
    params, x, y = draw_parameters(44), XS[0], float(YS[0])
    values: dict[str, Any] = {**params._asdict(), "x": x, "y": y}
    operations = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "logistic": sigmoid,
        "square": np.square,
        "slice 0": lambda of: of[:1],
        "slice 1": lambda of: of[1:],
        "squeeze": np.squeeze,
    }
    for name, operation, operands in recorded():
        values[name] = operations[operation](*(values[of] for of in operands.split()))
    assert list(values)[: len(Parameters._fields)] == list(Parameters._fields)
    assert list(values.values())[-1] == pytest.approx(loss(params, x, y), rel=1e-14)
