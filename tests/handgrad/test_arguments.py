"""What the caller's arguments and functions are called in a report, and in its last line."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient


class Layer(NamedTuple):
    w: Any
    b: Any


W, B = np.arange(6.0).reshape(3, 2) + 1, np.arange(2.0) + 1


#: Pytrees in one, and its paths.
TREE = {
    "number": 1.5,
    "numpy": np.float32(1.5),
    "layers": [Layer(W, (B,)), Layer(W, None)],
    "empty": np.ones((0, 3)),
}
PATHS = [
    *("p['empty']", "p['jax']", "p['layers'][0].w", "p['layers'][0].b[0]", "p['layers'][1].w"),
    *("p['number']", "p['numpy']"),
]


def test_a_pytree_is_judged_leaf_by_leaf_and_moved_as_it_is() -> None:
    tree = TREE | {"jax": jnp.asarray(np.array([1, 2, 3], np.float32))}
    kinds = [type(leaf) for leaf in jax.tree.leaves(tree)]

    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.asarray(leaf).astype(float) ** 2) for leaf in jax.tree.leaves(p))

    def gradient(p: Any) -> Any:
        assert jax.tree.structure(p) == jax.tree.structure(tree)
        assert [type(leaf) for leaf in jax.tree.leaves(p)] == kinds
        return jax.tree.map(lambda leaf: leaf + leaf, p)

    report = check_gradient(gradient, loss, tree, points=1)
    assert report.verdict == "agree", str(report)
    assert [leaf.path for leaf in report.leaves] == PATHS


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(w * x)


#: A loss, and what its first and its second argument are called.
NAMES: list[tuple[Callable[..., Any], str, str]] = [
    (loss, "w", "x"),
    (partial(lambda k, w, x: k * jnp.sum(w * x), 1.0), "w", "x"),
    (lambda *args: jnp.sum(args[0] * args[1]), "args[0]", "args[1]"),
    (lambda w, _: jnp.sum(w * _), "w", "inputs[0]"),
]


def writes(_: Any, x: Any) -> Any:
    x += 1
    return x - 1


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize(("loss", "first", "second"), NAMES)
def test_what_arguments_are_called(loss: Any, first: str, second: str) -> None:
    (leaf,) = check_gradient(lambda _, x: x, loss, B, B + 1, points=0).leaves
    (finding,) = check_gradient(writes, loss, B, B + 1, points=0).findings
    assert (leaf.path, finding.leaf) == (first, second)


# The line that gives a report again: that it does is asserted of all cases of the corpus.

V, X = np.array([0.1, -0.2]), np.array([1.5, 2.0])


def squares(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


def by_hand(w: Any, x: Any) -> Any:
    return 2 * w * x**2


def forward_of(x: Any) -> Any:
    return x * x, x


def back_of(d: Any, x: Any) -> Any:
    return 2 * d * x


def made(function: Any) -> Any:
    def inner(w: Any, x: Any) -> Any:
        return function(w, x)

    return inner


def scaled(function: Any) -> Any:
    return wraps(function)(lambda *point: 1.5 * function(*point))


sine = jax.custom_jvp(lambda x: jnp.sin(x))
sine.defjvp(lambda x, dx: (jnp.sin(*x), jnp.cos(*x) * dx[0]))


def of(gradient: Any, loss: Any, *at: Any, **options: Any) -> Callable[[], Any]:
    asked: Any = {"points": 0} | options
    return lambda: check_gradient(gradient, loss, *at or (V, X), **asked)


#: Checks, and what stands between the brackets.
LINES: list[tuple[Callable[[], Any], str]] = [
    (
        of(by_hand, squares, points=np.int64(2), seed=1, seconds=float("inf")),
        "by_hand, squares, w, x, points=2, seed=1, seconds=float('inf')",
    ),
    (
        of(by_hand, squares, points=[(X, V)], seconds=20.0, referee="auto"),
        "by_hand, squares, w, x, points=points",
    ),
    (
        lambda: check_backward(forward_of, back_of, X, cotangent=V, points=0),
        "forward_of, back_of, x, cotangent=cotangent, points=0",
    ),
    (lambda: check_custom(sine, X, points=0), "f, x, points=0"),
    # What has no name of its own, or that of another, which would be judged in its place.
    (of(made(by_hand), made(squares)), "gradient, loss, w, x, points=0"),
    (of(scaled(by_hand), squares), "gradient, squares, w, x, points=0"),
    # Arguments whose names do not tell which is which.
    (
        of(by_hand, lambda _, params: jnp.sum(_ * params)),
        "by_hand, loss, params, *inputs, points=0",
    ),
]


@pytest.mark.parametrize(("check", "line"), LINES)
def test_the_line_that_gives_it_again(check: Callable[[], Any], line: str) -> None:
    report = check()
    assert report.reproduce.partition("(")[2] == f"{line})"
    assert f"Again: {report.reproduce}" in " ".join(str(report).split())
