"""What a ruling says beside its verdict, and rows of the corpus cannot."""

import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_custom, check_gradient
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


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.0, 1 + 1e-6])
def test_a_wrong_rule_of_a_loop_that_stops_at_a_tolerance(factor: float) -> None:
    """No row, since the rule is read where the loop does not end."""
    assert check_custom(implicit(factor), 0.7, points=0).verdict == "disagree"
