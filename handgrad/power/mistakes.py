"""The mistakes that are planted in what a derivative returns: a table, for all arrays.

A mistake is a function of the leaves of a derivative, and of the call that returned them, so that
it can be made in the exact derivative at the judged points, and in what the caller's function
returns wherever a test calls it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.numerals import place
from handgrad.judging.claim import Claim

#: A small relative error of a single element, and one that is no rounding anywhere.
SLIGHT, PLAIN = 1e-6, 1e-2

#: A usual weight decay.
DECAY = 1e-3

#: Leaves in order: arrays of NumPy, of JAX, or tensors.
Leaves = list[Any]


@dataclass(frozen=True)
class Call:
    """The arguments of a call of a derivative: (params, *inputs)."""

    args: tuple[Any, ...]

    @property
    def params(self) -> Leaves:
        """The leaves of the parameters."""
        return jax.tree_util.tree_leaves(self.args[0])

    @property
    def length(self) -> int | None:
        """The length of the first input that is an array, the batch size; None if there is none."""
        return next((int(shape[0]) for shape in self._shapes if shape), None)

    @property
    def what(self) -> str:
        """What that length is called."""
        several = any(len(shape) > 1 for shape in self._shapes)
        return "batch size" if several else "length of an input"

    @property
    def _shapes(self) -> list[tuple[int, ...]]:
        return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(self.args[1:])]


@dataclass(frozen=True)
class Mistake:
    """A mistake that can be planted."""

    kind: str
    where: str
    made: Callable[[Leaves, Call], Leaves]  #: returns the leaves with the mistake


def _in_leaf(k: int, change: Callable[[Any, Call], Any]) -> Callable[[Leaves, Call], Leaves]:
    """Return what changes one leaf and keeps the others."""

    def made(leaves: Leaves, call: Call) -> Leaves:
        return [change(leaf, call) if i == k else leaf for i, leaf in enumerate(leaves)]

    return made


def _weighed(
    k: int, weights: Callable[[tuple[int, ...], Call], Any]
) -> Callable[[Leaves, Call], Leaves]:
    """Return what multiplies one leaf by weights: (its shape, the call) -> numbers."""
    return _in_leaf(k, lambda leaf, call: leaf * like(weights(np.shape(leaf), call), leaf))


def like(values: Any, leaf: Any) -> Any:
    """Return numbers as an array of the kind and format of a leaf."""
    if hasattr(leaf, "new_tensor"):
        return leaf.new_tensor(values)
    whole = np.dtype(leaf.dtype).kind in "iub"
    return np.asarray(values, dtype=np.float64 if whole else leaf.dtype)


def mistakes(
    claim: Claim, paths: Sequence[str], leaves: Leaves, call: Call, decays: bool, plain: bool
) -> Iterator[Mistake]:
    """Yield all mistakes in a derivative; the arguments are those of the functions below."""
    symmetric = claim.is_matrix and claim.order == 2
    yield from _in_leaves(paths, leaves, call, decays, symmetric)
    if claim.is_matrix:
        yield from _in_matrices(paths, leaves, symmetric)
    yield from _in_elements(paths, leaves, plain)


def _in_leaves(
    paths: Sequence[str], leaves: Leaves, call: Call, decays: bool, symmetric: bool
) -> Iterator[Mistake]:
    """Yield the mistakes in whole leaves, and leaves in each other's place.

    Args:
        paths, leaves: of the derivative at some point.
        call: that returned them.
        decays: whether a leaf is the derivative by the parameter in its place.
        symmetric: whether it is a Hessian, which is its own transpose.
    """
    for k, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        for kind, factor in (("sign", -1.0), ("zero", 0.0), ("factor 1/2", 0.5), ("factor 2", 2.0)):
            yield Mistake(kind, path, _weighed(k, lambda *_, factor=factor: factor))
        if call.length:
            for kind, sign in ((f"factor {call.what}", 1), (f"factor 1/{call.what}", -1)):
                yield Mistake(kind, path, _weighed(k, partial(_length, sign)))
        if decays:
            yield Mistake("weight-decay", path, _in_leaf(k, partial(_decayed, k)))
        if np.iscomplexobj(leaf):
            yield Mistake("conjugated", path, _in_leaf(k, lambda leaf, _: leaf.conj()))
        if _is_square(leaf) and not symmetric:
            yield Mistake("transposed", path, _in_leaf(k, lambda leaf, _: leaf.T))
    shapes = [np.shape(leaf) for leaf in leaves]
    for k, shape in enumerate(shapes):
        m = next((m for m in range(k + 1, len(shapes)) if shapes[m] == shape), None)
        if m is not None:
            yield Mistake("exchanged", f"{paths[k]} and {paths[m]}", _exchanged(k, m))


def _is_square(leaf: Any) -> bool:
    shape = np.shape(leaf)
    return len(shape) == 2 and shape[0] == shape[1] > 1


def _length(exponent: int, _: tuple[int, ...], call: Call) -> float:
    return float(call.length or 1) ** exponent


def _decayed(k: int, leaf: Any, call: Call) -> Any:
    return leaf + like(DECAY, leaf) * call.params[k]


def _exchanged(k: int, m: int) -> Callable[[Leaves, Call], Leaves]:
    def made(leaves: Leaves, _: Call) -> Leaves:
        changed = list(leaves)
        changed[k], changed[m] = leaves[m], leaves[k]
        return changed

    return made


def _in_elements(paths: Sequence[str], leaves: Leaves, plain: bool) -> Iterator[Mistake]:
    """Yield mistakes in the largest, the median and the smallest element of every leaf, if not 0.

    Args:
        paths, leaves: as for `_in_leaves`, arrays of NumPy.
        plain: whether one that is plainly off is among them.
    """
    slips = [("sign", -1.0), ("zero", 0.0), (f"off by {SLIGHT:.0e}", 1 + SLIGHT)]
    slips += [(f"off by {PLAIN:.0%}", 1 + PLAIN)] if plain else []
    for k, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        flat = np.asarray(leaf).reshape(-1)
        for i in _some(flat):
            index = tuple(int(j) for j in np.unravel_index(i, np.shape(leaf)))
            for slip, factor in slips:
                made = _weighed(k, partial(_on_element, i, factor))
                yield Mistake(f"one element: {slip}", path + place(index), made)


def _on_element(i: int, factor: float, shape: tuple[int, ...], _: Call) -> np.ndarray:
    factors = np.ones(shape)
    if factors.size:  # a test may have another shape than the judge
        factors.reshape(-1)[min(i, factors.size - 1)] = factor
    return factors


def _some(sizes: np.ndarray) -> list[int]:
    """Return the places of the smallest, the median and the largest number that are not 0."""
    order = np.argsort(np.abs(sizes), kind="stable")
    order = order[sizes[order] != 0]
    return sorted({int(order[k]) for k in (0, len(order) // 2, -1)} if order.size else set())


def _in_matrices(paths: Sequence[str], leaves: Leaves, symmetric: bool) -> Iterator[Mistake]:
    """Yield the mistakes of matrices: in rows, columns and diagonals.

    Args:
        paths, leaves: as for `_in_leaves`, arrays of NumPy; those with two axes are matrices.
        symmetric: whether it is a Hessian, whose diagonal may have a ridge, and whose columns are
            its rows.
    """
    for k, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        if np.ndim(leaf) != 2:
            continue
        for axis, line in enumerate(("row", "column")[: 1 if symmetric else 2]):
            sizes = np.linalg.norm(np.asarray(leaf, dtype=np.float64), axis=1 - axis)
            for i in _some(sizes):
                for slip, factor in (("sign", -1.0), ("zero", 0.0)):
                    made = _weighed(k, partial(_on_line, axis, i, factor))
                    yield Mistake(f"one {line}: {slip}", f"{line} {i} of {path}", made)
            for i in _some(sizes[:-1]):
                made, where = _in_leaf(k, _lines_exchanged(axis, i)), f"{line}s {i} and {i + 1}"
                yield Mistake(f"{line}s exchanged", f"{where} of {path}", made)
        if _is_square(leaf):
            yield from _on_diagonals(k, path, np.asarray(leaf), symmetric)


def _on_diagonals(k: int, path: str, leaf: np.ndarray, symmetric: bool) -> Iterator[Mistake]:
    def kept(says: str, where: Callable[[Any], Any]) -> Mistake:
        return Mistake("diagonals: zero", f"{says} of {path}", _weighed(k, partial(_masked, where)))

    rows, columns = np.nonzero(leaf)
    below, above = bool((rows > columns).any()), bool((rows < columns).any())
    if above or below:
        yield kept("all but the diagonal", lambda apart: apart == 0)
    if above and below:
        yield kept("all above the diagonal", lambda apart: apart <= 0)
        yield kept("all below the diagonal", lambda apart: apart >= 0)
    if (rows == columns).any():
        yield kept("the diagonal", lambda apart: apart != 0)
    for step in sorted({*(columns - rows).tolist()} & {-1, 1}):
        side = "above" if step > 0 else "below"
        yield kept(f"the first band {side} the diagonal", lambda apart, step=step: apart != step)
    if symmetric:
        ridge = _in_leaf(k, lambda leaf, _: leaf + like(DECAY * np.eye(len(leaf)), leaf))
        yield Mistake("weight-decay", f"the diagonal of {path}", ridge)


def _masked(where: Callable[[Any], Any], shape: tuple[int, ...], _: Call) -> np.ndarray:
    """Return 1 at some columns less rows, and 0 elsewhere."""
    m, n = shape
    return where(np.arange(n) - np.arange(m)[:, None])


def _on_line(axis: int, i: int, factor: float, shape: tuple[int, ...], _: Call) -> np.ndarray:
    factors = np.ones(shape[axis])
    factors[min(i, len(factors) - 1)] = factor
    return np.expand_dims(factors, 1 - axis)


def _lines_exchanged(axis: int, i: int) -> Callable[[Any, Call], Any]:
    def change(leaf: Any, _: Call) -> Any:
        order = list(range(np.shape(leaf)[axis]))
        order[i : i + 2] = reversed(order[i : i + 2])
        return leaf[order] if axis == 0 else leaf[:, order]

    return change
