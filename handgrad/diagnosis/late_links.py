"""Wrong links that are tried last: contributions overwritten, pooling, rearrangements."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.array_links import masked
from handgrad.diagnosis.rewired import Option, Switch
from handgrad.program.graph import Graph, Node, Numbering

#: Operations that take a part of an array.
PARTS = ("slice", "gather", "dynamic_slice")


class Late(Switch):
    """A switch that is tried after all others."""

    stage: ClassVar[int] = 1


@dataclass(frozen=True, eq=False)
class Reshaped(Late):
    """A transposition, undone by a reshape."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Reshape what is transposed."""
        return values[self.node.operands[0]].reshape(values[self.at].shape)


@dataclass(frozen=True, eq=False)
class Reordered(Late):
    """A matrix whose derivative has the elements of its transpose, in the order of a reshape."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the elements in an order whose inverse is that of the wrong derivative."""
        value = values[self.at]
        there = value.reshape(value.shape[::-1]).T
        return jnp.where(choice == 1, there, value.T.reshape(value.shape))


@dataclass(frozen=True, eq=False)
class Half(Late):
    """A square matrix, of which only one half has a derivative."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the half on and below the diagonal, or that on and above it."""
        return jnp.where(choice == 1, jnp.tril(values[self.at]), jnp.triu(values[self.at]))


@dataclass(frozen=True, eq=False)
class Pooled(Late):
    """A maximum, whose derivative is that of the mean, or goes to every element whole."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the mean, or the sum, of what the maximum is taken of."""
        operands, p = [values[o] for o in self.node.operands], self.node.eqn.params
        if self.node.name in ("max", "min"):
            total, count = operands[0] + operands[1], 2
        elif self.node.name in ("reduce_max", "reduce_min"):
            total = jnp.sum(operands[0], axis=p["axes"])
            count = operands[0].size // max(total.size, 1)
        else:
            sizes, strides = p["window_dimensions"], p["window_strides"]
            total = jax.lax.reduce_window(
                operands[0], 0.0, jax.lax.add, sizes, strides, p["padding"]
            )
            count = int(np.prod(sizes))
        return jnp.where(choice == 1, total / count, total)


@dataclass(frozen=True, eq=False)
class Running(Late):
    """A cumulative sum, summed over one element less on the way back, or in its own direction."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the cumulative sum without the element itself, or from the other end."""
        x, p = values[self.node.operands[0]], self.node.eqn.params
        other = jax.lax.cumsum(x, axis=p["axis"], reverse=not p["reverse"])
        return jnp.where(choice == 1, values[self.at] - x, other)


@dataclass(frozen=True, eq=False)
class MatrixLeftOut(Late):
    """A product with a square matrix, whose derivative for the other operand lacks the matrix."""

    other: int  #: which operand is not the matrix

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Return a value with derivative 1 for one operand, and the right one for the matrix."""
        operands = [values[o] for o in self.node.operands]
        mine = operands[self.other]
        operands[self.other] = jax.lax.stop_gradient(mine)
        return mine.reshape(values[self.at].shape) + self.node.bound(operands)[0]


@dataclass(frozen=True, eq=False)
class Part(Late):
    """One of several parts of an array that overlap; which of its elements count is known."""

    counts: tuple[np.ndarray, ...]  #: by option, bool, of the part's shape

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the part; only the elements that count have a derivative."""
        return masked(values[self.at], jnp.select([choice == 1], [self.counts[0]], self.counts[1]))


RESHAPE = (Option("transposed", "a derivative is reshaped, not transposed, on the way back", "T"),)
REORDER = tuple(
    Option("transposed", f"a derivative is {how} on the way back", how)
    for how in ("transposed, and reshaped to fit,", "reshaped, where it should be transposed,")
)
HALF = tuple(
    Option("symmetry", f"of a square matrix only the {half} half has a derivative", half)
    for half in ("lower", "upper")
)
POOLING = (
    Option("reduction", "the derivative of the maximum is that of the mean", "mean for maximum"),
    Option("reduction", "the derivative of the maximum goes to every element whole", "all"),
)
RUNNING = (
    Option("index", "a cumulative sum's derivative starts at the next element", "next"),
    Option("unknown", "a cumulative sum's derivative is summed in the sum's direction", "way"),
)
LEFT_OUT = (
    Option(
        "missing-factor",
        "on the way back through a product its matrix is missing",
        "without the matrix",
    ),
)
LAST = "of contributions that overlap only the last counts, as with = for +="
FIRST = "of contributions that overlap only the first counts, as with = for += in reverse"


def late_links(node: Node, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    """Yield the late switches of one operation."""
    at, shapes = node.outputs[0], [numbering.avals[o].shape for o in node.operands]
    shape, name = numbering.avals[at].shape, node.name
    moving = [o in active for o in node.operands]
    if name == "transpose" and _rearranges(shapes[0], node.eqn.params["permutation"]):
        yield Reshaped(at, node, RESHAPE)
    elif name in ("max", "min") and all(moving) and shapes[0] == shapes[1]:
        yield Pooled(at, node, POOLING)
    elif name in ("reduce_max", "reduce_min", "reduce_window_max"):
        if name != "reduce_window_max" or _plain_window(node):
            yield Pooled(at, node, POOLING)
    elif name == "cumsum":
        yield Running(at, node, RUNNING)
    elif name == "dot_general":
        batched = bool(node.eqn.params["dimension_numbers"][1][0])
        for k in () if batched else (0, 1):
            square = len(shapes[1 - k]) == 2 and len(set(shapes[1 - k])) == 1
            if moving[k] and square and shapes[k] == shape:
                yield MatrixLeftOut(at, node, LEFT_OUT, k)
    if len(shape) == 2 and min(shape) > 1 and name != "transpose":
        square = shape[0] == shape[1]
        yield Half(at, node, HALF) if square else Reordered(at, node, REORDER)


def parts(graph: Graph, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    """Yield the parts of arrays that overlap."""
    taken: dict[int, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        for body in node.bodies:
            yield from parts(body, active, numbering)
        known = all(o in numbering.known for o in node.operands[1:])
        if node.name in PARTS and node.operands[0] in active and known:
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
            Option("overwritten", LAST, f"the last of {value}"),
            Option("overwritten", FIRST, f"the first of {value}"),
        )
        yield Part(node.outputs[0], node, options, (last[place] == k, first[place] == k))


def _rearranges(shape: tuple[int, ...], permutation: tuple[int, ...]) -> bool:
    """Tell whether a transposition changes the order of the elements."""
    moved = [k for k in permutation if shape[k] > 1]
    return any(a > b for a, b in itertools.pairwise(moved))


def _plain_window(node: Node) -> bool:
    p = node.eqn.params
    return set(p["base_dilation"]) | set(p["window_dilation"]) == {1}
