"""Points outside the domain that parameters are meant to keep: positive, in [0, 1], symmetric."""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.names import Names
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.exits import exits, kept_by
from handgrad.judging.witness import RIGHT, WRONG


def length(p: Any) -> Any:
    return jnp.sum(jnp.abs(p["r"])) + jnp.sum(p["w"] ** 2)


def for_lengths(p: Any) -> Any:
    return {"r": np.ones_like(p["r"]), "w": 2 * p["w"]}


AT = {"r": np.array([0.3, 1.5, 0.7]), "w": np.array([0.5, -1.0])}


@pytest.mark.slow
def test_a_wrong_answer_only_outside_of_the_domain_says_so() -> None:
    report = check_gradient(for_lengths, length, AT, points=4)
    assert report.headline.startswith(
        "disagree at point 4, where p['r'] is no longer positive: p['r']: "
    )
    (hint,) = (w for w in report.warnings if "is no longer positive" in w)
    assert hint.startswith("right at 4 points, wrong only where p['r'] is no longer positive: ")
    assert "at point 4, p['r'][0] is -" in hint
    assert "say domain='positive' for p['r']" in hint
    assert "points=[...]" in hint
    assert str(report).count("no longer positive") == 2


@pytest.mark.slow
def test_a_mistake_inside_of_the_domain_says_nothing_of_it() -> None:
    def wrong(p: Any) -> Any:
        grads = for_lengths(p)
        return grads | {"r": np.where(p["r"] > 0.5, 1.01, grads["r"])}

    for at in (AT, AT | {"r": np.array([0.3, 0.4, 0.1])}):
        report = check_gradient(wrong, length, at, points=8)
        assert report.verdict == "disagree"
        assert "no longer" not in report.headline


#: Of a gradient as a whole.
CASE = Case(len, len)


def outcome(given: Any, wrong: bool) -> Any:
    level = np.full(given.size, WRONG if wrong else RIGHT)
    ruling = SimpleNamespace(given=given, yours=SimpleNamespace(level=level))
    return SimpleNamespace(given=given, ruling=ruling, wrong=wrong, findings=())


def left(before: Any, after: Any) -> str:
    """Return the exits of a wrong point, beside a right one."""
    given, other = point_at(before, ()), point_at(after, ())

    outcomes = (outcome(given, False), outcome(other, True))
    return " and ".join(f"{e.path} {e.left}" for e in exits(outcomes, CASE).get(1, []))


