"""Hypothesis strategies for points at which to judge a gradient.

Example:
    >>> import jax.numpy as jnp, numpy as np
    >>> from hypothesis import given, settings
    >>> from handgrad import assert_gradient
    >>> from handgrad.strategies import points
    >>> def loss(w, x, y): return jnp.mean((x @ w - y) ** 2)
    >>> def gradient(w, x, y): return 2 * x.T @ (x @ w - y) / len(y)
    >>> x, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]), np.array([1.0, 0.0, 2.0])
    >>> @settings(max_examples=20)
    ... @given(points(np.ones(2), x, y))
    ... def test_gradient(point):
    ...     assert_gradient(gradient, loss, *point, points=0)
    >>> test_gradient()

Where activations saturate, a right formula may lose all digits, and so does autodiff: that is
`undecidable`, and fails. To look for wrong formulas only, assert that `check_gradient(...).verdict`
is not "disagree"; to avoid saturation, pass `max_magnitude`, 4 for example.
"""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from handgrad.data import formats
from handgrad.data.domains.domain import Domain

#: Pre-activations near which σ(1 - σ) has lost half its digits, nearly all, and all; tanh earlier.
SATURATING = (17.0, 31.0, 37.0)

#: The range of ordinary numbers except 0, which scales multiply.
LARGEST, SMALLEST = 8.0, 2.0**-7

#: Arrays of more elements are drawn as a few numbers and a fill, or from a seed.
MANY = 64


def points(
    params: Any,
    *inputs: Any,
    move_inputs: bool = False,
    max_magnitude: float | None = None,
    domain: Any = None,
) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return a strategy of points with the same structure, shapes, dtypes and types of array.

    Each float leaf is drawn: zeros and ones, numbers of ordinary size, where sigmoids saturate,
    tiny, huge, or mixed. All else stays the same. Failures shrink towards zeros, ones and short
    numbers.

    Args:
        params: a pytree of arrays or numbers.
        inputs: the further arguments of the loss, pytrees too.
        move_inputs: whether to draw the float leaves of the inputs as well. By default they stay
            the same, since labels may have to sum to one and matrices to be positive definite.
        max_magnitude: the largest magnitude of an element; by default 1e77 in float64 and 1e9 in
            float32, so that a product of four is finite. A loss with exp(z) needs a smaller one.
        domain: where `params` stay, as for `check_gradient`, which is to be given the same. What is
            drawn is moved into it: negative numbers to their size, matrices to their symmetric
            part. A triangular matrix may have zeros on its diagonal.

    Returns:
        A strategy of tuples `(params, *inputs)`.

    Raises:
        ValueError: `max_magnitude` is not a finite number above 0; or there is no such domain, or
            `params` are not in it.
        TypeError: no leaf to draw is a float array or number; or `domain` is of another type.
    """
    if max_magnitude is not None and not 0 < max_magnitude < math.inf:
        raise ValueError(f"points: max_magnitude is {max_magnitude}; expected a number above 0")
    import jax.tree_util as tree

    moved = (params, *inputs) if move_inputs else (params,)
    leaves, structure = tree.tree_flatten(moved)
    if not any(map(_is_float, leaves)):
        raise TypeError("points: params has no float leaf; expected at least one")
    domains = _domains(domain, params)
    domains += [Domain()] * (len(leaves) - len(domains))  # of inputs
    each = zip(leaves, domains, strict=True)
    drawn = st.tuples(*(_like(leaf, max_magnitude, domain) for leaf, domain in each))
    fixed = () if move_inputs else inputs
    return drawn.map(lambda values: (*tree.tree_unflatten(structure, values), *fixed))


def _domains(spec: Any, params: Any) -> list[Domain]:
    """Return the domain of each leaf of the parameters; raises as `points`."""
    import jax.tree_util as tree

    from handgrad.data.domains.named import check_array_inside, domains_of

    found = domains_of(spec, params)
    leaves, _ = tree.tree_flatten_with_path(params)
    for (path, leaf), domain in zip(leaves, found, strict=True):
        if _is_float(leaf):
            check_array_inside(f"params{tree.keystr(path)}", np.asarray(leaf), domain)
    return found


def _is_float(leaf: Any) -> bool:
    return _dtype(leaf).name in formats.JUDGED


def _dtype(leaf: Any) -> np.dtype[Any]:
    return np.dtype(leaf.dtype) if hasattr(leaf, "dtype") else np.asarray(leaf).dtype


def _like(leaf: Any, most: float | None, domain: Domain) -> st.SearchStrategy[Any]:
    """Return a strategy for a float leaf in its domain; another leaf stays the same."""
    if not _is_float(leaf):
        return st.just(leaf)
    dtype, shape = _dtype(leaf), np.shape(leaf)
    kinds = _kinds(dtype, _bound(dtype) if most is None else most)
    drawn = st.one_of(*(_array(dtype, shape, kind) for kind in (*kinds, st.one_of(kinds))))
    before = np.asarray(leaf)

    def inside(array: np.ndarray) -> Any:
        return _as(leaf, np.asarray(domain.nearest(array, before)) if array.size else array)

    return drawn.map(inside)


def _bound(dtype: np.dtype[Any]) -> float:
    """Return the power of ten below the fourth root of the largest number."""
    return 10.0 ** math.floor(math.log10(formats.of(dtype).largest) / 4)


def _kinds(dtype: np.dtype[Any], most: float) -> list[st.SearchStrategy[float]]:
    """Return strategies for elements of one kind, the simplest first, which failures shrink to."""
    width: Any = dtype.itemsize * 8
    numbers = st.floats(-LARGEST, LARGEST, width=width, allow_subnormal=False)
    ordinary = numbers.map(lambda value: value if abs(value) >= SMALLEST else 0.0)

    def scaled(scale: float) -> st.SearchStrategy[float]:
        return ordinary.map(lambda value: float(dtype.type(value * scale)))

    def of(*values: float) -> st.SearchStrategy[float]:
        return st.sampled_from(
            [sign * value for value in values if value <= most for sign in (1, -1)]
        )

    tiny, huge = min(1 / _bound(dtype), most / LARGEST), most / LARGEST
    saturating = [of(*SATURATING)] if most >= min(SATURATING) else []
    return [of(0.0, 1.0), scaled(min(1.0, huge)), *saturating, scaled(tiny), scaled(huge)]


def _array(
    dtype: np.dtype[Any], shape: tuple[int, ...], elements: st.SearchStrategy[float]
) -> st.SearchStrategy[np.ndarray]:
    size = math.prod(shape)
    if size <= MANY:
        return arrays(dtype, shape, elements=elements, fill=st.nothing())
    # With a fill most elements are equal, which hides a transposition; from a seed none are.
    few = arrays(dtype, shape, elements=elements, fill=elements)
    seeds = st.integers(0, 2**16)
    return few | st.builds(_dense, elements, seeds, st.just(dtype), st.just(shape))


def _dense(scale: float, seed: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of a scale without equal elements."""
    return (scale * np.random.default_rng(seed).uniform(-1, 1, shape)).astype(dtype)


def _as(leaf: Any, array: np.ndarray) -> Any:
    import jax

    from handgrad.data.point import alike

    with jax.enable_x64(True):
        return alike(array, leaf)
