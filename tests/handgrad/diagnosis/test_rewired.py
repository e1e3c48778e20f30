"""Backpropagation through the loss's own program: with nothing wrong in it, it is the gradient."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad.diagnosis.engine
from handgrad import check_gradient
from handgrad.data.point import Point, point_at
from handgrad.diagnosis.engine import Engine, TooLargeError, engine
from handgrad.diagnosis.late_links import REORDER
from handgrad.diagnosis.wording import of_place
from tests.handgrad.diagnosis.network import loss
from tests.tiers import one_of_each

RNG = np.random.default_rng(3)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    """The same numbers in whatever order the tests run."""
    rng = np.random.default_rng(3)
    return lambda *shape: rng.normal(size=shape)


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


def every_wrong_rule(loss: Any, given: Point) -> list[tuple[str, np.ndarray]]:
    run = engine(loss, given)
    return [
        (option.says, run.changed(given, choice={i: k + 1}))
        for i, switch in enumerate(run.rewired.switches)
        for k, option in enumerate(switch.options)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_loss_that_computes_in_float32_has_the_same_wrong_rules(name: str) -> None:
    loss, point = PROGRAMS[name]

    def mixed(*given: Any) -> Any:
        return loss(*jax.tree.map(lambda x: x.astype("float32"), given)).astype("float64")

    given = point_at(point[0], point[1:])
    found = every_wrong_rule(mixed, given)
    for says, wrong in every_wrong_rule(loss, given):
        bound = 1e-4 * np.max(np.abs(wrong))  # a thousand roundings of float32
        off = [np.max(np.abs(g - wrong)) for other, g in found if other == says]
        assert min(off, default=np.inf) <= bound, says


def forked(p: Any, x: Any) -> Any:
    """An activation in several operations, a library function; each argument is used elsewhere."""
    z = x * p["w"]
    h = (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z))
    return jnp.var(h) * -1.0 * jnp.sum(z * p["b"]) + jnp.sum(h)


#: Whether it is inside one function, how many uses it stands for (0 for all), and its name.
PLACES = [
    *((False, 0, f"through {name}") for name in ("params['b']", "params['w']", "the quotient")),
    (False, 2, "from var to the quotient"),
    (False, 1, "from the product to the product"),
    *[(False, 0, "through the product")] * 2,
    (False, 1, "from the sum over axis 0 to the quotient"),
    (False, 0, "through the sum"),
    (False, 4, "from exp to the product"),
    *(
        (True, uses, f"through a part of {name}")
        for what in ("the difference", "the sum")
        for uses, name in ((1, "exp"), (1, "neg"), (0, what))
    ),
    *((True, uses, "through a part of var") for uses in (1, 1, 0)),
]


def test_a_chain_has_one_place_and_what_is_inside_a_function_comes_last(
    draw: Callable[..., np.ndarray],
) -> None:
    run = engine(forked, point_at({"w": draw(3), "b": draw(3)}, (draw(3),)))
    places = [(p.inside, len(p.uses), of_place(run.rewired, p)) for p in run.rewired.places]
    assert [(i, uses, name.partition(" (")[0]) for i, uses, name in places] == PLACES
    assert -1.0 not in run.constants


def read_out(p: Any, x: Any, flag: Any) -> Any:
    """Five matrices on one layer: as it is, turned, with zeros, in a branch, in a loop."""
    h = jnp.tanh(x @ p["w"])
    wide = jnp.concatenate([p["c"], np.zeros((4, 1))], axis=1)
    branch = jax.lax.cond(flag > 0, lambda h, d: h @ d, lambda h, d: 2.0 * h @ d, h, p["d"])
    _, rows = jax.lax.scan(lambda s, row: (s, row @ p["e"]), 0.0, h)
    return jnp.sum(h @ p["a"] + h @ p["b"].T + h @ wide + branch + rows)


def test_what_comes_back_through_a_matrix_sees_its_update_and_its_own_derivative_does_not(
    draw: Callable[..., np.ndarray],
) -> None:
    x, sizes = draw(5, 3), {"a": (4, 2), "b": (2, 4), "c": (4, 1), "d": (4, 2), "e": (4, 2)}
    p = {name: draw(*size) for name, size in (sizes | {"w": (3, 4)}).items()}
    new = {name: draw(*size) for name, size in sizes.items()}
    run = engine(read_out, point_at(p, (x, np.array(1.0))))
    h = np.tanh(x @ p["w"])
    own = np.repeat(h.sum(axis=0)[:, None], 2, axis=1)
    for weight in (1, 2):
        back = new["a"].sum(axis=1) + new["b"].sum(axis=0) + new["c"][:, 0]
        back += weight * new["d"].sum(axis=1) + new["e"].sum(axis=1)
        dw = x.T @ (back * (1 - h * h))
        given = point_at(p, (x, np.array(1.5 - weight)))
        found = run.changed(given, updated=[new.get(name) for name in sorted(p)])
        expected = [own, own.T, own[:, :1], weight * own, own, dw]
        flat = np.concatenate([leaf.reshape(-1) for leaf in expected])
        np.testing.assert_allclose(found, flat, rtol=1e-12)


def in_rounds(reverse: bool) -> Any:
    def loss(p: Any, x: Any) -> Any:
        def step(h: Any, row: Any) -> Any:
            h = jnp.tanh(h * p["u"] + row)
            return h, h * p["v"]

        return jnp.sum(jax.lax.scan(step, p["h"], x, reverse=reverse)[1])

    return loss


@pytest.mark.parametrize("reverse", one_of_each([False, True], [True]))
def test_rows_of_other_rounds(reverse: bool, draw: Callable[..., np.ndarray]) -> None:
    """The derivatives of a · p · c by p with the rows of the next round, and of that before."""

    def loss(p: Any, rows: Any) -> Any:
        def step(s: Any, row: Any) -> Any:
            return s, row[0] * p * row[1]

        return jnp.sum(jax.lax.scan(step, 0.0, rows, reverse=reverse)[1])

    rows = draw(5, 2, 3)
    given = point_at(np.array(0.7), (rows,))
    run = engine(loss, given)
    found = {
        (i, option.says): run.changed(given, choice={i: k + 1}).item()
        for i, switch in enumerate(run.rewired.switches)
        for k, option in enumerate(switch.options if switch.neighbours else ())
        if option.kind == "index"
    }
    to_next = 1 if reverse else -1
    expected = [
        np.sum(np.roll(rows[:, column], shift, axis=0) * rows[:, 1 - column])
        for column in (0, 1)
        for shift in (to_next, -to_next)
    ]
    np.testing.assert_allclose([*found.values()], expected, rtol=1e-12)
    assert [says.count("the next round") for _, says in found] == [1, 0, 1, 0]


def test_values_stay_as_they_are_where_nothing_comes_back(draw: Callable[..., np.ndarray]) -> None:
    """A sign has no derivative, so no rule for what is made of it changes anything."""

    def loss(p: Any, rows: Any) -> Any:
        def step(s: Any, row: Any) -> Any:
            return s, row * jnp.sign(p)

        return jnp.sum(jax.lax.scan(step, 0.0, rows)[1]) * p

    given = point_at(np.array(0.7), (draw(5),))
    run = engine(loss, given)
    late = [i for i, switch in enumerate(run.rewired.switches) if switch.neighbours]
    inside = [i for i in late if run.rewired.switches[i].node.name == "mul"]
    assert len(inside) == 1
    np.testing.assert_allclose(run.changed(given, choice={inside[0]: 1}), run.right(given))


@pytest.mark.slow
def test_a_loop_that_runs_backwards_has_the_mistakes_of_the_one_that_runs_forwards(
    draw: Callable[..., np.ndarray],
) -> None:
    p, x = {"u": draw(2), "v": draw(2), "h": draw(2)}, draw(4, 2)
    ahead, back = point_at(p, (x,)), point_at(p, (x[::-1].copy(),))
    one, other = engine(in_rounds(reverse=False), ahead), engine(in_rounds(reverse=True), back)
    choices = [
        {i: k + 1}
        for i, switch in enumerate(one.rewired.switches)
        for k in range(len(switch.options) if switch.neighbours else 0)
    ]
    found = [one.changed(ahead, choice=choice) for choice in choices]
    assert len(found) > 4
    assert not any(np.array_equal(wrong, one.right(ahead)) for wrong in found)
    for choice, wrong in zip(choices, found, strict=True):
        np.testing.assert_allclose(other.changed(back, choice=choice), wrong, rtol=1e-12)


def test_a_number_in_the_loss_may_be_0_instead(draw: Callable[..., np.ndarray]) -> None:
    point = point_at(draw(3), ())
    run = engine(lambda w: jnp.sum(jnp.sqrt(w * w + 0.25)), point)
    (number,) = (k for k, v in run.rewired.numbering.known.items() if np.all(v == 0.25))
    np.testing.assert_allclose(run.without(number).right(point), np.sign(point.leaves[0]))


def test_a_loss_in_float32_runs_in_float64(draw: Callable[..., np.ndarray]) -> None:
    point = point_at(draw(3).astype(np.float32), (draw(3).astype(np.float32),))
    found = engine(lambda w, x: jnp.sum(jnp.exp(w * x)), point).right(point)
    w, x = (np.float64(a) for a in (point.leaves[0], point.inputs[0]))
    np.testing.assert_allclose(found, x * np.exp(w * x), rtol=1e-13)


def test_the_longest_program(
    monkeypatch: pytest.MonkeyPatch, draw: Callable[..., np.ndarray]
) -> None:
    def of_two(w: Any) -> Any:
        return jnp.sum(jnp.sin(w))

    monkeypatch.setattr(handgrad.diagnosis.engine, "MOST_NODES", 2)
    engine(of_two, point_at(draw(3), ()))
    with pytest.raises(TooLargeError):
        engine(lambda w: of_two(w) * 2.0, point_at(draw(3), ()))


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
