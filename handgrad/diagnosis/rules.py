"""Wrong rules of operations: what people write in place of an operation's derivative.

A rule takes an operation on its way back and returns the cotangents of its operands. Most are the
right derivative of another function, at another operand, or of another cotangent.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis import activations
from handgrad.diagnosis.backprop import Operation, Option, Rewired, Switch
from handgrad.program.graph import Graph, Node, Numbering

#: The relative difference of values that count as the same formula, up to rounding.
SAME = 1e-9

#: Operations that take a part of an array.
PARTS = ("slice", "gather", "dynamic_slice")

#: What a choice between two values is called.
CHOICES = {"select_n": "the choice", "max": "the maximum", "min": "the minimum"}

#: The sentences by which `last_rules` finds two of these rules, to try them with other changes.
WITHOUT = "on the way back through a product its other factor is missing"
UNDIVIDED = "on the way back through a quotient its divisor is missing"

#: (operation) -> the cotangents of its operands, by position.
Wrong = Callable[[Operation], dict[int, Any]]


def of_another(function: Callable[..., Any]) -> Wrong:
    """Return the rule of another function of the operands: (operation, *operands) -> result."""
    return lambda op: op.back(partial(function, op))


def followed_by(function: Callable[[Any], Any]) -> Wrong:
    """Return the rule of the operation as if a function of its result were taken."""
    return lambda op: op.back(lambda *x: function(op.run(*x)))


def times(factor: Callable[[Operation], Any]) -> Wrong:
    """Return the right rule of the cotangent times a factor: (operation) -> array."""
    return lambda op: op.back(ct=op.ct * factor(op))


def kept_where(mask: Callable[[Operation], Any]) -> Wrong:
    """Return the right rule of the cotangent where a mask is set: (operation) -> bool."""
    return lambda op: op.back(ct=jnp.where(mask(op), op.ct, 0))


def without_others(k: int) -> Wrong:
    """Return the rule that gives one operand the cotangent as it is."""
    spread = of_another(lambda op, *x: jnp.broadcast_to(x[k], op.y.shape))
    return lambda op: op.right | {k: spread(op)[k]}


def others_take(k: int, other: Callable[[Operation], Any]) -> Wrong:
    """Return the rule that takes another array for an operand in the others' derivatives."""

    def wrong(op: Operation) -> dict[int, Any]:
        x = [other(op) if i == k else value for i, value in enumerate(op.x)]
        return op.back(x=x) | {k: op.right[k]}

    return wrong


def _of_transposed(k: int) -> Wrong:
    """Return the rule that takes an operand for transposed in its own derivative."""

    def product(op: Operation, *x: Any) -> Any:
        return op.run(*(value.T if i == k else value for i, value in enumerate(x)))

    return lambda op: op.right | {k: of_another(product)(op)[k]}


def _along_the_other(op: Operation, *x: Any) -> Any:
    """Sum or broadcast along the other axis of a square array."""
    p = op.node.eqn.params
    if op.node.name == "reduce_sum":
        return jnp.sum(x[0], axis=1 - p["axes"][0])
    if op.node.name == "broadcast_in_dim":
        (along,) = p["broadcast_dimensions"]
        return jax.lax.broadcast_in_dim(x[0], p["shape"], (1 - along,))
    return op.run(*(o.T if 1 in np.shape(o) else o for o in x))


def _last_lookups(op: Operation) -> Any:
    """Tell which of equal lookups are the last."""
    table, *indices = op.x
    places = jnp.arange(table.size, dtype=jnp.float64).reshape(table.shape)
    found = op.run(places, *indices).reshape(-1).astype(jnp.int64)
    order = jnp.arange(found.size)
    last = jnp.zeros(table.size, dtype=order.dtype).at[found].max(order)
    return (last[found] == order).reshape(op.y.shape)


def _total(op: Operation, *x: Any) -> tuple[Any, int]:
    """Return the sum of what a maximum is taken of, and of how many."""
    p = op.node.eqn.params
    if op.node.name in ("max", "min"):
        return x[0] + x[1], 2
    if op.node.name in ("reduce_max", "reduce_min"):
        total = jnp.sum(x[0], axis=p["axes"])
        return total, x[0].size // max(total.size, 1)
    sizes, strides = p["window_dimensions"], p["window_strides"]
    total = jax.lax.reduce_window(x[0], 0.0, jax.lax.add, sizes, strides, p["padding"])
    return total, int(np.prod(sizes))


