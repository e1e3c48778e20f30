"""Pytrees of real arrays, and the precision that JAX needs for them."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from handgrad.data.formats import is_floating


def wide(leaves: Sequence[Any]) -> Any:
    """Return the context that enables 64 bits in JAX if some array has them."""
    return jax.enable_x64(any(np.dtype(leaf.dtype) == np.float64 for leaf in leaves))


def is_real(leaf: Any) -> bool:
    """Tell whether an input is a dense array of floats."""
    if not hasattr(leaf, "dtype") or is_sparse(leaf):
        return False
    return jax.numpy.issubdtype(leaf.dtype, np.floating)


def is_sparse(value: Any) -> bool:
    """Tell whether something is a sparse matrix of SciPy's or JAX's, some of which are pytrees."""
    return hasattr(value, "toarray") or hasattr(value, "todense")


def is_traced(leaf: Any) -> bool:
    """Tell whether a value stands for an array that JAX is tracing."""
    return isinstance(leaf, Tracer)


def split(
    inputs: Any, replaceable: Callable[[Any], bool] = is_real
) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Return the real arrays among the inputs, or what else counts, and what replaces them."""
    leaves, tree = jax.tree_util.tree_flatten(inputs)
    places = [i for i, leaf in enumerate(leaves) if replaceable(leaf)]

    def together(real: Sequence[Any]) -> Any:
        replaced = list(leaves)
        for place, leaf in zip(places, real, strict=True):
            replaced[place] = leaf
        return jax.tree_util.tree_unflatten(tree, replaced)

    return [leaves[i] for i in places], together


def weighed(outputs: Sequence[Any], cotangents: Sequence[Any]) -> Any:
    """Return Σ c·output over all arrays."""
    products = [_product(c, o) for c, o in zip(cotangents, outputs, strict=True)]
    # NumPy code on power series may return a single number, which has no `sum`.
    return sum(p.sum() if hasattr(p, "sum") else p for p in products)


def _product(cotangent: Any, output: Any) -> Any:
    """Multiply in the wider dtype, which JAX does not choose where promotion is strict.

    They differ where code that has a dtype of its own is rerun in another one.
    """
    if is_real(cotangent) and is_real(output) and cotangent.dtype != output.dtype:
        dtype = np.promote_types(cotangent.dtype, output.dtype)
        return cotangent.astype(dtype) * output.astype(dtype)
    return cotangent * output


def random_cotangent(output: Any, seed: int) -> Any:
    """Draw a random cotangent shaped and typed like an output; None for what holds no floats.

    Raises:
        TypeError: none of the output holds floats.
    """
    rng = np.random.default_rng(seed)

    def like(leaf: Any) -> np.ndarray | None:
        if not _holds_floats(leaf):
            return None
        array = np.asarray(leaf)
        return np.asarray(rng.standard_normal(array.shape), dtype=array.dtype)

    leaves = jax.tree_util.tree_leaves(output)
    if leaves and not any(map(_holds_floats, leaves)):
        got = ", ".join(dict.fromkeys(np.asarray(leaf).dtype.name for leaf in leaves))
        raise TypeError(f"output: got {got}, expected floats")
    return jax.tree_util.tree_map(like, output)


def _holds_floats(leaf: Any) -> bool:
    return is_floating(np.asarray(leaf).dtype)
