"""What is printed as ± is true: no estimate is farther off, and none is called exact."""

import re
from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient
from tests.corpus.all import all_cases
from tests.corpus.case import Row, cases, scaled
from tests.tiers import one_of_each


def bisected(p: Any) -> float:
    """Linear in p[1], so that differences show no error at all."""
    low, high = 0.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if middle * middle > float(p[0]) else (middle, high)
    return low * p[1]


def of_bisected(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


AT, SOLVER = np.array([3.0, 0.7]), "by a solver, to 1e-6"
RIGHT = {
    case.name: case
    for case in (
        *cases("a bisection", check_gradient, bisected, AT, points=0)(Row("right", of_bisected)),
        *(all_cases()[f"{name}: right"] for name in ("solvers", "log beta in C", SOLVER)),
    )
}

#: By an estimate it is 1.732 ± 1.8e-06
ESTIMATE = re.compile(r"by an estimate it is (\S+) ± (\S+?)[;,]")


@pytest.mark.parametrize("name", one_of_each(RIGHT, ["a bisection: right"]))
def test_an_estimate_is_within_its_bar_wherever_it_is_printed(name: str) -> None:
    case = RIGHT[name]
    report = case.changed(lambda answer: scaled(answer, -1.0)).check(points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    leaf = report.leaves[0]
    right = float(case.answer(*case.at)[leaf.index])
    said = ESTIMATE.search(report.headline)
    assert said is not None
    for value, bar in ((float(leaf.exact), leaf.exact.radius), map(float, said.groups())):
        assert abs(value - right) <= bar <= 0.5 * abs(right)
    for shown in (str(report), report._repr_html_()):
        assert "estimate" in shown
        assert not re.search(r"\bexact", shown)
    assert f"{leaf.exact.within.strip()}, not certified" in str(report)
