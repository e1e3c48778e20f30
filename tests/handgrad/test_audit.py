"""Many checks at once: what is told of each, what happens to one that raises, and the formats."""

import json
import pickle
import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from inspect import signature
from typing import Any
from xml.etree import ElementTree

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from handgrad import (
    AuditReport,
    CheckInterrupted,
    GradientReport,
    audit,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_steps,
    compare_gradients,
    gradient_of,
    hessian_of,
)
from handgrad.clock import Progress
from handgrad.marks import OPTIONS
from handgrad.power import Planted, Power
from tests.handgrad.test_options import options_of

W, X = np.array([0.3, -0.7]), np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w))


def right(w: Any, x: Any) -> Any:
    return x.T @ (1 - np.tanh(x @ w) ** 2)


def halved(w: Any, x: Any) -> Any:
    return right(w, x) / 2


def raises(w: Any, x: Any) -> Any:
    raise ValueError(f"no <b>{w.shape}</b>\x1b of {x.shape}")


def interrupted(*_: Any) -> Any:
    raise KeyboardInterrupt


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


def test_each_is_judged_as_alone(report: AuditReport) -> None:
    assert report.verdicts == {
        "pkg:right": "agree",
        "pkg:<i>": "disagree",
        "raises": "raised",
        "steps": "disagree",
        "versions": "agree",
        "again": "agree",
    }
    assert not report
    assert report.failing == ("pkg:<i>", "raises", "steps")
    alone = check_gradient(halved, loss, W, X, points=0)
    # As text, since NaN, which says of a limit that there is none, is not itself.
    assert repr(report["pkg:<i>"].leaves) == repr(alone.leaves)
    assert report["steps"].first_wrong.name == "square"
    with pytest.raises(KeyError, match="raised ValueError: no"):
        report["raises"]
    with pytest.raises(KeyError, match="no check 'other'; expected one of 'pkg:right'"):
        report["other"]


def test_its_own_options_come_first(report: AuditReport) -> None:
    assert (report["pkg:right"].points, report["again"].points) == (1, 2)


def test_options_reach_every_check_that_takes_them() -> None:
    seen: list[dict[str, Any]] = []

    def made(points: int, strict: bool, **more: Any) -> Any:
        seen.append({"points": points, "strict": strict} | more)

    found = audit({"own": partial(made, points=3), "none": lambda: seen.append({})}, strict=True)
    assert seen == [{"points": 3, "strict": True, "seed": 0, "seconds": 20.0}, {}]
    assert [one.raised for one in found.audited] == [
        "TypeError: got None, expected the report of a check"
    ] * 2
    assert found.headline == "0 of 2 checks pass: 2 raised (own, none)"


def test_the_worst_come_first_with_what_there_is_to_say(report: AuditReport) -> None:
    text = str(report)
    rows = [line.split() for line in text.splitlines()]
    table = [row for row in rows if len(row) > 1 and row[1] in ("disagree", "raised", "agree")]
    assert [row[0] for row in table] == [
        *("pkg:<i>", "steps", "raises"),
        *("pkg:right", "versions", "again"),
    ]
    assert text.startswith("3 of 6 checks pass: 2 wrong (pkg:<i>, steps), 1 raised (raises).\n")
    flat = " ".join(text.split())
    assert "kind: factor" in flat
    assert "Going back, square is the first step that is wrong." in flat
    assert "test_audit.py, line " in flat
    wrong, good = table[0], table[3]
    assert wrong[:3] == ["pkg:<i>", "disagree", "yours"]
    assert len(wrong) == 4, "no detection limit where something was caught"
    limit = max(leaf.detection_limit for leaf in report["pkg:right"].leaves)
    assert float(good[-1]) == pytest.approx(limit, rel=0.1)  # in two digits
    assert max(map(len, text.splitlines())) <= 80


class Parsed(HTMLParser):
    """Elements that are open at the end, links, places and the text."""

    VOID = ("meta", "br", "link")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links, self.places, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        named = dict(attrs)
        self.links += [named["href"]] if "href" in named else []
        self.places += [f"#{named['id']}"] if "id" in named else []
        self.open += [] if tag in self.VOID else [tag]
        assert tag != "script"
        assert tag not in ("i", "b"), "text is escaped"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_by_itself(report: AuditReport) -> None:
    page = Parsed(report.to_html("What <was> judged"))
    assert not page.open
    assert page.links == page.places
    assert len(page.links) == 6
    for part in ("What <was> judged", "pkg:<i>", "no <b>(2,)</b>", "every element is 1/2 of exact"):
        assert part in page.text
    assert report.to_html().count("<details open>") == len(report.failing)


