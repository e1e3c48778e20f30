"""The cases of the comparison, in their order: planted mistakes, single elements, right points."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.checkers import elements, right_points
from benchmarks.checkers.question import Question
from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects import SUBJECTS
from benchmarks.checkers.subjects.planting import Accumulating

#: The three parts of the comparison.
MISTAKES, ELEMENTS, RIGHT = "mistakes", "elements", "right"

#: The slug of the mistake that is one only at a kink; its model's own point is a kink.
AT_A_KINK = "relu-at-zero"

#: What `--quick` asks: mistakes of several sorts, each in the first model that has it, ...
QUICK_MISTAKES = ("half-mse", "residual-sign", "dw-transposed", "dropped-term", "accumulates")

#: ... leaves up to this size, ...
QUICK_ELEMENTS = 10_000

#: ... and so many right points of each sort.
QUICK_RIGHT = 1


@dataclass(frozen=True)
class Case:
    """One gradient at one point. It travels to another process, so it is built only there."""

    part: str  #: `MISTAKES`, `ELEMENTS` or `RIGHT`
    subject: str  #: the model, or the size of the leaf, or the point
    what: str  #: the mistake's slug, or the sort of right point
    build: Callable[[], Question]
    draw: int = 0  #: which of several elements drawn

    @property
    def id(self) -> str:
        """Its name in stored results."""
        return f"{self.part}/{self.subject}/{self.what}/{self.draw}"


def cases() -> list[Case]:
    """All of them."""
    return [*_of_models(SUBJECTS), *_of_elements(), *_of_right_points(SUBJECTS)]


def quick(everything: Iterable[Case]) -> list[Case]:
    """A small part of them, of every kind."""
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


def _of_models(subjects: Iterable[Subject]) -> list[Case]:
    return [
        Case(MISTAKES, subject.name, slug, partial(with_mistake, subject.name, slug))
        for subject in subjects
        for slug in subject.mistakes
    ]


def _of_elements() -> list[Case]:
    return [
        Case(ELEMENTS, str(size), what, partial(elements.planted, size, what, which), which)
        for size, draws in elements.SIZES.items()
        for what in elements.MISTAKES
        for which in range(draws)
    ]


def _of_right_points(subjects: Iterable[Subject]) -> list[Case]:
    ordinary = [
        Case(
            RIGHT,
            subject.name,
            "kinked" if AT_A_KINK in subject.mistakes else "ordinary",
            partial(without_mistake, subject.name),
        )
        for subject in subjects
    ]
    hard = [
        Case(RIGHT, point.name, sort, partial(at_right_point, point.name))
        for sort, points in right_points.POINTS.items()
        for point in points
    ]
    return ordinary + hard


def with_mistake(name: str, slug: str) -> Question:
    """A model's gradient with a mistake, at the model's own point."""
    subject = _subject(name)
    params, *inputs = _drawn(subject)
    wrong = subject.mistakes[slug]
    if isinstance(wrong, Accumulating):
        wrong = wrong.fresh()
    return Question(subject.loss, wrong, params, tuple(inputs), right=subject.gradient)


def without_mistake(name: str) -> Question:
    """A model's right gradient, at the same point."""
    return _right(_subject(name))


def at_right_point(name: str) -> Question:
    """A right gradient at a point that is hard to judge."""
    (point,) = (p for points in right_points.POINTS.values() for p in points if p.name == name)
    return _right(point)


def _right(subject: Subject) -> Question:
    params, *inputs = _drawn(subject)
    return Question(subject.loss, subject.gradient, params, tuple(inputs))


def _drawn(subject: Subject) -> tuple[Any, ...]:
    return subject.draw(np.random.default_rng(zlib.crc32(subject.name.encode())))


def _subject(name: str) -> Subject:
    (subject,) = (subject for subject in SUBJECTS if subject.name == name)
    return subject
