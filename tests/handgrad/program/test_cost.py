"""How much arithmetic a loss is, counted; and that no clock chooses how a gradient is certified."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import elements
from handgrad.oracle.random_directions import generic_direction
from handgrad.oracle.reference import comparisons_at
from tests.handgrad.oracle.problems import problem
from tests.handgrad.oracle.test_certify import network, network_at

FIVE, IMAGE = np.linspace(0.1, 0.9, 5), np.ones((1, 1, 6, 6))


def scanned(p: Any, n: int = 10) -> Any:
    return jnp.sum(lax.scan(lambda c, _: (jnp.sin(c), None), p, length=n)[0])


def pooled(p: Any) -> Any:
    return jnp.sum(lax.reduce_window(p, -jnp.inf, lax.max, (1, 1, 3, 3), (1, 1, 1, 1), "VALID"))


#: Losses, a point, and how many numbers they go over.
COSTS: dict[str, tuple[Any, np.ndarray, int]] = {
    "each number with each": (
        lambda p: jnp.sum(p @ np.ones((3, 4))), np.ones((2, 3)), 2 * 3 * 4 + 2 * 4
    ),
    "a call": (lambda p: jnp.sum(jax.jit(jnp.sin)(p)), FIVE, 5 + 5),
    "what is done again": (scanned, FIVE, 10 * 5 + 5),
    "windows": (pooled, IMAGE, 4 * 4 * 9 + 4 * 4),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTS)
def test_what_is_gone_over_counts(name: str) -> None:
    loss, at, cost = COSTS[name]
    case = problem(loss, at)
    direction = generic_direction(np.random.default_rng(0), case.size)
    assert elements(case, direction, comparisons_at(192)) == cost


class Slow:
    """A clock of a machine on which everything takes long, or nothing does."""

    def __init__(self, *steps: float) -> None:
        self.ticks = itertools.accumulate(itertools.chain(steps, itertools.repeat(steps[-1])))
        self.wall = itertools.count(0.0, 1e6)

    def process_time(self) -> float:
        return next(self.ticks)

    def perf_counter(self) -> float:
        return next(self.wall)


@pytest.mark.parametrize(
    ("shape", "steps", "how"),
    [
        *(((3, 5, 2), (step,), "every element") for step in (0.0, 1.0)),
        *(((7, 44, 7), (step,), "held to") for step in (0.0, 1.0)),
        # JAX compiles in the first run, and on many threads at that.
        ((7, 44, 7), (0.0, 100.0, 0.0, 0.1), "held to"),
        ((7, 44, 7), (100.0,), "drawn at random"),
    ],
)
def test_no_clock_chooses_the_way_but_where_everything_takes_too_long(
    shape: tuple[int, int, int], steps: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handgrad.clock.time", Slow(*steps))
    reference = certify(problem(network, *network_at(*shape)))
    assert how in reference.how
    assert reference.known.all() == (how != "drawn at random")
