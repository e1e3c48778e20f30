"""Warnings about mistakes that the points of a trial cannot show."""

from collections.abc import Iterator, Sequence

import jax
import numpy as np

from handgrad.data.point import Point
from handgrad.judging.ruling import Ruling
from handgrad.program.graph import Graph, Node, Numbering, active_values, flattened

#: Operations that form weighted sums.
PRODUCTS = frozenset({"dot_general", "conv_general_dilated"})

#: Operations that add values, or only rearrange or convert them.
ADDING = frozenset(
    {"reduce_sum", "add", "sub", "neg", "reshape", "squeeze", "transpose", "broadcast_in_dim"}
    | {"convert_element_type", "copy", "copy_p", "expand_dims"}
)


def blind_spots(rulings: Sequence[Ruling], part: bool = False) -> list[str]:
    """Return what mistakes could hide at the points, one sentence each.

    The parameters of a part, a step of a gradient, are its inputs, which hold examples; zero
    derivatives of one example are no dead unit.
    """
    if not rulings:
        return []
    first, points = rulings[0], [ruling.given for ruling in rulings]
    found = [*zeros(points), *_dead(rulings, part), *_in_noise(rulings)]
    return [*found, *_lengths(first, part), *_uniform(first)]


def zeros(points: Sequence[Point]) -> Iterator[str]:
    """Find parameters that are 0 at all points, which hide all terms that they are factors of."""
    for k, path in enumerate(points[0].paths if points else ()):
        leaves = [point.leaves[k] for point in points]
        if leaves[0].size and not any(leaf.any() for leaf in leaves):
            yield f"{path} is 0 at every point: terms that it is a factor of cannot show"


def contracted(points: Sequence[Point], name: str) -> Iterator[str]:
    """Find where a cotangent or a vector, the first input of each point, hides what it meets."""
    given = [jax.tree_util.tree_flatten_with_path(point.inputs[0])[0] for point in points]
    for of_point in zip(*given, strict=True):
        path, leaf = of_point[0]
        leaves = [np.asarray(leaf) for _, leaf in of_point]
        called = f"{name}{jax.tree_util.keystr(path)}"
        if np.size(leaf) and not any(x.any() for x in leaves):
            yield f"{called} is 0: what it is a factor of cannot show"
        elif np.size(leaf) > 1 and all(np.ptp(x) == 0 for x in leaves):
            yield f"{called} has equal numbers: what is mixed up among them may not show"


def _dead(rulings: Sequence[Ruling], part: bool) -> Iterator[str]:
    """Find units whose derivatives are 0 at all points, which hide wrong factors."""
    # NaN, and so no 0, where it is not known.
    zero = np.all([ruling.exact == 0 for ruling in rulings], axis=0)
    given, tangent = rulings[0].given, rulings[0].problem.tangent
    if tangent is not None:
        zero &= ~tangent.fixed  # what does not vary has no unit
    for path, place, leaf in zip(given.paths, given.parts(), given.leaves, strict=True):
        zeros = zero[place].reshape(leaf.shape)
        dead = int(leaf.size if zeros.all() else 0 if part else _of_units(zeros).sum())
        if dead:
            which = (
                "its derivative is" if leaf.size == 1 else f"{dead} of {leaf.size} derivatives are"
            )
            yield f"{path}: {which} 0 at every point (dead units?), where factors cannot show"


def _in_noise(rulings: Sequence[Ruling]) -> Iterator[str]:
    """Find elements of which differences know no digit at any point, and so not the sign."""
    if any(ruling.reference.certified for ruling in rulings):
        return  # full tolerances, most of the work where few draws decide, are not asked for
    hidden = np.all([_signless(ruling) for ruling in rulings], axis=0)
    given = rulings[0].given
    for path, part in zip(given.paths, given.parts(), strict=True):
        count, size = int(hidden[part].sum()), hidden[part].size
        if count:
            which = "its derivative is" if size == 1 else f"{count} of {size} derivatives are"
            yield (
                f"{path}: {which} smaller than the noise of the differences at every point, "
                "where not even a sign shows"
            )


def _signless(ruling: Ruling) -> np.ndarray:
    """Tell of which elements -yours would be as right as yours is, for all that is known."""
    size = np.abs(ruling.yours.answer)
    return ruling.reference.known & (size > 0) & (ruling.tolerance.left_out >= size)


