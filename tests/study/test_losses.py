"""The losses of a training as pictures and in words, held against Python's own training."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from compare.experiment import Settings
from compare.people import PEOPLE
from tests.study.browser import Pages
from tests.study.trained import axes_of, losses, mean, opened, path, says, state

pytestmark = pytest.mark.slow


def test_the_curve_is_the_mean_loss_of_every_epoch(pages: Pages, study_page: Path) -> None:
    """Its points lie where the losses are; and in words for who does not see it."""
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44")
    curve = page.locator(".curve-of-losses .plot .curve")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", str(curve.get_attribute("d")))
    means = np.array([mean(settings, epochs) for epochs in range(1001)])
    xs, ys = np.array(points, float).T
    assert len(points) == 1001
    across, up = axes_of(page.locator(".curve-of-losses"))
    np.testing.assert_allclose(np.polyval(across, xs), np.arange(1001), atol=0.3)
    np.testing.assert_allclose(np.polyval(up, ys), means, atol=2e-4)
    words = str(page.locator(".curve-of-losses .plot").get_attribute("aria-label"))
    told = re.findall(r"(\S+) after (\d+) epoch", words)
    assert [int(epochs) for _, epochs in told] == [0, 1, 10, 100, 1000]
    assert all(says(mean(settings, int(epochs)), loss) for loss, epochs in told)


def test_another_training_has_another_curve(pages: Pages, study_page: Path) -> None:
    """Drawn anew, in view, when η is another one; and so are the numbers of the sawtooth."""
    page = opened(pages, study_page, "seed=44")
    line = page.locator(".curve-of-losses .plot .curve")
    before = line.get_attribute("d")
    page.evaluate("modules['main.js'].store.set({ eta: 0.5 })")
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", str(line.get_attribute("d"))), float)
    assert line.get_attribute("d") != before
    settings = Settings(seed=44, learning_rate=0.5)
    means = np.array([mean(settings, epochs) for epochs in range(1001)])
    _, up = axes_of(page.locator(".curve-of-losses"))
    np.testing.assert_allclose(np.polyval(up, points[:, 1]), means, atol=3e-4)


def test_pointing_at_the_curve_reads_it_and_drawing_goes_there(
    pages: Pages, study_page: Path
) -> None:
    settings = Settings(init="ones")
    page = opened(pages, study_page)
    box = page.locator(".curve-of-losses .plot").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    reading = page.locator("#training .reading").inner_text()
    found = re.fullmatch(r"After (\d+) epochs: mean loss (\S+)\.", reading)
    assert found
    assert 200 < int(found[1]) < 400
    assert says(mean(settings, int(found[1])), found[2], 5)
    page.mouse.down()
    assert state(page, "epoch") == int(found[1])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.up()
    assert state(page, "epoch") > int(found[1]) + 50
    page.mouse.move(0, 0)
    assert page.locator("#training .reading").inner_text().startswith("Point at")


def test_one_update_lowers_its_own_loss_to_first_order(pages: Pages, study_page: Path) -> None:
    """Both losses before and after, and -η‖∇L‖², for a person whose turn it is."""
    settings = Settings(seed=3, order="shuffled")
    page = opened(pages, study_page, "seed=3&order=shuffled&epoch=7")
    at = int(settings.sample_order()[7, 0])
    text = page.locator("#training .says").nth(0).inner_text()
    name = PEOPLE[at].name
    pattern = (
        rf"The next update is {name}’s\. It takes {name}’s own loss from (\S+) to (\S+), "
        r"a change of (\S+); to first order −η‖∇L‖² = (\S+)\. "
        r"The mean of all goes from (\S+) to (\S+): it (\w+)\."
    )
    found = re.fullmatch(pattern, text)
    assert found, text
    before, after = losses(settings, 28), losses(settings, 29)
    step = path(settings)[:, 29] - path(settings)[:, 28]
    assert says(before[at], found[1])
    assert says(after[at], found[2])
    assert says(after[at] - before[at], found[3].replace("+", ""), 3)
    assert says(float(-(step @ step)) / 0.1, found[4], 3)
    assert says(float(before.mean()), found[5])
    assert says(float(after.mean()), found[6])
    assert found[7] == ("falls" if after.mean() < before.mean() else "rises")
    letters = page.locator(".sawtooth .turns text").all_text_contents()
    order = [PEOPLE[k].name[0] for k in settings.sample_order().ravel()[18:38]]
    assert letters == order


def test_the_next_update_is_that_of_the_training_itself(pages: Pages, study_page: Path) -> None:
    page = opened(pages, study_page, "seed=44&epoch=100&edits=w1:5")
    expect(page.locator("#training .says").first).to_contain_text(
        "Without your changes the next update"
    )


def test_how_often_a_loss_rises(pages: Pages, study_page: Path) -> None:
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44")
    text = page.locator("#training .says").nth(1)
    expect(text).to_contain_text("Of all 4000 updates")
    every = np.array([losses(settings, updates) for updates in range(4001)])
    order = settings.sample_order().ravel()
    own = every[np.arange(1, 4001), order] > every[np.arange(4000), order]
    mean_rises = np.diff(every.mean(axis=1)) > 0
    found = re.search(
        r"(\d+) raised the loss of their own sample, and (\d+) raised the mean loss",
        text.inner_text(),
    )
    assert found
    assert (int(found[1]), int(found[2])) == (own.sum(), mean_rises.sum())
    assert mean_rises.sum() > 0
