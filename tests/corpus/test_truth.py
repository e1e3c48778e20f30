"""The truth that the corpus is held to: what differences show it says, and nothing else."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse

import handgrad
from tests.corpus.case import Row, cases
from tests.corpus.truth import truth
from tests.tiers import slowly

pytestmark = pytest.mark.slow


def given(*slopes: float) -> Callable[[Any], Any]:
    return lambda p: np.array(slopes, float)


def times(factor: float) -> Callable[[Any], Any]:
    return lambda p: 2 * factor * p


CALLS = count(1)
CORNER, MANY, BAND = np.array([0.0, 0.3]), np.array([0.7, 0.7, *range(1, 9)]), np.diag([1.0, 2])
STEEP = 200 * MANY[2:]

#: Of a loss at a point the answers that are right, that are wrong, and that differences must leave.
LOOKED_AT: list[tuple[Callable[[Any], Any], np.ndarray, list[Any], list[Any], list[Any]]] = [
    (
        lambda p: jnp.sum(p**2),
        CORNER + 1,
        [times(1)],
        [
            *(times(1 + 1e-4), given(np.inf, 2.6), given(np.nan, 2.6), given(2.0)),
            lambda p: 2 * p * next(CALLS),
        ],
        [times(1 + 1e-6)],
    ),
    (
        lambda p: jnp.abs(p[0]) + p[1] ** 2,
        CORNER,
        [given(side, 0.6) for side in (-1, -0.3, 0, 1)],
        [*(given(side, 0.6) for side in (1.001, -2, np.inf, np.nan)), given(1, 0.7)],
        [given(1 + 1e-6, 0.6)],
    ),
    # Slopes along every line, which are no gradient's.
    (lambda p: jnp.median(p), np.zeros(3), [given(1, 0, 0)], [given(5, -4, 0)], []),
    # A side that is steep beside, and one that is not 0 on about one line in ten.
    (
        lambda p: jnp.abs(p[0] - p[1]) + 100 * jnp.sum(p[2:] ** 2),
        MANY,
        [given(-1, 1, *STEEP)],
        [],
        [given(1, 1, *STEEP)],
    ),
    (
        lambda p: jax.nn.relu(jnp.minimum(p[0] - 0.5 * p[1], p[1] - 0.5 * p[0])),
        np.zeros(2),
        [given(0, 0), given(1, -0.5)],
        [given(1, 1)],
        [],
    ),
    # Jumps, slopes without a limit, numbers that are rounded.
    (lambda p: jnp.sign(p[0]), CORNER, [], [], [given(0, 0)]),
    (lambda p: jnp.sqrt(jnp.abs(p[0])), CORNER, [], [], [given(0, 0)]),
    (
        lambda p: jnp.sum(p.astype(jnp.float16) ** 2),
        CORNER + 1,
        [],
        [],
        [times(1), times(1.01)],
    ),
]


@pytest.mark.parametrize(
    ("loss", "at", "right", "wrong", "left"), [slowly(*row) for row in LOOKED_AT]
)
def test_the_truth_decides_what_differences_show(
    loss: Any, at: Any, right: Any, wrong: Any, left: Any
) -> None:
    asked = cases("a loss", handgrad.check_gradient, loss, at, points=0)
    for answers, due in ((right, "agree"), (wrong, "disagree"), (left, None)):
        for answer in answers:
            (case,) = asked(Row("", answer))
            assert truth(case) == due, answer(at)


FORMS: Any = (np.array, np.ndarray.tolist, sparse.BCOO.fromdense, sparse.COO.fromdense)


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        (
            lambda x: BAND @ x,
            [partial(form, BAND) for form in FORMS],
            [partial(form, off) for form in FORMS for off in (BAND.T + np.eye(2, k=1), BAND[:1])]
            + [lambda: [[1.0], [2.0, 3.0]], lambda: None],
        ),
        (lambda x: x @ x, [lambda: np.full(2, 2.0)], []),
        (lambda x: x * x, [], [lambda: np.full(2, 2.0)]),
    ],
)
def test_the_truth_reads_jacobians_of_every_form(function: Any, right: Any, wrong: Any) -> None:
    asked = cases("a Jacobian", handgrad.check_jacobian, function, np.ones(2), points=0)
    for answers, due in ((right, "agree"), (wrong, "disagree")):
        for jac in answers:
            assert truth(*asked(Row("", lambda x, jac=jac: jac()))) == due, jac()