S = np.array([[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([0.5, 2.0], [0.5, -2.0], "params is no longer positive"),
        ([0.0, 2.0], [-0.5, 2.0], "params is no longer 0 or more"),
        ([-1.0, -2.0], [-1.0, 0.0], "params is no longer negative"),
        ([0.2, 0.9], [0.2, 1.1], "params is no longer in [0, 1]"),
        ([0.2, -0.9], [0.2, -1.1], "params is no longer in [-1, 1]"),
        ([0.2, 0.8], [0.2, 0.7], "params no longer sums to 1"),
        ([0.5, 0.5 + 2**-51], [0.5, 0.7], "params no longer sums to 1"),
        ([0.5, 0.5 + 2**-50], [0.5, 0.7], ""),
        (S, S + np.eye(2)[[1, 1]], "params is no longer symmetric"),
        ([2.0, -3.0, 1.0], [2.0, 3.0, 1.0], "params[1] changes its sign"),
        ([2.0, -3.0, 1.0], [2.5, -2.0, 4.0], ""),
        (np.linspace(-5.0, 5.0, 20), np.linspace(5.0, -5.0, 20), ""),
    ],
)
def test_what_was_left(before: Any, after: Any, said: str) -> None:
    assert left(np.array(before), np.array(after)) == said


def test_of_several_the_one_that_no_right_point_left() -> None:
    given, other, wrong = (
        point_at({"a": a, "b": b}, ()) for a, b in ((1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0))
    )

    found = exits([outcome(given, False), outcome(other, False), outcome(wrong, True)], CASE)
    assert [e.path for e in found[2]] == ["params['b']"]
    # A sign that changes by chance is no reason if a right point changes it, too.
    signs = [point_at(np.array([2.0, b, 1.0]), ()) for b in (-3.0, 3.0, 2.5)]
    by_chance = [outcome(point, point is signs[2]) for point in signs]
    assert exits(by_chance, CASE) == {}
    assert [e.left for e in exits(by_chance[::2], CASE)[1]] == ["changes its sign"]
    # If it is wrong where nothing was left, nothing is said.
    assert exits([outcome(given, False), outcome(given, True), outcome(wrong, True)], CASE) == {}


INF = np.inf


@pytest.mark.parametrize(
    ("right", "wrong", "said", "kept"),
    [
        # A mean that is 0 and a deviation: only the latter is the reason, whichever is printed
        # first, and whatever sums the two have by chance.
        (
            [[-1.0, 1.5]],
            [[-2.6, -1.0], [0.5, -2.0]],
            "p[1] is no longer positive",
            ([-INF, 0.0], [INF, INF]),
        ),
        (
            [[-1.0, 1.5, 2.0]],
            [[-2.6, -1.0, -2.0]],
            "p[1] is no longer positive and p[2] is no longer positive",
            ([-INF, 0.0, 0.0], [INF, INF, INF]),
        ),
        # Neither has left at all of the wrong points, and the first did at a right one.
        ([[-1.0, 1.5]], [[-2.6, 1.0], [0.5, -2.0]], "", None),
        # Both did.
        ([[-1.0, 1.5], [0.5, -3.0]], [[-2.6, -1.0], [0.5, -2.0]], "", None),
        # At no right point: it may be the array, and the number is one that left at all.
        ([[0.1, 2.0]], [[-2.6, -1.0], [0.5, -2.0]], "p is no longer 0 or more", "p[1] is -1"),
    ],
)
def test_of_a_few_numbers_those_that_matter(right: Any, wrong: Any, said: str, kept: Any) -> None:
    given = point_at(np.array([0.0, 1.0, 1.0][: len(right[0])]), (), Names("p"))
    others = [(given.at(np.array(p), ()), p in wrong) for p in right + wrong]
    outcomes = [outcome(given, False), *(outcome(*other) for other in others)]
    left = exits(outcomes, CASE).get(1 + len(right), [])
    assert " and ".join(f"{e.path} {e.left}" for e in left) == said
    if isinstance(kept, str):
        assert left[0].element == kept
    elif kept is not None:
        assert list(kept_by(left, given, "{0!r}")) == [repr(("interval", *kept))]
        assert not list(kept_by(left, given, "--domain '{1}'"))  # which takes no arrays


B = np.array([0.3, -1.2, 0.8])
SPD = np.array([[2.0, 0.3, -0.1], [0.3, 1.5, 0.4], [-0.1, 0.4, 1.0]])


def by_one_triangle(a: Any) -> Any:
    return B @ jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(a), B)


def textbook(a: Any) -> Any:
    return -np.outer(np.linalg.solve(a, B), np.linalg.solve(a, B))


def each_pair_once(a: Any) -> Any:
    g = textbook(a)
    return g + g.T - np.diag(np.diag(g))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (textbook, "; right for symmetric a: domain='symmetric'"),
        (
            each_pair_once,
            "; right for symmetric a if each pair of off-diagonal elements counts as one parameter",
        ),
    ],
)
def test_a_gradient_for_symmetric_changes(gradient: Any, said: str) -> None:
    report = check_gradient(gradient, by_one_triangle, SPD, points=0)
    assert report.verdict == "disagree"
    assert report.headline.endswith(said)


@pytest.mark.slow
@pytest.mark.parametrize("slip", [-1.0, 1 + 1e-6])
def test_a_mistake_in_a_symmetric_matrix(slip: float) -> None:
    report = check_gradient(lambda a: slip * textbook(a), by_one_triangle, SPD, points=0)
    assert report.verdict == "disagree"
    assert "right for" not in report.headline


@pytest.mark.slow
def test_a_formula_for_symmetric_matrices() -> None:
    report = check_gradient(lambda a: 2 * a, lambda a: jnp.trace(a @ a), SPD, points=2)
    assert report.headline.startswith("disagree at point 1, where a is no longer symmetric: ")
