"""The wrong rules of single operations: what each gives back is what people write by mistake."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.diagnosis import activations
from handgrad.diagnosis.activation_links import Extra
from handgrad.diagnosis.array_links import Axis, softmaxes
from handgrad.diagnosis.late_links import Half, Late, Part, Reordered, Reshaped
from handgrad.diagnosis.rewired import Switch
from handgrad.diagnosis.rounds import Stale, rounds
from handgrad.diagnosis.switches import late_switches, switches
from handgrad.program.graph import Graph, Numbering, active_values, flattened

RNG = np.random.default_rng(7)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def values_of(graph: Graph, numbering: Numbering, operands: Any) -> dict[int, Any]:
    values = numbering.known | dict(zip(graph.inputs, operands, strict=True))
    for node in graph.nodes:
        values.update(
            zip(node.outputs, node.bound([values[o] for o in node.operands]), strict=True)
        )
    return values


def traced(function: Any, *operands: Any) -> tuple[Graph, Numbering, list[Switch]]:
    """The program of a function, and the switches in it."""
    with jax.enable_x64(True):
        numbering = Numbering()
        graph = flattened(jax.make_jaxpr(function)(*operands), numbering)
        found = switches(graph, graph.inputs, numbering)
        found += softmaxes(graph, numbering, values_of(graph, numbering, operands))
        return graph, numbering, found + late_switches(graph, graph.inputs, numbering)


def told(function: Any, *operands: Any) -> set[tuple[str, str]]:
    """The kinds and sentences of all switches of a function."""
    *_, found = traced(function, *operands)
    return {(option.kind, option.says) for switch in found for option in switch.options}


def given_back(function: Any, operands: Any, says: str, g: np.ndarray) -> list[list[np.ndarray]]:
    """Of each switch at the result that says so, the derivatives by the operands."""
    graph, numbering, found = traced(function, *operands)

    @partial(jax.jit, static_argnums=0)
    def back(switch: Switch, choice: int) -> Any:
        def changed(*operands: Any) -> Any:
            return switch.changed(values_of(graph, numbering, operands), choice)

        return jax.vjp(changed, *operands)[1](g)

    with jax.enable_x64(True):
        return [
            [np.asarray(d) for d in back(switch, k + 1)]
            for switch in found
            if switch.at in graph.outputs
            for k, option in enumerate(switch.options)
            if says in option.says
        ]


class Rule(NamedTuple):
    """A function, its operands, words of a mistake, and from g = dv what is then written."""

    function: Callable[..., Any]
    operands: tuple[np.ndarray, ...]
    says: str
    written: Callable[..., tuple[Any, ...]]


def product(a: Any, b: Any) -> Any:
    return a @ b


def convolution(x: Any, k: Any) -> Any:
    return jax.lax.conv_general_dilated(x, k, (1,), "VALID")


def windows(x: np.ndarray, k: np.ndarray, g: np.ndarray, order: Any) -> tuple[Any, Any]:
    """Of a convolution of one channel, with = for += in the input's derivative."""
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in order(range(g.size)):
        dk[0, 0] += g[0, 0, i] * x[0, 0, i : i + k.size]
        dx[0, 0, i : i + k.size] = g[0, 0, i] * k[0, 0]
    return dx, dk


def assigned(table: np.ndarray, g: np.ndarray) -> tuple[np.ndarray]:
    found = np.zeros_like(table)
    found[LOOKED_UP] = g
    return (found,)


def softmax(z: Any) -> Any:
    return jax.nn.softmax(2 * z, axis=1)


def probabilities(z: np.ndarray) -> np.ndarray:
    e = np.exp(2 * z)
    return e / e.sum(axis=1, keepdims=True)


def of_masked(z: np.ndarray, g: np.ndarray) -> tuple[np.ndarray]:
    e = np.exp(z) * (z > -1)
    p = e / e.sum(axis=1, keepdims=True)
    return (g * p * (1 - p),)


def pool(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (3,), (2,), "VALID")


