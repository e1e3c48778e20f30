"""Many checks at once: what is told of each, what happens to one that raises, and the formats."""

import json
import pickle
import re
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from handgrad import (
    AuditReport,
    CheckInterrupted,
    audit,
    check_gradient,
    check_steps,
    compare_gradients,
)
from tests.handgrad.reports import Page

W, X = np.array([0.3, -0.7]), np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w))


def right(w: Any, x: Any) -> Any:
    return x.T @ (1 - np.tanh(x @ w) ** 2)


def halved(w: Any, x: Any) -> Any:
    return right(w, x) / 2


def raises(w: Any, x: Any) -> Any:
    raise ValueError(f"no <b>{w.shape}</b>\x1b of {x.shape}")


def call(gradient: Any, **options: Any) -> Any:
    return partial(check_gradient, gradient, loss, W, X, **options)


def squares(x: Any) -> Any:
    return x * x, x


def squares_back(d: Any, x: Any) -> Any:
    return d * x


@pytest.fixture(scope="module")
def report() -> AuditReport:
    steps = partial(check_steps, [("square", squares, squares_back)], W)
    versions = partial(compare_gradients, {"a": right, "b": right}, loss, W, X)
    checks = {
        "pkg:right": call(right),
        "pkg:<i>": call(halved),
        "raises": call(raises),
        "steps": steps,
        "versions": versions,
        "again": call(right, points=1),
    }
    return audit(checks, points=0)


def test_each_is_judged_as_alone_with_its_own_options(report: AuditReport) -> None:
    assert (report["pkg:right"].points, report["again"].points) == (1, 2)
    verdicts = "agree", "disagree", "raised", "disagree", "agree", "agree"
    assert tuple(report.verdicts.values()) == verdicts
    assert not report
    assert report.failing == ("pkg:<i>", "raises", "steps")
    alone = check_gradient(halved, loss, W, X, points=0)
    # As text, since NaN, which says of a limit that there is none, is not itself.
    assert repr(report["pkg:<i>"].leaves) == repr(alone.leaves)
    assert report["steps"].first_wrong.name == "square"
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [one["report"] is None for one in data["checks"]] == [k == 2 for k in range(6)]
    assert pickle.loads(pickle.dumps(report)).verdicts == report.verdicts
    with pytest.raises(KeyError, match="raised ValueError: no"):
        report["raises"]


def test_the_worst_come_first_with_what_there_is_to_say(report: AuditReport) -> None:
    text = str(report)
    rows = [line.split() for line in text.splitlines()]
    table = [row for row in rows if len(row) > 1 and row[1] in ("disagree", "raised", "agree")]
    names = "pkg:<i>", "steps", "raises", "pkg:right", "versions", "again"
    assert tuple(row[0] for row in table) == names
    assert text.startswith("3 of 6 checks pass: 2 wrong (pkg:<i>, steps), 1 raised (raises).\n")
    flat = " ".join(text.split())
    for says in ("kind: factor", "Going back, square is the first step", "test_audit.py, line "):
        assert says in flat
    assert table[0] == ["pkg:<i>", "disagree", "yours", table[0][-1]], "no detection limit"
    limit = max(leaf.detection_limit for leaf in report["pkg:right"].leaves)
    assert float(table[3][-1]) == pytest.approx(limit, rel=0.1)  # in two digits
    assert max(map(len, text.splitlines())) <= 80


def test_the_page_has_a_table_of_each_package() -> None:
    """Names are links once, in the order of the reports, and begin behind what they share."""

    def called() -> Any:
        total = lambda w: float(np.sum(special.jv(1, w)))  # noqa: E731
        return check_gradient(lambda w: special.jvp(1, w), total, W, points=0)

    checks = {"b.c:right": call(right), "a:halved": call(halved), "a:called": called}
    html = audit({**checks, "b:right": call(right)}, points=0).to_html("What <was> judged")
    page = Page(html)
    assert "What <was> judged" in page.text
    assert html.count("<details open>") == 1
    assert not page.open
    assert page.links == page.places
    assert len(page.links) == 4
    assert "Not certified: what can only be called" in page.text
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)[:4]
    rows = [[re.findall(r">([^<>]+)<", row) for row in t.split("<tr>")[2:]] for t in tables]
    assert [row[:-1] for row in rows[0]] == [["a", "2", "1", "1", "1"], ["b", "2", "2"]]
    assert [row[:3] for row in rows[1]] == [["a:halved", "disagree", "yours"]]


def test_an_interruption_keeps_the_rows_so_far() -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(CheckInterrupted) as ending:
        audit([call(right), call(interrupted), call(halved)], points=0)
    found = ending.value.report
    assert found.verdicts == {"right": "agree"}
    assert [left.name for left in found.not_judged] == ["interrupted", "halved"]
