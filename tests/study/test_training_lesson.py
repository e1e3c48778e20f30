"""What a training teaches: why it fails, what helps, and what an equal start leads to."""

import re

import pytest
from playwright.sync_api import expect

from compare.experiment import Settings
from tests.study.browser import At, choose
from tests.study.trained import counted, mean, opened, path, says

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
