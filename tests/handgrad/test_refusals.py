"""What is no gradient, loss, point or list of checks is refused in one line that names it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse

from handgrad import (
    audit,
    check_backward,
    check_gradient,
    compare_gradients,
    exact_gradient,
    gradient_of,
    ulp_distance,
)
from handgrad.strategies import points
from tests.corpus.rows.loops_in_jax import solved
from tests.tiers import slowly

W = np.arange(6.0).reshape(3, 2)


def total(w: Any) -> Any:
    return jnp.sum(w)


def ones(w: Any) -> Any:
    return np.ones_like(w)


def forward(a: Any) -> Any:
    return a, None


def backward(d: Any, _: Any) -> Any:
    return d


def refused(function: Any, *at: Any, **options: Any) -> Callable[[], Any]:
    return lambda: function(*at, **options)


def versions(of: Any, **options: Any) -> Callable[[], Any]:
    return refused(compare_gradients, of, total, W, **options)


def at(params: Any) -> Callable[[], Any]:
    return refused(check_gradient, ones, lambda params: jnp.sum(params), params)


def another_point(*point: Any) -> Callable[[], Any]:
    return refused(check_backward, forward, backward, W, points=[(W + 1,), point])


CHECK = partial(check_gradient, ones, total, W)
TWO = lambda w, x: w  # noqa: E731
LACKS, MANY = "missing a required argument: ", "too many positional arguments; it is called as "

REFUSED: list[tuple[Callable[[], Any], str]] = [
    # How a function is called.
    (refused(check_gradient, TWO, total, W), f"gradient: {LACKS}'x'; it is called as gradient(par"),
    (
        refused(check_backward, forward, forward, W),
        f"{MANY}backward(cotangent, cache), or as backward(*inputs, cotangent), here with "
        "2 arguments",
    ),
    (refused(check_gradient, ones, lambda w: w, W), "loss: got float64"),
    # What is no array of floats.
    (at([]), "params: got list [], expected at least one array of floats"),
    (at([np.ones((0, 3))]), "params: got no elements, shape (0, 3), expected"),
    (at([W, np.array([1.0, np.nan])]), "params[1][1]: got nan, expected finite"),
    (
        lambda: at(sparse.BCOO.fromdense(jnp.ones(2)))(),
        "params: got a BCOO, expected a dense array",
    ),
    # Other points.
    (refused(check_backward, forward, backward, W, points=[3]), "points[0]: got 3, expected a tup"),
    (
        refused(check_backward, forward, backward, W, points=[(np.arange(2),)]),
        "points[0]: got int64[2], expected an array of floats",
    ),
    (another_point(W, W), "points[1]: got inputs[0], inputs[1], expected a, as the first ones"),
    # Versions.
    (versions({}), "versions: got an empty dict, expected a dict of functions by their names"),
    (versions([ones]), "versions: got [<function ones"),
    (versions({"a\nb": ones}), r"versions: got the name 'a\nb', expected one that fits"),
    (versions({"a": ones}, computed_in={"x": "bfloat16"}), "computed_in: got the name 'x', expect"),
    (
        refused(check_backward, forward, backward, W, seed="q"),
        "seed: got 'q', expected a whole num",
    ),
    (
        refused(check_gradient, ones, total, W, referee="me"),
        "referee: got 'me', expected one of au",
    ),
    (
        refused(check_gradient, ones, total, W, trust_rules="mine"),
        "trust_rules: got 'mine', expected a list",
    ),
    # Audits and marks.
    (refused(audit, [ones], seed=-1), "seed: got -1, expected a whole number from 0"),
    (refused(audit, None), "checks: got None, expected calls of checks"),
    (refused(audit, {}), "checks: got an empty dict, expected calls of checks"),
    (refused(gradient_of, total, point=2), "gradient_of: got the option 'point', expected one of "),
    # Strategies and distances.
    (refused(points, -1.0, domain="positive"), "params: got -1.0, expected a number above 0"),
    (refused(points, 1.0, max_magnitude=0.0), "points: max_magnitude is "),
    (refused(ulp_distance, np.ones(2), np.ones(3)), "ulp_distance: a is "),
]
OF_A_SOLVER = slowly(
    refused(exact_gradient, lambda p: solved(p)[0], np.array([1.1, 0.6, 0.8])),
    "there is no rule for a loop that chooses its",
)


@pytest.mark.parametrize(("call", "says"), [*REFUSED, OF_A_SOLVER])
def test_refused(call: Callable[[], Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as error:
        call()
    assert says in str(error.value).splitlines()[0]
