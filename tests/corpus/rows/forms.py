"""Arguments and results that are no arrays of floats, or hold none."""

from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom, check_gradient
from tests.corpus.case import Row, cases

# A pooling that returns the largest of each row, where it was, and whether it is above 0.

ROWS = np.array([[0.3, 1.2, -0.4], [2.1, 0.7, 0.9]])


def pool(x: Any) -> Any:
    top = jnp.max(x, axis=1)
    return (top, jnp.argmax(x, axis=1), top > 0), x


def pool_back(d: Any, x: Any) -> Any:
    dtop, _, _ = d  # of integers and booleans it is None
    return np.where(np.arange(x.shape[1]) == np.argmax(x, axis=1)[:, None], dtop[:, None], 0.0)


def spread_back(d: Any, x: Any) -> Any:
    """As a mean over the row would be."""
    return np.broadcast_to(d[0][:, None] / x.shape[1], x.shape).copy()


def unscattered(d: Any, x: Any) -> Any:
    return np.array(d[0])


# A model in a plain dataclass, with a setting, an optional part, and a group without members.


@jax.tree_util.register_dataclass
@dataclass
class Model:
    """A polynomial, some of whose parts may be missing."""

    w: Any
    groups: Any  #: a row for each group, of which there may be none
    bias: Any = None
    degree: int = field(default=2, metadata={"static": True})


@dataclass
class Unregistered:
    """The same without the decorator that tells JAX of it."""

    w: Any


MODEL = Model(w=np.array([0.4, -0.9, 0.3]), groups=np.zeros((0, 3)))


def power_loss(m: Model, x: Any) -> Any:
    z = x @ m.w + (0.0 if m.bias is None else m.bias)
    return jnp.sum(z**m.degree) + jnp.sum(m.groups @ m.w)


def of_model(m: Model, x: Any) -> Model:
    z = x @ m.w
    return replace(m, w=m.degree * x.T @ z ** (m.degree - 1))


def with_a_bias(m: Model, x: Any) -> Model:
    return replace(of_model(m, x), bias=np.array(m.degree * np.sum(x @ m.w)))


def without_groups(m: Model, x: Any) -> Model:
    return replace(of_model(m, x), groups=None)


# A lookup by integers in JAX: the derivative by an index has the dtype float0.

TABLE, WORDS = np.array([[0.2, -0.7], [1.1, 0.4], [-0.3, 0.9]]), np.array([2, 0, 2, 2])


def looked_up(backward: Any) -> Any:
    f = jax.custom_vjp(lambda table, words: table[words])
    f.defvjp(lambda table, words: (table[words], (table, words)), backward)
    return f


def add_at(kept: Any, d: Any) -> Any:
    table, words = kept
    return jnp.zeros_like(table).at[words].add(d), np.zeros(words.shape, jax.dtypes.float0)


def set_at(kept: Any, d: Any) -> Any:
    table, words = kept
    return jnp.zeros_like(table).at[words].set(d), np.zeros(words.shape, jax.dtypes.float0)


def by_occurrence(kept: Any, d: Any) -> Any:
    """Averaged over the places where a word stands."""
    table, words = kept
    count = jnp.zeros(len(table), table.dtype).at[words].add(1.0)
    each = d / count[words][:, None]
    return jnp.zeros_like(table).at[words].add(each), None


CASES = [
    # check_backward of a step that returns integers and booleans as well.
    *cases("integer-outputs", check_backward, pool, ROWS, points=2)(
        Row("right", pool_back),
        Row("shared among the row", spread_back, "x: 6 of 6 elements"),
        Row(
            "not brought back to its place",
            unscattered,
            "got shape (2,), expected (2, 3)",
        ),
    ),
    # check_gradient of a dataclass, with None and an array of 0 rows.
    *cases("dataclasses", check_gradient, power_loss, MODEL, ROWS, points=2)(
        Row("right", of_model),
        Row("a derivative of what is None", with_a_bias, "bias"),
        Row("None for an array of 0 rows", without_groups, "groups"),
    ),
    *cases("dataclasses", check_gradient, power_loss, Unregistered(MODEL.w), ROWS)(
        Row(
            "a dataclass that JAX was not told of",
            of_model,
            "TypeError: m: got a Unregistered",
            "jax.tree_util.register_dataclass(Unregistered)",
            verdict="raised",
        ),
    ),
    # check_custom of a rule with integer arguments.
    *cases("float0", check_custom, None, TABLE, WORDS, points=2)(
        Row("right", looked_up(add_at)),
        Row(
            "= for += where a word is repeated",
            looked_up(set_at),
            "table",
            "overwritten",
        ),
        Row(
            "averaged over a word's places",
            looked_up(by_occurrence),
            "table: 2 of 6 elements",
        ),
    ),
]
