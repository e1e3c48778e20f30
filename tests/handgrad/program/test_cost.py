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
from tests.handgrad.oracle.problems import hidden, problem
from tests.handgrad.oracle.test_certify import network, network_at


def counted(loss: Any, params: Any, *inputs: Any) -> float:
    case = problem(loss, params, *inputs)
    return elements(
        case, generic_direction(np.random.default_rng(0), case.size), comparisons_at(192)
    )


def vector(n: int) -> np.ndarray:
    return np.linspace(0.1, 0.9, n)


def test_a_product_of_matrices_is_each_number_with_each() -> None:
    a, b = vector(6).reshape(2, 3), vector(12).reshape(3, 4)
    assert counted(lambda p, x: jnp.sum(p @ x), a, b) == 2 * 3 * 4 + 2 * 4


def scanned(p: Any, n: int) -> Any:
    return jnp.sum(lax.scan(lambda c, _: (jnp.sin(c), None), p, length=n)[0])


def until(p: Any, n: int) -> Any:
    """As many rounds as turn out to be needed."""
    rounds = lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, jnp.sin(s[1])), (0, p))
    return jnp.sum(rounds[1])


@pytest.mark.parametrize("loop", [scanned, until])
def test_what_is_done_again_counts_again(loop: Any) -> None:
    def cost(rounds: int) -> float:
        return counted(hidden(lambda p: loop(p, rounds)), vector(5))

    assert cost(10) - cost(3) == 7 * 5


def test_a_call_costs_what_is_called() -> None:
    called = counted(lambda p: jnp.sum(jax.jit(jnp.sin)(p)), vector(5))
    assert called == counted(lambda p: jnp.sum(jnp.sin(p)), vector(5)) == 5 + 5


def test_a_kernel_and_a_window_count_what_they_go_over() -> None:
    image, kernel = vector(36).reshape(1, 1, 6, 6), vector(18).reshape(2, 1, 3, 3)
    convolved = counted(
        lambda p, x: lax.conv(x, p, (1, 1), "VALID")[0, 0, 0, 0] * 1.0, kernel, image
    )
    products = 2 * 4 * 4 * 9
    assert products <= convolved < 2 * products
    window, by_one = (1, 1, 3, 3), (1, 1, 1, 1)
    pooled = counted(
        lambda p: jnp.sum(lax.reduce_window(p, -jnp.inf, lax.max, window, by_one, "VALID")), image
    )
    members, summed = 4 * 4 * 9, 4 * 4
    assert pooled == members + summed


def test_a_matrix_is_gone_through_row_by_row() -> None:
    def loss(p: Any) -> Any:
        return jnp.sum(jnp.linalg.cholesky(p, symmetrize_input=False))

    assert counted(loss, np.eye(5) + 0.1) >= 5 * 25


class Slow:
    """A clock of a machine on which everything takes long, or nothing does."""

    def __init__(self, *steps: float) -> None:
        self.ticks = itertools.accumulate(itertools.chain(steps, itertools.repeat(steps[-1])))
        self.wall = itertools.count(0.0, 1e6)

    def process_time(self) -> float:
        return next(self.ticks)

    def perf_counter(self) -> float:
        return next(self.wall)


@pytest.mark.parametrize("step", [0.0, 1.0])
@pytest.mark.parametrize(("shape", "how"), [((3, 5, 2), "every element"), ((7, 44, 7), "held to")])
def test_no_clock_chooses_the_way(
    shape: tuple[int, int, int], how: str, step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handgrad.clock.time", Slow(step))
    assert how in certify(problem(network, *network_at(*shape))).how


def test_what_only_the_first_run_takes_draws_no_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX compiles in it, and on many threads at that."""
    monkeypatch.setattr("handgrad.clock.time", Slow(0.0, 100.0, 0.0, 0.1))
    assert "held to" in certify(problem(network, *network_at(7, 44, 7))).how


def test_what_takes_too_long_twice_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handgrad.clock.time", Slow(100.0))
    reference = certify(problem(network, *network_at(7, 44, 7)))
    assert "drawn at random" in reference.how
    assert not reference.known.all()
