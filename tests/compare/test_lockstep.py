"""Two trainings in lockstep: sides that agree, and mistakes of one side found where they are."""

import dataclasses
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

import manual.activations
from compare import lockstep
from compare.limits import count_parameters
from compare.lockstep import Divergence, Point, Progress, Steps, drift
from compare.training import Training
from compare.trees import layers_like, name_at
from compare.wording import BY_AUTODIFF, BY_HAND
from manual.optimisers import OPTIMISERS, Adam, Momentum
from tests.compare.calls import BOTH, training

SIZES = (4, 7, 3)
P = count_parameters(SIZES)


def of(**changes: Any) -> Training:
    """A training by both, made of a small network on iris."""
    return training(by=BOTH, **changes)


def after(work: Training, epochs: int = 2) -> Progress:
    return work.train(epochs)


def divergence(work: Training, epochs: int = 2) -> Divergence:
    found = after(work, epochs).first_divergence
    assert found is not None
    return found


AGREEING = {
    "softmax": {},
    "sgd in float32": {"optimiser": "sgd", "dtype": "float32", "rate": 0.1},
    "number": {"data": "diabetes", "sizes": (10, 5, 3, 1), "loss": "huber", "activation": "gelu"},
    "one row": {"batch": 1, "activation": "leaky-relu"},
    "saturating": {"rate": 3.0, "activation": "tanh"},
}


@pytest.mark.slow
@pytest.mark.parametrize("what", AGREEING)
def test_sides_that_agree(what: str) -> None:
    progress = after(of(**AGREEING[what]))
    assert progress.first_divergence is None
    assert 0 <= progress.max_drift_ulps < 1e6 or what == "saturating"


def test_drift() -> None:
    a, single = np.array([0.5, -3.0, 1e-20]), np.array([0.5, -3.0, 1e-20], "f4")
    assert drift(a, a) == 0.0
    assert drift(a, a * np.nan) == np.inf
    assert drift(a, a + np.array([2.0**-52, 0, 0])) == 1.0
    assert drift(a, a + np.array([0, 2.0**-51, 0])) == 1.0
    assert drift(single, single + np.array([2.0**-23, 0, 0], "f4")) == 1.0


def put(training: Training, side: str, wrong: Any) -> None:
    """In the place of one of its sides."""
    both = {**training.both.sides, side: wrong}
    training.both = dataclasses.replace(training.both, sides=both)


def wrong_side(side: Any, change: Callable[..., None], at: int, only: bool) -> Any:
    """A side that is right but for one thing: from update `at` on, or there only.

    What changes it is given the point before, and in place the gradient, the moments and the
    parameters after.
    """

    def steps(before: Point, stretch: np.ndarray) -> Steps:
        grads, after = side.steps(before, stretch)
        params, moments, grads = np.array(after.params), np.array(after.moments), np.array(grads)
        for row, count in enumerate(before.count):
            if count == at or (count > at and not only):
                change(before.at(row), grads[row], moments[row], params[row])
        return Steps(grads, Point(params, moments, after.count))

    def walk(start: Point, stretch: np.ndarray) -> Point:
        points = [Point(*(np.asarray(part)[None] for part in start))]
        for batch in stretch:
            points.append(steps(points[-1], batch[None]).after)
        return Point(*map(np.concatenate, zip(*points[1:], strict=True)))

    return SimpleNamespace(steps=steps, walk=walk)


def off(quantity: str, position: int, change: Callable[[Any], Any]) -> Callable[..., None]:
    """A wrong number of an update by momentum, with which it then goes on."""

    def wrong(was: Point, grads: Any, moments: Any, params: Any) -> None:
        (velocity,) = moments
        of = {"gradient": grads, "moment": velocity, "update": params}[quantity]
        of[position] = change(of[position])
        if quantity == "gradient":
            velocity[:] = 0.9 * was.moments[0] + grads
        if quantity != "update":
            params[:] = was.params - 0.02 * velocity

    return wrong