def _of_units(zeros: np.ndarray) -> np.ndarray:
    """Return the elements, bool, whose whole slice along some axis (row, column) is 0."""
    axes = range(zeros.ndim)
    others = [tuple(b for b in axes if b != a) for a in axes]
    found = [np.broadcast_to(zeros.all(axis=o, keepdims=True), zeros.shape) for o in others]
    return np.any([np.zeros_like(zeros), *found], axis=0) & ~_left_by_a_mask(zeros)


def _left_by_a_mask(zeros: np.ndarray) -> np.ndarray:
    """Tell where a causal mask leaves one element of a row or column, which softmax makes 1."""
    n = zeros.shape[-1] if zeros.ndim > 1 and zeros.shape[-1] == zeros.shape[-2] else 0
    seen = np.tri(n, dtype=bool)
    if n < 3:  # of two, each row may be a unit
        return np.zeros_like(zeros)
    for kept in (seen, seen.T):
        if zeros[..., ~kept].all():
            few = (kept.sum(axis=1, keepdims=True) < 2) | (kept.sum(axis=0, keepdims=True) < 2)
            return np.broadcast_to(few, zeros.shape)
    return np.zeros_like(zeros)


def _lengths(ruling: Ruling, part: bool) -> Iterator[str]:
    """Find a batch of one example, or one as long as another axis."""
    given = ruling.given
    shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(given.inputs)]
    batch = _batch([*shapes, *(leaf.shape for leaf in given.leaves if part)])
    if batch == 1:
        yield "one example: a sum over the batch is its mean; two or more would tell them apart"
    if batch is None or batch == 1:
        return
    leaves = zip(given.paths, given.leaves, strict=True)
    named = [(path, leaf.shape[1:] if part else leaf.shape) for path, leaf in leaves]
    named += [("an input", shape[1:]) for shape in shapes]
    equal = [name for name, shape in named if batch in shape]
    if equal:
        # The first of three axes may be time.
        examples = "axis 0 of the inputs" if any(len(s) == 3 for s in shapes) else "the batch"
        yield (
            f"equal lengths: {examples} and an axis of {equal[0]} are both {batch} long, so "
            "what is summed over the wrong one keeps its shape"
        )


def _batch(shapes: Sequence[tuple[int, ...]]) -> int | None:
    """Return the number of examples: the length of axis 0 that two arrays share; None if none."""
    lengths = [shape[0] for shape in shapes if shape]
    rows = [shape[0] for shape in shapes if len(shape) > 1]
    return next((n for n in rows if lengths.count(n) > 1), None)


def _uniform(ruling: Ruling) -> Iterator[str]:
    """Find a loss that only adds its outputs, so that all have the same derivative."""
    traced = getattr(ruling.problem, "traced", None)
    if traced is None:
        return
    numbering = Numbering()
    graph = flattened(traced.loss.jaxpr, numbering)
    active = active_values(graph, graph.inputs[: len(ruling.given.leaves)])
    products = _added_up(graph, active, numbering)
    if any(np.prod(numbering.avals[node.outputs[0]].shape) > 1 for node in products):
        yield (
            "the loss adds up its outputs, so all of them have the same derivative, and what is "
            "mixed up among them may not show: weigh them with random numbers"
        )


def _added_up(graph: Graph, active: set[int], numbering: Numbering) -> list[Node]:
    """Return the products that a loss adds up; none if it does anything else to its values."""
    made_by = {o: node for node in graph.nodes for o in node.outputs}
    found, waiting = [], [o for o in graph.outputs if o in active]
    while waiting:
        node = made_by.get(waiting.pop())
        if node is None or node.name in PRODUCTS:
            found += [node] if node else []
        elif node.name in ADDING or _scales(node, active, numbering):
            waiting += [o for o in node.operands if o in active]
        else:
            return []
    return found


def _scales(node: Node, active: set[int], numbering: Numbering) -> bool:
    """Tell whether an operation multiplies all of a value by one number."""
    fixed = [o for o in node.operands if o not in active]
    return node.name in ("mul", "div") and any(numbering.avals[o].shape == () for o in fixed)