def pooled(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    found = np.zeros_like(x)
    for i, each in enumerate(g):
        found[2 * i : 2 * i + 3] += each
    return found


def twice(w: Any, h: Any) -> Any:
    for _ in range(2):
        h = h * w
    return h


LOOKED_UP = np.array([4, 0, 4, 2])
A, M, B = drawn(4, 3), drawn(3, 3), drawn(3, 5)
U, V, SCORES, LINE = drawn(4), drawn(4), drawn(2, 3), drawn(7)
SIGNAL, KERNEL = drawn(1, 1, 7), drawn(1, 1, 2)
MATRIX, FACTOR = "its matrix is missing", "its other factor is missing"
LAST, FIRST = "only the last counts", "only the first counts"
MEAN, WHOLE = "is that of the mean", "goes to every element whole"

RULES: dict[str, Rule] = {
    "w for wᵀ": Rule(
        *(product, (A, M), "is not transposed on the way back"),
        lambda a, m, g: (g @ m, a.T @ g),
    ),
    "wᵀ on the left": Rule(
        *(product, (M, B), "is not transposed on the way back"),
        lambda m, b, g: (g @ b.T, m @ g),
    ),
    "dw for dwᵀ": Rule(
        *(product, (A, M), "for the matrix of a product is transposed"),
        lambda a, m, g: (g @ m.T, g.T @ a),
    ),
    "without the matrix": Rule(
        lambda a, m: (2 * a) @ m, (A, M), MATRIX, lambda a, m, g: (2 * g, 2 * a.T @ g)
    ),
    "without the matrix on the left": Rule(product, (M, B), MATRIX, lambda m, b, g: (g @ b.T, g)),
    "lookups once": Rule(
        lambda table: table[LOOKED_UP], (drawn(5),), "only the last lookup counts", assigned
    ),
    "without the second": Rule(lambda u, v: u * v, (U, V), FACTOR, lambda u, v, g: (g, u * g)),
    "without the first": Rule(lambda u, v: u * v, (U, V), FACTOR, lambda u, v, g: (v * g, g)),
    "rows for columns": Rule(
        lambda m: m.sum(axis=0),
        *((M,), "spread along the other axis", lambda m, g: (g[:, None] + 0 * m,)),
    ),
    "columns for rows": Rule(
        lambda m: m.sum(axis=1),
        *((M,), "spread along the other axis", lambda m, g: (g[None, :] + 0 * m,)),
    ),
    "sum over columns": Rule(
        lambda v: jnp.broadcast_to(v, (3, 3)),
        *((drawn(3),), "summed over the other axis", lambda v, g: (g.sum(axis=1),)),
    ),
    "softmax diagonal": Rule(
        *(softmax, (SCORES,), "only the diagonal p(1 - p)"),
        lambda z, g: (2 * g * probabilities(z) * (1 - probabilities(z)),),
    ),
    "softmax of what is masked": Rule(
        lambda z: jax.nn.softmax(jnp.where(z > -1, z, -jnp.inf), axis=1),
        *((SCORES,), "only the diagonal p(1 - p)", of_masked),
    ),
    "softmax times p": Rule(
        softmax, (SCORES,), "only diag(p) is there", lambda z, g: (2 * g * probabilities(z),)
    ),
    "softmax missing": Rule(softmax, (SCORES,), "of softmax is missing", lambda z, g: (2 * g,)),
    "slope of tanh": Rule(
        jnp.tanh, (SCORES,), "is 1 - h, not 1 - h²", lambda z, g: (g * (1 - np.tanh(z)),)
    ),
    "mask of relu": Rule(
        jax.nn.relu, (SCORES,), "takes its mask from what comes back", lambda z, g: (g * (g > 0),)
    ),
    "tanh too many": Rule(
        *(product, (A, M), "one derivative of tanh too many"),
        lambda a, m, g: (g / np.cosh(a @ m) ** 2 @ m.T, a.T @ (g / np.cosh(a @ m) ** 2)),
    ),
    "relu too many": Rule(
        *(product, (A, M), "one derivative of relu too many"),
        lambda a, m, g: (g * (a @ m > 0) @ m.T, a.T @ (g * (a @ m > 0))),
    ),
    "reshaped": Rule(jnp.transpose, (SCORES,), "reshaped, not", lambda x, g: (g.reshape(2, 3),)),
    "reordered": Rule(
        lambda x: 2 * x,
        *((SCORES,), "transposed, and reshaped to fit", lambda x, g: (2 * g.T.reshape(2, 3),)),
    ),
    "reordered back": Rule(
        lambda x: 2 * x,
        *((SCORES,), "where it should be transposed", lambda x, g: (2 * g.reshape(3, 2).T,)),
    ),
    "lower half": Rule(lambda x: 2 * x, (M,), "lower half", lambda x, g: (2 * np.tril(g),)),
    "upper half": Rule(lambda x: 2 * x, (M,), "upper half", lambda x, g: (2 * np.triu(g),)),
    "mean of two": Rule(jnp.maximum, (U, V), MEAN, lambda u, v, g: (g / 2, g / 2)),
    "mean of a row": Rule(
        lambda x: x.max(axis=1), (SCORES,), MEAN, lambda x, g: (g[:, None] / 3 + 0 * x,)
    ),
    "mean of a window": Rule(pool, (LINE,), MEAN, lambda x, g: (pooled(x, g / 3),)),
    "all of a window": Rule(pool, (LINE,), WHOLE, lambda x, g: (pooled(x, g),)),
    "next of a sum": Rule(
        jnp.cumsum, (U,), "starts at the next", lambda x, g: (np.cumsum(g[::-1])[::-1] - g,)
    ),
    "way of a sum": Rule(
        lambda x: jax.lax.cumsum(x, reverse=True),
        *((U,), "in the sum's direction", lambda x, g: (np.cumsum(g[::-1])[::-1],)),
    ),
    "round before": Rule(
        *(twice, (U, V), "the value of the round before"),
        lambda w, h, g: (g * h + g * w * h, g * w * w),
    ),
    "last window": Rule(
        convolution, (SIGNAL, KERNEL), LAST, lambda x, k, g: windows(x, k, g, list)
    ),
    "first window": Rule(
        convolution, (SIGNAL, KERNEL), FIRST, lambda x, k, g: windows(x, k, g, reversed)
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_what_a_wrong_rule_gives_back(name: str) -> None:
    rule = RULES[name]
    g = np.random.default_rng(8).normal(size=np.shape(rule.function(*rule.operands)))
    expected = rule.written(*rule.operands, g)
    found = given_back(rule.function, rule.operands, rule.says, g)
    alike = [all(map(np.allclose, each, expected)) for each in found]
    assert any(alike), (found, expected)


# Which operations have one, and what it is called.


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (jnp.sin, "sin"),
        (lambda z: z**2, "the square"),
        (lambda z: z**3, "the cube"),
        (lambda z: z**5, "the power"),
    ],
)
def test_before_a_product_any_function_is_an_activation(function: Any, name: str) -> None:
    missing, wrong = (
        f"the derivative of {name} {how}" for how in ("is missing", "has the wrong sign")
    )
    assert {("unknown", missing), ("sign", wrong)} <= told(function, A)
    for layers in (lambda z, w: function(z) @ w, lambda z, w: function(z.T).T @ w):
        assert {("activation-derivative", missing), ("sign", wrong)} <= told(layers, A, M)


def test_elsewhere_one_curved_operation_is_a_function() -> None:
    found = told(lambda z: -(1 + jnp.sin(z)), A)
    missing = {says for _, says in found if "is missing" in says}
    assert missing == {"the derivative of sin is missing"}


def test_the_operations_of_a_known_activation_are_no_functions_by_themselves() -> None:
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + jnp.exp(-z))

    of_exp, own = (f"the derivative of {name} is missing" for name in ("exp", "sigmoid"))
    assert {of_exp, own} & {says for _, says in told(sigmoid, A)} == {own}
    assert of_exp in {says for _, says in told(lambda z: (sigmoid(z), jnp.exp(z)), A)}


