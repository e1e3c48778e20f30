"""The losses of a training as pictures and in words, held against Python's own training."""

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from compare.experiment import Settings
from compare.people import PEOPLE
from manual.article import Parameters, feedforward
from models.planted import MISTAKES, gradient_in, train_in
from tests.reference import XS, YS
from tests.study.browser import At, choose, settle, state
from tests.study.pictures import Scales, attributes, points
from tests.study.trained import Shuffled, counted, losses, mean, opened, path, says

pytestmark = pytest.mark.slow

VIEW = "training"


def curve_is_drawn(page: Page, settings: Settings) -> None:
    """The curve leads through Python's mean loss of every epoch, to half a pixel."""
    picture = page.locator(".curve-of-losses .plot")
    scales = Scales(picture)
    wanted = [scales.place(epochs, mean(settings, epochs)) for epochs in range(1001)]
    np.testing.assert_allclose(points(picture.locator(".curve")), wanted, atol=0.0501)


def test_the_curve_is_the_mean_loss_of_every_epoch(at: At) -> None:
    """Its points lie where the losses are; and in words for who does not see it."""
    settings = Settings(seed=44)
    page = opened(at, "seed=44")
    curve_is_drawn(page, settings)
    words = str(page.locator(".curve-of-losses .plot").get_attribute("aria-label"))
    told = re.findall(r"(\S+) after (\d+) epoch", words)
    assert [int(epochs) for _, epochs in told] == [0, 1, 10, 100, 1000]
    assert all(says(mean(settings, int(epochs)), loss) for loss, epochs in told)
    # Another training has another curve, and so are the numbers of the sawtooth.
    choose(page, eta=0.5)
    settings = Settings(seed=44, learning_rate=0.5)
    curve_is_drawn(page, settings)
    sawtooth_is_drawn(page, settings, range(20))
    after = losses(settings, 1)
    said = page.locator("#training .says").first.inner_text()
    found = re.search(r"own loss from \S+ to (\S+), .* mean of all goes from \S+ to (\S+):", said)
    assert found, said
    assert says(after[0], found[1])
    assert says(float(after.mean()), found[2])


def sawtooth_is_drawn(page: Page, settings: Settings, updates: range) -> None:
    """Its lines lead through Python's losses before and after each of the updates.

    To half of the tenth of a pixel to which places are written.
    """
    picture = page.locator(".sawtooth .picture .plot")
    scales = Scales(picture)
    order = settings.sample_order().ravel()
    every = {k: losses(settings, k) for k in (*updates, updates.stop)}
    teeth = [((k, every[k][order[k]]), (k + 1, every[k + 1][order[k]])) for k in updates]
    # One piece for each tooth, one for each way to the next, and one through all means.
    lines = {
        "own": teeth,
        "jump": [(left[1], right[0]) for left, right in pairwise(teeth)],
        "mean": [[(k, of.mean()) for k, of in every.items()]],
    }
    for name, pieces in lines.items():
        path = picture.locator(f"path.{name}")
        assert str(path.get_attribute("d")).count("M") == len(pieces), name
        wanted = [scales.place(*at) for piece in pieces for at in piece]
        np.testing.assert_allclose(points(path), wanted, atol=0.0501, err_msg=name)


def reader_stands_at(page: Page, updates: int) -> bool:
    """Whether the upright line of the sawtooth stands after so many updates."""
    picture = page.locator(".sawtooth .picture .plot")
    (found,) = attributes(picture.locator(".upright.here"), "x1")
    return abs(found - Scales(picture).place(updates, 0)[0]) < 1e-6