def test_the_page_has_a_table_of_each_package() -> None:
    """Names are links once, in the order of the reports, and begin behind what they share."""

    def called() -> Any:
        total = lambda w: float(np.sum(special.jv(1, w)))  # noqa: E731
        return check_gradient(lambda w: special.jvp(1, w), total, W, points=0)

    checks = {"b.c:right": call(right), "a:halved": call(halved), "a:called": called}
    html = audit({**checks, "b:right": call(right)}, points=0).to_html()
    page = Parsed(html)
    assert page.links == page.places
    assert "Not certified: what can only be called" in page.text
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)[:4]
    rows = [[re.findall(r">([^<>]+)<", row) for row in t.split("<tr>")[2:]] for t in tables]
    summary, failing, of_a, of_b = rows
    assert [row[:-1] for row in summary] == [["a", "2", "1", "1", "1"], ["b", "2", "2"]]
    assert [row[:3] for row in failing] == [["a:halved", "disagree", "yours"]]
    assert [(row[0], row[1], row[-1]) for row in of_a] == [("called", "agree", "not certified")]
    assert [row[0] for row in of_b] == ["c:right", "right"]


def test_junit_counts_what_fails_raises_and_is_left_out(report: AuditReport) -> None:
    found = AuditReport(report.audited, (("pkg:cube", "no example"),))  # pyright: ignore
    suite = ElementTree.fromstring(found.to_junit())[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "2", "errors": "1", "skipped": "1"}
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    failure = cases["pkg", "<i>"].find("failure")
    assert failure is not None
    assert failure.text == str(report["pkg:<i>"])
    error = cases["handgrad", "raises"].find("error")
    assert error is not None
    assert "no <b>(2,)</b>\ufffd of (3, 2)" in str(error.get("message"))
    assert cases["pkg", "right"].find("system-out") is not None
    assert cases["pkg", "cube"].find("skipped") is not None
    assert sum(float(str(case.get("time"))) for case in suite) > 0


def test_everything_as_data(report: AuditReport) -> None:
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (found["schema"], found["passes"], found["failing"]) == (1, False, [*report.failing])
    wrong = found["checks"][1]
    assert (wrong["name"], wrong["verdict"], wrong["blame"]) == ("pkg:<i>", "disagree", "yours")
    assert wrong["report"] == report["pkg:<i>"].to_dict()
    assert found["checks"][2]["report"] is None
    assert pickle.loads(pickle.dumps(report)).verdicts == report.verdicts


@pytest.mark.slow
def test_the_power_of_all_is_that_of_each(report: AuditReport) -> None:
    found, one = report.power(), report["pkg:right"].power()
    of_one = [p for p in found.planted if p.where.startswith("pkg:right, ")]
    assert of_one == [replace(p, where=f"pkg:right, {p.where}") for p in one.planted]
    assert {p.where.split(",")[0] for p in found.planted} == {
        *("pkg:right", "pkg:<i>", "steps", "versions 1", "versions 2", "again")
    }
    assert found.points == 7


