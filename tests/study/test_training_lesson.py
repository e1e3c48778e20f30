"""What a training teaches: why it fails, what helps, and what an equal start leads to."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from compare.experiment import Settings
from compare.traced.request import PassRequest
from tests.study.browser import At, PageOf, choose
from tests.study.trained import counted, mean, opened, path, says, title

pytestmark = pytest.mark.slow

VIEW = "training"


def test_from_all_ones_there_is_one_unit_in_effect(at: At) -> None:
    """h1 and h2 stay equal, with the numbers of the article; at random they do not."""
    page = opened(at, "epoch=1000")
    lesson = page.locator("#training .lesson")
    w1, w2, _, _, w5, *_ = path(Settings(init="ones"))[:, -1]
    expect(lesson).to_contain_text("h1 and h2 are equal for every input")
    found = re.findall(r"(\w+ = \w+) = (−?[\d.]*\d)", lesson.inner_text())
    assert [pair for pair, _ in found] == ["w1 = w3", "w2 = w4", "b1 = b2", "w5 = w6"]
    assert says(w1, found[0][1])
    assert says(w2, found[1][1])
    assert says(w5, found[3][1])
    page.locator("#training [data-choice=start] button[data-value=random]").click()
    expect(lesson).to_be_hidden()
    page.locator("#training [data-choice=start] button[data-value=ones]").click()
    expect(lesson).to_be_visible()
    choose(page, edits={"w1": 2})
    expect(lesson).to_be_hidden()


def test_a_mistake_may_part_equal_units(at: At) -> None:
    """And an update with one promises nothing of its own loss."""
    page = opened(at, "mistake=zeroed-element")
    assert "Of all 4000 updates" in counted(page)
    text = page.locator("#training").inner_text()
    assert "are equal for every input" not in text
    assert "to first order it lowers" not in text


def test_a_training_that_fails_says_so(at: At) -> None:
    settings = Settings(seed=44, learning_rate=50)
    page = opened(at, "seed=44&eta=50")
    lesson = page.locator("#training .lesson")
    expect(lesson).to_contain_text("With η = 50 the training gets nowhere")
    expect(lesson).to_contain_text("A smaller η helps.")
    found = re.search(r"mean loss of (\S+) and ends at (\S+)\. A", lesson.inner_text())
    assert found
    assert says(mean(settings, 0), found[1])
    assert says(mean(settings, 1000), found[2])
    assert mean(settings, 1000) > 0.4


def test_a_training_that_runs_away_says_where(at_page_of: PageOf) -> None:
    """w ← w - η 2 (w x - y) x is -199 times as far from its end each time: 1e100 in 43 updates."""
    asked = PassRequest(
        sizes=(1, 1), x=(10.0,), y=(0.0,), loss="mse", output="identity", learning_rate=1.0, seed=1
    )
    page = opened(at_page_of(asked))
    text = page.locator("#training .lesson")
    expect(text).to_contain_text("With η = 1 the training runs away: after")
    expect(text).to_contain_text("a parameter grows beyond 1·10¹⁰⁰. A smaller η helps.")
    w = [abs(asked.trace().quantities["w0[0,0]"].by_hand)]
    factor = 1 - 2 * (10.0**2 + 1)  # w and b move together
    found = re.search(r"after (\d+) epochs", text.inner_text())
    assert found
    wanted = (100 - np.log10(w[0])) / np.log10(-factor)
    assert abs(int(found[1]) - wanted) <= 1
    page.get_by_role("button", name="After the last epoch").click()
    stopped = f"After {found[1]} of 1000 epochs, where it broke off: "
    assert title(page).startswith(stopped)
    assert "NaN" not in page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("eta=0.001", r"With η = 0.001 the training is slow: .* still falling. A larger η helps."),
        ("mistake=ascends&seed=44", "A mistake is planted in its lines."),
        ("mistake=not-a-number&seed=44", "after 0 epochs a parameter is no number any more."),
    ],
)
def test_what_helps_is_what_helps(at: At, fragment: str, sentence: str) -> None:
    lesson = opened(at, fragment).locator("#training .lesson")
    expect(lesson).to_have_text(re.compile(sentence))
    expect(lesson).not_to_contain_text("A smaller η")


def test_where_no_update_changes_anything_it_says_so(at_page_of: PageOf) -> None:
    """A relu that is off has no slope, whatever η is."""
    asked = PassRequest(
        sizes=(1, 1),
        x=(-1.0,),
        y=(1.0,),
        activation="relu",
        output="relu",
        seed=3,
        learning_rate=0.5,
    )
    assert asked.trace().quantities["z0[0]"].by_hand < 0
    page = opened(at_page_of(asked))
    expect(page.locator("#training .lesson")).to_have_text(
        "The training gets nowhere: no update changes a parameter. Another start helps."
    )
