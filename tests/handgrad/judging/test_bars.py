"""What is printed as ± is true: no estimate is farther off, and none is called exact."""

import json
import re
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from flint import arb
from scipy.integrate import solve_ivp

from handgrad import check_gradient, check_jacobian, compare_gradients
from handgrad.data.findings import Enclosure
from handgrad.oracle.enclosures import enclosure
from tests.corpus.only_called import OnlyCalled
from tests.corpus.rows import black_boxes as rows
from tests.tiers import one_of_each

PLACES = np.linspace(-2, 2, 12)
DATA = np.sin(PLACES)


def _kernel(p: Any) -> Any:
    apart = np.subtract.outer(PLACES, PLACES) ** 2
    return np.exp(2 * p[1] - apart / 2 * np.exp(-2 * p[0])), apart


@OnlyCalled
def gaussian_process(p: Any) -> float:
    """The negative log likelihood, by a length, a size and the noise, all as logarithms."""
    k, _ = _kernel(p)
    factor = scipy.linalg.cho_factor(k + np.exp(2 * p[2]) * np.eye(12), lower=True)
    solved = scipy.linalg.cho_solve(factor, DATA)
    return float(DATA @ solved / 2 + np.log(np.diag(factor[0])).sum())


def of_gaussian_process(p: Any) -> Any:
    k, apart = _kernel(p)
    inverse = np.linalg.inv(k + np.exp(2 * p[2]) * np.eye(12))
    solved = inverse @ DATA
    by = (k * apart * np.exp(-2 * p[0]), 2 * k, 2 * np.exp(2 * p[2]) * np.eye(12))
    return np.array([np.sum((inverse - np.outer(solved, solved)) * each) / 2 for each in by])


def decay(rtol: float) -> Any:
    """e^-ab, by a solver."""
    return lambda p: float(
        solve_ivp(lambda _, y: -p[0] * y, (0, p[1]), [1.0], rtol=rtol, atol=rtol).y[0, -1]
    )


def of_decay(p: Any) -> Any:
    return -p[::-1] * np.exp(-p[0] * p[1])


def bisected(p: Any) -> float:
    """Linear in p[1], so that differences show no error at all."""
    low, high = 0.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if middle * middle > float(p[0]) else (middle, high)
    return low * p[1]


def of_bisected(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


#: The loss, its gradient, and where.
BLACK_BOXES: dict[str, tuple[Any, Any, list[float]]] = {
    "a Gaussian process": (gaussian_process, of_gaussian_process, [0.2, -0.1, -2.0]),
    "one with little noise": (gaussian_process, of_gaussian_process, [0.9, 0.4, -5.0]),
    "a quadrature": (rows.period, rows.by_swing, [1.2, 0.8]),
    "a bisection": (bisected, of_bisected, [3.0, 0.7]),
    "a solver at 1e-3": (decay(1e-3), of_decay, [1.3, 0.8]),
    "a solver at 1e-5": (decay(1e-5), of_decay, [1.3, 0.8]),
    "a solver at 1e-8": (decay(1e-8), of_decay, [1.3, 0.8]),
}

#: By an estimate it is 1.732 ± 1.8e-06
ESTIMATE = re.compile(r"by an estimate it is (\S+) ± (\S+?)[;,]")


@pytest.mark.parametrize("name", one_of_each(BLACK_BOXES, ["a bisection"]))
def test_an_estimate_is_within_its_bar_wherever_it_is_printed(name: str) -> None:
    loss, gradient, at = BLACK_BOXES[name]
    report = check_gradient(lambda x: -gradient(x), loss, np.array(at), points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    (leaf,) = report.leaves
    right = float(gradient(np.array(at))[leaf.index])
    said = ESTIMATE.search(report.headline)
    assert said is not None
    for value, bar in ((float(leaf.exact), leaf.exact.radius), map(float, said.groups())):
        assert abs(value - right) <= bar <= 0.5 * abs(right)
    found = json.loads(json.dumps(report.to_dict()))["leaves"][0]["exact"]
    assert (found["radius"], found["certified"]) == (leaf.exact.radius, False)
    text = str(report)
    for shown in (text, report._repr_html_()):
        assert "estimate" in shown
        assert not re.search(r"\bexact", shown)
    assert f"{leaf.exact.within.strip()}, not certified" in text


def test_nothing_of_a_black_box_is_called_exact() -> None:
    gradients = {"a": rows.by_swing, "b": lambda p: -rows.by_swing(p)}
    said = str(compare_gradients(gradients, rows.period, rows.SWING))
    assert "estimate" in said
    assert " exact" not in said
    fun, x, w = OnlyCalled(lambda w, x: np.array([rows.log_tail(w, x)])), rows.X, rows.W
    right = rows.by_tail(w, x)[None]
    report = check_jacobian(lambda *_: -right, fun, w, x, points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    leaf = report.leaves[0]
    assert abs(float(leaf.exact) - right[leaf.index]) <= leaf.exact.radius


def test_the_digits_of_an_estimate_end_with_the_first_that_is_not_known() -> None:
    found = enclosure(arb(-2.7469728281234567, 4.8e-11), 53, certified=False)
    assert found.midpoint == "-2.74697282812"
    assert 4.8e-11 < found.radius < 5.4e-11
    assert str(found) == "-2.74697282812 ± 5.2e-11 (not certified)"
    assert enclosure(arb(44.3, 16.0), 53, certified=False).midpoint == "44"
    assert Enclosure("2", 1.401e-7, certified=False).within == " ± 1.5e-07"
