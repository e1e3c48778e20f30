"""Every rule on numbers with slopes of their own: mixed second derivatives by power series."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.jacobians import jacobian
from handgrad.program.trace import trace
from tests.handgrad.program.test_rules import LOSSES
from tests.tiers import one_of_each

#: Operations without a second derivative here: what FLINT has no series of, and what decomposes
#: matrices of numbers. A Hessian of theirs is not certified, and the report says so.
WITHOUT = (
    "complex eigh",
    "eigh",
    "igamma",
    "igamma_grad_a",
    "igammac",
    "jacobian",
    "regularized_incomplete_beta",
    "svd",
)


def second(loss: Any, at: Any) -> tuple[arb, arb]:
    """Return the mixed derivative along two directions, by series and by a difference quotient."""
    leaves, tree = jax.tree_util.tree_flatten(at)
    shapes, ends = [leaf.shape for leaf in leaves], np.cumsum([leaf.size for leaf in leaves])
    flat = np.concatenate([leaf.reshape(-1) for leaf in leaves])
    v, w = np.random.default_rng(0).uniform(-1, 1, (2, flat.size))

    def moved(t: Any, x: Any) -> Any:
        parts = jnp.split(x + t[0] * v, ends[:-1])
        given = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return loss(jax.tree_util.tree_unflatten(tree, given)).reshape(1)

    def slope(x: Any) -> Any:
        return jacobian(moved, np.zeros(1), x)[0, 0]

    problem = Problem(trace(slope, flat, (), differentiate=False), [flat], [])
    with balls.precision(1000):
        found = partial(Comparisons, final=True, undefined=True)
        along = balls.exact(w)[None]
        _, (by_series,) = evaluate.slopes(problem, along, found())
        # (s(x + h·w) - s(x - h·w)) / 2h is off by about h².
        h = arb(2) ** -150
        ends_of = [[balls.exact(flat) + sign * h * balls.exact(w)] for sign in (1, -1)]
        right, left = (evaluate.slopes(problem, along, found(), x)[0] for x in ends_of)
        return by_series, (right - left) / (2 * h)


@pytest.mark.parametrize("name", one_of_each(sorted(set(LOSSES) - set(WITHOUT)), ["tanh", "pow"]))
def test_a_second_derivative(name: str) -> None:
    by_series, quotient = second(*LOSSES[name])
    assert float(by_series.rad()) < 1e-100
    assert abs(float(by_series - quotient)) <= 1e-60 * max(1.0, abs(float(quotient)))


@pytest.mark.parametrize("name", WITHOUT)
def test_what_has_no_second_derivative_says_so(name: str) -> None:
    with pytest.raises(UncertifiedPrimitiveError):
        second(*LOSSES[name])
