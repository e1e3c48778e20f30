"""The attack with foreign code: its truth, its ratings, and what is stored of it."""

from typing import Any

import numpy as np
import pytest

from tests.attack.foreign.subject import Subject, outcome
from tests.attack.foreign.truth import measure
from tests.attack.parts import PARTS

AT = np.array([0.3, -1.2, 2.0])


def loss(xp: Any, x: Any) -> Any:
    return xp.sum(xp.tanh(x) * xp.exp(x))


def gradient(x: np.ndarray) -> np.ndarray:
    return (1 - np.tanh(x) ** 2 + np.tanh(x)) * np.exp(x)


def test_the_truth_tells_right_from_wrong() -> None:
    assert measure(loss, gradient(AT), AT, ()).relative < 1e-14
    error = measure(loss, gradient(AT) * [1, 1, 1.001], AT, ())
    assert (error.where, error.relative) == ("[2]", pytest.approx(1e-3))


def test_at_a_kink_both_sides_are_right() -> None:
    zero = np.array([0.0, 1.0])
    for side, relative in ((-1.0, 0), (0.3, 0), (1.0, 0), (1.5, 0.5)):
        error = measure(lambda xp, x: xp.sum(xp.abs(x)), np.array([side, 1.0]), zero, ())
        assert (error.kink, error.relative) == (True, pytest.approx(relative))


def test_what_is_too_small_to_be_seen_may_be_called_either() -> None:
    small, at = 1e-70, {"a": np.array([0.5]), "b": np.array([1.0])}

    def tiny(xp: Any, p: Any) -> Any:
        return xp.sum(small * p["a"] + xp.exp(p["b"]))

    subject = Subject("package", "name", tiny, gradient, at)
    for a, expected in ((0, "right"), (small, "either"), (2 * small, "either"), (1e-3, "wrong")):
        answer = {"a": np.array([a]), "b": np.exp(at["b"])}
        assert subject.expected(measure(tiny, answer, at, ())) == expected


@pytest.mark.parametrize(
    ("expected", "verdict", "elsewhere", "rating"),
    [
        ("right", "agree", None, "right"),
        ("right", "disagree", "right", "wrong"),
        ("right", "disagree", "wrong", "right"),
        ("wrong", "imprecise", None, "wrong"),
        ("wrong", "disagree", None, "right"),
        ("wrong", "undecidable", None, "undecidable"),
        ("lossy", "agree", None, "wrong"),
        ("either", "disagree", None, "right"),
        ("right", "error", None, "error"),
    ],
)
def test_ratings(expected: str, verdict: str, elsewhere: str | None, rating: str) -> None:
    assert outcome({"expected": expected, "verdict": verdict, "elsewhere": elsewhere}) == rating


@pytest.mark.slow
def test_a_subject_is_judged_beside_its_truth() -> None:
    row = Subject("package", "name", loss, lambda x: gradient(x) * 1.01, AT).judged()
    assert (row["expected"], row["verdict"], row["outcome"]) == ("wrong", "disagree", "right")


def test_no_stored_ruling_is_wrong() -> None:
    (part,) = (part for part in PARTS if part.name == "foreign")
    found = part.figures(part.stored())
    assert found["wrong"] == 0
    assert found["share"] >= 98
    assert found["count"] >= 200
    assert found["packages"] >= 20
    assert f"{found['count']} hand-written gradients" in part.section()
