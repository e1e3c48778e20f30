"""The trainings of Python beside those of the page, and the page with one in view."""

import re
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

import manual.article
from compare.experiment import Settings, hand_path
from compare.people import PEOPLE, targets
from manual.article import Parameters
from tests.study.browser import At, into_view
from tests.study.reading import number

YS = targets(PEOPLE)


@cache
def path(settings: Settings) -> np.ndarray:
    return hand_path(settings)


def losses(settings: Settings, updates: int) -> np.ndarray:
    """Of each of the four after so many updates."""
    params = Parameters(*path(settings)[:, updates, None])
    return (YS - manual.article.feedforward(params, settings.inputs(PEOPLE))) ** 2


def mean(settings: Settings, epochs: int) -> float:
    return float(losses(settings, 4 * epochs).mean())


def says(value: float, text: str, digits: int = 4) -> bool:
    """Whether the text is the value to so many digits."""
    return number(text) == Decimal(f"{value:.{digits}g}")


def opened(at: At, fragment: str = "", **how: Any) -> Page:
    """The page, scrolled to the training, drawn."""
    shown = at(fragment, still=True, **how)
    into_view(shown.locator(".curve-of-losses"))
    expect(shown.locator(".curve-of-losses .plot .curve")).to_have_attribute("d", re.compile("M"))
    return shown


def state(page: Page, key: str) -> Any:
    return page.evaluate("(key) => modules['main.js'].store.state[key]", key)


def title(page: Page) -> Locator:
    return page.locator("#training .title")


def counted(page: Page) -> str:
    """How often a loss rose in the training, once that is counted.

    Until then the words of another training may stand there, out of sight.
    """
    words = page.locator("#training .says").nth(1)
    expect(words).to_be_visible()
    return words.inner_text()


def rows(page: Page) -> dict[str, list[str]]:
    read = "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    found = page.locator("#training .predictions tbody tr").evaluate_all(read)
    return {name: cells for name, *cells in found}


def axes_of(place: Locator) -> tuple[np.ndarray, np.ndarray]:
    """What places across and up mean, read off the ticks of a picture: for `np.polyval`."""
    read = """(all) => all.map((tick) => [tick.getAttribute("text-anchor"), tick.textContent,
        Number(tick.getAttribute("x")), Number(tick.getAttribute("y")) - 4])"""
    ticks = place.locator(".tick").evaluate_all(read)
    lines = []
    for k, anchor in ((2, "middle"), (3, "end")):
        values = [(tick[k], float(number(tick[1]))) for tick in ticks if tick[0] == anchor]
        lines.append(np.polyfit([at for at, _ in values], [value for _, value in values], 1))
    return lines[0], lines[1]
