"""A large loss: every element is judged, and one wrong one found."""

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient

pytestmark = pytest.mark.slow


def network(sizes: tuple[int, ...], batch: int) -> tuple[Any, ...]:
    """A tanh network with a squared error: its gradient by hand, its loss, a point."""
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


MIDDLE = (16, 32, 12, 4)


def test_one_wrong_element_of_many_is_found() -> None:
    """Neither the first, the last, nor the largest; a norm over all of them would not show it."""
    gradient, *problem = network((100, 120, 2), 3)
    first = gradient(*problem[1:])[0]["w"]
    needle = np.unravel_index(np.argsort(np.abs(first), axis=None)[123], first.shape)

    def wrong(*point: Any) -> Any:
        grads = gradient(*point)
        grads[0]["w"][needle] *= 1 + 1e-9
        return grads

    report = check_gradient(wrong, *problem, points=0)
    assert [leaf.judged for leaf in report.leaves] == [v.size for v in jax.tree.leaves(problem[1])]
    assert (report.verdict, report.blame) == ("disagree", "yours")
    (found,) = report.observed
    assert (found.leaf, found.index) == ("params[0]['w']", tuple(map(int, needle)))
    assert f"1 of {first.size} elements" in found.detail