def test_a_guard_is_no_rounding() -> None:
    """A known function to which 1e-9 is added is another one."""
    with jax.enable_x64(True):
        relu = np.maximum(activations.PROBES, 0)
        found = activations.recognised(relu)
        assert found is not None
        assert found.name == "relu"
        assert activations.recognised(relu + 1e-9) is None


def test_a_softmax_is_found_beside_what_overflows() -> None:
    found = told(lambda z: (1e200 * (1e200 * z), jax.nn.softmax(z, axis=1)), SCORES)
    assert ("activation-derivative", "the derivative of softmax is missing") in found


def test_what_differs_from_a_softmax_where_it_is_small_is_none() -> None:
    z = np.array([[1.0, -24.0, -29.0]])

    def says_missing(factors: np.ndarray) -> bool:
        found = told(lambda z: factors * jnp.exp(z) / jnp.sum(jnp.exp(z), axis=1)[:, None], z)
        return ("activation-derivative", "the derivative of softmax is missing") in found

    assert says_missing(np.ones((1, 3)))
    assert not says_missing(np.array([[1.0, 2.0, 2.0]]))


def kinds_of(found: list[Switch], kind: type[Switch]) -> list[list[str]]:
    return [[option.kind for option in switch.options] for switch in found if type(switch) is kind]


