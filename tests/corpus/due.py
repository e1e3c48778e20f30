"""What a report on a case has to be."""

import json
from typing import Any

from tests.corpus.case import RAISED, Case, verdict_of


def assert_as_is_due(case: Case, due: str) -> None:
    """Judge a case, and hold its report to what is due of it."""
    verdict, report = verdict_of(case.check)
    assert verdict == due, str(report)
    said = " ".join(str(report).split()).casefold()
    assert [words for words in case.says if words.casefold() not in said] == [], said
    assert [words for words in case.never if words.casefold() in said] == [], said
    if verdict == RAISED:
        return
    if case.certified is not None:
        assert report.certified is case.certified, str(report)
    if case.blame != "anyone":
        assert report.blame == case.blame, str(report)
    if case.kinds:
        found = {finding.kind for finding in report.findings}
        assert found, str(report)
        assert found <= {"unknown", *case.kinds}, str(report)
    assert_readable(report)
    fails = verdict == "imprecise" and case.options.get("strict")
    assert bool(report) is (verdict in ("agree", "imprecise") and not fails)


def assert_readable(report: Any) -> None:
    """It fits on a terminal, and all of it is data and HTML as well."""
    text = str(report)
    assert text == text.strip()
    assert max(map(len, text.splitlines())) <= 80
    assert report.headline.split()[0].strip(":") in text
    data = json.loads(json.dumps(report.to_dict()))  # of steps each has its own
    assert data.get("verdict", report.verdict) == report.verdict
    assert "<html" not in report._repr_html_()