def test_pointing_at_the_curve_reads_it_and_drawing_goes_there(at: At) -> None:
    settings = Settings(init="ones")
    page = opened(at)
    box = page.locator(".curve-of-losses .plot").bounding_box()
    assert box
    reading = page.locator("#training .reading")
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    expect(reading).to_contain_text("After")
    found = re.fullmatch(r"After (\d+) epochs: mean loss (\S+)\.", reading.inner_text())
    assert found
    assert 200 < int(found[1]) < 400
    assert says(mean(settings, int(found[1])), found[2], 5)
    page.mouse.down()
    settle(page)
    assert state(page)["epoch"] == int(found[1])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.up()
    settle(page)
    assert state(page)["epoch"] > int(found[1]) + 50
    page.mouse.move(0, 0)
    expect(reading).to_contain_text("Point at")


def test_one_update_lowers_its_own_loss_to_first_order(at: At) -> None:
    """Both losses before and after, and -η‖∇L‖², for a person whose turn it is."""
    settings = Shuffled(seed=3)
    page = opened(at, "seed=3&order=shuffled&epoch=7")
    who = int(settings.sample_order()[7, 0])
    text = page.locator("#training .says").nth(0).inner_text()
    name = PEOPLE[who].name
    pattern = (
        rf"The next update is {name}’s\. It takes {name}’s own loss from (\S+) to (\S+), "
        r"a change of (\S+); to first order −η‖∇L‖² = (\S+)\. "
        r"The mean of all goes from (\S+) to (\S+): it (\w+)\."
    )
    found = re.fullmatch(pattern, text)
    assert found, text
    before, after = losses(settings, 28), losses(settings, 29)
    step = path(settings)[:, 29] - path(settings)[:, 28]
    assert says(before[who], found[1])
    assert says(after[who], found[2])
    assert says(after[who] - before[who], found[3].replace("+", ""), 3)
    assert says(float(-(step @ step)) / 0.1, found[4], 3)
    assert says(float(before.mean()), found[5])
    assert says(float(after.mean()), found[6])
    assert found[7] == ("falls" if after.mean() < before.mean() else "rises")
    letters = page.locator(".sawtooth .turns text").all_text_contents()
    order = [PEOPLE[k].name[0] for k in settings.sample_order().ravel()[18:38]]
    assert letters == order
    sawtooth_is_drawn(page, settings, range(18, 38))
    assert reader_stands_at(page, 28)
    choose(page, edits={"w1": 5})
    said = page.locator("#training .says").first
    expect(said).to_contain_text("Without your changes the next update")


def every_loss(settings: Settings, slug: str | None) -> np.ndarray:
    """Of each of the four before and after each update, with a mistake or without."""
    if slug is None:
        return np.array([losses(settings, updates) for updates in range(4001)])
    loop, wrong = train_in(MISTAKES[slug], "stable"), gradient_in(MISTAKES[slug], "stable")
    start, rate, order = settings.start(), settings.learning_rate, settings.sample_order()
    points = np.array([start, *loop(start, XS, YS, wrong, rate, order)])
    outputs = [feedforward(Parameters(*of[:, None]), XS) for of in points]
    return (YS - np.array(outputs)) ** 2


@pytest.mark.parametrize(
    ("fragment", "settings", "slug"),
    [
        ("seed=44", Settings(seed=44), None),
        # By the right lines no update raises its own loss; by these six do.
        (
            "seed=3&order=shuffled&mistake=dx-untransposed",
            Shuffled(seed=3),
            "dx-untransposed",
        ),
    ],
)
def test_how_often_a_loss_rises(
    at: At, fragment: str, settings: Settings, slug: str | None
) -> None:
    page = opened(at, fragment)
    every = every_loss(settings, slug)
    order = settings.sample_order().ravel()
    own = every[np.arange(1, 4001), order] > every[np.arange(4000), order]
    mean_rises = np.diff(every.mean(axis=1)) > 0
    found = re.search(
        r"Of all 4000 updates, (\d+) raised the loss of their own sample, "
        r"and (\d+) raised the mean loss",
        counted(page),
    )
    assert found
    assert (int(found[1]), int(found[2])) == (own.sum(), mean_rises.sum())
    assert mean_rises.sum() > 0
    assert own.sum() == (0 if slug is None else 6)
