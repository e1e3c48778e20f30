"""What the rules of the search propose, held against gradients with the mistake written by hand."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.point import Point, point_at
from handgrad.diagnosis import left_out, links, other_constants
from handgrad.diagnosis.constants import plus, root_plus, times, times_still
from handgrad.diagnosis.engine import Engine, engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.search import GIVES, Search
from handgrad.diagnosis.theory import Theory, explains
from tests.handgrad.diagnosis.network import NETWORK, X, Y, loss, right
from tests.handgrad.diagnosis.test_links import LAYER, normalised, of_normalised, sigmoid

RNG = np.random.default_rng(9)
ENGINES: dict[Any, Engine] = {}


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def sampled(run: Engine, given: Point, gradient: Any) -> Sample:
    exact = run.right(given)
    leaves = jax.tree_util.tree_leaves(gradient(given.params, *given.inputs))
    yours = np.concatenate([np.ravel(leaf) for leaf in leaves])
    wrong = np.abs(yours - exact) > 1e-10 * np.abs(exact)
    return Sample(given, yours, exact, 1e-13 * np.abs(exact), wrong, np.ones_like(wrong))


def search(loss: Any, gradient: Any, params: Any, *inputs: Any) -> Search:
    """The argument of a rule: three points where the gradient is wrong, without a judgement."""
    given = point_at(params, inputs)
    if loss not in ENGINES:
        ENGINES[loss] = engine(loss, given)
    run = ENGINES[loss]
    moved = [given.moved([leaf + 0.1 * (k + 1) for leaf in given.leaves]) for k in range(2)]
    first, *others = (sampled(run, each, gradient) for each in (given, *moved))
    trial: Any = SimpleNamespace(outcomes=[SimpleNamespace(given=given)], deciding=0)
    evidence = Evidence(trial, (first,), tuple(others))
    evidence.__dict__["engine"] = run
    return Search(run, evidence, np.ones(first.wrong.size, dtype=bool))


def explained(rule: Callable[[Search], Iterator[Theory]], of: Search) -> tuple[str, str]:
    """The kind and sentence of the first proposal that is the mistake."""
    theory = next(t for t in rule(of) if explains(t, of.evidence, of.within))
    return theory.kind, theory.says.removeprefix(GIVES)


# Missing terms and factors.


def penalised(p: Any, x: Any, y: Any) -> Any:
    decay = jnp.sum(p["v"] ** 2) + jnp.sum(p["w"] ** 2)
    return jnp.sum((jax.nn.sigmoid(jnp.tanh(x @ p["v"]) @ p["w"]) - y) ** 2) + 0.3 * decay


def of_penalised(penalty: float, slopes: bool = True) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ p["v"])
        o = sigmoid(h @ p["w"])
        do = 2 * (o - y) * (o * (1 - o) if slopes else 1)
        dh = do @ p["w"].T * (1 - h * h if slopes else 1)
        return {"v": x.T @ dh + penalty * p["v"], "w": h.T @ do + penalty * p["w"]}

    return gradient


LAYERS = {"v": drawn(3, 5), "w": drawn(5, 2)}, X, Y


def test_a_penalty_that_is_missing_is_called_so() -> None:
    of = search(penalised, of_penalised(0.0), *LAYERS)
    kind, says = explained(links._factor_at_a_place, of)
    assert kind == "weight-decay"
    assert says.startswith("nothing comes back through")
    assert says.endswith("): the loss's weight decay")


def test_one_mistake_with_all_activations() -> None:
    of = search(penalised, of_penalised(0.6, slopes=False), *LAYERS)
    kind, says = explained(links._wrong_rule, of)
    assert kind == "activation-derivative"
    assert says.startswith("the derivative of every activation is missing (")


def silus(w: Any, x: Any) -> Any:
    return jnp.sum(jax.nn.silu(x @ w))


def with_half_of_a_term(w: Any, x: Any) -> Any:
    s = sigmoid(x @ w)
    return x.T @ (s + (x @ w) * s * (1 - s) / 2)


def test_a_factor_in_a_part_of_a_function() -> None:
    of = search(silus, with_half_of_a_term, drawn(3), X)
    kind, says = explained(links._factor_inside, of)
    assert kind == "factor"
    assert says.startswith("what comes back through a part of silu (")
    assert says.endswith(") is 1/2 of what it should be")
    outside = [theory.says for theory in links._factor_at_a_place(of)]
    assert outside
    assert not any("through a part" in says for says in outside)


def squared(w: Any, x: Any) -> Any:
    z = x @ w
    return jnp.sum(z * z + jnp.exp(z))


def test_two_terms_that_are_missing() -> None:
    of = search(normalised, of_normalised(0, 0), *LAYER)
    _, says = explained(links._two_terms_missing, of)
    assert says.startswith("nothing comes back from mean to the matrix product (")
    assert ", nor from the difference to the matrix product (" in says
    of = search(squared, lambda w, x: x.T @ np.exp(x @ w), drawn(3), X)
    _, says = explained(links._two_terms_missing, of)
    assert says.startswith("nothing comes back from the product to the matrix product (")
    assert says.endswith("), in two ways: two terms are missing")


def before_the_slope(p: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ p["v"] + p["b"])
    dh = 2 * (h @ p["w"] - y) / y.size @ p["w"].T
    return right(p, x, y) | {"b": dh.sum(axis=0)}


def test_what_is_wrong_for_some_leaves_alone() -> None:
    of = search(loss, before_the_slope, *NETWORK)
    kind, says = explained(links._wrong_rule_for_some, of)
    assert kind == "activation-derivative"
    assert says.startswith("the derivative of tanh is missing (")
    assert says.endswith("), for params['b'] alone")
    everywhere = search(loss, lambda p, x, y: {k: -g for k, g in right(p, x, y).items()}, *NETWORK)
    assert list(links._wrong_rule_for_some(everywhere)) == []


def test_a_leaf_that_is_left_out() -> None:
    of = search(loss, lambda p, x, y: right(p | {"b": 0 * p["b"]}, x, y), *NETWORK)
    says = "params['b'] is left out of the forward pass, as if it were 0"
    assert explained(left_out.leaf_left_out, of) == ("unknown", says)


def in_rounds(w: Any, x: Any) -> Any:
    total = 0.0
    for row in x:
        total += jnp.sum(jnp.exp(w * row))
    return total


@pytest.mark.parametrize(("which", "t"), [("last", -1), ("first", 0)])
def test_one_contribution_of_several(which: str, t: int) -> None:
    of = search(in_rounds, lambda w, x: np.exp(w * x[t]) * x[t], drawn(3), X[:4])
    kind, says = explained(links._only_one_use, of)
    assert kind == "overwritten"
    assert says.startswith("of 4 contributions from the product to params (")
    assert says.endswith(f") only the {which} counts, as with = for +=")


def test_without_a_loop_no_line_is_repeated() -> None:
    of = search(loss, before_the_slope, *NETWORK)
    assert list(links._factor_at_a_line(of)) == []


def test_the_choices_among_wrong_rules() -> None:
    """All, one line, one, all but one; none of them twice."""

    def choice(number: int, line: int) -> Any:
        source = SimpleNamespace(file="", line=line)
        return number, 1, SimpleNamespace(node=SimpleNamespace(source=source))

    def chosen(*lines: int) -> list[str]:
        some = links._choices([choice(i, line) for i, line in enumerate(lines)])
        return ["".join(str(i) for i, *_ in members) for members in some]

    assert chosen(1) == ["0"]
    assert chosen(1, 1) == ["01", "0", "1"]
    assert chosen(1, 2) == ["01", "0", "1"]
    assert chosen(1, 2, 3) == ["012", "0", "1", "2", "01", "12"]
    assert chosen(1, 1, 2, 2) == ["0123", "01", "23", "0", "1", "2", "3", "012", "123"]


# Numbers in the loss.

GIVEN = {"p": np.array([0.2, 0.7]), "q": np.array([0.3, 0.5]), "r": np.array([1.5, -0.4])}
TARGETS = np.array([0.3, 0.8])


def of_numbers(p: Any, y: Any) -> Any:
    entropy = -jnp.sum(y * jnp.log(p["p"]) + (1 - y) * jnp.log(1 - p["p"]))
    bounded = jnp.sum(jnp.log(jnp.maximum(p["q"], 1e-3) + 1e-4) ** 2)
    return entropy + bounded + jnp.sum(p["r"] ** 2) * (1 / 7)


def gradient_with(guard: float = 0, inside: float = 1e-4, alone: float = 0, n: int = 7) -> Any:
    def gradient(p: Any, y: Any) -> Any:
        q = p["q"] + inside
        return {
            "p": -y / (p["p"] + guard) + (1 - y) / (1 - p["p"] + guard),
            "q": 2 * np.log(q) / (q + alone),
            "r": 2 * p["r"] / n,
        }

    return gradient


#: The gradient, and what is said before and after the line.
NUMBERS = {
    "two guards": (
        gradient_with(guard=1e-6, inside=1e-4 + 1e-6),
        "1e-6 were added to the argument of log (",
    ),
    "another guard": (gradient_with(inside=1e-3), "the 0.0001 in the loss were 0.001 ("),
    "in the derivative": (
        gradient_with(alone=1e-6),
        "1e-6 were added to the argument of log, in its derivative alone (",
    ),
    "n - 1": (gradient_with(n=6), "the 1/7 in the loss were 1/6 ("),
    "n for n - 1": (gradient_with(n=8), "the 1/7 in the loss were 1/8 ("),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_another_number_in_the_loss(name: str) -> None:
    gradient, expected = NUMBERS[name]
    of = search(of_numbers, gradient, GIVEN, TARGETS)
    kind, says = explained(other_constants.another, of)
    assert kind == "constant"
    assert says.startswith(expected)
    endings = {"n - 1": "): 1/(n - 1) for 1/n", "n for n - 1": "): 1/n for 1/(n - 1)"}
    assert says.endswith(endings.get(name, ")"))


def test_a_small_number_left_out() -> None:
    of = search(of_numbers, gradient_with(inside=0), GIVEN, TARGETS)
    kind, says = explained(left_out.small_number_left_out, of)
    assert kind == "constant"
    assert says.startswith("the 0.0001 in the loss were 0 (")
    numbers = [t.says.partition(" in the")[0] for t in left_out.small_number_left_out(of)]
    assert numbers == [f"{GIVES}the {number}" for number in ("0.001", "0.0001")]


def with_a_root(p: Any) -> Any:
    found = jnp.log(p["q"]) ** 2 + p["q"] * jax.lax.rsqrt(p["q"])
    return jnp.sum(found) + jnp.sum(jnp.exp(3.0 * p["r"]))


def test_a_constant_is_another_number_in_the_loss() -> None:
    """An operation's guard, what is added to a root, and a factor; some in the derivative alone."""
    given = point_at({name: GIVEN[name] for name in "qr"}, ())
    run, e = engine(with_a_root, given), 0.1
    q, r = given.leaves
    s, log, root, exp = np.sqrt(q), 2 * np.log(q) / q, 0.5 / np.sqrt(q), 3 * np.exp(3 * r)
    factor = 3 * np.exp(3 * (1 + e) * r)
    expected: dict[Any, Any] = {
        ("log", plus, False): (2 * np.log(q + e) / (q + e) + root, exp),
        ("log", plus, True): (2 * np.log(q) / (q + e) + root, exp),
        ("rsqrt", plus, False): (log + (q / 2 + e) / (q + e) ** 1.5, exp),
        ("rsqrt", root_plus, False): (log + (s / 2 + e) / (s + e) ** 2, exp),
        ("mul", times, False): (log + root, (1 + e) * factor),
        ("mul", times_still, False): (log + root, factor),
    }
    found = [(c.node.name, c.apply, c.alone) for c in run.rewired.constants]
    assert set(expected) < {*found}
    assert len(found) == len({*found})
    for key, derivatives in expected.items():
        changed = run.changed(given, constants={found.index(key): e})
        np.testing.assert_allclose(changed, np.concatenate(derivatives), rtol=1e-9)
