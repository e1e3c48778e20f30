"""The cases of the comparison, in their order: planted mistakes, single elements, right points."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.checkers.question import Question
from models import elements, right_points
from models.checkers import MODELS
from models.model import Model

#: The three parts of the comparison.
MISTAKES, ELEMENTS, RIGHT = "mistakes", "elements", "right"

#: Sizes of a parameter, a square matrix, and the number of elements in which each mistake is
#: planted, one at a time. Several, as the element decides what a checker sees; few in the largest
#: matrix, where a check takes up to the whole limit.
SIZES = {100: 8, 10_000: 8, 1_000_000: 2}

#: The slug of the mistake that shows only at a kink; its model's own point is a kink.
AT_A_KINK = "relu-at-zero"

#: The mistakes of `--quick`, of several kinds, each in the first model that has it, ...
QUICK_MISTAKES = ("half-mse", "residual-sign", "dw-transposed", "dropped-term", "accumulates")

#: ... its largest leaf, ...
QUICK_ELEMENTS = 10_000

#: ... and its number of right points of each kind.
QUICK_RIGHT = 1


@dataclass(frozen=True)
class Case:
    """One gradient at one point. It is sent to another process and built only there."""

    part: str  #: `MISTAKES`, `ELEMENTS` or `RIGHT`
    subject: str  #: the model, or the size of the leaf, or the point
    what: str  #: the mistake's slug, or the kind of right point
    build: Callable[[], Any]  #: a `Question`, or what the checkers take in its place
    draw: int = 0  #: the index among several random elements, or points
    format: str = ""  #: that of the floating arguments, if not all cases are in float64

    @property
    def id(self) -> str:
        """The case's name in stored results."""
        named = f"{self.part}/{self.subject}/{self.what}/{self.draw}"
        return f"{named}/{self.format}" if self.format else named


def cases() -> list[Case]:
    """Return all cases."""
    mistakes = [
        Case(MISTAKES, model.name, slug, partial(with_mistake, model.name, slug))
        for model in MODELS
        for slug in model.mistakes
    ]
    single = [
        Case(ELEMENTS, str(size), what, partial(in_one_element, size, what, which), which)
        for size, draws in SIZES.items()
        for what in elements.MISTAKES
        for which in range(draws)
    ]
    ordinary = [
        Case(
            RIGHT,
            model.name,
            "kinked" if AT_A_KINK in model.mistakes else "ordinary",
            partial(without_mistake, model.name),
        )
        for model in MODELS
    ]
    hard = [
        Case(RIGHT, point.name, sort, partial(at_right_point, point.name))
        for sort, points in right_points.POINTS.items()
        for point in points
    ]
    return [*mistakes, *single, *ordinary, *hard]


def quick(everything: Iterable[Case]) -> list[Case]:
    """Select a few cases of every kind."""
    chosen: list[Case] = []
    for case in everything:
        alike = sum(case.part == c.part and case.what == c.what for c in chosen)
        if (
            (case.part == MISTAKES and case.what in QUICK_MISTAKES and not alike)
            or (case.part == ELEMENTS and int(case.subject) <= QUICK_ELEMENTS and not case.draw)
            or (case.part == RIGHT and alike < QUICK_RIGHT)
        ):
            chosen.append(case)
    return chosen


def with_mistake(name: str, slug: str) -> Question:
    """Build a model's gradient with a mistake, at the model's own point."""
    model = _model(name)
    params, *inputs = _drawn(model)
    wrong = model.wrong(slug)
    return Question(model.function, wrong, params, tuple(inputs), right=model.by_hand)


def in_one_element(size: int, what: str, which: int) -> Question:
    """Build a gradient with a mistake in one element of a parameter of that size."""
    params, *inputs = elements.draw(size)
    wrong = elements.planted(size, what, which)
    return Question(
        elements.loss, wrong, params, tuple(inputs), elements.gradient, ("params['w']",)
    )


def without_mistake(name: str) -> Question:
    """Build a model's right gradient, at the same point."""
    return _right(_model(name))


def at_right_point(name: str) -> Question:
    """Build a right gradient at a point that is hard to judge."""
    (point,) = (p for points in right_points.POINTS.values() for p in points if p.name == name)
    return _right(point)


def _right(model: Model) -> Question:
    params, *inputs = _drawn(model)
    return Question(model.function, model.by_hand, params, tuple(inputs))


def _drawn(model: Model) -> tuple[Any, ...]:
    return model.draw(np.random.default_rng(zlib.crc32(model.name.encode())))


def _model(name: str) -> Model:
    (model,) = (model for model in MODELS if model.name == name)
    return model
