"""The view of the training: where it goes, from what, and how it is controlled."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from compare.experiment import Settings
from compare.traced.request import PassRequest
from manual.article import Parameters
from study.build import build
from study.content import of_article
from tests.study.browser import (
    LOW,
    At,
    Pages,
    choose,
    follow,
    given,
    into_view,
    settle,
    state,
)
from tests.study.trained import counted, losses, mean, opened, path, says, title

pytestmark = pytest.mark.slow

VIEW = "training"


def test_going_to_an_epoch_the_whole_page_stands_there(at: At) -> None:
    """Parameters, loss and network; changes of the reader are gone."""
    settings = Settings(seed=44)
    page = opened(at, "seed=44&edits=w1:3")
    assert "with your changes" in title(page)
    page.get_by_label("Epochs done").fill("100")
    assert state(page)["epoch"] == 100
    assert state(page)["edits"] == {}
    assert says(mean(settings, 100), title(page).rpartition(" ")[2])
    for name, value in zip(Parameters._fields, path(settings)[:, 400], strict=True):
        assert given(page)[name] == pytest.approx(value, rel=1e-12)
    page.get_by_role("button", name="An epoch on").click()
    assert state(page)["epoch"] == 101
    end = page.get_by_role("button", name="After the last epoch")
    end.press("Enter")
    assert says(mean(settings, 1000), title(page).rpartition(" ")[2])
    expect(end).to_be_focused()  # it is not disabled, which would take the focus away
    expect(end).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Before the first epoch").click()
    assert state(page)["epoch"] == 0


def test_the_learning_rate_is_chosen_on_a_log_slider_or_typed(at: At) -> None:
    page = opened(at, "seed=44&epoch=1000")
    slider = page.get_by_label("Learning rate η, on a logarithmic scale")
    field = page.get_by_label("Learning rate η", exact=True)
    slider.fill("1")
    assert state(page)["eta"] == 10
    assert field.input_value() == "10"
    slider.fill("-3")
    assert state(page)["eta"] == 0.001
    field.fill("0.5")
    field.press("Tab")
    assert state(page)["eta"] == 0.5
    assert says(
        mean(Settings(seed=44, learning_rate=0.5), 1000),
        title(page).rpartition(" ")[2],
    )
    field.fill("-1")
    field.press("Tab")
    assert state(page)["eta"] == 0.5
    assert field.input_value() == "0.5"


def test_it_plays_to_the_end_and_stops_where_the_reader_goes(at: At) -> None:
    """It or the pass, not both."""

    def tick() -> tuple[int, int]:
        page.evaluate("tick()")
        return state(page)["epoch"], state(page)["step"]

    page = opened(at, "seed=44&epoch=980&step=3")
    player = page.get_by_role("button", name="the training")
    player.click()
    assert [tick(), tick(), tick()] == [(990, 3), (1000, 3), (1000, 3)]
    expect(player).to_have_text("play")
    player.click()  # from the beginning
    assert tick() == (10, 3)
    assert says(mean(Settings(seed=44), 10), title(page).rpartition(" ")[2])
    for change in ({"eta": 0.2}, {"edits": {"w1": 2}}, {"epoch": 500}):
        choose(page, **change)
        before = state(page)["epoch"]
        assert tick() == (before, 3)
        expect(player).to_have_text("play")
        player.click()
        assert tick() == (before + 10, 3)
        expect(player).to_have_text("pause")
    page.get_by_label("Steps").get_by_role("button", name="play").click()
    expect(player).to_have_text("play")
    assert tick() == (510, 4)
    player.click()
    assert tick() == (520, 4)
    player.click()
    assert tick() == (520, 4)
    player.click()
    follow(page, "seed=44&epoch=3&step=3&view=training")
    assert tick() == (3, 3)
    expect(player).to_have_text("play")


def test_each_form_of_the_slope_has_a_training_of_its_own(at: At) -> None:
    """With f(1 - f) digits are lost, so that the two part."""
    end = """form => {
      const { study, state } = modules["main.js"].store;
      return modules["model/point.js"].path(study, { ...state, form }).at(-1);
    }"""
    page = at("seed=44")
    assert page.evaluate(end, "stable") != page.evaluate(end, "article")


def test_words_are_those_of_now_out_of_sight_too(pages: Pages, study_page: Path) -> None:
    """A screen reader comes to pictures that nobody has scrolled to; their words are new."""
    page = pages.open(study_page, "seed=44&view=training", still=True, size=LOW)
    choose(page, epoch=300, eta=0.5)
    settings = Settings(seed=44, learning_rate=0.5)
    assert page.locator(".curve-of-losses .plot .curve").get_attribute("d") is None
    curve = str(page.locator(".curve-of-losses .plot").get_attribute("aria-label"))
    assert says(mean(settings, 1000), curve.rpartition(" after ")[0].rpartition(" ")[2])
    saw = str(page.locator(".sawtooth .picture .plot").get_attribute("aria-label"))
    before = losses(settings, 1200)[0]
    assert "Losses of updates 1190 to 1210" in saw
    assert says(before, saw.partition("own loss from ")[2].partition(" to ")[0])
    assert str(page.locator("#training .says").first.text_content()) in saw
    plane = str(page.locator("#training .boundary .picture .plot").get_attribute("aria-label"))
    above, below = re.findall(r": ([^.]+)\.", plane)
    assert above == "Alice, Diana, Emily"
    assert below == "Bob, Charlie, Frank"
    assert "Of all 4000 updates" in counted(page)
    note = page.locator("#training .boundary .note")
    choose(page, seed=None, epoch=0)
    into_view(page.locator("#training .boundary .picture"))
    expect(note).to_contain_text("the network says F")
    page.evaluate("scrollTo(0, 0)")
    settle(page)
    choose(page, seed=44, epoch=300)
    expect(note).to_have_text("")
    choose(page, eta=50)
    expect(page.locator("#training .lesson")).to_contain_text(
        "With η = 50 the training gets nowhere"
    )


@pytest.mark.usefixtures("little")
def test_a_page_keeps_the_learning_rate_that_it_was_built_with(
    pages: Pages, tmp_path: Path
) -> None:
    """However large: the field takes it, and so does an address."""
    built = build(of_article(PassRequest(learning_rate=1000.0)), tmp_path / "page.html")
    page = pages.open(built, "view=training")
    field = page.get_by_label("Learning rate η", exact=True)
    assert field.input_value() == "1000"
    assert field.evaluate("field => field.validity.valid")
    field.fill("900")
    field.press("Tab")
    assert state(page)["eta"] == 900
    assert state(pages.open(built, "eta=1000"))["eta"] == 1000
    expect(pages.open(built, "eta=1001").get_by_role("alert")).to_contain_text("eta=1001")
