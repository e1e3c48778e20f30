"""The certified gradient: programs held to series, and what decides between the two."""

import itertools
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax
from mpmath import mp

from handgrad import exact_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle import evaluate, random_directions
from handgrad.oracle.certify import certify
from handgrad.oracle.reference import element_scale
from tests.handgrad.oracle.problems import problem


def network(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["w"] + p["b"][None, :])
    return jnp.mean((h @ p["v"] - y) ** 2)


def network_at(n_in: int, n_hidden: int, n_out: int) -> Any:
    rng = np.random.default_rng(11)
    params = {
        "w": rng.normal(size=(n_in, n_hidden)),
        "b": rng.normal(size=n_hidden),
        "v": rng.normal(size=(n_hidden, n_out)),
    }
    return params, rng.normal(size=(2, n_in)), rng.normal(size=(2, n_out))


def test_one_tiny_element_that_is_off_by_2_to_the_minus_50_is_seen() -> None:
    params, x, y = network_at(7, 11, 3)
    params["w"][:] *= 1e-30  # some elements are far smaller than others
    case = problem(network, params, x, y)
    assert case.traced.gradient is not None

    def is_consistent(gradient: np.ndarray) -> bool:
        scale = element_scale(case, gradient)
        return random_directions.is_consistent(case, gradient, scale, bits=768)

    drawn = [random_directions.equalising(case, np.ones(case.size)) for _ in range(2)]
    assert not balls.midpoints(drawn[0] - drawn[1]).any()  # the same in every run
    with balls.precision(768):
        _, right = evaluate.gradient(case, case.traced.gradient, case.arguments(), Comparisons())
        assert is_consistent(right)
        for element in (0, 40, 120):
            wrong = right.copy()
            wrong[element] = wrong[element] * (1 + arb(2) ** -50)
            assert not is_consistent(wrong)
        wrong[40] = right[40] + arb(0, 2.0**-50) * right[40]
        wrong[120] = right[120]
        with pytest.raises(MorePrecisionNeededError):
            is_consistent(wrong)


def set_clock(monkeypatch: pytest.MonkeyPatch, *ticks: float) -> None:
    """Each look at the processor's time shows so much more, the last of them again and again."""
    of_all = itertools.accumulate(itertools.chain(ticks, itertools.repeat(ticks[-1])))
    wall = itertools.count(0.0, 1e6)
    clocks = {"process_time": lambda: next(of_all), "perf_counter": lambda: next(wall)}
    monkeypatch.setattr("handgrad.clock.time", SimpleNamespace(**clocks))


def test_the_sides_of_a_kink_are_sought_where_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One by one, 160 parameters would take longer than a point may."""
    at = np.where(np.arange(160) < 2, 0.0, 0.5)
    kinked = problem(lambda p: jnp.sum(jnp.abs(p)) ** 2, at)
    set_clock(monkeypatch, 0.0)
    assert certify(kinked).kink is not None
    set_clock(monkeypatch, 2.0)
    with pytest.raises(UndecidableKinkError, match="a kink in a gradient of so many elements"):
        certify(problem(lambda p: jnp.sum(jnp.abs(p)) ** 2, at))


@pytest.mark.parametrize(
    ("shape", "ticks", "how"),
    [
        *(((3, 5, 2), (tick,), "every element") for tick in (0.0, 1.0)),
        *(((7, 44, 7), (tick,), "held to") for tick in (0.0, 1.0)),
        # JAX compiles in the first run, and on many threads at that.
        ((7, 44, 7), (0.0, 100.0, 0.0, 0.1), "held to"),
        ((7, 44, 7), (100.0,), "drawn at random"),
    ],
)
def test_no_clock_chooses_the_way_but_where_everything_takes_too_long(
    shape: tuple[int, int, int], ticks: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, *ticks)
    reference = certify(problem(network, *network_at(*shape)))
    assert how in reference.how
    assert reference.known.all() == (how != "drawn at random")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_constant_of_jax_is_what_it_is_rounded_from_and_one_of_a_loss_is_itself(
    dtype: Any,
) -> None:
    """2/√π, as JAX has it in its rules for the error functions, and as a caller writes it."""
    at = np.cos(np.arange(1.0, 31.0)).astype(dtype)
    written = dtype(2 / np.sqrt(np.pi))
    losses: list[tuple[Any, Any]] = [
        (lax.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
        (lax.erf_inv, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2)),
        (lambda p: written * p * p, lambda x: 2 * mp.mpf(float(written)) * x),
    ]
    for f, slope in losses:
        loss: Any = lambda p, f=f: jnp.sum(f(p))  # noqa: E731
        assert all(ball.radius < 1e-40 for ball in exact_gradient(loss, at, referee="series"))
        found = exact_gradient(loss, at, referee="program")
        with mp.workdps(60):
            for x, ball in zip(at, found, strict=True):
                exact = slope(mp.mpf(float(x)))
                assert abs(mp.mpf(ball.midpoint) - exact) < abs(exact) * mp.mpf("1e-16")
                assert 2.0**-59 * abs(exact) < ball.radius < 2.0**-57 * abs(exact)
