"""Checkers that are always right, always wrong, or never done, and results that were made up."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks.checkers.cases import AS_WRITTEN, GRADIENTS, MISTAKES, RIGHT, Case, Question
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.results import Answer, Check, Planted, Results
from benchmarks.checkers.run import Asked, answered
from models.model import GRADIENT

#: The leaves of the model's parameters.
B, W = "params['b']", "params['w']"


def question(slug: str = "") -> Question:
    """About a model with a matrix and a bias: right, or with a mistake."""
    part, what = (MISTAKES, slug) if slug else (RIGHT, AS_WRITTEN)
    return Case(GRADIENTS, part, "logistic-labels", what).build()


def elementary() -> Question:
    """A question without inputs, which the planted checkers answer."""
    return replace(question(), at=question().at[:1])


def unbuilt() -> Question:
    raise KeyError("no such model")


def says(verdict: str, _: Question) -> Answer:
    return Answer(verdict)


def says_where(asked: Question) -> Answer:
    """Says which process it is, and at which parameters."""
    return Answer(RIGHT, message=f"{os.getpid()} {asked.at[0]}")


def waits(seconds: float, _: Question) -> None:
    time.sleep(seconds)


def never_ends(how: str, asked: Question) -> None:
    """But on its first question, which is there to warm it up."""
    kept = []
    while asked.args:
        if how == "dies":
            os._exit(3)
        elif how == "eats" and len(kept) < 64:  # 8 GB, more than the test allows
            kept.append(np.ones(2**24))
        elif how != "works":
            time.sleep(1)


def contender(name: str, ask: Callable[[Question], Any], keeps: bool = False) -> Contender:
    return Contender(name, "numpy", ask, [GRADIENT], keeps)


ALWAYS_RIGHT = contender("always right", partial(says, RIGHT))
ALWAYS_WRONG = contender("always wrong", partial(says, "wrong"))


@dataclass(frozen=True)
class Made(Case):
    """A case with a question that is made up."""

    make: Callable[[], Question] = question

    def build(self, call: int = 0) -> Question:
        """In later calls at other parameters."""
        made = self.make()
        return replace(made, at=jax.tree.map(lambda leaf: leaf + call, made.at)) if call else made


def a_case(
    what: str,
    make: Callable[[], Question] = question,
    questions: str = GRADIENTS,
    part: str = MISTAKES,
    calls: int = 1,
) -> Case:
    return Made(questions, part, "linear", what, make=make, calls=calls)


def asked(ask: Callable[[Question], Answer | None], about: Question) -> Answer:
    """A checker's answer in this process."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return answered(contender("asked", ask), about)


def asked_here(todo: Iterable[Asked], *_: Any) -> Iterator[tuple[Asked, list[Answer]]]:
    """Asks in this process, where what the other one does is not at stake."""
    for who, case in todo:
        yield (who, case), [answered(who, case.build(call), call) for call in range(case.calls)]


def results(questions: str = GRADIENTS) -> Results:
    names = dict.fromkeys([ALWAYS_RIGHT.name, ALWAYS_WRONG.name])
    versions = {"python": "3.11", "jax": "0.10"}
    about: Any = {"date": "2026-01-02", "revision": "abc", "machine": "m", "system": "s"}
    about |= {"processor": "p", "processors": 2, "versions": versions}
    return Results(about, 120.0, names, questions)


def check(who: str, part: str, what: str, verdict: str, **others: Any) -> Check:
    others = {"subject": "m", "wrong_leaves": (W,), "parameters": 2, "seconds": 1.0} | others
    case = f"{part}/{others['subject']}/{what}/0"
    return Check(contender=who, case=case, part=part, what=what, **others, verdict=verdict)


def known(*kinds: str) -> Planted:
    return Planted(says="what was done", kinds=[*kinds], lines=[], size=None, times=None)
