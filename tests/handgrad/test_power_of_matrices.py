"""Mistakes planted in Jacobians and Hessians, and the smallest points at which they are wrong."""

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from handgrad import GradientReport, check_hessian, check_jacobian
from handgrad.power.exact import _mistakes
from handgrad.power.mistakes import Call
from handgrad.shrinking import shrinker

P, T, Y = np.array([1.2, 0.7]), np.array([0.3, 1.1, 1.9]), np.array([0.8, 0.1, 0.4])


def residuals(p: Any, t: Any, y: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) - y


def right(p: Any, t: Any, y: Any) -> Any:  # noqa: ARG001
    e = np.exp(-p[1] * t)
    return np.stack([e, -p[0] * t * e], axis=1)


def squares(p: Any, t: Any, y: Any) -> Any:
    return np.sum(residuals(p, t, y) ** 2)


def hessian(p: Any, t: Any, y: Any) -> Any:
    e, r = np.exp(-p[1] * t), residuals(p, t, y)
    mixed, twice = np.sum(-t * e * r), np.sum(p[0] * t**2 * e * r)
    return 2 * right(p, t, y).T @ right(p, t, y) + 2 * np.array([[0, mixed], [mixed, twice]])


@pytest.fixture(scope="module")
def of_jacobian() -> GradientReport:
    return check_jacobian(right, residuals, P, T, Y, points=0)


@pytest.fixture(scope="module")
def of_hessian() -> GradientReport:
    return check_hessian(hessian, squares, P, T, Y, points=0)


def kinds(report: GradientReport) -> dict[str, int]:
    planted = [p.mistake for p in report.power().planted]
    return {kind: planted.count(kind) for kind in planted}


@pytest.mark.slow
def test_what_is_planted(of_jacobian: GradientReport, of_hessian: GradientReport) -> None:
    factors = ("sign", "zero", "factor 1/2", "factor 2")
    lengths = ("factor length of an input", "factor 1/length of an input")
    elements = ("one element: sign", "one element: zero", "one element: off by 1e-06")
    lines = [f"one {line}: {slip}" for line in ("row", "column") for slip in ("sign", "zero")]
    assert kinds(of_jacobian) == {
        **dict.fromkeys((*factors, *lengths), 1),
        **dict.fromkeys(lines[:2], 3),
        **dict.fromkeys(lines[2:], 2),
        "rows exchanged": 2,
        "columns exchanged": 1,
        **dict.fromkeys(elements, 3),
    }
    assert kinds(of_hessian) == {
        **dict.fromkeys((*factors, *lengths), 1),
        **dict.fromkeys(lines[:2], 2),
        "rows exchanged": 1,
        "diagonals: zero": 6,
        "weight-decay": 1,
        **dict.fromkeys(elements, 3),
    }
    assert of_jacobian.power().missed == of_hessian.power().missed == ()
    assert of_hessian.power().not_planted == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "derivative", "function"),
    [(check_jacobian, right, residuals), (check_hessian, hessian, squares)],
)
def test_what_is_said_to_be_caught_is_caught(check: Any, derivative: Any, function: Any) -> None:
    """The last of each kind is made in the caller's own matrix, and judged."""
    report = check(derivative, function, P, T, Y, points=0)
    mistakes = _mistakes(report.trial, report.trial.outcomes[0].ruling)
    pairs = {m.kind: (m, p) for m, p in zip(mistakes, report.power().planted, strict=True)}
    own = ("row: zero", "rows", "column: sign", "columns", "diagonals", "decay", "1e-06")
    for kind, (mistake, planted) in pairs.items():
        if not any(word in kind for word in own):  # as those of any gradient
            continue

        def wrong(*args: Any, mistake: Any = mistake) -> Any:
            return mistake.made([derivative(*args)], Call(args))[0]

        verdict = check(wrong, function, P, T, Y, points=0).verdict
        assert (verdict == "disagree") == planted.caught, mistake


def test_a_point_that_hides_things() -> None:
    """At 0 the matrix is 0, and only what adds to it shows."""
    found = check_hessian(lambda x: np.diag(12 * x**2), lambda x: (x**4).sum(), 0 * P, points=0)
    assert {p.mistake for p in found.power().planted if p.caught} == {"weight-decay"}
    assert {p.change for p in found.power().missed} == {0}


def system(x: Any) -> Any:
    return (3 - 2 * x) * x - np.concatenate([[0], x[:-1]]) - 2 * np.concatenate([x[1:], [0]])


def gap(x: Any) -> Any:
    """Lack one element of the upper band."""
    found = full(x).tolil()
    found[1:2, 2:3] = 0
    return found.tocsr()


def full(x: Any) -> Any:
    n = len(x)
    bands = np.diag(3 - 4 * x) - np.eye(n, k=-1) - 2 * np.eye(n, k=1)
    return sp.csr_matrix(bands)


def cubes(x: Any) -> Any:
    return (x**3).sum() + (x[:-1] * x[1:]).sum()


def diagonal(x: Any) -> Any:
    """Lack the upper band."""
    return np.diag(6 * x) + np.eye(len(x), k=-1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "wrong", "function", "point", "shape"),
    [
        (check_jacobian, gap, system, (np.linspace(-1, 1, 6),), (3, 3)),
        (check_hessian, diagonal, cubes, (np.array([0.5, -1.0, 2.0]),), (2, 2)),
    ],
)
def test_the_counterexample_is_a_smaller_test_that_fails(
    check: Any,
    wrong: Any,
    function: Any,
    point: Any,
    shape: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for most, count in (("MOST_NUMBERS", 9), ("MOST_LENGTHS", 4), ("FILLINGS", 1)):
        monkeypatch.setattr(shrinker, most, count)
    report = check(wrong, function, *point, points=0)
    code = report.counterexample.as_code()
    verb = check.__name__.removeprefix("check_")
    assert f"def test_{verb}_where_it_is_wrong():" in code
    of_all = re.search(r"(\d+) of (\d+) elements", report.counterexample.finding)
    assert of_all is not None
    assert int(of_all[2]) == shape[0] * shape[1], code
    names: dict[str, Any] = {}
    exec(compile(code, "counterexample.py", "exec"), names)
    failing = names[f"test_{verb}_where_it_is_wrong"]
    with pytest.raises(AssertionError, match="disagree"):
        failing()
    # It passes once the mistake is corrected.
    rights = {gap: full, diagonal: lambda x: diagonal(x) + np.eye(len(x), k=1)}
    names[wrong.__name__] = rights[wrong]
    failing()
