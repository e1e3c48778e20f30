"""The reader's own numbers, held against Python's network, units and warning."""

import re

import pytest
from playwright.sync_api import Page, expect

import manual.article
from compare.experiment import Settings, hand_path, outside_training_range
from compare.people import Person, from_metric, label, raw, shifted
from manual.article import Parameters
from tests.study.browser import PHONE, At, follow, state

pytestmark = pytest.mark.slow

VIEW = "you"


def fill(page: Page, weight: str, height: str) -> None:
    for measure, text in (("weight", weight), ("height", height)):
        field = page.locator(f"#you [data-measure={measure}] input")
        field.fill(text)
        field.press("Tab")


def answer(weight: float, height: float, epochs: int = 1000) -> str:
    settings = Settings(seed=44)
    params = Parameters(*hand_path(settings)[:, 4 * epochs])
    (x,) = shifted(raw((Person("you", weight, height, None),)))
    chance = float(manual.article.feedforward(params, x))
    return f"{chance:.3f} {label(chance)}"


def short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def test_the_networks_answer(at: At) -> None:
    """Of an untrained network, which can be trained there, and of a trained one."""
    page = at("seed=44")
    expect(page.locator("#you .answer")).to_be_hidden()
    fill(page, "141", "65.5")
    expect(page.locator("#you .answer")).to_have_text(answer(141, 65.5, 0))
    page.locator("#you").get_by_role("button", name="train it for 1000 epochs").click()
    expect(page.locator("#you .answer")).to_have_text(answer(141, 65.5))
    expect(page.locator("#you .shift")).to_have_text(
        "x1 = 141 lb − 135 lb = 6, x2 = 65.5 in − 66 in = −0.5"
    )
    expect(page.locator("#you .warning")).to_be_hidden()
    assert state(page)["you"] == [141, 65.5]
    expect(page.locator("#you")).to_contain_text("Four people are no basis to judge anybody")
    assert state(page)["epoch"] == 1000


def test_kilograms_and_centimetres(at: At) -> None:
    """By the definitions; what is typed stays what it is when the unit changes."""
    page = at("seed=44&epoch=1000&unit=kg")
    fill(page, "61,5", "170")
    weight, height = from_metric(61.5, 170)
    expect(page.locator("#you")).to_contain_text("are converted to lb and in")
    assert state(page)["you"] == pytest.approx([weight, height], rel=1e-15)
    expect(page.locator("#you .answer")).to_have_text(answer(weight, height))
    page.locator("#you [data-choice=unit] [data-value=lb]").click()
    expect(page.locator("#you")).not_to_contain_text("are converted")
    assert fields(page) == [f"{weight:.6g}", f"{height:.6g}"]
    assert state(page)["you"] == pytest.approx([weight, height], rel=1e-15)
    page.locator("#you [data-choice=unit] [data-value=kg]").click()
    assert page.locator("#you [data-measure=weight] input").input_value() == "61.5"


def test_outside_the_training_range(at: At) -> None:
    """As the command line says it, in the reader's unit; on its edge nobody is warned."""
    for weight, height in ((160, 72), (120, 60)):
        page = at(f"seed=44&epoch=1000&you={weight};{height}")
        expect(page.locator("#you .warning")).to_be_hidden()
    for weight, height in ((170, 66), (119.5, 73)):
        page = at(f"seed=44&epoch=1000&you={weight};{height}")
        text = "; ".join(outside_training_range(Person("you", weight, height, None)))
        expect(page.locator("#you .warning")).to_contain_text(text[0].upper() + text[1:])
    page = at("unit=kg&you=170;66")
    kg = [f"{pounds * 0.45359237:.4g}" for pounds in (170, 120, 160)]
    expect(page.locator("#you .warning")).to_contain_text(
        "Weight {} kg lies outside the training range, {} to {} kg".format(*kg)
    )


WRONG = {
    ("heavy", "66"): "Weight: got “heavy”, expected a number above 0, in lb.",
    ("140", "-3"): "Height: got “-3”, expected a number above 0, in in.",
    ("140", ""): "Height: got nothing, expected a number above 0, in in.",
    ("1e999", "66"): "Weight: got “1e999”, expected a number above 0, in lb.",
}


