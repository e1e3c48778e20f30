"""The caller's arguments: every kind of pytree, by the names of the loss's own arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient


class Layer(NamedTuple):
    w: Any
    b: Any


@jax.tree_util.register_dataclass
@dataclass
class Model:
    first: Layer
    rest: dict[str, Any]


W, B = np.arange(6.0).reshape(3, 2) + 1, np.arange(2.0) + 1


#: Pytrees in one, and its paths.
TREE = {
    "number": 1.5,
    "numpy": np.float32(1.5),
    "jax": jnp.asarray(np.array([1, 2, 3], np.float32)),
    "layers": [Layer(W, (B,)), Layer(W, None)],
    "model": Model(Layer(W, B), {"s": 2.0}),
    "empty": np.ones((0, 3)),
}
PATHS = [
    *("p['empty']", "p['jax']", "p['layers'][0].w", "p['layers'][0].b[0]", "p['layers'][1].w"),
    *("p['model'].first.w", "p['model'].first.b", "p['model'].rest['s']"),
    *("p['number']", "p['numpy']"),
]


def test_a_pytree_is_judged_leaf_by_leaf_and_moved_as_it_is() -> None:
    kinds = [type(leaf) for leaf in jax.tree.leaves(TREE)]

    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.asarray(leaf).astype(float) ** 2) for leaf in jax.tree.leaves(p))

    def gradient(p: Any) -> Any:
        assert jax.tree.structure(p) == jax.tree.structure(TREE)
        assert [type(leaf) for leaf in jax.tree.leaves(p)] == kinds
        return jax.tree.map(lambda leaf: leaf + leaf, p)

    report = check_gradient(gradient, loss, TREE, points=1)
    assert report.verdict == "agree", str(report)
    assert [leaf.path for leaf in report.leaves] == PATHS


class Loss:
    def __call__(self, weights: Any, x: Any) -> Any:
        return jnp.sum(weights * x)


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(w * x)


#: A loss, and what its first and its second argument are called.
NAMES: list[tuple[Callable[..., Any], str, str]] = [
    (loss, "w", "x"),
    (Loss(), "weights", "x"),
    (partial(lambda k, w, x: k * jnp.sum(w * x), 1.0), "w", "x"),
    (lambda *args: jnp.sum(args[0] * args[1]), "args[0]", "args[1]"),
    (lambda w, _: jnp.sum(w * _), "w", "inputs[0]"),
    (lambda w, /, x, *, k=1: jnp.sum(w * x) * k, "w", "x"),
]


def writes(_: Any, x: Any) -> Any:
    x += 1
    return x - 1


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize(("loss", "first", "second"), NAMES)
def test_what_arguments_are_called(loss: Any, first: str, second: str) -> None:
    (leaf,) = check_gradient(lambda _, x: x, loss, B, B + 1, points=0).leaves
    (finding,) = check_gradient(writes, loss, B, B + 1, points=0).findings
    assert leaf.path == first
    assert (finding.kind, finding.leaf) == ("mutation", second)