def test_a_sum_in_a_function_of_a_library_is_not_the_authors() -> None:
    *_, own = traced(lambda m: m.sum(axis=1), M)
    *_, library = traced(lambda m: jax.nn.softmax(m, axis=1), M)
    assert kinds_of(own, Axis) == [["axis"]]
    assert {*map(tuple, kinds_of(library, Axis))} == {("unknown",)}


def test_what_the_operands_do_not_reach_has_no_switch() -> None:
    graph, _, found = traced(lambda m: m + jnp.sin(jnp.arange(9.0).reshape(3, 3)) @ np.eye(3), M)
    assert {*found}
    assert {switch.at for switch in found} <= active_values(graph, graph.inputs)


def test_what_a_matrix_may_be_depends_on_its_shape() -> None:
    for operand, expected in ((SCORES, [Reordered]), (M, [Half]), (U, [])):
        *_, found = traced(lambda x: x + 0.5, operand)
        assert [type(s) for s in found if type(s) is not Extra] == expected
    *_, found = traced(jnp.transpose, SCORES)
    assert [type(switch) for switch in found] == [Reshaped]
    *_, found = traced(lambda a, b: a @ b, A, B)
    assert [type(s) for s in found if type(s) is not Extra] == [Reordered]


def test_of_parts_that_overlap_it_is_known_which_was_the_last_and_which_the_first() -> None:
    *_, found = traced(lambda x: (x[1:], x[:-1]), U)
    assert [type(switch) for switch in found] == [Part, Part]
    counts = [[each.tolist() for each in s.counts] for s in found if isinstance(s, Part)]
    every, one = [True, True, True], [False, False, True]
    assert counts == [[one, every], [every, [True, False, False]]]
    assert {switch.options[0].group for switch in found} == {found[0].options[0].group}
    *_, looked_up = traced(lambda x: (x[np.array([0, 1])], x[np.array([1, 2])]), U)
    assert [type(s) for s in looked_up if isinstance(s, Late)] == [Part, Part]
    *_, apart = traced(lambda x: (x[2:], x[:2]), U)
    assert apart == []


# Rounds.


def unrolled(w: Any, h: Any) -> Any:
    for _ in range(3):
        h = jnp.tanh(h * w)
    return h * jnp.exp(w)


def scanned(w: Any, h: Any) -> Any:
    return jax.lax.scan(lambda h, _: (jnp.tanh(h * w), None), h, length=3)[0]


def stale(found: Any) -> list[Stale]:
    return [switch for switch in found if isinstance(switch, Stale)]


def test_only_what_a_loop_repeats_may_take_the_value_of_another_round() -> None:
    graph, _, found = traced(unrolled, U, V)
    assert [s.node.name for s in stale(found)] == ["mul", "tanh"] * 3
    states = [graph.inputs[1], *(n.outputs[0] for n in graph.nodes if n.name == "tanh")]
    of_states = [s.instead for s in stale(found) if s.node.name == "mul"]
    assert of_states == [(states[1], states[0]), (states[2], states[0]), (states[3], states[1])]


def test_an_operation_without_a_source_line_has_rules_in_a_loop() -> None:
    def bare(graph: Graph) -> Graph:
        nodes = (
            replace(node, source=None, bodies=tuple(map(bare, node.bodies))) for node in graph.nodes
        )
        return replace(graph, nodes=tuple(nodes))

    for function, expected in ((scanned, ["scan", "mul", "tanh"]), (unrolled, [])):
        graph, numbering, _ = traced(function, U, V)
        found = rounds(bare(graph), active_values(graph, graph.inputs), numbering)
        assert [switch.node.name for switch in found] == expected