def _mean(op: Operation, *x: Any) -> Any:
    total, count = _total(op, *x)
    return total / count


def _in_its_direction(op: Operation, x: Any) -> Any:
    p = op.node.eqn.params
    return jax.lax.cumsum(x, axis=p["axis"], reverse=not p["reverse"])


def _other_side(op: Operation, *x: Any) -> Any:
    *which, a, b = x
    return op.run(*which, b, a) if which else a + b - op.run(a, b)


def _split_in_the_other_order(axis: int) -> Wrong:
    return of_another(lambda op, x: jnp.swapaxes(x, axis, axis + 1).reshape(op.y.shape))


def _slope_of(name: str) -> Wrong:
    return times(lambda op: activations.slope_of(activations.named(name).f, op.y))


EXTRA = tuple(
    Option("activation-derivative", f"there is one derivative of {name} too many", _slope_of(name))
    for name in activations.EXTRA
)
ONCE = Option(
    "overwritten",
    "of elements that are looked up more than once only the last lookup counts, which np.add.at "
    "would add up",
    kept_where(_last_lookups),
)
SOFTMAX = tuple(
    Option("activation-derivative", says, wrong)
    for says, wrong in (
        (
            "of the derivatives of softmax only the diagonal p(1 - p) is there",
            lambda op: {0: op.ct * op.y * (1 - op.y)},
        ),
        (
            "of the derivatives of softmax, diag(p) - p·pᵀ, only diag(p) is there",
            lambda op: {0: op.ct * op.y},
        ),
        ("the derivative of softmax is missing", lambda op: {0: op.ct}),
    )
)
RESHAPE = Option(
    "transposed",
    "a derivative is reshaped, not transposed, on the way back",
    of_another(lambda op, x: x.reshape(op.y.shape)),
)
#: Of a matrix that is not square: the elements of its transpose, in the order of a reshape.
REORDER = tuple(
    Option("transposed", f"a derivative is {how} on the way back", followed_by(change))
    for how, change in (
        ("transposed, and reshaped to fit,", lambda y: y.reshape(y.shape[::-1]).T),
        ("reshaped, where it should be transposed,", lambda y: y.T.reshape(y.shape)),
    )
)
HALF = tuple(
    Option(
        "symmetry", f"of a square matrix only the {half} half has a derivative", followed_by(change)
    )
    for half, change in (("lower", jnp.tril), ("upper", jnp.triu))
)
POOLING = (
    Option("reduction", "the derivative of the maximum is that of the mean", of_another(_mean)),
    Option(
        "reduction",
        "the derivative of the maximum goes to every element whole",
        of_another(lambda op, *x: _total(op, *x)[0]),
    ),
)
RUNNING = (
    Option(
        "index",
        "a cumulative sum's derivative starts at the next element",
        of_another(lambda op, x: op.run(x) - x),
    ),
    Option(
        "unknown",
        "a cumulative sum's derivative is summed in the sum's direction",
        of_another(_in_its_direction),
    ),
)


def first_rules(node: Node, active: set[int], numbering: Numbering) -> Iterator[Option]:
    """Yield the wrong rules of an operation that are tried first."""
    shapes, shape, moving = _facts(node, active, numbering)
    if node.name == "dot_general" and not _is_batched(node):
        for k in (k for k in (0, 1) if _is_square(shapes[k])):
            yield from _transposed(k)
    yield from _axes(node, active, numbering)
    if node.name == "gather" and moving[0] and not any(moving[1:]) and math.prod(shape) > 1:
        yield ONCE
    if node.name == "mul" and node.operands[0] != node.operands[1]:
        for k in (k for k in (0, 1) if moving[k] and math.prod(shapes[1 - k]) > 1):
            yield _without(k, "a product its other factor")


