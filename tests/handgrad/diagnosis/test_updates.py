"""Parameters that are updated too early: what is predicted, for which leaves, how it is told."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.point import Point, point_at
from handgrad.diagnosis import updates
from handgrad.diagnosis.engine import Engine, engine
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.search import Search
from handgrad.diagnosis.updates import Update
from tests.handgrad.diagnosis.made_up import evidence_of

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 3))
M, V = RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3))
YOURS, DECAY, RATE = (RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3))), 0.3, 0.1


def loss(p: Any) -> Any:
    """Of a layer, with m twice on its result, and with a penalty of m."""
    m, v = p
    return jnp.sum((jnp.tanh(X @ v) @ m @ m - Y) ** 2) + DECAY * jnp.sum(m * m)


def gradient(m: Any, v: Any, back: Any = None, penalised: Any = None) -> np.ndarray:
    """Its gradient, with another m on the way back, and with another one in the penalty."""
    back, penalised = (m if other is None else other for other in (back, penalised))
    h = np.tanh(X @ v)
    dout = 2 * (h @ m @ m - Y)
    dm = (h @ m).T @ dout + h.T @ (dout @ back.T) + 2 * DECAY * penalised
    dv = X.T @ ((dout @ back.T @ back.T) * (1 - h * h))
    return np.concatenate([dm.reshape(-1), dv.reshape(-1)])


RIGHT = gradient(M, V)
NEW_M, NEW_V = M - RATE * YOURS[0], V - RATE * YOURS[1]
WITHOUT = M - RATE * (YOURS[0] - 2 * DECAY * M)
LATE = M - RATE * RIGHT[:9].reshape(3, 3)


def but_for_its_own(found: np.ndarray) -> np.ndarray:
    return np.concatenate([RIGHT[:9], found[9:]])


#: An update, and what it predicts.
UPDATES: dict[str, tuple[Update, np.ndarray]] = {
    "everything": (Update((0, 1), mixed=False, decay={}), gradient(NEW_M, NEW_V)),
    "before the forward pass": (
        Update((0,), mixed=False, decay={}),
        but_for_its_own(gradient(NEW_M, V)),
    ),
    "after it": (Update((0,), mixed=True, decay={}), gradient(M, V, back=NEW_M)),
    "without the penalty": (
        Update((0,), mixed=True, decay={0: 2 * DECAY}, with_decay=False),
        gradient(M, V, back=WITHOUT),
    ),
    "penalty last": (
        Update((0,), mixed=True, decay={0: 2 * DECAY}, late=True),
        np.concatenate([gradient(M, V, penalised=LATE)[:9], gradient(M, V, back=LATE)[9:]]),
    ),
}


@pytest.fixture(scope="module")
def run() -> tuple[Engine, Point]:
    given = point_at((M, V), ())
    return engine(loss, given), given


@pytest.mark.parametrize("name", UPDATES)
def test_what_an_update_predicts(name: str, run: tuple[Engine, Point]) -> None:
    update, expected = UPDATES[name]
    nothing = np.zeros(15, dtype=bool)
    yours = np.concatenate([leaf.reshape(-1) for leaf in YOURS])
    sample = Sample(run[1], yours, RIGHT, np.zeros(15), nothing, ~nothing)
    np.testing.assert_allclose(update.gradient(run[0], sample, RATE), expected, rtol=1e-11)


def test_the_decay_of_a_penalty(run: tuple[Engine, Point]) -> None:
    found = evidence_of(
        lambda g, _: (g[0], 2 * g[1]), lambda *p: tuple(np.split(gradient(*p), [9])), M, V
    )
    search = Search(run[0], found, found.wrong)
    assert updates._decay(search) == pytest.approx({0: 2 * DECAY, 1: 0.0}, rel=1e-9)


def test_which_leaves_may_have_been_updated() -> None:
    """All, those that are right, their matrices, each, and two heads."""
    a, b = np.ones((2, 3)), np.ones(4)
    found = evidence_of(
        lambda g, _: (g[0], -g[1], *g[2:]), lambda *p: tuple(map(np.exp, p)), a, a, a, a, b
    )
    alone = [(k,) for k in range(5)]
    pairs = [(0, 2), (0, 3), (2, 3)]
    right, matrices = (0, 2, 3, 4), (0, 2, 3)
    assert updates._together(found) == [(0, 1, 2, 3, 4), right, matrices, *alone, *pairs]


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (
            Update((0, 1), True, {0: 0, 1: 0}),
            "the parameters are updated too early, by 0.1 times yours",
        ),
        (Update((0,), True, {0: 0.2}), "p is updated too early, by 0.1 times yours"),
        (
            Update((0,), True, {0: 0.2}, with_decay=False),
            "p is updated too early, by 0.1 times yours without the loss's weight decay",
        ),
        (
            Update((1,), True, {1: 0.2}, late=True),
            "q is updated too early, by 0.1 times yours, before the weight decay is differentiated",
        ),
    ],
)
def test_how_an_update_is_told(update: Update, told: str) -> None:
    assert update.described(("p", "q"), 0.1) == told
