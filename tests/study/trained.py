"""The trainings of Python beside those of the page, and the page with one in view."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

import manual.article
import manual.sgd
from compare.experiment import Settings, hand_path
from compare.people import PEOPLE, raw, shifted, targets
from manual.article import Parameters
from tests.study.browser import At, into_view
from tests.study.pictures import number

YS = targets(PEOPLE)


@dataclass(frozen=True)
class Shuffled(Settings):
    """A training in the order that the page shuffles."""

    def sample_order(self) -> np.ndarray:
        return manual.sgd.sample_order(len(PEOPLE), self.epochs, self.seed)


@cache
def path(settings: Settings) -> np.ndarray:
    return hand_path(settings)


def losses(settings: Settings, updates: int) -> np.ndarray:
    """Of each of the four after so many updates."""
    params = Parameters(*path(settings)[:, updates, None])
    return (YS - manual.article.feedforward(params, shifted(raw(PEOPLE)))) ** 2


def mean(settings: Settings, epochs: int) -> float:
    return float(losses(settings, 4 * epochs).mean())


def says(value: float, text: str, digits: int = 4) -> bool:
    """Whether the text is the value to so many digits."""
    return number(text) == Decimal(f"{value:.{digits}g}")


def opened(at: At, fragment: str = "", **how: Any) -> Page:
    """The page, scrolled to the training, drawn."""
    page = at(fragment, still=True, **how)
    into_view(page.locator(".curve-of-losses"))
    return page


def title(page: Page) -> str:
    return page.locator("#training .title").inner_text()


def counted(page: Page) -> str:
    """How often a loss rose in the training; until it is counted, old words stand there unseen."""
    words = page.locator("#training .says").nth(1)
    expect(words).to_be_visible()
    return words.inner_text()


def boundary(page: Page) -> Locator:
    """The picture of the plane, in view and drawn finely."""
    picture = page.locator("#training .boundary .picture .plot")
    into_view(picture)
    expect(picture).to_have_attribute("data-fine", "true")
    return picture
