"""Backpropagation through the loss's own program: with nothing wrong in it, it is the gradient."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.point import Point, point_at
from handgrad.diagnosis.engine import Engine, TooLargeError, engine
from handgrad.diagnosis.late_links import REORDER
from tests.handgrad.diagnosis.network import loss
from tests.tiers import one_of_each

RNG = np.random.default_rng(3)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


class Program(NamedTuple):
    """A loss and a point."""

    loss: Any
    point: tuple[Any, ...]


def recurrent(p: Any, x: Any) -> Any:
    """Both ways through a sequence."""

    def step(h: Any, row: Any) -> Any:
        h = jnp.tanh(h @ p["u"] + row @ p["v"])
        return h, h

    last, _ = jax.lax.scan(step, p["h"], x)
    _, rows = jax.lax.scan(step, last, x, reverse=True)
    return jnp.sum(rows**2)


def branched(p: Any, x: Any) -> Any:
    z = jax.lax.cond(jnp.sum(x) > 0, jnp.sin, lambda t: t**3, p * x)
    return jnp.sum(jnp.where(z > 0, z, jnp.exp(z)))


def called(p: Any, x: Any) -> Any:
    """One program that stands for two calls, under jit and with a rule of its own."""
    twice = jax.jit(jax.nn.softplus)
    return jnp.sum(twice(p["a"] * x) * twice(p["b"] - x)) + jnp.prod(jax.nn.gelu(p["a"]))


#: What is flattened or walked through in its own way: a loop, a branch, calls within calls.
PROGRAMS = {
    "products": Program(
        loss,
        ({"v": drawn(3, 5), "b": drawn(5), "w": drawn(5, 2)}, drawn(7, 3), drawn(7, 2)),
    ),
    "scan": Program(recurrent, ({"u": drawn(3, 3), "v": drawn(2, 3), "h": drawn(3)}, drawn(5, 2))),
    "branch": Program(branched, (drawn(5), drawn(5))),
    "calls": Program(called, ({"a": drawn(3), "b": drawn(3)}, drawn(3))),
}


class Rebuilt(NamedTuple):
    """The engine of a program, what JAX says, and how far rounding may lead."""

    run: Engine
    given: Point
    by_jax: np.ndarray
    rounding: np.ndarray


@pytest.fixture(scope="module", params=one_of_each(PROGRAMS, ("products",)))
def rebuilt(request: pytest.FixtureRequest) -> Rebuilt:
    loss, point = PROGRAMS[request.param]
    report = check_gradient(jax.jit(jax.grad(loss)), loss, *point, points=0)
    ruling = report.trial.outcomes[0].ruling
    # What is allowed of a right gradient is derived from the loss, for each element: how far it
    # moves with half an ulp of its parameters, and with the rounding of every intermediate result.
    # Both of two right gradients may be that far off, one in either direction.
    rounding = 2 * np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    given = point_at(point[0], point[1:])
    return Rebuilt(engine(loss, given), given, ruling.yours.answer, rounding)


def off(found: np.ndarray, rebuilt: Rebuilt) -> float:
    """The largest distance from what JAX says, in what rounding allows."""
    return float(np.max(np.abs(found - rebuilt.by_jax) / rebuilt.rounding))


@pytest.mark.slow
def test_switches_that_are_off_change_nothing(rebuilt: Rebuilt) -> None:
    assert len(rebuilt.run.rewired.switches) > 0
    assert off(rebuilt.run.changed(rebuilt.given, choice={0: 0}), rebuilt) <= 1


@pytest.mark.slow
def test_an_update_by_nothing_changes_nothing(rebuilt: Rebuilt) -> None:
    leaves = rebuilt.given.leaves
    assert off(rebuilt.run.changed(rebuilt.given, updated=leaves), rebuilt) <= 1
    assert off(rebuilt.run.changed(rebuilt.given, updated=[leaves[0]]), rebuilt) <= 1


def test_what_comes_back_through_a_leaf_is_its_derivative(rebuilt: Rebuilt) -> None:
    """The first places are the leaves; where nothing comes back, its derivative is 0."""
    for k, part in enumerate(rebuilt.given.parts()):
        without = rebuilt.run.changed(rebuilt.given, {k: 0.0})
        assert not without[part].any()
        assert off(without + rebuilt.run.through(k, rebuilt.given), rebuilt) <= 1


def test_a_gradient_is_a_straight_line_in_the_factor_at_a_place(rebuilt: Rebuilt) -> None:
    """Twice what comes back through a place is as much more as nothing is less."""
    right, graph = rebuilt.run.right(rebuilt.given), rebuilt.run.rewired.graph
    values = {*graph.inputs, *(o for node in graph.nodes for o in node.outputs)}
    for k, place in enumerate(rebuilt.run.rewired.places):
        if place.value not in values:
            continue  # in a loop it stands once for every round, and a product has several
        twice = rebuilt.run.changed(rebuilt.given, {k: 2.0})
        nothing = rebuilt.run.changed(rebuilt.given, {k: 0.0})
        # What passes one place may be larger than the sum over all, and rounds as it is.
        larger = np.maximum(np.abs(twice), np.abs(nothing)) / np.maximum(np.abs(right), 1e-300)
        bound = 2 * rebuilt.rounding * np.maximum(1, larger)
        assert (np.abs(twice + nothing - 2 * right) <= bound).all()


def test_a_switch_changes_the_gradient_and_not_the_loss() -> None:
    loss, point = PROGRAMS["products"]
    given = point_at(point[0], point[1:])
    run = engine(loss, given)
    right = run.right(given)
    same = [
        (i, option.says)
        for i, switch in enumerate(run.rewired.switches)
        for k, option in enumerate(switch.options)
        # What comes back to a sum is the same for all elements, in any order.
        if option not in REORDER and np.array_equal(run.changed(given, choice={i: k + 1}), right)
    ]
    assert same == []


@pytest.mark.slow
def test_a_program_that_is_too_long() -> None:
    """Unrolled: three operations a round, and more than 2,000 of them."""

    def loss(w: Any) -> Any:
        h = w
        for _ in range(700):
            h = jnp.sin(h) * w + 1.0
        return jnp.sum(h)

    with pytest.raises(TooLargeError):
        engine(loss, point_at(np.ones(2), ()))
