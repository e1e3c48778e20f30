"""Floors, ratios, fits and crossovers of made-up results whose truth is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import names
from benchmarks.analysis import (
    between,
    break_even,
    crossovers,
    dispatch_bound,
    exponent,
    fastest,
    fit,
    floor,
    noise,
    over_floor,
    verdict,
)
from benchmarks.results import AGAIN, CONTENDER, FLOOR, JAX, LOSS, PYTHON, Cell, Row
from tests.benchmarks.sure import sure

SHAPE = (5, 6)


def row(name: str, seconds: float, kind: str = CONTENDER, called: str = PYTHON, **more: Any) -> Row:
    noise = np.exp(0.002 * np.random.default_rng([*name.encode()]).normal(size=SHAPE))
    return Row(name, kind, called, samples=(seconds * noise).tolist(), **more)


def cell(rows: list[Row], case: str = "width", size: int = 64, **more: Any) -> Cell:
    about: dict[str, Any] = {"sizes": [2, size, 1] if case == "width" else [2, 2, 1]}
    counts: dict[str, Any] = {"parameters": 9, "bytes": 10**5, "flops": 1e6, "expected_cost": 2.5}
    return Cell(case, (size,), threads="1", about=about, rows=rows, **counts | more)


FLOORS = [
    row(names.EMPTY_CALL, 1e-7, FLOOR),
    row(names.IDENTITY, 1e-5, FLOOR, JAX),
    row(names.PRODUCTS["NumPy"], 4e-4, FLOOR),
    row(names.PRODUCTS["jax.jit"], 3.1e-4, FLOOR, JAX),
    row(names.PRODUCTS_CALLS, 1e-6, FLOOR),
    row(names.MEMORY["NumPy"], 1e-4, FLOOR),
    row(names.MEMORY_CALL, 2e-7, FLOOR),
    row(names.MEMORY["jax.jit"], 9e-5, FLOOR, JAX),
]

HAND, HAND_JIT = row(names.HAND, 9e-4), row(names.HAND_JIT, 6e-4, called=JAX)
GRAD = row(names.GRAD, 6.3e-4, called=JAX, phases={"compile": 0.2, "first call": 0.07})
REST = [row(names.AGAIN, 6.3e-4, AGAIN, JAX), row(names.LOSS, 2.1e-4, LOSS, JAX)]


@pytest.fixture
def large() -> Cell:
    return cell([HAND, HAND_JIT, GRAD, *REST, *FLOORS])


def test_a_floor_is_dispatch_and_the_larger_of_products_and_bytes(large: Cell) -> None:
    """JAX's products are the faster ones, without the dispatch that is in them: 300 µs."""
    assert sure(fastest(large, names.PRODUCTS))[0] == "jax.jit"
    assert np.median(sure(floor(large, PYTHON))) == pytest.approx(3.001e-4, rel=0.01)
    assert np.median(sure(floor(large, JAX))) == pytest.approx(3.1e-4, rel=0.01)
    assert sure(over_floor(large, HAND)).middle == pytest.approx(9 / 3.001, rel=0.01)
    slow = [r for r in FLOORS if r.name not in names.MEMORY.values()]
    bound = cell([GRAD, *slow, row(names.MEMORY["NumPy"], 5.002e-4, FLOOR)])
    assert np.median(sure(floor(bound, JAX))) == pytest.approx(5.1e-4, rel=0.01)
    large.rows = [r for r in large.rows if r.name != names.IDENTITY]
    assert (floor(large, JAX), over_floor(large, GRAD)) == (None, None), "nor has it dispatch"
    assert over_floor(large, HAND) is not None


