"""Complex arrays as pairs of real ones, which is how they are judged.

A gradient by a complex z = x + iy is the two derivatives ∂L/∂x and ∂L/∂y in one number. Libraries
write them in two ways, which are conjugates of each other: JAX as ∂L/∂x - i ∂L/∂y, PyTorch as
∂L/∂x + i ∂L/∂y.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax

#: The sign of i ∂L/∂y in a gradient, by the name of the convention.
CONVENTIONS = {"jax": -1, "torch": 1}


class Pair(NamedTuple):
    """A complex array, or what belongs to it: its gradient, a part of a program's."""

    real: Any
    imag: Any


def check_convention(name: Any) -> None:
    """Raise ValueError if there is no convention of that name."""
    if name is not None and (not isinstance(name, str) or name not in CONVENTIONS):
        raise ValueError(f"convention: got {name!r}, expected one of {', '.join(CONVENTIONS)}")


def is_complex(leaf: Any) -> bool:
    """Tell whether a leaf is a complex number, or an array of such."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is None:
        return isinstance(leaf, complex)
    return jax.numpy.issubdtype(dtype, np.complexfloating)


def is_pair(tree: Any) -> bool:
    """Tell whether part of a pytree is a pair."""
    return isinstance(tree, Pair)


def holds_complex(tree: Any) -> bool:
    """Tell whether a pytree has a complex leaf."""
    try:
        return any(map(is_complex, jax.tree_util.tree_leaves(tree)))
    except ValueError:  # of keys that cannot be sorted, which is said elsewhere
        return False


def names_of_parts(names: Sequence[str], pairs: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of leaves; in place of one that is a pair, those of its parts."""
    found: list[str] = []
    for name, leaf in zip(names, pairs, strict=True):
        found += [f"{name}.{part}" for part in Pair._fields] if is_pair(leaf) else [name]
    return tuple(found)


def in_pairs(tree: Any, sign: int = 1) -> Any:
    """Return a pytree with pairs in place of complex leaves, each part of the kind of the leaf.

    Args:
        tree: the pytree.
        sign: 1, or -1 for pairs of the conjugates.
    """

    def parted(leaf: Any) -> Any:
        if not is_complex(leaf):
            return leaf
        if isinstance(leaf, jax.Array):
            with jax.enable_x64(True):
                imag = lax.imag(leaf)
                return Pair(lax.real(leaf), imag if sign > 0 else lax.neg(imag))
        if isinstance(leaf, np.ndarray):
            leaf = leaf.astype(leaf.dtype.newbyteorder("="), copy=False)
            return Pair(leaf.real.copy(), np.asarray(leaf.imag * sign))
        return Pair(leaf.real, leaf.imag * sign)

    return jax.tree_util.tree_map(parted, tree)


class NotComplexError(TypeError):
    """There are no complex numbers whose parts have that type."""


def joined(tree: Any, sign: int = 1) -> Any:
    """Return a pytree with complex leaves in place of pairs; of the conjugates if `sign` is -1.

    Raises:
        NotComplexError: a pair holds neither floats nor arrays of JAX's.
    """

    def one(leaf: Any) -> Any:
        return _one(leaf.real, leaf.imag, sign) if is_pair(leaf) else leaf

    return jax.tree_util.tree_map(one, tree, is_leaf=is_pair)


def _one(real: Any, imag: Any, sign: int) -> Any:
    if isinstance(real, jax.Array) or isinstance(imag, jax.Array):
        return lax.complex(*map(jax.numpy.asarray, (real, imag if sign > 0 else -imag)))
    if type(real) is float:
        return complex(real, imag * sign)
    dtype = getattr(real, "dtype", None)
    if dtype not in (np.float32, np.float64, np.longdouble):
        raise NotComplexError(f"got parts of complex numbers in {dtype or type(real).__name__}")
    # Not real + 1j * imag, of which an infinite part makes both NaN.
    whole = np.empty(np.shape(real), np.result_type(dtype, np.complex64))
    whole.real, whole.imag = real, imag * sign
    return whole if isinstance(real, np.ndarray) else whole[()]


@contextmanager
def written_back(tree: Any, whole: Any, sign: int = 1) -> Iterator[None]:
    """Copy what is written to complex arrays to the pairs that `joined` has made them of."""
    yield
    pairs = jax.tree_util.tree_leaves(tree, is_leaf=is_pair)
    for pair, leaf in zip(pairs, jax.tree_util.tree_leaves(whole), strict=False):
        # Of code that is translated to JAX, `np` stands for its module.
        if is_pair(pair) and isinstance(leaf, np.ndarray) and not isinstance(leaf, jax.Array):
            pair.real[...], pair.imag[...] = leaf.real, leaf.imag * sign