def late_rules(node: Node, active: set[int], numbering: Numbering) -> Iterator[Option]:
    """Yield the wrong rules of an operation that are tried late."""
    shapes, shape, moving = _facts(node, active, numbering)
    if node.name == "transpose" and _rearranges(shapes[0], node.eqn.params["permutation"]):
        yield RESHAPE
    elif node.name in ("max", "min") and all(moving) and shapes[0] == shapes[1]:
        yield from POOLING
    elif node.name in ("reduce_max", "reduce_min", "reduce_window_max"):
        if node.name != "reduce_window_max" or _plain_window(node):
            yield from POOLING
    elif node.name == "cumsum":
        yield from RUNNING
    elif node.name == "dot_general" and not _is_batched(node):
        for k in (k for k in (0, 1) if moving[k] and shapes[k] == shape):
            if len(shapes[1 - k]) == 2 and len(set(shapes[1 - k])) == 1:
                yield _without(k, "a product its matrix")
    if len(shape) == 2 and min(shape) > 1 and node.name != "transpose":
        yield from HALF if shape[0] == shape[1] else REORDER
    if node.name in CHOICES and len(node.operands) == 2 + (node.name == "select_n"):
        yield from _sides(node, moving)
    elif node.name == "div" and moving[0] and math.prod(shapes[1]) > 1:
        yield _without(0, "a quotient its divisor")
    elif node.name == "broadcast_in_dim":
        yield from _copies(shapes[0], shape, node.eqn.params["broadcast_dimensions"])
    elif node.name == "reshape":
        yield from _merged(shapes[0], shape)


def _facts(node: Node, active: set[int], numbering: Numbering) -> tuple[Any, Any, list[bool]]:
    """Return the operands' shapes, the result's, and which operands depend on the parameters."""
    shapes = [numbering.avals[o].shape for o in node.operands]
    moving = [o in active for o in node.operands]
    return shapes, numbering.avals[node.outputs[0]].shape, moving


def _is_batched(node: Node) -> bool:
    return bool(node.eqn.params["dimension_numbers"][1][0])