def test_a_part_that_is_not_seen_beside_its_calls_is_none() -> None:
    """JAX's copy takes 2 µs more than its call, NumPy's at first 0.1: such a difference is no time.

    A copy that takes 0.4 µs more than its call, which takes 0.2, is.
    """
    calls = (names.EMPTY_CALL, names.IDENTITY, names.MEMORY_CALL)
    small = [r for r in FLOORS if r.name in calls]
    copy = row(names.MEMORY["jax.jit"], 1.2e-5, FLOOR, JAX)
    by_numpy = row(names.MEMORY["NumPy"], 3e-7, FLOOR)
    assert fastest(cell([*small, copy, by_numpy]), names.MEMORY) is None
    slower = row(names.MEMORY["jax.jit"], 6e-5, FLOOR, JAX)
    # The slower library's, though it is seen, is no floor of what the other one does in less.
    assert fastest(cell([*small, slower, by_numpy]), names.MEMORY) is None
    by_numpy = row(names.MEMORY["NumPy"], 6e-7, FLOOR)
    library, seconds = sure(fastest(cell([*small, copy, by_numpy]), names.MEMORY))
    assert library == "NumPy"
    assert np.median(seconds) == pytest.approx(4e-7, rel=0.02)
    assert floor(cell([*small, row("x", 1.0)]), PYTHON) is not None


def test_a_row_that_is_mostly_its_call_is_dispatch_bound(large: Cell) -> None:
    assert not dispatch_bound(large, GRAD)
    assert dispatch_bound(large, row("fast", 1.9e-5, called=JAX))
    assert not dispatch_bound(large, row("fast", 1.9e-5))


def test_words_follow_the_noise(large: Cell) -> None:
    assert sure(noise(large)) < 1.01
    assert verdict(large, names.HAND) == "slower"
    assert verdict(large, names.HAND_JIT) == "faster"
    assert verdict(large, names.GRAD) == ""
    assert sure(between(large, names.GRAD, names.LOSS)).middle == pytest.approx(3, rel=0.01)
    assert between(large, names.HAND, "nobody") is None


def test_compiling_pays_after_so_many_calls_or_never(large: Cell) -> None:
    """270 ms, and 270 µs saved by each call: a thousand."""
    assert sure(break_even(large))[1] == pytest.approx(1000, rel=0.03)
    slower = cell([row(names.HAND, 5e-4), GRAD, *REST])
    assert sure(break_even(slower))[1] is None
    assert break_even(cell([HAND, row(names.GRAD, 6e-4, called=JAX)])) is None


def along(seconds: Any, other: Any, sizes: tuple[int, ...] = (4, 16, 64, 256, 1024)) -> list[Cell]:
    return [
        cell(
            [
                row(names.HAND, seconds(size)),
                row(names.GRAD, other(size), called=JAX),
                row(names.AGAIN, other(size), AGAIN, JAX),
            ],
            size=size,
            parameters=size,
            flops=1e3 * size,
        )
        for size in sizes
    ]


def test_a_crossover_is_found_where_it_is() -> None:
    """10⁻⁷ n against 2·10⁻⁵: at 200; rows that are a tie do not cross."""
    (found,) = crossovers(along(lambda n: 1e-7 * n, lambda n: 2e-5), names.HAND, names.GRAD)
    assert (found.winner, found.loser) == (names.GRAD, names.HAND)
    assert found.size.middle == pytest.approx(200, rel=0.05)
    assert found.size.low <= found.size.middle <= found.size.high
    assert found.between == (64, 256)
    tied = along(lambda n: 1e-7 * n, lambda n: 1e-7 * n * (0.998 if n < 100 else 1.002))
    assert crossovers(tied, names.HAND, names.GRAD) == []


def test_a_fit_finds_what_a_call_and_an_operation_cost() -> None:
    cells = along(lambda n: 3e-6 + 2e-9 * 1e3 * n, lambda n: 1e-6)
    found = sure(fit(cells, names.HAND))
    assert found.fixed == pytest.approx(3e-6, rel=0.05)
    assert found.per_flop == pytest.approx(2e-9, rel=0.01)
    assert found.worst < 1.02
    assert fit(cells[:2], names.HAND) is None


def test_the_exponent_says_how_cost_grows() -> None:
    flat = along(lambda n: 3e-6, lambda n: 1e-6)
    linear = along(lambda n: 1e-6 * n, lambda n: 1e-6)
    assert sure(exponent(flat, names.HAND, names.GRAD)).middle == pytest.approx(0, abs=0.01)
    found = sure(exponent(linear, names.HAND, names.GRAD))
    assert found.middle == pytest.approx(1, abs=0.01)
    assert found.low < found.middle < found.high
    assert exponent(linear[:2], names.HAND, names.GRAD) is None
    alike = [replace(cell, parameters=9) for cell in linear]
    assert exponent(alike, names.HAND, names.GRAD) is None
