"""One wrong element among a hundred thousand is caught, and it is the one that is named."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient

RNG = np.random.default_rng(8)
SHAPE = (250, 400)
W, X, Y = 0.1 * RNG.normal(size=SHAPE), RNG.normal(size=(3, 250)), RNG.normal(size=(3, 400))

#: An element anywhere: not the first, the last, or the largest.
NEEDLE = (123, 321)


def loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ w) - y) ** 2)


def right(w: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ w)
    return x.T @ (2 * (h - y) / y.size * (1 - h * h))


@pytest.mark.slow
@pytest.mark.parametrize("factor", [-1.0, 1 + 1e-9, 0.0])
def test_one_wrong_element_of_100_000(factor: float) -> None:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        found = right(w, x, y)
        found[NEEDLE] *= factor
        return found

    report = check_gradient(gradient, loss, W, X, Y, points=0)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    (found,) = report.observed
    assert (found.leaf, found.index) == ("params", NEEDLE)
    assert "1 of 100000 elements" in found.detail
    (leaf,) = report.leaves
    assert (leaf.index, leaf.elements, leaf.judged) == (NEEDLE, 100_000, 100_000)


@pytest.mark.slow
def test_none_of_100_000_is_wrong() -> None:
    """Sums of three terms that cancel lose digits in some of so many, and that is no mistake."""
    report = check_gradient(right, loss, W, X, Y, points=0)
    assert report.passes
    assert report.leaves[0].judged == 100_000
