"""What a ruling says beside its verdict, and rows of the corpus cannot."""

import json
import pickle
import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import kv

from handgrad import check_custom, check_gradient
from tests.corpus.rows import wrong_links
from tests.corpus.rows.loops_in_jax import implicit
from tests.corpus.rows.verdicts import BOB, neuron, stable


def test_leaves_of_zeros_and_without_elements() -> None:
    params = {"e": np.zeros((0, 2)), "w": np.array([0.3, 0.0]), "z": np.ones(2)}

    def loss(p: Any) -> Any:
        return jnp.sum(p["w"] ** 2) + jnp.sum(p["e"]) + 0 * jnp.sum(p["z"])

    def gradient(p: Any) -> Any:
        return {"e": p["e"], "w": 2 * p["w"], "z": 0 * p["z"]}

    began = time.perf_counter()
    report = check_gradient(gradient, loss, params, points=0)
    assert 0 < report.seconds <= time.perf_counter() - began
    assert [(leaf.verdict, leaf.judged) for leaf in report.leaves] == [
        ("agree", n) for n in (0, 2, 2)
    ]
    limits = [leaf.detection_limit for leaf in report.leaves]
    assert limits[0] == limits[2] == 0.0 < limits[1] < 1e-12


@pytest.mark.slow
def test_the_detection_limit_is_the_best_of_all_points_and_as_the_seed_says() -> None:
    """A saturated neuron hides what it shows elsewhere; a planted error of that size is caught."""
    one = check_gradient(stable, neuron, *BOB, points=0).leaves[0].detection_limit
    first, second = (check_gradient(stable, neuron, *BOB, seed=5).to_dict() for _ in range(2))
    assert first | {"seconds": 0} == second | {"seconds": 0}
    several = first["leaves"][0]["detection_limit"]
    assert several < 1e-6 < one
    slightly_off = check_gradient(lambda *p: stable(*p) * (1 + 2 * several), neuron, *BOB, seed=5)
    assert slightly_off.verdict == "disagree"


def test_the_detection_limit_of_what_can_only_be_called() -> None:
    """What a solver may be off by is not wrong yet."""

    def off(factor: float) -> Any:
        return check_gradient(
            lambda x: -factor * kv(1, x), lambda x: kv(0, x[0]), np.array([1.2]), points=0
        )

    limit = off(1.0).leaves[0].detection_limit
    assert [off(1 + by * limit).verdict for by in (0.5, 1.5)] == ["undecidable", "disagree"]


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.0, 1 + 1e-6])
def test_a_wrong_rule_of_a_loop_that_stops_at_a_tolerance(factor: float) -> None:
    """No row, since the rule is read where the loop does not end."""
    assert check_custom(implicit(factor), 0.7, points=0).verdict == "disagree"


def test_a_diagnosis_is_made_when_it_is_asked_for_and_kept() -> None:
    calls: list[Any] = []

    def turned(*at: Any) -> Any:
        calls.append(0)
        return {name: -g for name, g in wrong_links.right(*at).items()}

    report = check_gradient(turned, wrong_links.loss, *wrong_links.NETWORK, points=0)
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