def _is_square(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == shape[1] > 1


def _without(k: int, what: str) -> Option:
    says = f"on the way back through {what} is missing"
    return Option("missing-factor", says, without_others(k))


def _transposed(k: int) -> Iterator[Option]:
    says = "the matrix of a product is not transposed on the way back"
    yield Option("transposed", says, others_take(k, lambda op: op.x[k].T))
    says = "the derivative for the matrix of a product is transposed"
    yield Option("transposed", says, _of_transposed(k))


def _axes(node: Node, active: set[int], numbering: Numbering) -> Iterator[Option]:
    """Yield the rule of a sum or broadcast along an axis of a square array."""
    shapes, shape, _ = _facts(node, active, numbering)
    if node.name == "reduce_sum":
        found = _is_square(shapes[0]) and len(node.eqn.params["axes"]) == 1
    elif not _is_square(shape):
        found = False
    elif node.name == "broadcast_in_dim":
        found = len(shapes[0]) == 1
    else:
        spread = [o for o, s in zip(node.operands, shapes, strict=True) if len(s) == 2 and 1 in s]
        found = node.elementwise and not active.isdisjoint(spread)
    if found:
        says = "derivatives are summed over the other axis"
        if node.name == "reduce_sum":
            says = "a derivative is spread along the other axis"
        # A sum within a library function (softmax) is not one that the author wrote.
        own = node.call is None or node.call.name in ("sum", "mean")
        yield Option("axis" if own else "unknown", says, of_another(_along_the_other))


def _sides(node: Node, moving: list[bool]) -> Iterator[Option]:
    # The first side of `select_n` is that of a condition that is false. Of a side that is constant,
    # the derivative is 0 everywhere: then a term is missing.
    names = ("second", "first") if node.name == "select_n" else ("first", "second")
    sides = [(k, f"that of its {names[k]} side everywhere") for k in (0, 1) if moving[k - 2]]
    rules = [(says, of_another(partial(_side, k))) for k, says in sides]
    for says, wrong in (*rules, ("that of the side that is not taken", of_another(_other_side))):
        says = f"the derivative of {CHOICES[node.name]} is {says}"
        yield Option("unknown", says, wrong)


def _side(k: int, _: Operation, *x: Any) -> Any:
    return x[k - 2]


def _copies(
    given: tuple[int, ...], shape: tuple[int, ...], placed: tuple[int, ...]
) -> Iterator[Option]:
    kept = {axis for axis, length in zip(placed, given, strict=True) if length == shape[axis]}
    new = [axis for axis, length in enumerate(shape) if axis not in kept and length > 1]
    if new and given:  # a number that is spread over an array is no copy of rows
        index = np.indices(shape, sparse=True)
        for which in ("last", "first"):
            end = {axis: shape[axis] - 1 if which == "last" else 0 for axis in new}
            mask = np.all([np.broadcast_to(index[a] == end[a], shape) for a in new], axis=0)
            says = f"of the copies of a value only the {which} has a derivative, as with = for +="
            yield Option("overwritten", says, kept_where(partial(_given, mask)))


def _given(mask: np.ndarray, _: Operation) -> np.ndarray:
    return mask


def _merged(given: tuple[int, ...], shape: tuple[int, ...]) -> Iterator[Option]:
    """Yield the rule of a reshape that merges two axes longer than 1, and keeps all others."""
    for axis in range(len(given) - 1):
        one, other = given[axis : axis + 2]
        if min(one, other) > 1 and shape == (*given[:axis], one * other, *given[axis + 2 :]):
            says = "of two axes that are merged the derivative is split in the other order"
            yield Option("transposed", says, _split_in_the_other_order(axis))


def _rearranges(shape: tuple[int, ...], permutation: tuple[int, ...]) -> bool:
    """Tell whether a transposition changes the order of the elements."""
    moved = [k for k in permutation if shape[k] > 1]
    return any(a > b for a, b in itertools.pairwise(moved))


def _plain_window(node: Node) -> bool:
    p = node.eqn.params
    return set(p["base_dilation"]) | set(p["window_dilation"]) == {1}


def parts(rewired: Rewired) -> Iterator[Switch]:
    """Yield the parts of arrays that overlap; which elements count is known."""
    numbering, taken = rewired.numbering, defaultdict[int, list[Node]](list)
    for node in rewired.graph.all_nodes():
        known = all(o in numbering.known for o in node.operands[1:])
        if node.name in PARTS and node.operands[0] in rewired.active and known:
            taken[node.operands[0]].append(node)
    for value, nodes in taken.items():
        if len(nodes) > 1:
            yield from _of_parts(numbering.avals[value].shape, nodes, numbering, value)


def _of_parts(
    shape: tuple[int, ...], nodes: list[Node], numbering: Numbering, value: int
) -> Iterator[Switch]:
    size = math.prod(shape)
    numbers = jnp.arange(float(size)).reshape(shape)
    found = [n.bound([numbers, *(numbering.known[o] for o in n.operands[1:])])[0] for n in nodes]
    places = [np.clip(np.nan_to_num(np.asarray(f)), 0, size - 1).astype(int) for f in found]
    last, first = np.full(size, -1), np.full(size, len(nodes))
    for k, place in enumerate(places):
        last[place] = k
        first[place] = np.minimum(first[place], k)
    if (last == first)[last >= 0].all():
        return
    for k, (node, place) in enumerate(zip(nodes, places, strict=True)):
        options = (
            Option(
                "overwritten",
                f"of contributions that overlap only the {which} counts, as with = for +={more}",
                kept_where(partial(_given, counts[place] == k)),
                f"the {which} of {value}",
            )
            for which, counts, more in (("last", last, ""), ("first", first, " in reverse"))
        )
        yield Switch(node.outputs[0], node, tuple(options), True)


def softmaxes(graph: Graph, numbering: Numbering, values: dict[int, Any]) -> list[Switch]:
    """Find the softmaxes of a graph by their values at a point."""
    found = []
    earlier = list(graph.inputs)
    for node in graph.nodes:
        (at, *_) = node.outputs
        if node.name in ("div", "mul", "exp") and numbering.avals[at].shape:
            p = np.asarray(values[at])
            along = _axes_of_probabilities(p)
            # Softmax of the scores themselves, and of the scores minus their maximum.
            found += [
                Switch(at, node, SOFTMAX, operands=(z,))
                for z in (earlier if along else ())
                if numbering.avals[z].shape == numbering.avals[at].shape
                and _is_softmax(np.asarray(values[z]), p, along)
            ]
        earlier.append(at)
    return found


def _axes_of_probabilities(p: np.ndarray) -> list[int]:
    """Return the axes along which the numbers are probabilities: in [0, 1], with sum 1."""
    if p.dtype.kind != "f" or not ((p >= 0) & (p <= 1)).all():
        return []
    several = [axis for axis in range(p.ndim) if p.shape[axis] > 1]
    return [axis for axis in several if np.allclose(p.sum(axis), 1, rtol=SAME, atol=0)]


def _is_softmax(z: np.ndarray, p: np.ndarray, axes: list[int]) -> bool:
    from scipy.special import softmax  # which takes long to load

    if z.dtype.kind != "f":
        return False
    with np.errstate(invalid="ignore"):  # scores that are all masked by -inf, or have overflowed
        return any(np.allclose(p, softmax(z, axis=axis), rtol=SAME, atol=1e-300) for axis in axes)