def test_bad_input_gets_one_line(at: At) -> None:
    page = at("seed=44&you=140;66")
    for (weight, height), line in WRONG.items():
        fill(page, weight, height)
        expect(page.locator("#you .error")).to_have_text(line)
        expect(page.locator("#you [aria-invalid=true]")).to_have_count(1)
        expect(page.locator("#you .answer")).to_be_hidden()
        assert state(page)["you"] is None
        fill(page, "140", "66")
        expect(page.locator("#you .error")).to_be_hidden()
        expect(page.locator("#you .answer")).to_be_visible()


def fields(page: Page) -> list[str]:
    """What stands in weight and height."""
    return [of.input_value() for of in page.locator("#you [data-measure] input").all()]


def test_fields_have_what_the_address_has(at: At) -> None:
    """Followed to an address without a reader, they are empty, and nothing is wrong with them."""
    page = at("you=-5;66")
    expect(page.locator("#you .error")).to_contain_text("Weight: got “-5”")
    expect(page.locator("#you .answer")).to_be_hidden()
    follow(page, "step=1&view=you")
    assert fields(page) == ["", ""]
    expect(page.locator("#you .error")).to_be_hidden()
    follow(page, "you=140;66&unit=kg&view=you")
    assert fields(page) == [f"{140 * 0.45359237:.6g}", f"{66 * 2.54:.6g}"]


def test_a_bound_that_is_nearly_met_is_told_from_it(at: At) -> None:
    page = at("you=119.9976;66&unit=kg")
    text = page.locator("#you .warning").inner_text()
    weight, low = re.findall(r"[\d.]+", text)[:2]
    assert weight != low
    assert float(weight) < float(low)


def test_what_is_wrong_follows_the_unit(at: At) -> None:
    """What was typed right is converted; what was not stays, and is named in the unit."""
    page = at()
    fill(page, "100", "tall")
    expect(page.locator("#you .error")).to_contain_text("expected a number above 0, in in.")
    page.locator("#you [data-choice=unit] [data-value=kg]").click()
    expect(page.locator("#you .error")).to_have_text(
        "Height: got “tall”, expected a number above 0, in cm."
    )
    assert fields(page) == ["45.3592", "tall"]


def test_a_field_that_nobody_came_to_is_not_complained_about(at: At) -> None:
    """Nor is one that an address has emptied."""
    page = at()
    weight, height = page.locator("#you [data-measure] input").all()
    error = page.locator("#you .error")
    for text in ("140", "150"):
        weight.fill(text)
        weight.press("Tab")
        expect(height).to_be_focused()
        expect(error).to_be_hidden()
        height.press("Tab")
        expect(error).to_contain_text("Height: got nothing")
        assert fields(page) == [text, ""]
        fill(page, "140", "66")
        follow(page, f"step={1 if text == '140' else 2}&view=you")
        assert fields(page) == ["", ""]


def test_it_answers_while_it_is_typed(at: At) -> None:
    """Key by key, in the middle of a number too; what may become a number is not complained of."""
    page = at("seed=44&epoch=1000&you=140;66")
    weight = page.locator("#you [data-measure=weight] input")
    weight.fill("")
    weight.press_sequentially("14.5")
    expect(page.locator("#you .answer")).to_have_text(answer(14.5, 66))
    for _ in range(2):
        weight.press("ArrowLeft")
    weight.press("1")
    assert weight.evaluate("(of) => [of.value, of.selectionStart]") == ["141.5", 3]
    expect(page.locator("#you .answer")).to_have_text(answer(141.5, 66))
    weight.fill("0.")
    expect(page.locator("#you .error")).to_be_hidden()
    weight.press_sequentially("x")
    expect(page.locator("#you .error")).to_contain_text("Weight: got “0.x”, expected")
    assert fields(page) == ["0.x", "66"]


def test_the_reader_lies_in_the_plane_where_there_is_room(at: At) -> None:
    """On a phone it stands in the training alone, as a whole."""
    page = at("seed=44&you=140;66", size=(1366, 768))
    plane = page.locator("#you .boundary")
    expect(plane.locator("svg[role=img] .you")).to_have_text("you")
    expect(plane.locator("svg[role=img]")).to_be_in_viewport(ratio=0.9)
    expect(plane.locator('[data-person="you"] td').nth(2)).to_have_text(answer(140, 66, 0)[:5])
    at("you=140;66", size=PHONE)
    expect(plane).to_be_hidden()
