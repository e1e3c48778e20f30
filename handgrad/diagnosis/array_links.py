"""Wrong derivatives of products, sums, lookups and softmaxes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.rewired import Option, Switch
from handgrad.program.graph import Graph, Node, Numbering

#: The relative difference of values that count as the same formula, up to rounding.
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Product(Switch):
    """A product with a square matrix, which, or whose derivative, may be transposed by mistake."""

    square: int  #: which operand

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the product, with a wrong derivative for the other operand or for the matrix."""
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
class Lookup(Switch):
    """Elements that are looked up, some of them more than once."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Return the value; of equal lookups only the last has a derivative, as with assignment."""
        table, *indices = (values[o] for o in self.node.operands)
        places = jnp.arange(table.size, dtype=jnp.float64).reshape(table.shape)
        (looked_up,) = self.node.bound([places, *indices])
        found = looked_up.reshape(-1).astype(jnp.int64)
        order = jnp.arange(found.size)
        last = jnp.zeros(table.size, dtype=order.dtype).at[found].max(order)
        return masked(values[self.at], (last[found] == order).reshape(looked_up.shape))


@jax.custom_vjp
def masked(value: Any, mask: Any) -> Any:  # noqa: ARG001 (it is for the derivative)
    """Return the value; the derivative keeps the cotangent where the mask is set."""
    return value


masked.defvjp(lambda value, mask: (value, mask), lambda mask, g: (jnp.where(mask, g, 0), None))


@dataclass(frozen=True, eq=False)
class Times(Switch):
    """An elementwise product with an array: a mask, a gate, a gain."""

    wrong: int  #: the operand whose derivative lacks the other

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Return a value with derivative 1 for one operand, and the right one for the other."""
        operands = [values[o] for o in self.node.operands]
        mine, other = operands[self.wrong], operands[1 - self.wrong]
        return jnp.broadcast_to(mine, values[self.at].shape) + jax.lax.stop_gradient(mine) * other


@dataclass(frozen=True, eq=False)
class Axis(Switch):
    """A sum or broadcast along one axis of a square array, where the other axis fits as well."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Sum or broadcast along the other axis."""
        operands = [values[o] for o in self.node.operands]
        if self.node.name == "reduce_sum":
            return jnp.sum(operands[0], axis=1 - self.node.eqn.params["axes"][0])
        if self.node.name == "broadcast_in_dim":
            (along,) = self.node.eqn.params["broadcast_dimensions"]
            shape = self.node.eqn.params["shape"]
            return jax.lax.broadcast_in_dim(operands[0], shape, (1 - along,))
        return self.node.bound([o.T if 1 in np.shape(o) else o for o in operands])[0]


@dataclass(frozen=True, eq=False)
class Softmax(Switch):
    """A softmax, whose Jacobian people replace by its diagonal, by diag(p), or by 1."""

    z: int  #: the value that it is the softmax of

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return z times what replaces the Jacobian."""
        p = jax.lax.stop_gradient(values[self.at])
        return values[self.z] * jnp.select([choice == 1, choice == 2], [p * (1 - p), p], 1)


_TRANSPOSED = (
    Option("transposed", "the matrix of a product is not transposed on the way back", "w for wᵀ"),
    Option("transposed", "the derivative for the matrix of a product is transposed", "dw for dwᵀ"),
)

_OTHER_AXIS = Option("axis", "derivatives are summed over the other axis", "sum over the other")
_SPREAD_OTHER = Option("axis", "a derivative is spread along the other axis", "spread other")

_LAST_LOOKUP = (
    "of elements that are looked up more than once only the last lookup counts, which np.add.at "
    "would add up"
)
_ONCE = Option("overwritten", _LAST_LOOKUP, "lookups once")

_NO_FACTOR = "on the way back through a product its other factor is missing"
_WITHOUT = Option("missing-factor", _NO_FACTOR, "without the other")

_SOFTMAX = (
    Option(
        "activation-derivative",
        "of the derivatives of softmax only the diagonal p(1 - p) is there",
        "softmax diagonal",
    ),
    Option(
        "activation-derivative",
        "of the derivatives of softmax, diag(p) - p·pᵀ, only diag(p) is there",
        "softmax times p",
    ),
    Option("activation-derivative", "the derivative of softmax is missing", "softmax missing"),
)


def products(node: Node, active: set[int], numbering: Numbering) -> Iterator[Product]:
    """Yield the products with a square matrix."""
    if node.name != "dot_general" or node.eqn.params["dimension_numbers"][1] != ((), ()):
        return
    for k, o in enumerate(node.operands):
        shape = numbering.avals[o].shape
        if _square(shape) and not active.isdisjoint(node.operands):
            yield Product(node.outputs[0], node, _TRANSPOSED, k)


def axes(node: Node, active: set[int], numbering: Numbering) -> Iterator[Axis]:
    """Yield the sums and broadcasts along an axis of a square array."""
    (at, *_), shapes = node.outputs, [numbering.avals[o].shape for o in node.operands]
    if node.name == "reduce_sum":
        found = _square(shapes[0]) and len(node.eqn.params["axes"]) == 1
    elif not _square(numbering.avals[at].shape):
        found = False
    elif node.name == "broadcast_in_dim":
        found = len(shapes[0]) == 1
    else:
        spread = [o for o, s in zip(node.operands, shapes, strict=True) if len(s) == 2 and 1 in s]
        found = node.elementwise and not active.isdisjoint(spread)
    if found:
        option = _SPREAD_OTHER if node.name == "reduce_sum" else _OTHER_AXIS
        if node.call is not None and node.call.name not in ("sum", "mean"):
            # A sum within a library function (softmax) is not one that the author wrote.
            option = replace(option, kind="unknown")
        yield Axis(at, node, (option,))


def lookups(node: Node, active: set[int], numbering: Numbering) -> Iterator[Lookup]:
    """Yield the lookups of several elements of a table."""
    if node.name == "gather" and node.operands[0] in active:
        several = np.prod(numbering.avals[node.outputs[0]].shape, dtype=int) > 1
        if several and active.isdisjoint(node.operands[1:]):
            yield Lookup(node.outputs[0], node, (_ONCE,))


def times(node: Node, active: set[int], numbering: Numbering) -> Iterator[Times]:
    """Yield the products with arrays, once for each operand that depends on the parameters."""
    if node.name != "mul" or node.operands[0] == node.operands[1]:
        return
    for k, o in enumerate(node.operands):
        other = numbering.avals[node.operands[1 - k]]
        if o in active and np.prod(other.shape, dtype=int) > 1:
            yield Times(node.outputs[0], node, (_WITHOUT,), k)


def _square(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == shape[1] > 1


def softmaxes(graph: Graph, numbering: Numbering, values: dict[int, Any]) -> list[Softmax]:
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
                Softmax(at, node, _SOFTMAX, z)
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
