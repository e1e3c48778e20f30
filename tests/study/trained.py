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
