"""Numbers that NumPy code can run on: power series of two terms, in object arrays.

A `Number` is one series, x + t·ε for all directions at once, in ball arithmetic; a `Series` is a
NumPy array of them. Loops, slices and other rearrangements are NumPy's own; arithmetic goes through
`handgrad.oracle.numpy_losses.dispatch`. Comparisons return True or False as that run decides them:
balls by themselves return False where they overlap.
"""

from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, Protocol

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS
from handgrad.arithmetic.dual import Dual
from handgrad.data.formats import is_floating

#: The types of single real numbers besides `Number`.
REAL = (float, int, np.floating, np.integer, np.bool_)


class NotOnSeriesError(TypeError):
    """The code needs a float, or something else that a series is not."""


class NoAttributeError(AttributeError):
    """The code asks a number for what a float has and a series has not."""


def exact(number: Any) -> arb:
    """Convert one real number to a ball of radius zero."""
    whole = isinstance(number, int | np.integer | np.bool_)
    return arb(int(number)) if whole else arb(float(number))


class Session(Protocol):
    """One run of a loss; see `handgrad.oracle.numpy_losses.dispatch.NumpyRun`."""

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Compare two arrays of numbers."""
        ...

    def rounded(self, result: "Number") -> "Number":
        """Return a single result, perturbed in a run that imitates rounding."""
        ...

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: Any, options: dict[str, Any]) -> Any:
        """Run a ufunc."""
        ...

    def series(self, array: np.ndarray) -> "Series":
        """View an object array as an array of series of this run."""
        ...

    def function(self, function: Any, args: Any, options: dict[str, Any]) -> Any:
        """Run another NumPy function."""
        ...


def _operator(compute: Callable[["Number", "Number"], Any]) -> Callable[["Number", Any], Any]:
    """Make an operator of a number and another one, or a single real number."""

    def operator(self: "Number", other: Any) -> Any:
        b = self._with(other)
        return NotImplemented if b is None else compute(self, b)

    return operator


class Number:
    """One series of two terms; its tangent has one element for each direction, or is None."""

    __slots__ = ("session", "tangent", "value")
    __hash__ = None  # pyright: ignore[reportAssignmentType] (equality is not of values alone)

    def __init__(self, session: Session, value: arb, tangent: np.ndarray | None) -> None:
        self.session, self.value, self.tangent = session, value, tangent

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return self.session.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.session.function(func, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        # NumPy's loops over objects call methods named like its functions.
        ufunc = None if name.startswith("__") else getattr(np, name, None)
        if isinstance(ufunc, np.ufunc) and ufunc.nin == 1:
            return partial(ufunc, self)
        raise NoAttributeError(name)

    @property
    def dual(self) -> Dual:
        """The series as an array without axes."""
        return Dual(balls.boxed([self.value], ()), self.tangent)

    @property
    def real(self) -> "Number":
        """Itself."""
        return self

    def item(self) -> "Number":
        """Itself."""
        return self

    def sum(self) -> "Number":
        """Itself, as of a NumPy number."""
        return self

    def _made(self, value: arb, *parts: tuple[np.ndarray | None, Any]) -> "Number":
        """Return a result whose tangent is the sum of the tangents times slopes."""
        total: np.ndarray | None = None
        for tangent, slope in parts:
            if tangent is not None:
                total = tangent * slope if total is None else total + tangent * slope
        return self.session.rounded(Number(self.session, value, total))

    def _with(self, other: Any) -> "Number | None":
        """Convert the other operand, if it is a single real number; else None."""
        if isinstance(other, Number):
            return other
        return Number(self.session, exact(other), None) if isinstance(other, REAL) else None

    def __neg__(self) -> "Number":
        return Number(self.session, -self.value, None if self.tangent is None else -self.tangent)

    def __pos__(self) -> "Number":
        return self

    def __abs__(self) -> "Number":
        return -self if self < 0 else self

    __add__ = __radd__ = _operator(
        lambda a, b: a._made(a.value + b.value, (a.tangent, balls.ONE), (b.tangent, balls.ONE))
    )
    __sub__ = _operator(lambda a, b: a + -b)
    __rsub__ = _operator(lambda a, b: b + -a)
    __mul__ = __rmul__ = _operator(
        lambda a, b: a._made(a.value * b.value, (a.tangent, b.value), (b.tangent, a.value))
    )
    __truediv__ = _operator(lambda a, b: a._over(b))
    __rtruediv__ = _operator(lambda a, b: b / a)

    def _over(self, b: "Number") -> "Number":
        # q = a / b, so q′ = (a′ - q·b′) / b.
        quotient, slope = self.value / b.value, balls.ONE / b.value
        return self._made(quotient, (self.tangent, slope), (b.tangent, -quotient * slope))

    def __pow__(self, other: Any) -> Any:
        if not isinstance(other, (Number, *REAL)):
            return NotImplemented
        return self.session.ufunc(np.power, "__call__", (self, other), {})

    def __rpow__(self, other: Any) -> Any:
        if not isinstance(other, REAL):
            return NotImplemented
        return self.session.ufunc(np.power, "__call__", (other, self), {})

    __lt__ = _operator(lambda a, b: a._order(b) == LESS)
    __le__ = _operator(lambda a, b: a._order(b) in (LESS, EQUAL))
    __gt__ = _operator(lambda a, b: a._order(b) == GREATER)
    __ge__ = _operator(lambda a, b: a._order(b) in (GREATER, EQUAL))
    __eq__ = _operator(lambda a, b: a._order(b) == EQUAL)
    __ne__ = _operator(lambda a, b: a._order(b) != EQUAL)

    def _order(self, b: "Number") -> int:
        return int(self.session.order(self.dual, b.dual))

    def __bool__(self) -> bool:
        return self != 0

    def _no_float(self) -> Any:
        raise NotOnSeriesError("a number that depends on the parameters is no float")

    __float__ = __int__ = __index__ = __complex__ = _no_float


Real.register(Number)  # so that `np.isscalar` says what it says of floats


class Series(np.ndarray):
    """A NumPy array of objects: numbers, and floats or integers among them."""

    session: Session

    def __array_finalize__(self, whole: Any) -> None:
        if isinstance(whole, Series):
            self.session = whole.session

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return self.session.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.session.function(func, args, kwargs)

    # One comparison of arrays; those that NumPy would make, one by one, look like a loop's end.
    def sort(self, axis: Any = -1, *_: Any, **__: Any) -> None:
        """Sort in place."""
        self[...] = self.session.function(np.sort, (self, axis), {})

    def argsort(self, axis: Any = -1, *_: Any, **__: Any) -> Any:
        """Return the places of the sorted elements."""
        return self.session.function(np.argsort, (self, axis), {})

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] (NumPy's overloads)
        """Return a copy for every dtype of floats: real numbers are not rounded."""
        if is_floating(np.dtype(dtype)):
            return self.copy()
        return super().astype(dtype, *args, **kwargs)
