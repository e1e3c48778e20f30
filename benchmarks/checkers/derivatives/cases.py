"""The cases: every mistake, and every right way to write a derivative."""

import zlib
from functools import partial
from typing import Any

import numpy as np

from benchmarks.checkers.cases import MISTAKES, RIGHT, Case
from benchmarks.checkers.derivatives.question import DerivativeQuestion
from models.derivatives.derivatives import DERIVATIVES
from models.model import RULE, Model

#: A derivative as it is in its module, among its rewrites.
AS_WRITTEN = "as-written"


def cases() -> list[Case]:
    """Return all cases: the mistakes first, then what is right.

    That is the derivative as it is written, at all its points, and rewritten, at the ordinary one.
    """
    wrong = [
        Case(MISTAKES, d.name, slug, partial(with_mistake, d.name, slug))
        for d in DERIVATIVES
        for slug in d.mistakes
    ]
    right = [
        Case(RIGHT, d.name, slug, partial(without_mistake, d.name, slug, draw), draw=draw)
        for d in DERIVATIVES
        for slug, draw in right_ways(d)
    ]
    return [*wrong, *right]


def right_ways(derivative: Model) -> list[tuple[str, int]]:
    """Return the slugs of the right ways to write a derivative, each with a draw."""
    as_written = [(AS_WRITTEN, draw) for draw in range(len(derivative.draws))]
    return [*as_written, *((slug, 0) for slug in derivative.rewrites)]


def with_mistake(name: str, slug: str) -> DerivativeQuestion:
    """Build a derivative with a mistake, at its ordinary point."""
    of = named(name)
    return question(of, of.wrong(slug), arguments(of, 0), of.by_hand)


def without_mistake(name: str, slug: str, draw: int) -> DerivativeQuestion:
    """Build a right derivative at one of its points."""
    of = named(name)
    return question(of, of.right("" if slug == AS_WRITTEN else slug), arguments(of, draw))


def question(of: Model, by_hand: Any, at: tuple[Any, ...], right: Any = None) -> DerivativeQuestion:
    """Return the question about a derivative, which a rule is when its function is made."""
    if of.kind == RULE:
        return DerivativeQuestion(of.kind, of.function, by_hand(), at, right and right())
    return DerivativeQuestion(of.kind, of.function, by_hand, at, right)


def simple() -> DerivativeQuestion:
    """Return a question that makes a checker load its packages before the first case."""
    return without_mistake("arm", AS_WRITTEN, 0)


def arguments(of: Model, draw: int) -> tuple[Any, ...]:
    """Return the arguments of a draw."""
    rng = np.random.default_rng(zlib.crc32(f"{of.name}/{draw}".encode()))
    return [*of.draws.values()][draw](rng)


def named(name: str) -> Model:
    """Return the derivative of that name."""
    (found,) = (derivative for derivative in DERIVATIVES if derivative.name == name)
    return found
