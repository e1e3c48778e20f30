"""The caller's arguments: named leaves of the parameters, and copies to call functions with."""

from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from handgrad.clock import check_time
from handgrad.data import formats
from handgrad.data.brake import interruptible
from handgrad.data.names import UNNAMED, Names
from handgrad.data.pytrees import is_real, is_sparse, is_traced, split

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The formats of gradients that are judged, in words.
_JUDGED = "float64, float32, bfloat16, float16 and float8"


@dataclass(frozen=True, eq=False)
class Point:
    """The arguments of a loss and its gradient: `params`, flattened, and `inputs`."""

    params: Any
    inputs: tuple[Any, ...]
    paths: tuple[str, ...]  #: `params['w']`, or as `names` has it, one for each leaf
    leaves: tuple[np.ndarray, ...]  #: the parameters as NumPy arrays
    names: Names = UNNAMED

    @property
    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def arrays(self) -> Any:
        """The parameters with every leaf a NumPy array, but for weakly typed numbers of JAX."""
        old, tree = jax.tree_util.tree_flatten(self.params)
        found = zip(old, self.leaves, self.weak, strict=True)
        return tree.unflatten([mine if weak else leaf for mine, leaf, weak in found])

    @property
    def weak(self) -> list[bool]:
        """Which leaves are numbers of JAX's that leave the dtype of results to arrays."""
        return [_is_weak(leaf) for leaf in jax.tree_util.tree_leaves(self.params)]

    def parts(self) -> list[slice]:
        """Return the slice of each leaf in a vector of all parameters."""
        return slices(self.leaves)

    def not_judged(self) -> str | None:
        """Return why gradients of this dtype are not judged; None if they are."""
        for path, leaf in zip(self.paths, self.leaves, strict=True):
            if leaf.dtype.name not in formats.JUDGED:
                return f"{path} is {leaf.dtype.name}: not judged; {_JUDGED} are"
        for path, leaf in jax.tree_util.tree_flatten_with_path(self.inputs)[0]:
            if _is_long(leaf):
                where = self.names.in_inputs(path)
                return f"{where} is {leaf.dtype.name}: not judged; {_JUDGED} are"
        return None

    def not_finite(self) -> str | None:
        """Return which number among the inputs is infinite or NaN, the first; None if none is."""
        for path, leaf in jax.tree_util.tree_flatten_with_path(self.inputs)[0]:
            if is_real(leaf) and not (finite := np.isfinite(leaf)).all():
                index = np.argwhere(~finite)[0].tolist()
                where = self.names.in_inputs(path) + (str(index) if index else "")
                return f"{where} is {np.asarray(leaf)[tuple(index)]}"
        return None

    @property
    def unknown_to_jax(self) -> bool:
        """Whether some array has longer floats than JAX has."""
        leaves = [*self.leaves, *jax.tree_util.tree_leaves(self.inputs)]
        return any(map(_is_long, leaves))

    @interruptible
    def call(self, function: Any) -> tuple[Any, list[str]]:
        """Call a function with copies of the arguments; return its result and what it changed."""
        check_time()
        params, inputs = copied(self.params), copied(self.inputs)
        with jax.enable_x64(self.wide):
            result = function(params, *inputs)
            check_time()  # before settings are restored, since what ends the time may be pending
        changed = written(self.params, params, self.names.params, self.paths)
        for i, (before, after) in enumerate(zip(self.inputs, inputs, strict=True)):
            changed += written(before, after, self.names.of_input(i))
        return result, changed

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The place of each leaf in the parameters, `['w']`."""
        found, _ = jax.tree_util.tree_flatten_with_path(self.params)
        return tuple(jax.tree_util.keystr(path) for path, _ in found)

    @cached_property
    def form(self) -> tuple[Any, ...]:
        """A key for caching programs, of all but the real numbers; it may hold the id of a leaf."""
        leaves, tree = jax.tree_util.tree_flatten((self.params, self.inputs))
        return (str(tree), *map(signature, leaves))

    @property
    def wide(self) -> bool:
        """Whether some array is float64, so that JAX needs 64 bits."""
        leaves = [*self.leaves, *jax.tree_util.tree_leaves(self.inputs)]
        return any(getattr(leaf, "dtype", None) == np.float64 for leaf in leaves)

    def moved(self, leaves: Sequence[np.ndarray]) -> "Point":
        """Return the point with other parameter values; each leaf keeps its type of array."""
        old, tree = jax.tree_util.tree_flatten(self.params)
        with jax.enable_x64(True):
            new = [alike(leaf, kind) for leaf, kind in zip(leaves, old, strict=True)]
        params = jax.tree_util.tree_unflatten(tree, new)
        return replace(self, params=params, leaves=tuple(leaves))

    def in_float64(self) -> "Point":
        """Return the same numbers, parameters and inputs, in float64."""

        def longer(leaf: Any) -> Any:
            return alike(np.asarray(leaf, np.float64), leaf) if is_real(leaf) else leaf

        with jax.enable_x64(True):
            inputs = jax.tree_util.tree_map(longer, self.inputs)
        moved = self.moved([leaf.astype(np.float64) for leaf in self.leaves])
        return replace(moved, inputs=inputs)

    def at(self, params: Any, inputs: Sequence[Any]) -> "Point":
        """Return a point of other arguments, with the same names; raises as `point_at`."""
        return point_at(params, inputs, self.names)


def slices(leaves: Sequence[np.ndarray]) -> list[slice]:
    """Return the slice of each leaf in a vector of all."""
    ends = np.cumsum([0, *(leaf.size for leaf in leaves)]).tolist()
    return [slice(a, b) for a, b in pairwise(ends)]


def point_at(params: Any, inputs: Sequence[Any], names: Names = UNNAMED) -> Point:
    """Flatten the arguments of a loss, which have these names.

    Raises:
        TypeError: a leaf of `params` is no array of floats.
        ValueError: `params` has no leaf or no element, or is not finite.
    """
    inputs, root = tuple(inputs), names.params
    _check_tree(root, params)
    for i, tree in enumerate(inputs):
        _check_tree(names.of_input(i), tree)
    found, _ = jax.tree_util.tree_flatten_with_path(params, is_leaf=is_sparse)
    if not found:
        raise ValueError(f"{root}: got {_typed(params)}, expected at least one array of floats")
    paths = tuple(root + jax.tree_util.keystr(path) for path, _ in found)
    if names.leaves is not None and len(names.leaves) == len(paths):
        paths = names.leaves
    leaves = tuple(_as_floats(path, leaf) for path, (_, leaf) in zip(paths, found, strict=True))
    if not any(leaf.size for leaf in leaves):
        shapes = ", ".join(str(leaf.shape) for leaf in leaves)
        raise ValueError(f"{root}: got no elements, shape {shapes}, expected at least one")
    for path, leaf in zip(paths, leaves, strict=True):
        if not np.isfinite(leaf.astype(np.float64)).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(leaf.astype(np.float64)))[0])
            raise ValueError(
                f"{path}{list(where) or ''}: got {leaf[where]}, expected finite floats"
            )
    return Point(params, native(inputs), paths, leaves, names)


def _check_tree(name: str, tree: Any) -> None:
    """Raise TypeError for a pytree that JAX cannot take apart, or that holds no values."""
    try:
        leaves = jax.tree_util.tree_leaves(tree)
    except ValueError:
        raise TypeError(
            f"{name}: got a dict whose keys cannot be sorted, expected keys of one kind"
        ) from None
    if any(map(is_traced, leaves)):
        raise TypeError(
            f"{name}: got an array that JAX is tracing, expected numbers; this is called inside a "
            "function under jit, grad or vmap"
        )
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in leaves):
        raise TypeError(f"{name}: got a JAX array that was deleted or donated, expected its values")


def native(tree: Any) -> Any:
    """Convert arrays of numbers to this machine's byte order, which JAX needs; keep the others."""

    def converted(leaf: Any) -> Any:
        if not isinstance(leaf, np.ndarray) or leaf.dtype.isnative or leaf.dtype.kind not in "fciu":
            return leaf
        return leaf.astype(leaf.dtype.newbyteorder("="))

    return jax.tree_util.tree_map(converted, tree)


