"""A function of the caller's as one of a vector, with a vector for a result, on any numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import attempts
from handgrad.data.complex_pairs import holds_complex
from handgrad.data.point import Point, copied, shortly, vector
from handgrad.data.pytrees import is_real, split, wide
from handgrad.data.ulps import ANOTHER
from handgrad.judging.repeatability import CALLS, calls, not_a_function
from handgrad.oracle.jacobians import jacobian
from handgrad.oracle.numpy_losses.series import Number, Series

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


#: What a list that stands for an array consists of.
NUMBER = (int, float, np.number)


@dataclass(frozen=True)
class Form:
    """What arrays a pytree consists of: their shapes, and their places in it."""

    tree: Any
    shapes: tuple[tuple[int, ...], ...]
    bare: tuple[bool, ...]  #: which are single numbers and no arrays
    dtypes: tuple[np.dtype, ...]
    paths: tuple[str, ...]  #: `['w']`, or nothing for one array

    @property
    def sizes(self) -> list[int]:
        """The number of elements of each array."""
        return [int(np.prod(shape, dtype=int)) for shape in self.shapes]

    @property
    def size(self) -> int:
        """The number of elements of all."""
        return sum(self.sizes)

    @property
    def parts(self) -> list[slice]:
        """The place of each array in a vector of all."""
        return [slice(a, b) for a, b in pairwise(np.cumsum([0, *self.sizes]).tolist())]


def form_of(value: Any) -> Form:
    """Return the form of a pytree of numbers and arrays."""
    found, tree = jax.tree_util.tree_flatten_with_path(value)
    leaves = [leaf for _, leaf in found]
    return Form(
        tree,
        tuple(np.shape(leaf) for leaf in leaves),
        tuple(isinstance(leaf, float | np.generic) for leaf in leaves),
        tuple(np.asarray(leaf).dtype for leaf in leaves),
        tuple(jax.tree_util.keystr(path) for path, _ in found),
    )


@dataclass(frozen=True, eq=False)
class VectorFunction:
    """A function of (x, *args), in JAX or NumPy, and the forms of x and its result."""

    f: Callable[..., Any]
    x: Form
    result: Form

    @classmethod
    def of(cls, f: Callable[..., Any], given: Point, name: str) -> "VectorFunction":
        """Describe a function by its result at a point.

        Raises:
            TypeError: it is no function, or its result has others than real numbers.
        """
        if not callable(f):
            raise TypeError(f"{name}: got {shortly(f)}, expected a function")
        attempts.given(f)
        value = _as_array(called(f, given))
        if holds_complex(value):
            what = "got complex results, expected their real and imaginary parts"
            raise TypeError(f"{name}: {what}")
        result = form_of(value)
        if not result.dtypes or any(dtype.kind not in "fiu" for dtype in result.dtypes):
            raise TypeError(f"{name}: got {shortly(value)}, expected an array of numbers")
        return cls(f, form_of(given.params), result)

    def value(self, x: Any, args: Sequence[Any]) -> Any:
        """Return the result, shape (m,), on any numbers."""
        return in_one(self.f(copied(x), *copied(args)))

    def jacobian(self, x: Any, args: Sequence[Any]) -> Any:
        """Return the Jacobian, shape (m, n), on any numbers; see `handgrad.oracle.jacobians`."""
        others, together = split(tuple(args), _is_number)
        return jacobian(lambda x, *o: self.value(self.unflat(x), together(o)), in_one(x), *others)

    def hessian(self, x: Any, args: Sequence[Any]) -> Any:
        """Return the Hessian of a scalar, shape (n, n), on any numbers."""
        others, together = split(tuple(args), _is_number)
        return jacobian(
            lambda x, *o: self.jacobian(self.unflat(x), together(o))[0], in_one(x), *others
        )

    def slope(self, x: Any, v: Any, args: Sequence[Any]) -> Any:
        """Return the slope of a scalar at x along v, on any numbers."""
        others, together = split(tuple(args), _is_number)

        def along(t: Any, x: Any, v: Any, *others: Any) -> Any:
            return self.value(self.unflat(x + t[0] * v), together(others))

        dtype = np.result_type(*self.x.dtypes)
        return jacobian(along, np.zeros(1, dtype), in_one(x), in_one(v), *others)[0, 0]

    def unflat(self, x: Any) -> Any:
        """Return a vector of the arguments in the form of x."""
        leaves = [
            x[part][0] if bare else x[part].reshape(shape)
            for part, shape, bare in zip(self.x.parts, self.x.shapes, self.x.bare, strict=True)
        ]
        return jax.tree_util.tree_unflatten(self.x.tree, leaves)


def called(f: Callable[..., Any], given: Point) -> Any:
    """Return the result of a function at a point, by JAX's arrays if it does not take NumPy's."""
    try:
        return given.call(f)[0]
    except Exception as error:  # whatever code for JAX's arrays alone raises on NumPy's
        real, together = split((given.arrays, *given.inputs))
        with wide(real):
            try:
                return f(*together([jax.numpy.asarray(array) for array in real]))
            except Exception:  # neither; the first error is of the caller's own arrays
                raise error from None


def check_function(f: Callable[..., Any], given: Point, name: str) -> None:
    """Call a function again at a point, and compare what it returns.

    Its derivative may be the same in every call where its values are not: noise that is added has
    none.

    Args:
        f: a function of all arguments of the point, with arrays of numbers in its result.
        given: the point.
        name: what messages call it.

    Raises:
        NotAFunctionError: some number was another, by more than another order of sums explains.
    """
    first = _numbers(f, given)
    scale = ANOTHER * np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
    for call, other in enumerate(calls(lambda: _numbers(f, given), CALLS, least=1), 2):
        if other.shape != first.shape:
            raise not_a_function(name, "number of results", first.size, other.size, call)
        with np.errstate(invalid="ignore"):
            near = np.abs(other - first) <= scale
        same = near | (other == first) | (np.isnan(other) & np.isnan(first))
        if not same.all():
            i = int(np.argmin(same))
            what = "value" if first.size == 1 else f"result {i}"
            raise not_a_function(name, what, repr(first[i].item()), repr(other[i].item()), call)


def _numbers(f: Callable[..., Any], given: Point) -> np.ndarray:
    # Their formats may differ, which JAX does not join where promotion is strict.
    return vector(jax.tree_util.tree_leaves(called(f, given)))


def as_array(x: Any) -> Any:
    """Return a list of numbers as an array of floats, as SciPy takes it."""
    if not isinstance(x, list):
        return x
    leaves = jax.tree_util.tree_leaves(x)
    if not leaves or any(isinstance(leaf, bool) or not isinstance(leaf, NUMBER) for leaf in leaves):
        return x
    try:
        found = np.asarray(x)
    except ValueError:  # rows of several lengths
        return x
    return found.astype(np.float64) if found.dtype.kind in "iu" else found


def _as_array(value: Any) -> Any:
    """Return a list of numbers as an array, as NumPy and SciPy take it; other pytrees unchanged."""
    if not isinstance(value, list | tuple):
        return value
    leaves = jax.tree_util.tree_leaves(value)
    alike = all(np.ndim(leaf) == 0 for leaf in leaves)
    return np.asarray(value) if alike and leaves else value


def in_one(value: Any) -> Any:
    """Return all numbers of a pytree in one vector."""
    leaves = [_vector(leaf) for leaf in jax.tree_util.tree_leaves(value)]
    if len(leaves) == 1:
        return leaves[0]
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        return jax.numpy.concatenate(leaves)
    return np.concatenate(leaves)


def _vector(leaf: Any) -> Any:
    if isinstance(leaf, Number):
        return leaf.session.series(balls.boxed([leaf], (1,)))
    return leaf.reshape(-1) if hasattr(leaf, "reshape") else np.asarray(leaf).reshape(-1)


def _is_number(leaf: Any) -> bool:
    """Tell whether an argument is real, or a power series in its place."""
    return is_real(leaf) or isinstance(leaf, Number | Series)