def test_the_power_of_a_test_with_a_tolerance(
    report: AuditReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign, off = Planted("sign", "w", True, 2.0), Planted("off by 1e-06", "w[0]", True, 1e-6)
    monkeypatch.setattr(GradientReport, "power", lambda _: Power((sign, off), 3, "in the links"))
    two = AuditReport((report.audited[0], report.audited[5]))
    everything, usual = two.power(), two.power(rtol=1e-4)
    assert everything.missed == ()
    assert {p.where for p in usual.missed} == {"pkg:right, w[0]", "again, w[0]"}
    said = " ".join(str(usual).split())
    assert "Of 4 planted mistakes 2 would have been caught at 6 points by a test with " in said
    assert "rtol=0.0001." in said
    assert "missed: again, w[0]: changes 1e-6 of an element, within the tolerance" in said
    assert "None was planted in the links (pkg:right, again)." in said
    assert "rtol" not in str(everything)


def test_what_stops_a_check_is_told_as_it_tells_it() -> None:
    """And not as the line of the caller's that made the check, which is no part of the loss."""
    loss = lambda w, x: np.sum(special.jv(1, x @ w))  # noqa: E731

    def made_by_hand() -> Any:
        return check_gradient(right, loss, W, X, referee="series")

    (row,) = audit({"by hand": made_by_hand}).audited
    assert row.raised is not None
    assert row.raised.startswith("loss: tests/handgrad/test_audit.py, line ")
    assert "JAX cannot trace special.jv(1, x @ w)" in row.raised


def test_an_interruption_keeps_the_rows_so_far() -> None:
    checks = [call(right), call(interrupted), call(halved)]
    with pytest.raises(CheckInterrupted) as ending:
        audit(checks, points=0)
    found = ending.value.report
    assert found.verdicts == {"right": "agree"}
    assert [left.name for left in found.not_judged] == ["interrupted", "halved"]
    with pytest.raises(KeyboardInterrupt) as at_once:
        audit(checks[1:], points=0)
    assert not isinstance(at_once.value, CheckInterrupted)

    def later(w: Any, x: Any) -> Any:
        return right(w, x) if w is not None and np.array_equal(w, W) else interrupted()

    with pytest.raises(CheckInterrupted) as within:
        audit([call(later), call(right)], points=1)
    assert within.value.report.verdicts == {"later": "agree"}
    assert within.value.report["later"].points == 1


def test_those_of_a_list_are_called_as_their_functions() -> None:
    def made() -> Any:
        return check_gradient(right, loss, W, X, points=0)

    found = audit([made, call(right), call(right), partial(made)], points=0)
    assert list(found) == ["made", "right", "right (2)", "made (2)"]
    assert found
    assert found.headline == "all 4 checks pass"
    assert repr(found) == "<AuditReport: all 4 checks pass>"


def test_lost_digits_fail_if_they_are_to() -> None:
    z = np.array([31.0])

    def squashed(z: Any) -> Any:
        return jnp.sum(1 / (1 + jnp.exp(-z)))

    def textbook(z: Any) -> Any:
        s = 1 / (1 + np.exp(-z))
        return s * (1 - s)

    check = {"sigmoid": partial(check_gradient, textbook, squashed, z)}
    assert audit(check, points=0).headline == "the one check passes: 1 imprecise (sigmoid)"
    found = audit(check, points=0, strict=True)
    assert found.headline == "0 of 1 check pass: 1 imprecise (sigmoid)"
    assert not found


def test_progress_names_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []
    monkeypatch.setattr(Progress, "at", lambda self, _: parts.append(self.part))
    audit({"a": call(right), "b" * 50: call(right)}, points=0)
    assert parts[0] == "[..........] 1 of 2, a"
    assert parts[-1] == f"[#####.....] 2 of 2, ...{'b' * 25}"


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        (None, "checks: got None, expected calls of checks"),
        ("right", "checks: got 'right', expected calls of checks"),
        ({}, "checks: got an empty dict, expected calls of checks"),
        ([], "checks: got an empty list, expected calls of checks"),
        ({1: call(right)}, "checks: got the name 1, expected a line of text"),
        ({"a\nb": call(right)}, "checks: got the name"),
        ({"a": (right, loss)}, r"checks\['a'\]: got \(<function"),
        ({"a": check_gradient(right, loss, W, X, points=0)}, r"checks\['a'\]: got <Gradient"),
    ],
)
def test_what_holds_no_checks(checks: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{says}"):
        audit(checks)
    with pytest.raises(ValueError, match=r"^seconds: "):
        audit([call(right)], seconds=0)


def test_a_mark_changes_nothing_and_takes_the_options_of_the_check() -> None:
    marked = gradient_of(loss, like=(W, X), points=2)(right)
    try:
        assert marked is right
        assert right.__handgrad__ == (loss, (W, X), {"points": 2}, "gradient")  # pyright: ignore
    finally:
        del right.__handgrad__  # pyright: ignore
    checks = (check_gradient, check_jacobian, check_hessian, check_hvp)
    for kind, check in zip(OPTIONS, checks, strict=True):
        own = {*options_of(check), "points", "strict", "seconds"}
        assert {*OPTIONS[kind]} == own | {"directions"} & {*signature(check).parameters}, kind
    with pytest.raises(TypeError, match="got the option 'point', expected one of points, seed"):
        gradient_of(loss, point=2)
    with pytest.raises(TypeError, match="hessian_of: got the option 'has_value', expected one of "):
        hessian_of(loss, has_value=True)
    with pytest.raises(TypeError, match="got tuple, expected the loss, a function"):
        gradient_of((W, X))  # pyright: ignore
    with pytest.raises(TypeError, match="expected a function in Python"):
        gradient_of(loss)(len)