def _is_long(leaf: Any) -> bool:
    """Tell whether an array has longer floats than float64."""
    dtype = getattr(leaf, "dtype", None)
    return (
        isinstance(dtype, np.dtype)
        and dtype.kind in "fc"
        and dtype.itemsize > (8 if dtype.kind == "f" else 16)
    )


def index_of(given: Point, path: str, i: int) -> tuple[int, ...]:
    """Return the index of the i-th element of a leaf."""
    shape = given.leaves[given.paths.index(path)].shape
    return tuple(int(j) for j in np.unravel_index(i, shape)) if shape else ()


def _as_floats(path: str, leaf: Any) -> np.ndarray:
    if isinstance(leaf, float):
        return np.asarray(leaf, dtype=np.float64)
    if is_real(leaf):
        # Big-endian floats are floats.
        return np.asarray(leaf, dtype=formats.native(leaf.dtype))
    check_dataclass(path, leaf)
    if is_sparse(leaf):
        expected = f"a dense array of floats, such as np.asarray({path}.todense())"
        raise TypeError(f"{path}: got a {type(leaf).__name__}, expected {expected}")
    got = f"{leaf.dtype}{list(leaf.shape)}" if hasattr(leaf, "dtype") else _typed(leaf)
    raise TypeError(f"{path}: got {got}, expected an array of floats")