#: The quantity that is off, the position of the parameter, and how.
PLANTS: dict[str, tuple[str, int, Callable[[Any], Any]]] = {
    "one millionth": ("gradient", P - 1, lambda g: g * (1 + 1e-6)),
    "nan": ("gradient", 28, lambda _: np.nan),
    "velocity": ("moment", 40, lambda v: v / 2),
    "parameter": ("update", 11, lambda w: w * (1 + 1e-6)),
    "update of nan": ("update", 0, lambda _: np.nan),
    # That is a disagreement, not a learning rate too large.
    "beyond floats": ("gradient", 3, lambda g: g * 1e200 * 1e200),
    "beyond floats, once": ("gradient", 3, lambda g: g * 1e200 * 1e200),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", PLANTS)
def test_a_mistake_is_found_where_it_is(what: str) -> None:
    """In the second epoch, of four updates each; by one side or the other, from then on or once."""
    at = list(PLANTS).index(what)
    side, only = BOTH[at % 2], at // 2 % 2 == 1
    quantity, position, _ = PLANTS[what]
    training = of(optimiser="momentum", rate=0.02)
    put(training, side, wrong_side(training.both.sides[side], off(*PLANTS[what]), 6, only))
    with np.errstate(all="ignore"):
        found = divergence(training)
    assert (found.update, found.quantity, found.off) == (6, quantity, side)
    assert found.parameter == name_at(position, layers_like(SIZES))
    # Along the path by hand the other side's answer is asked for, and its own is the path itself.
    assert found.along in BOTH
    by_hand, autodiff = found.by_hand, found.autodiff
    assert not abs(by_hand - autodiff) <= found.bound
    assert np.isfinite(found.bound)


@pytest.mark.slow
def test_the_first_in_the_order_of_parameters_is_kept() -> None:
    def everywhere(was: Point, grads: Any, _: Any, params: Any) -> None:
        grads *= 2
        params[:] = was.params

    training = of(optimiser="momentum")
    put(training, BY_HAND, wrong_side(training.both.sides[BY_HAND], everywhere, 3, False))
    found = divergence(training, 1)
    assert (found.update, found.quantity, found.parameter) == (3, "gradient", "params[0].w[0, 0]")
    assert found.along == BY_HAND
    assert found.by_hand == pytest.approx(2 * found.autodiff, rel=1e-12)
    assert divergence(training, 3) == found


#: How a side walks, the first update that must be seen to differ, and the side.
WALKS: dict[str, tuple[Any, int, str]] = {
    "backwards": (lambda side, start, of: side.walk(start, of[::-1]), 0, BY_HAND),
    "one row less": (lambda side, start, of: side.walk(start, of[:, 1:]), 0, BY_AUTODIFF),
    "first again": (
        lambda side, start, of: side.walk(start, np.repeat(of[:1], len(of), axis=0)),
        *(1, BY_HAND),
    ),
    "forgets": (
        lambda side, start, of: side.walk(start._replace(moments=0 * start.moments), of),
        *(4, BY_AUTODIFF),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", WALKS)
def test_a_wrong_walk_is_found_on_its_own_path(how: str) -> None:
    """Though each of its steps is right when asked for."""
    walk, first, side = WALKS[how]
    training = of(optimiser="momentum", rate=0.02, batch=30)
    right = training.both.sides[side]
    put(training, side, SimpleNamespace(walk=partial(walk, right), steps=right.steps))
    found = divergence(training)
    assert (found.update, found.along, found.off) == (first, side, side)
    assert found.quantity == "moment"


@pytest.mark.slow
def test_weights_that_are_changed_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the points that the walk has kept are no longer those that it went through."""
    from manual.optimisers import Sgd, State

    def update(self: Sgd, params: Any, grads: Any, state: State) -> Any:
        params[...] -= self.learning_rate * grads
        return params, State(state.updates + 1, ())

    monkeypatch.setattr(Sgd, "update", update)
    found = divergence(of(optimiser="sgd", rate=0.1))
    assert found.off == BY_HAND


@pytest.mark.slow
def test_an_update_is_judged_where_the_judge_ruled_on_its_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where relu is at its kink a gradient has no bound, but what follows from it has one."""
    from manual.optimisers import Sgd, State

    right = of(optimiser="sgd", sizes=(4, 2, 3), rate=0.1, activation="relu", batch=5)
    few = dataclasses.replace(right.data, x=right.data.x[:5].copy(), y=right.data.y[:5])
    few.x[0] = 0
    work = Training(right.plan, few, BOTH)
    assert after(work, 1).first_divergence is None

    def update(self: Sgd, params: Any, grads: Any, state: State) -> Any:
        moved = params - self.learning_rate * grads
        return moved + 1e-9 * (np.arange(len(moved)) == 3), State(state.updates + 1, ())

    monkeypatch.setattr(Sgd, "update", update)
    found = divergence(work, 1)
    assert (found.update, found.quantity, found.off) == (0, "update", BY_HAND)


@pytest.mark.slow
def test_a_wrong_side_in_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    import autodiff.network

    right = autodiff.network.ACTIVATIONS["tanh"]

    def steeper(z: Any) -> Any:
        return right(z) + 1e-3 * (z - jax.lax.stop_gradient(z))

    monkeypatch.setitem(autodiff.network.ACTIVATIONS, "tanh", steeper)
    lockstep._training.cache_clear()
    try:
        found = divergence(of(activation="tanh"))
    finally:
        lockstep._training.cache_clear()
    assert (found.update, found.quantity, found.off) == (0, "gradient", BY_AUTODIFF)
    assert found.parameter.startswith("params[0].w")


#: Wrong constants of the side by hand: of an optimiser, or the leak of leaky-relu; and the quantity
#: that shows it.
WRONG_CONSTANTS: dict[str, tuple[Any, str]] = {
    "momentum": (partial(Momentum, momentum=0.8), "moment"),
    "beta1": (partial(Adam, beta1=0.8), "moment"),
    "beta2": (partial(Adam, beta2=0.99), "moment"),
    "epsilon": (partial(Adam, epsilon=1e-7), "update"),
    "leak": (0.02, "gradient"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG_CONSTANTS)
def test_a_wrong_constant_is_laid_to_its_own_side(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge has its own, so it does not take the accused's word for the other's mistake."""
    wrong, quantity = WRONG_CONSTANTS[what]
    optimiser = "momentum" if what == "momentum" else "adam"
    if what == "leak":
        monkeypatch.setattr(manual.activations, "LEAK", wrong)
    else:
        monkeypatch.setitem(OPTIMISERS, optimiser, wrong)
    found = divergence(of(optimiser=optimiser, rate=0.02, activation="leaky-relu"), 1)
    assert (found.quantity, found.off) == (quantity, BY_HAND)
