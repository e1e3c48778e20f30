"""What a ruling says beside its verdict, and rows of the corpus cannot."""

import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.corpus.rows.verdicts import BOB, neuron, stable


def test_leaves_of_zeros_and_without_elements() -> None:
    params = {"e": np.zeros((0, 2)), "w": np.array([0.3, 0.0]), "z": np.ones(2)}

    def loss(p: Any) -> Any:
        return jnp.sum(p["w"] ** 2) + jnp.sum(p["e"]) + 0 * jnp.sum(p["z"])

    began = time.perf_counter()
    report = check_gradient(
        lambda p: {"e": p["e"], "w": 2 * p["w"], "z": 0 * p["z"]}, loss, params, points=0
    )
    assert 0 < report.seconds <= time.perf_counter() - began
    assert [leaf.verdict for leaf in report.leaves] == ["agree"] * 3
    assert [leaf.judged for leaf in report.leaves] == [0, 2, 2]
    limits = [leaf.detection_limit for leaf in report.leaves]
    assert limits[0] == limits[2] == 0.0 < limits[1] < 1e-12


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (check_gradient(stable, neuron, *BOB, seed=5).to_dict() for _ in range(2))
    for report in (first, second):
        del report["seconds"]
    assert first == second


@pytest.mark.slow
def test_the_detection_limit_is_the_best_of_all_points() -> None:
    """A saturated neuron hides what it shows elsewhere; a planted error of that size is caught."""
    one = check_gradient(stable, neuron, *BOB, points=0).leaves[0].detection_limit
    several = check_gradient(stable, neuron, *BOB).leaves[0].detection_limit
    assert several < 1e-6 < one
    slightly_off = check_gradient(lambda *p: stable(*p) * (1 + 2 * several), neuron, *BOB)
    assert slightly_off.verdict == "disagree"
