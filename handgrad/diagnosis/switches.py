"""Where a wrong rule may stand in for the right one, and which: the links that people get wrong.

Activations are found in the loss as they are written, `jax.nn.sigmoid(z)` or `1 / (1 + exp(-z))`:
a stretch of element-wise operations from one value to another that computes a known function.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from handgrad.diagnosis import activations
from handgrad.diagnosis.activations import Wrong
from handgrad.diagnosis.graph import ELEMENTWISE, MOVES, Graph, Node, Numbering, active
from handgrad.diagnosis.rewired import Option, Switch

#: Longer stretches are not looked at: gelu by tanh has 8 operations, logaddexp 10.
LONGEST = 16

#: Larger constants are not computed beforehand.
MOST_ELEMENTS = 10**6

#: Operations that make the sum before an activation.
SUMS = frozenset({"add", "sub", "dot_general", "conv_general_dilated"})

#: Functions of one number that are not straight lines.
CURVED = ELEMENTWISE - {"add", "add_any", "convert_element_type", "copy", "copy_p", "div", "mul"}
CURVED -= {"neg", "select_n", "sub", "max", "min", "clamp", "not", "and", "or"}


@dataclass(frozen=True, eq=False)
class Derivative:
    """The derivative of a stretch of element-wise operations from z to a."""

    z: int
    at: int
    stretch: tuple[Node, ...]
    name: str
    wrongs: tuple[Wrong, ...]
    options: tuple[Option, ...]
    node: Node

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """z times the wrong derivative."""
        z, a = (jax.lax.stop_gradient(values[v]) for v in (self.z, self.at))

        def slope(t: Any) -> Any:
            return activations.slope_of(lambda t: _along(self.stretch, self.z, t, values), t)

        own = {k + 1: w.factor for k, w in enumerate(self.wrongs) if w.factor is not None}
        factors = [factor(z, a, slope) for factor in own.values()]
        chosen = [choice == k for k in own]
        scaled = values[self.z] * jax.lax.stop_gradient(jnp.select(chosen, factors))
        return jnp.where(jnp.isin(choice, jnp.array([*own])), scaled, _gated(values[self.z]))


@jax.custom_vjp
def _gated(z: Any) -> Any:
    """z; of what comes back, what is positive."""
    return z


_gated.defvjp(lambda z: (z, None), lambda _, g: (jnp.where(g > 0, g, 0),))


@dataclass(frozen=True, eq=False)
class Extra:
    """A derivative that the loss does not have, at a sum before an activation."""

    at: int
    options: tuple[Option, ...]
    node: Node

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """The value times the derivative of an activation there."""
        z = jax.lax.stop_gradient(values[self.at])
        factors = [activations.slope_of(activations.named(name).f, z) for name in activations.EXTRA]
        chosen = [choice == k + 1 for k in range(len(factors))]
        return values[self.at] * jax.lax.stop_gradient(jnp.select(chosen, factors))


@dataclass(frozen=True, eq=False)
class Product:
    """A product with a square matrix: that, or its derivative, may be taken for its transpose."""

    at: int
    node: Node
    square: int  #: which operand
    options: tuple[Option, ...]

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """A product that has the wrong derivative, for the other operand or for the matrix."""
        operands = [values[o] for o in self.node.operands]
        matrix, still = operands[self.square], jax.lax.stop_gradient
        for_the_other = self._product(operands, still(jnp.where(choice == 1, matrix.T, matrix)))
        operands[1 - self.square] = still(operands[1 - self.square])
        for_the_matrix = self._product(operands, jnp.where(choice == 2, matrix.T, matrix))
        return for_the_other + for_the_matrix

    def _product(self, operands: list[Any], matrix: Any) -> Any:
        chosen = [matrix if k == self.square else o for k, o in enumerate(operands)]
        return self.node.bound(chosen)[0]


@dataclass(frozen=True, eq=False)
class Lookup:
    """Elements that are looked up, some of them more than once."""

    at: int
    node: Node
    options: tuple[Option, ...]

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """The same; of equal lookups only the last one comes back, as where items are assigned."""
        table, *indices = (values[o] for o in self.node.operands)
        places = jnp.arange(table.size, dtype=jnp.float64).reshape(table.shape)
        (looked_up,) = self.node.bound([places, *indices])
        found = jnp.clip(looked_up.reshape(-1), 0, table.size - 1).astype(jnp.int64)
        order = jnp.arange(found.size)
        last = jnp.zeros(table.size, dtype=order.dtype).at[found].max(order)
        return _masked(values[self.at], (last[found] == order).reshape(looked_up.shape))


@jax.custom_vjp
def _masked(value: Any, mask: Any) -> Any:  # noqa: ARG001 (it is for the derivative)
    """The value; of what comes back, what is not masked."""
    return value


_masked.defvjp(lambda value, mask: (value, mask), lambda mask, g: (jnp.where(mask, g, 0), None))


@dataclass(frozen=True, eq=False)
class Fixed:
    """A product, element by element, with something that is no parameter: a mask, a weight."""

    at: int
    node: Node
    moving: int  #: which operand the other one is
    options: tuple[Option, ...]

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """What is multiplied, without what it is multiplied by."""
        operand = values[self.node.operands[self.moving]]
        return jnp.broadcast_to(operand, values[self.at].shape)


@dataclass(frozen=True, eq=False)
class Axis:
    """A sum over one axis of a square array, or a value spread along one: the other is as good."""

    at: int
    node: Node
    options: tuple[Option, ...]

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """The same along the other axis."""
        operands = [values[o] for o in self.node.operands]
        if self.node.name == "reduce_sum":
            return jnp.sum(operands[0], axis=1 - self.node.eqn.params["axes"][0])
        if self.node.name == "broadcast_in_dim":
            (along,) = self.node.eqn.params["broadcast_dimensions"]
            shape = self.node.eqn.params["shape"]
            return jax.lax.broadcast_in_dim(operands[0], shape, (1 - along,))
        return self.node.bound([o.T if 1 in np.shape(o) else o for o in operands])[0]


@dataclass(frozen=True, eq=False)
class Softmax:
    """A softmax, whose matrix of derivatives may be taken for its diagonal, or for 1."""

    z: int
    at: int
    node: Node
    options: tuple[Option, ...]

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """z times what stands for the matrix."""
        p = jax.lax.stop_gradient(values[self.at])
        return values[self.z] * jnp.where(choice == 1, p * (1 - p), 1)


def switches(graph: Graph, leaves: Sequence[int], numbering: Numbering) -> list[Switch]:
    """The switches of a graph and of the bodies in it."""
    fold(graph, numbering)
    return list(_within(graph, active(graph, leaves), numbering))


def fold(graph: Graph, numbering: Numbering) -> None:
    """Compute what depends on constants alone."""
    for node in graph.nodes:
        for body in node.bodies:
            fold(body, numbering)
        if node.bodies or not all(o in numbering.known for o in node.operands):
            continue
        sizes = [np.prod(numbering.avals[o].shape, dtype=float) for o in node.outputs]
        if max(sizes, default=0) <= MOST_ELEMENTS:
            outputs = node.bound([numbering.known[o] for o in node.operands])
            numbering.known.update(zip(node.outputs, outputs, strict=True))


def _within(graph: Graph, moving: set[int], numbering: Numbering) -> Iterator[Switch]:
    single = _single_entries(graph, moving, numbering)
    into_products = _into_products(graph)
    for node in graph.nodes:
        for body in node.bodies:
            yield from _within(body, moving, numbering)
        if node.bodies or moving.isdisjoint(node.outputs):
            continue
        (at, *_) = node.outputs
        yield from _derivatives(graph, node, single.get(at, {at}), at in into_products, numbering)
        if node.name in SUMS and len(single.get(at, {at})) == 1:
            yield Extra(at, _EXTRA, node)
        yield from _products(node, moving, numbering)
        yield from _axes(node, moving, numbering)
        yield from _lookups(node, moving, numbering)
        yield from _fixed(node, moving, numbering)


def _single_entries(graph: Graph, moving: set[int], numbering: Numbering) -> dict[int, set[int]]:
    """For each value those through which all of it comes, element by element; itself included."""
    found: dict[int, set[int]] = {}
    for node in graph.nodes:
        (at, *_) = node.outputs
        operands = [o for o in node.operands if o in moving]
        shape = numbering.avals[at].shape
        alike = all(numbering.avals[o].shape == shape for o in operands)
        if at in moving and operands and alike and node.elementwise:
            common = set.intersection(*(found.get(o, {o}) for o in operands))
            found[at] = {at} | common
    return found


def _into_products(graph: Graph) -> set[int]:
    """The values that go into products of matrices, perhaps after being moved about."""
    found: set[int] = set()
    for node in reversed(graph.nodes):
        if node.name in ("dot_general", "conv_general_dilated") or (
            node.name in MOVES and not found.isdisjoint(node.outputs)
        ):
            found.update(node.operands)
    return found


def _derivatives(
    graph: Graph, node: Node, entries: set[int], into_product: bool, numbering: Numbering
) -> Iterator[Derivative]:
    (at, *_) = node.outputs
    unknown = []
    for z in sorted(entries - {at}):
        stretch = _stretch(graph, z, at)
        if not stretch:
            continue
        known = _recognised(stretch, z, numbering)
        if known:
            wrongs = (activations.MISSING, *known.mistakes, *activations.OF_ACTIVATIONS[1:])
            yield _derivative(z, at, stretch, known.name, wrongs, "activation-derivative")
        else:
            unknown.append((z, stretch))
    if not unknown or len(unknown) < len(entries) - 1:
        return
    # No known function: between layers it is an activation all the same, elsewhere some function.
    z, stretch = unknown[0] if into_product else unknown[-1]
    if into_product or (len(stretch) == 1 and stretch[0].name in CURVED):
        kind = "activation-derivative" if into_product else "unknown"
        name = stretch[-1].call.name if stretch[-1].call else _name(stretch[-1])
        yield _derivative(z, at, stretch, name, activations.OF_ANY, kind)


def _derivative(
    z: int, at: int, stretch: tuple[Node, ...], name: str, wrongs: tuple[Wrong, ...], kind: str
) -> Derivative:
    def common(wrong: Wrong, kind: str) -> bool:
        return wrong in activations.OF_ANY and kind == "activation-derivative"

    options = tuple(
        Option(
            "sign" if wrong is activations.NEGATIVE else kind,
            f"the derivative of {name} {wrong.says}",
            # What a library's function does within itself is another matter.
            f"{stretch[-1].call and stretch[-1].call.name}: {name} {wrong.says}",
            f"the derivative of every activation {wrong.says}" if common(wrong, kind) else "",
        )
        for wrong in wrongs
    )
    return Derivative(z, at, stretch, name, wrongs, options, stretch[-1])


def _name(node: Node) -> str:
    if node.name == "integer_pow":
        return {2: "the square", 3: "the cube"}.get(node.eqn.params["y"], "the power")
    return {"square": "the square", "logistic": "sigmoid"}.get(node.name, node.name)


def _stretch(graph: Graph, z: int, at: int) -> tuple[Node, ...]:
    """The operations from z to a value, in order; none if there are too many."""
    wanted, found = {at}, []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            found.append(node)
            wanted.update(o for o in node.operands if o != z)
        if z in node.outputs:
            break
    reached, needed = {z}, []
    for node in reversed(found):
        if not reached.isdisjoint(node.operands):
            reached.update(node.outputs)
            needed.append(node)
    return tuple(needed) if len(needed) <= LONGEST else ()


def _recognised(
    stretch: tuple[Node, ...], z: int, numbering: Numbering
) -> activations.Activation | None:
    made = {z} | {o for node in stretch for o in node.outputs}
    values = {}
    for other in {o for node in stretch for o in node.operands} - made:
        constant = np.asarray(numbering.known.get(other, np.nan))
        if not constant.size or not (constant == constant.flat[0]).all():
            return None
        values[other] = np.full(activations.PROBES.shape, constant.flat[0])
    if numbering.avals[z].dtype != np.float64:
        return None
    try:
        found = _along(stretch, z, jnp.asarray(activations.PROBES), values)
    except (TypeError, ValueError):
        return None  # an operation that is told the shapes
    if found.shape != activations.PROBES.shape:
        return None
    return activations.recognised(np.asarray(found))


def _along(stretch: Sequence[Node], z: int, t: Any, values: dict[int, Any]) -> Any:
    """What the stretch makes of t in place of z."""
    found = {**values, z: t}
    output = t
    for node in stretch:
        (output,) = node.bound([found[o] for o in node.operands])
        found[node.outputs[0]] = output
    return output


_EXTRA = tuple(
    Option(
        "activation-derivative",
        f"there is one derivative of {name} too many",
        f"extra {name}",
    )
    for name in activations.EXTRA
)

_TRANSPOSED = (
    Option("transposed", "the matrix of a product is not transposed on the way back", "w for wᵀ"),
    Option("transposed", "the derivative for the matrix of a product is transposed", "dw for dwᵀ"),
)

_OTHER_AXIS = (Option("axis", "derivatives are summed over the other axis", "sum over the other"),)

_SPREAD_OTHER = (Option("axis", "a derivative is spread along the other axis", "spread other"),)

_ONCE = (
    Option(
        "unknown",
        "of elements that are looked up more than once only the last lookup counts, "
        "which np.add.at would add up",
        "lookups once",
    ),
)

_WITHOUT = (
    Option(
        "unknown", "what a product is taken with is not there on the way back", "without the other"
    ),
)

_SOFTMAX = (
    Option(
        "activation-derivative",
        "of the derivatives of softmax only the diagonal p(1 - p) is there",
        "softmax diagonal",
    ),
    Option("activation-derivative", "the derivative of softmax is missing", "softmax missing"),
)


def _products(node: Node, moving: set[int], numbering: Numbering) -> Iterator[Product]:
    if node.name != "dot_general" or node.eqn.params["dimension_numbers"][1] != ((), ()):
        return
    for k, o in enumerate(node.operands):
        shape = numbering.avals[o].shape
        if _square(shape) and not moving.isdisjoint(node.operands):
            yield Product(node.outputs[0], node, k, _TRANSPOSED)


def _axes(node: Node, moving: set[int], numbering: Numbering) -> Iterator[Axis]:
    (at, *_), shapes = node.outputs, [numbering.avals[o].shape for o in node.operands]
    if node.name == "reduce_sum":
        found = _square(shapes[0]) and len(node.eqn.params["axes"]) == 1
    elif not _square(numbering.avals[at].shape):
        found = False
    elif node.name == "broadcast_in_dim":
        found = len(shapes[0]) == 1
    else:
        spread = [o for o, s in zip(node.operands, shapes, strict=True) if len(s) == 2 and 1 in s]
        found = node.elementwise and not moving.isdisjoint(spread)
    if found:
        yield Axis(at, node, _SPREAD_OTHER if node.name == "reduce_sum" else _OTHER_AXIS)


def _lookups(node: Node, moving: set[int], numbering: Numbering) -> Iterator[Lookup]:
    if node.name == "gather" and node.operands[0] in moving:
        several = np.prod(numbering.avals[node.outputs[0]].shape, dtype=int) > 1
        if several and moving.isdisjoint(node.operands[1:]):
            yield Lookup(node.outputs[0], node, _ONCE)


def _fixed(node: Node, moving: set[int], numbering: Numbering) -> Iterator[Fixed]:
    if node.name != "mul" or sum(o in moving for o in node.operands) != 1:
        return
    k = int(node.operands[1] in moving)
    other = numbering.avals[node.operands[1 - k]]
    if np.prod(other.shape, dtype=int) > 1:
        yield Fixed(node.outputs[0], node, k, _WITHOUT)


def _square(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == shape[1] > 1


def softmaxes(graph: Graph, numbering: Numbering, values: dict[int, Any]) -> list[Softmax]:
    """The softmaxes of a graph, found by their values at a point."""
    found = []
    earlier: list[int] = []
    for node in graph.nodes:
        (at, *_) = node.outputs
        if node.name == "div" and numbering.avals[at].shape:
            found += [
                Softmax(z, at, node, _SOFTMAX)
                for z in earlier
                if numbering.avals[z].shape == numbering.avals[at].shape
                and _is_softmax(np.asarray(values[z]), np.asarray(values[at]))
            ][:1]
        earlier.insert(0, at)
    return found


def _is_softmax(z: np.ndarray, p: np.ndarray) -> bool:
    if z.dtype.kind != "f" or not np.isfinite(z).all():
        return False
    return any(
        # The same formula, up to rounding.
        np.allclose(p, softmax(z, axis=axis), rtol=1e-9, atol=1e-300)
        for axis in range(z.ndim)
        if p.shape[axis] > 1
    )
