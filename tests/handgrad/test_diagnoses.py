"""A diagnosis costs the verdict nothing, is made once, and is kept."""

import json
import pickle
from typing import Any

import pytest

from handgrad import check_gradient
from handgrad.diagnosis import in_time, samples
from tests.corpus.rows.wrong_links import NETWORK, linear, loss, right


def turned(*at: Any) -> Any:
    return {name: -g for name, g in right(*at).items()}


def test_a_diagnosis_is_made_when_it_is_asked_for_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    diagnosed = in_time.diagnosed
    monkeypatch.setattr(in_time, "diagnosed", lambda trial: asked.append(0) or diagnosed(trial))
    report = check_gradient(turned, loss, *NETWORK, points=0)
    assert (report.verdict, report.blame, report.passes) == ("disagree", "yours", False)
    before = pickle.loads(pickle.dumps(report))
    assert (before.verdict, before.headline, before.diagnoses) == ("disagree", report.headline, ())
    assert not asked
    told = report.diagnoses
    assert all("sign" in text for text in (str(report), str(report), report._repr_html_()))
    after = pickle.loads(pickle.dumps(report))
    assert (after.diagnoses, after.trial, len(asked)) == (told, None, 1)
    assert str(after).splitlines()[0] == str(report).splitlines()[0]
    answer = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    paths = ["p['b']", "p['v']", "p['w']"]
    assert answer["diagnoses"] == [{"kind": "sign", "says": told[0].says, "leaves": paths}]
    assert {finding["kind"] for finding in answer["findings"]} == {"sign"}
    assert answer["wrong_step"] is None


def test_what_breaks_in_a_diagnosis_does_not_reach_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("a program that nobody thought of")

    monkeypatch.setattr(samples, "engine", breaks)
    report = check_gradient(linear, loss, *NETWORK, points=0)
    assert (report.verdict, report.diagnoses) == ("disagree", ())
    assert "Kind: unknown" in str(report)
