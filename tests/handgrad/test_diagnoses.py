"""A diagnosis costs the verdict nothing, is made when it is asked for, and is kept."""

import json
import pickle
from typing import Any

from handgrad import check_gradient
from tests.corpus.rows.wrong_links import NETWORK, loss, right


def test_a_diagnosis_is_made_when_it_is_asked_for_and_kept() -> None:
    calls: list[Any] = []

    def turned(*at: Any) -> Any:
        calls.append(0)
        return {name: -g for name, g in right(*at).items()}

    report = check_gradient(turned, loss, *NETWORK, points=0)
    assert (report.verdict, report.blame, report.passes) == ("disagree", "yours", False)
    before, judged = pickle.loads(pickle.dumps(report)), len(calls)
    assert (before.verdict, before.headline, before.diagnoses) == ("disagree", report.headline, ())
    told, text, made = report.diagnoses, str(report), len(calls)
    assert judged < made, "the gradient is asked at other points"
    assert all("sign" in shown for shown in (text, str(report), report._repr_html_()))
    after = pickle.loads(pickle.dumps(report))
    assert (after.diagnoses, len(calls)) == (told, made)
    assert str(after).splitlines()[0] == str(report).splitlines()[0]
    answer = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    paths = ["p['b']", "p['v']", "p['w']"]
    assert answer["diagnoses"] == [{"kind": "sign", "says": told[0].says, "leaves": paths}]
    assert {finding["kind"] for finding in answer["findings"]} == {"sign"}
    assert answer["wrong_step"] is None
