"""How long a ruling takes once warm; measured, so among the slow tests."""

import time
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.oracle import certify
from handgrad.report import GradientReport


def network(sizes: tuple[int, ...], batch: int) -> tuple[Any, ...]:
    """A tanh network with a squared error: its loss, its gradient by hand, a point."""
    rng = np.random.default_rng(0)
    params = [
        {"w": rng.normal(size=(m, n)) / np.sqrt(m), "b": rng.normal(size=n) / 10}
        for m, n in pairwise(sizes)
    ]
    x, y = rng.normal(size=(batch, sizes[0])), rng.normal(size=(batch, sizes[-1]))

    def loss(params: Any, x: Any, y: Any) -> Any:
        for layer in params[:-1]:
            x = jnp.tanh(x @ layer["w"] + layer["b"][None, :])
        return jnp.mean((x @ params[-1]["w"] + params[-1]["b"][None, :] - y) ** 2)

    def gradient(params: Any, x: Any, y: Any) -> Any:
        inputs = [x]
        for layer in params[:-1]:
            inputs.append(np.tanh(inputs[-1] @ layer["w"] + layer["b"]))
        output = inputs[-1] @ params[-1]["w"] + params[-1]["b"]
        dz, grads = 2 * (output - y) / y.size, []
        for layer, a in zip(params[::-1], inputs[::-1], strict=True):
            grads.append({"w": a.T @ dz, "b": dz.sum(axis=0)})
            dz = (dz @ layer["w"].T) * (1 - a * a)
        return grads[::-1]

    return gradient, loss, params, x, y


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "batch", "seconds"),
    [((2, 2, 1), 4, 0.05), ((16, 32, 12, 4), 32, 2.0), ((784, 128, 10), 32, 60.0)],
)
def test_a_ruling_on_one_point(sizes: tuple[int, ...], batch: int, seconds: float) -> None:
    """Every element certified. Measured on two quiet cores: 0.037, 0.25 and 9 s.

    What the processor spends on it, all threads together: no less than it takes on a quiet machine,
    and hardly more where others run as well.
    """
    problem = network(sizes, batch)

    def ruled() -> tuple[float, GradientReport]:
        began = time.process_time()
        report = check_gradient(*problem, points=0)
        return time.process_time() - began, report

    # The first one compiles, which is little beside the largest.
    rulings = [ruled() for _ in range(10 if seconds < 1 else 3 if seconds < 10 else 1)]
    report = rulings[-1][1]
    assert report.verdict == "agree"
    assert all(leaf.judged == leaf.elements for leaf in report.leaves)
    assert sum(leaf.elements for leaf in report.leaves) == sum(
        leaf.size for leaf in jax.tree_util.tree_leaves(problem[2])
    )
    assert min(taken for taken, _ in rulings) < seconds


@pytest.mark.slow
def test_a_mistake_in_one_of_a_thousand_elements() -> None:
    """A sign flip of one element, which a norm over all of them would not show."""
    gradient, *problem = network((16, 32, 12, 4), 32)

    def flipped(*point: Any) -> Any:
        grads = gradient(*point)
        smallest = np.unravel_index(np.argmin(np.abs(grads[1]["w"])), grads[1]["w"].shape)
        grads[1]["w"][smallest] *= -1
        return grads

    report = check_gradient(flipped, *problem, points=0)
    assert report.verdict == "disagree"
    (finding,) = report.findings
    assert finding.leaf == "params[1]['w']"
    assert "1 of 384 elements" in finding.detail


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [1.0, 1 + 1e-9])
def test_beyond_what_time_allows_some_elements_are_drawn(
    monkeypatch: pytest.MonkeyPatch, mistake: float
) -> None:
    monkeypatch.setattr(certify, "SECONDS", 0.0)
    gradient, *problem = network((16, 32, 12, 4), 32)

    def scaled(*point: Any) -> Any:
        return jax.tree_util.tree_map(lambda leaf: leaf * mistake, gradient(*point))

    report = check_gradient(scaled, *problem, points=0)
    assert report.verdict == ("agree" if mistake == 1 else "disagree")
    assert 0 < sum(leaf.judged for leaf in report.leaves) < 100
    assert "of 992 elements, drawn at random" in report.certificate
    assert any("of 992 elements judged" in line for line in report.warnings)
    if mistake == 1:
        assert report.headline.startswith("agree: every one drawn is right")
