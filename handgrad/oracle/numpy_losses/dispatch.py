"""Run NumPy code on series: dispatch each NumPy function to a rule, NumPy, or a JAX counterpart.

Arithmetic and the usual functions are computed by the table of rules. Functions that only rearrange
elements are left to NumPy, which can do that with objects. Every other function, `np.linalg.solve`
or `scipy.special.expit`, is replaced by its counterpart in JAX, traced at these shapes and run by
the table.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.clock import check_time
from handgrad.data.formats import is_floating, is_half
from handgrad.oracle.numpy_losses.jax_counterparts import (
    RULE_OF,
    key_of,
    traced_once,
)
from handgrad.oracle.numpy_losses.series import REAL, NotOnSeriesError, Number, Series, exact
from handgrad.oracle.reference import UndecidableError
from handgrad.program.interpreter import Run
from handgrad.program.numpy_to_jax import counterpart_of
from handgrad.program.rules import RULES

#: Functions that run as their JAX counterpart though NumPy takes objects: sums of products, which
#: it would compute one by one, and what sorts, by comparisons that depend on each other's outcomes.
#: NumPy's `nan_to_num` leaves objects as they are.
BY_COUNTERPART = {
    *(np.dot, np.inner, np.vdot, np.outer, np.tensordot, np.einsum),
    *(np.sort, np.argsort, np.median, np.quantile, np.percentile),
    *(np.nanmedian, np.nanquantile, np.nanpercentile, np.nan_to_num),
}

#: The message where code reads what `np.empty` or the `where=` of a ufunc left as it was in memory.
UNWRITTEN = "it reads an element of an array to which nothing was written: whatever was in memory; "
UNWRITTEN += "write np.zeros for np.empty, and out= beside where="

#: Options of a sum that the rule supports.
_OF_A_SUM = {"axis", "keepdims", "where"}


class UnwrittenError(UndecidableError):
    """The code reads memory that nothing was written to, so that it is no function."""


class Perturbation:
    """Perturbs the numbers of a run, to imitate rounding or other data; this one does not."""

    def constant(self, values: np.ndarray) -> Dual:
        """Perturb floats from outside the loss."""
        return dual.constant(values)

    def literal(self, literal: Any) -> Dual | None:
        """Perturb a literal of a traced program; None if it is no float."""
        if not is_floating(literal.aval.dtype):
            return None
        return self.constant(np.asarray(literal.val, dtype=literal.aval.dtype))

    def before(self, operand: Dual, terms: int) -> Dual:  # noqa: ARG002 (for those that round)
        """Perturb an operand of a sum of that many terms."""
        return operand

    def after(self, result: Dual) -> Dual:
        """Perturb a result."""
        return result


class NumpyRun:
    """One run of a loss on series."""

    def __init__(
        self,
        comparisons: Comparisons,
        memory: dict[Any, Any],
        perturbation: Perturbation | None = None,
    ) -> None:
        literals = perturbation.literal if perturbation else None
        self.run = Run(RULES, comparisons, memory, literals=literals)
        self.perturbation = perturbation

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Compare two arrays of numbers."""
        return self.run.comparisons.order(a, b)

    def constant(self, values: np.ndarray) -> Dual:
        """Convert floats that depend on no parameter."""
        if values.dtype.kind != "f":
            return Dual(balls.boxed([exact(v) for v in values.ravel().tolist()], values.shape))
        if self.perturbation:
            return self.perturbation.constant(values)
        return dual.constant(values)

    def rounded(self, result: Number) -> Number:
        """Return a single result, perturbed if this run does so."""
        if self.perturbation is None:
            return result
        moved = self.perturbation.after(result.dual)
        return Number(self, moved.value.item(), moved.tangent)

    def series(self, array: np.ndarray) -> Series:
        """View an object array as an array of series of this run."""
        view = array.view(Series)
        view.session = self
        return view

    def packed(self, value: Any) -> Dual:
        """Convert numbers, or floats, to a `Dual`.

        Raises:
            NotOnSeriesError: an element is neither.
        """
        check_time()
        if isinstance(value, Number):
            return value.dual
        array = np.asarray(value)
        if array.dtype != object:
            known = array.dtype.kind in "fiub" or is_half(array.dtype)
            if not known or array.dtype.itemsize > 8:
                raise NotOnSeriesError(
                    f"{array.dtype.name} beside numbers that depend on parameters"
                )
            return self.constant(array)
        elements = array.reshape(-1).tolist()
        tangents = [e.tangent if isinstance(e, Number) else None for e in elements]
        values = balls.boxed([_value(e) for e in elements], array.shape)
        if self.perturbation and (at := [i for i, e in enumerate(elements) if _is_float(e)]):
            values.flat[at] = self.constant(np.array([elements[i] for i in at])).value
        k = next((t.size for t in tangents if t is not None), None)
        if k is None:
            return Dual(values)
        rows = balls.zeros((len(tangents), k))
        for row, tangent in zip(rows, tangents, strict=True):
            if tangent is not None:
                row[:] = tangent
        return Dual(values, rows.T.reshape(k, *array.shape))

    def unpacked(self, given: Dual) -> Any:
        """Convert a `Dual` to a `Number` if it has no axes, else to a `Series`."""
        if not given.shape:
            return Number(self, given.value.item(), given.tangent)
        values = given.value.reshape(-1).tolist()
        rows = [None] * len(values)
        if given.tangent is not None:
            rows = given.tangent.reshape(given.tangent.shape[0], -1).T
        with _uncollected():
            numbers = [Number(self, v, row) for v, row in zip(values, rows, strict=True)]
        # np.array of a list would inspect every number.
        return self.series(np.fromiter(numbers, object, len(numbers)).reshape(given.shape))

    def ufunc(self, ufunc: np.ufunc, method: str, inputs: Any, options: dict[str, Any]) -> Any:
        """Run a ufunc or one of its methods.

        Raises:
            NotOnSeriesError: `out` is an array of floats, or NumPy has no such operation on
                objects, and JAX no counterpart.
        """
        (out,) = options.pop("out", None) or (None,)
        if out is not None and out.dtype != object:
            raise NotOnSeriesError(f"an array of {out.dtype.name} holds no number of a series")
        if out is not None and not out.flags.writeable:
            raise NotOnSeriesError("an array from outside is written to")
        which = options.get("where", True)
        if method == "__call__" and which is True:
            result = self._called(ufunc, inputs)
        elif method == "__call__":
            return self._where(ufunc, which, inputs, out)
        elif (ufunc, method) == (np.add, "reduce") and set(_given(options)) <= _OF_A_SUM:
            terms = inputs[0] if which is True else np.where(which, inputs[0], 0)
            result = self._summed(terms, options.get("axis", 0), options.get("keepdims", False))
        else:
            result = self._natively(getattr(ufunc, method), inputs, options)
        if out is None:
            return result
        out[...] = result
        return out

    def _where(self, ufunc: np.ufunc, which: Any, inputs: Any, out: np.ndarray | None) -> Any:
        """Run a ufunc of those elements alone that a mask selects."""
        shape = np.broadcast_shapes(np.shape(which), *map(np.shape, inputs))
        if out is None:
            out = self.series(np.empty(shape, object))  # of None: memory that nobody may read
        chosen = np.broadcast_to(which, out.shape)
        operands = (
            np.broadcast_to(x, out.shape, subok=True)[chosen] if np.ndim(x) else x for x in inputs
        )
        out[chosen] = self._called(ufunc, tuple(operands))
        return out

    def function(self, function: Any, args: Any, options: dict[str, Any]) -> Any:
        """Run another function: NumPy's own if it takes objects, or else its JAX counterpart.

        Raises:
            TypeError: it takes no objects, and has no counterpart that could be run.
        """
        runners = (
            [self._by_numpy, self._by_counterpart] if counterpart_of(function) else [self._by_numpy]
        )
        first, *others = runners[::-1] if function in BY_COUNTERPART else runners
        options = _given(options)
        out = options.pop("out", None)
        try:
            result = first(function, args, options)
        except (TypeError, AttributeError, NotImplementedError):
            if not others:
                raise
            result = others[0](function, args, options)
        if out is None:
            return result
        out[...] = result
        return out

    def _by_numpy(self, function: Any, args: Any, options: dict[str, Any]) -> Any:
        return self._wrapped(function._implementation(*args, **options))

    def _called(self, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
        name = RULE_OF.get(ufunc)
        if name == "pow" and isinstance(inputs[1], int | np.integer):
            eqn = SimpleNamespace(params={"y": int(inputs[1])})
            return self._made(RULES["integer_pow"](self.run, eqn, self.packed(inputs[0])))
        if name:
            return self._made(RULES[name](self.run, None, *(self.packed(x) for x in inputs)))
        return (self._by_counterpart if counterpart_of(ufunc) else self._natively)(
            ufunc, inputs, {}
        )

    def _made(self, result: Any) -> Any:
        if isinstance(result, Dual):
            self.run.elements += result.value.size
            return self.unpacked(self.perturbation.after(result) if self.perturbation else result)
        return result[()] if isinstance(result, np.ndarray) else result

    def _summed(self, x: Any, axis: Any, keepdims: bool) -> Any:
        terms = self.packed(x)
        axes = range(len(terms.shape)) if axis is None else np.atleast_1d(axis)
        axes = tuple(int(i) % len(terms.shape) for i in axes)
        count = int(np.prod([terms.shape[i] for i in axes]))
        eqn = SimpleNamespace(params={"axes": axes})
        total = RULES["reduce_sum"](self.run, eqn, self._before(terms, count))
        kept = [1 if i in axes else n for i, n in enumerate(terms.shape)]
        return self._made(total.reshape(*kept) if keepdims else total)

    def _before(self, operand: Dual, terms: int) -> Dual:
        return self.perturbation.before(operand, terms) if self.perturbation else operand

    def _natively(self, function: Callable[..., Any], inputs: Any, options: dict[str, Any]) -> Any:
        """Run NumPy's loop over objects, which calls the numbers' own methods.

        Raises:
            NotOnSeriesError: NumPy has no such loop.
        """
        try:
            return self._wrapped(function(*map(_objects, inputs), **_given(options)))
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # of a number's own method
                raise
            raise NotOnSeriesError(str(error)) from error

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, tuple | list):
            return type(result)(self._wrapped(part) for part in result)
        bare = isinstance(result, np.ndarray) and result.dtype == object
        return self.series(result) if bare else result

    def _by_counterpart(self, function: Any, args: Any, options: dict[str, Any]) -> Any:
        """Run JAX's function of the same name, traced for these operands.

        Raises:
            UncertifiedPrimitiveError: it contains an operation without a rule.
        """
        leaves, tree = jax.tree_util.tree_flatten((args, _given(options)))
        real = {i for i, leaf in enumerate(leaves) if _is_real(leaf)}
        operands = [self.packed(leaves[i]) for i in sorted(real)]
        fixed = [None if i in real else leaf for i, leaf in enumerate(leaves)]
        key = ("counterpart", function, tree, *map(key_of, fixed), *(o.shape for o in operands))
        program, outputs = self.run.once(
            key, lambda: traced_once(key, counterpart_of(function), tree, fixed, operands)
        )
        terms = max((max(o.shape, default=1) for o in operands), default=1)
        found = self.run.closed(program, [self._before(o, terms) for o in operands])
        return jax.tree_util.tree_unflatten(outputs, [self._made(out) for out in found])


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make many objects without a search for cycles, which would take as long as the rest of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _value(element: Any) -> arb:
    if isinstance(element, Number):
        return element.value
    if isinstance(element, REAL):
        return exact(element)
    if element is None:
        raise UnwrittenError(UNWRITTEN)
    raise NotOnSeriesError(f"{type(element).__name__} among numbers that depend on parameters")


def _is_float(element: Any) -> bool:
    return isinstance(element, float | np.floating)


def _is_real(leaf: Any) -> bool:
    array = isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fO"
    return array or isinstance(leaf, Number | float | np.floating)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are not the default; dtypes of floats do not matter for reals."""
    defaults = {"where": True, "keepdims": False, "out": None, "initial": np._NoValue}
    return {
        key: value
        for key, value in options.items()
        if not (key in defaults and value is defaults[key])
        and not (key == "dtype" and (value is None or is_floating(np.dtype(value))))
    }


def _objects(value: Any) -> Any:
    if isinstance(value, Number):
        return balls.boxed([value], ())
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else value
