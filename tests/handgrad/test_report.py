import json
import math
import subprocess
import sys

import numpy as np
import pytest

from handgrad.data.findings import VERDICTS
from tests.handgrad.reports import BOB, ZERO, leaf, report, wrong


def test_the_object_says_everything_but_the_parameters() -> None:
    answer = wrong(seconds=0.25).to_dict()
    assert list(answer) == [
        *(
            "schema",
            "verdict",
            "blame",
            "headline",
            "findings",
            "leaves",
            "warnings",
            "certificate",
        ),
        *("reproduce", "points", "dropped", "point", "seconds", "strict", "certified"),
        *("diagnoses", "wrong_step"),
    ]
    assert answer["findings"] == [
        {"kind": "zero", "leaf": BOB.path, "index": [0, 1], "detail": ZERO.detail, "confidence": 1}
    ]
    assert answer["leaves"][0]["exact"] == {
        "midpoint": BOB.exact.midpoint,
        "radius": 1e-50,
        "certified": True,
    }
    assert answer["leaves"][0]["shape"] == [2, 3]


def test_the_object_is_json_whatever_the_numbers_are() -> None:
    odd = leaf(ulps=math.nan, ulps_autodiff=math.inf, yours=-math.inf, sharp=np.float64("nan"))
    text = json.dumps(report(odd).to_dict(), allow_nan=False)
    found = json.loads(text)["leaves"][0]
    assert [found[name] for name in ("ulps", "ulps_autodiff", "yours", "sharp")] == [
        *("nan", "inf", "-inf", "nan")
    ]
    assert float(found["yours"]) == -math.inf
    # Numpys numbers become plain ones.
    from_numpy = leaf(yours=np.float32(0.5), index=(np.int64(1),), judged=np.int32(6))
    found = report(from_numpy, points=np.int64(9)).to_dict()
    assert {type(found["points"]), type(found["leaves"][0]["judged"])} == {int}
    assert type(found["leaves"][0]["yours"]) is float
    assert found["leaves"][0]["index"] == [1]
    assert type(found["leaves"][0]["index"][0]) is int


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_what_passes(verdict: str, strict: bool) -> None:
    allowed = ("agree",) if strict else ("agree", "imprecise")
    assert report(verdict=verdict, strict=strict).passes == (verdict in allowed)


def test_neither_rich_nor_click_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, handgrad.report; from tests.handgrad.reports import wrong; str(wrong());"
        "wrong()._repr_html_(); assert not {'rich', 'click', 'jax', 'flint'} & sys.modules.keys();"
        "wrong().__rich__(); assert 'rich' in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
