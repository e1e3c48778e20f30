"""What is printed as ± is true: no estimate is farther off, and none is called exact."""

import re

import pytest

from tests.corpus.all import all_cases
from tests.corpus.case import scaled
from tests.tiers import one_of_each

#: What is estimated, and how wide a bar may be: a part of what is right.
WIDEST = {
    "by a solver, a bisection": 0.5,
    "by a solver, to 1e-6": 0.5,
    "solvers": 1e-5,
    "log beta in C": 1e-5,
}

#: By an estimate it is 1.732 ± 1.8e-06
ESTIMATE = re.compile(r"by an estimate it is (\S+) ± (\S+?)[;,]")


@pytest.mark.parametrize("name", one_of_each(WIDEST, list(WIDEST)[:1]))
def test_an_estimate_is_within_its_bar_wherever_it_is_printed(name: str) -> None:
    case = all_cases()[f"{name}: right"]
    report = case.changed(lambda answer: scaled(answer, -1.0)).check(points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    leaf = report.leaves[0]
    right = float(case.answer(*case.at)[leaf.index])
    said = ESTIMATE.search(report.headline)
    assert said is not None
    for value, bar in ((float(leaf.exact), leaf.exact.radius), map(float, said.groups())):
        assert abs(value - right) <= bar <= WIDEST[name] * abs(right)
    for shown in (str(report), report._repr_html_()):
        assert "estimate" in shown
        assert not re.search(r"\bexact", shown)
    assert f"{leaf.exact.within.strip()}, not certified" in str(report)