def check_dataclass(path: str, leaf: Any) -> None:
    """Raise TypeError for an instance of a dataclass whose fields JAX does not know."""
    if is_dataclass(leaf) and not isinstance(leaf, type):
        name = type(leaf).__name__
        raise TypeError(
            f"{path}: got a {name}, a dataclass that JAX takes for one value; expected a pytree: "
            f"call jax.tree_util.register_dataclass({name}) first"
        )


def _typed(value: Any) -> str:
    return f"{type(value).__name__} {shortly(value)}"


def shortly(value: Any) -> str:
    """Write a value in at most 60 characters, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _is_weak(leaf: Any) -> bool:
    """Tell whether a leaf is a number of JAX's that leaves the dtype of results to arrays."""
    return isinstance(leaf, jax.Array) and leaf.weak_type and not leaf.shape


def alike(leaf: np.ndarray, kind: Any) -> Any:
    """Convert an array to the type of a leaf: NumPy's or JAX's array, or a number."""
    if _is_weak(kind):
        with jax.enable_x64(leaf.dtype == np.float64):
            return jax.numpy.asarray(float(leaf))
    if isinstance(kind, jax.Array):
        return jax.numpy.asarray(leaf)
    if isinstance(kind, np.ndarray):
        return leaf.copy()
    return float(leaf) if type(kind) is float else leaf[()]


def copied(tree: Any) -> Any:
    """Copy every NumPy array; other leaves cannot be written to or need not be copied."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree
    )


def written(before: Any, after: Any, name: str, paths: Sequence[str] | None = None) -> list[str]:
    """Return the paths of the NumPy arrays that were changed in an argument of that name."""
    old, tree = jax.tree_util.tree_flatten_with_path(before)
    new = tree.flatten_up_to(after) if jax.tree_util.tree_structure(after) == tree else None
    if new is None:
        return [name]
    paths = paths or [name + jax.tree_util.keystr(path) for path, _ in old]
    return [
        path
        for path, (_, a), b in zip(paths, old, new, strict=True)
        if isinstance(a, np.ndarray) and not np.array_equal(a, b, equal_nan=is_real(a))
    ]


def vector(leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate all leaves to one float64 vector."""
    return np.concatenate([np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in leaves])


def sizes_of(leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Return by how much each number may be moved, (size,): its own size; of a 0, the others'."""
    found = [np.zeros(0)]
    for leaf in leaves:
        own = np.abs(leaf.reshape(-1).astype(np.float64))
        typical = float(np.median(own[own > 0])) if own.any() else 1.0
        found.append(np.where(own > 0, own, typical))
    return np.concatenate(found)


def real_inputs(given: Point) -> list[np.ndarray]:
    """Return the real arrays among the inputs, each in a format that is judged."""
    real, _ = split(given.inputs)
    return [np.asarray(array, dtype=_float(array)) for array in real]


def _float(array: Any) -> Any:
    return array.dtype if array.dtype.name in formats.JUDGED else np.float32


def signature(leaf: Any) -> Any:
    """Return a key for caching programs: shape and dtype of floats, the value of other leaves."""
    if is_real(leaf):
        return leaf.shape, str(leaf.dtype)
    if isinstance(leaf, np.ndarray):
        return leaf.shape, str(leaf.dtype), leaf.tobytes()
    return leaf if isinstance(leaf, str | int | float | bool | None) else id(leaf)
