"""Checkers that are always right, always wrong, or never done, and results that were made up."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks.checkers import cases
from benchmarks.checkers.cases import Case
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer, Question
from benchmarks.checkers.results import Check, Results
from benchmarks.checkers.worker import Reply

#: The leaves of the model's parameters.
B, W = "params['b']", "params['w']"

X = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 0.25], [0.5, 4.0, -2.0], [1.5, 0.0, 1.0]])
PARAMS = {"b": np.array([0.5, -0.25]), "w": np.array([[0.5, -1.0], [0.25, 2.0], [1.0, -0.5]])}


def loss(params: Any, x: Any) -> Any:
    return jax.numpy.mean((x @ params["w"] + params["b"][None, :] - 1.0) ** 2)


def gradient(params: Any, x: np.ndarray) -> Any:
    residual = (x @ params["w"] + params["b"] - 1) * 2 / (2 * len(x))
    return {"b": residual.sum(axis=0), "w": x.T @ residual}


def turned(params: Any, x: np.ndarray) -> Any:
    grads = gradient(params, x)
    return grads | {"w": -grads["w"]}


def transposed(params: Any, x: np.ndarray) -> Any:
    grads = gradient(params, x)
    return grads | {"w": grads["w"].T}


def broken(_params: Any, _x: Any) -> Any:
    raise ZeroDivisionError("division by zero")


def question(asked: Callable[..., Any] = gradient) -> Question:
    return Question(loss, asked, PARAMS, (X,), None if asked is gradient else gradient)


def says(verdict: str, _question: Question) -> Answer:
    return Answer(verdict)


def hangs(asked: Question) -> Answer:
    """On its first question, which is there to warm it up, it does not."""
    if asked.inputs:
        time.sleep(600)
    return Answer(RIGHT)


def works(asked: Question) -> Answer:
    """Uses a processor all the time."""
    while asked.inputs:
        pass
    return Answer(RIGHT)


def dies(asked: Question) -> Answer:
    if asked.inputs:
        os._exit(3)
    return Answer(RIGHT)


def eats(asked: Question) -> Answer:
    if asked.inputs:
        kept = [np.ones(2**24) for _ in range(64)]  # 8 GB, more than the test allows
        time.sleep(600 * len(kept))
    return Answer(RIGHT)


def unbuilt() -> Question:
    raise KeyError("no such model")


def a_case(what: str, build: Callable[[], Question] = question) -> Case:
    return Case(cases.MISTAKES, "linear", what, build)


ALWAYS_RIGHT = Contender("always right", "numpy", partial(says, RIGHT))
ALWAYS_WRONG = Contender("always wrong", "numpy", partial(says, WRONG))


class Here:
    """Stands in for the other process where what it does is not at stake."""

    def __init__(self, contender: Contender, _limit: float) -> None:
        self.contender = contender

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, case: Case) -> Reply:
        asked = case.build()
        return Reply(self.contender.ask(asked), asked.wrong_leaves(), len(asked.paths))


def results(**absent: str) -> Results:
    names = {contender.name: None for contender in (ALWAYS_RIGHT, ALWAYS_WRONG)}
    versions = {"python": "3.11", "jax": "0.10"}
    about = {"date": "2026-01-02", "revision": "abc", "machine": "m", "system": "s"}
    about |= {"processor": "p", "processors": 2, "versions": versions}
    return Results(about, 120.0, names | absent)


def check(contender: str, part: str, what: str, verdict: str, **others: Any) -> Check:
    subject = others.pop("subject", "m")
    fields = {"reason": "", "leaves": [], "kinds": [], "wrong_leaves": [W]}
    fields |= {"parameters": 2, "seconds": 1.0, "message": ""} | others
    case = f"{part}/{subject}/{what}/0"
    return Check(contender, case, part, subject, what, verdict, **fields)


def made_up() -> Results:
    made = results()
    right, wrong = partial(check, "always right"), partial(check, "always wrong")
    made.checks = [
        right("mistakes", "half-mse", RIGHT),
        right("mistakes", "half-mse", NO_ANSWER, subject="n", reason="time"),
        right("elements", "sign", RIGHT, subject="10000"),
        right("right", "tiny", RIGHT, seconds=3.0),
        wrong("mistakes", "half-mse", WRONG, kinds=["factor"], leaves=[W]),
        wrong("mistakes", "half-mse", WRONG, kinds=["sign"], leaves=[B], subject="n"),
        wrong("mistakes", "missing-square", WRONG, kinds=["unknown"], parameters=1),
        wrong("mistakes", "relu-at-zero", RIGHT, kinds=["convention"]),
        wrong("elements", "sign", WRONG, kinds=["unknown"], subject="10000"),
        wrong("right", "tiny", WRONG, seconds=2.0),
    ]
    return made
