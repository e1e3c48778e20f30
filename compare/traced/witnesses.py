"""Autodiff's values, the exact ones and bounds, for every number of a pass: what checks it."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import jaxpr_as_fun

from autodiff.intermediates import See
from compare.certified import enclosed_gradient
from compare.reference import CANCELLING, by_form, descent_bounds
from compare.traced.meanings import OF_DATA, WHOLE, Derivative, Meaning, Updated, Value
from handgrad.data.findings import Enclosure
from handgrad.tolerance.rounding import Bounded

#: (given, data, see) -> the final values by name: a loss in JAX of named arrays, and of data that
#: it is not differentiated by. It passes every intermediate value to `see(name, value)` and goes on
#: with the result. Equal runs are compiled once.
Run = Callable[[Mapping[str, Any], Any, See], dict[str, Any]]


class Check(NamedTuple):
    """The check of a computed number: autodiff's value, the exact one, and both bounds."""

    autodiff: float
    exact: Enclosure | None  #: None where it is not unique, as behind a kink
    hand_bounds: Bounded
    autodiff_bounds: Bounded

    def agrees(self, by_hand: float) -> bool:
        """Whether both are right; where there is no bound, as at a kink, any number may be."""
        sides = (by_hand, self.hand_bounds), (self.autodiff, self.autodiff_bounds)
        return all(
            of.contains(value) or (np.isfinite(value) and not np.isfinite(of.error))
            for value, of in sides
        )


class DescentStep(NamedTuple):
    """A step by autodiff, as the compiled program takes it that training uses.

    It may round differently from a program that computes all intermediate values.
    """

    rate: float  #: η
    gradient: Mapping[str, Any]  #: ∂L by arrays of parameters
    updated: Mapping[str, Any]  #: these after the step


class Witnesses:
    """Autodiff in float64, certified enclosures of the exact numbers, bounds by the third program.

    A zero is added to every intermediate value; the derivative by it is the one by the value.

    Args:
        run: the loss.
        reference: the loss of a form (`compare.reference`), with the names of `run`.
        form: of the lines by hand.
        given: the parameters, arrays of float64 by name.
        data: further arguments of the loss.
        step: of the parameters.
    """

    def __init__(
        self,
        run: Run,
        reference: Callable[[str], Run],
        form: str,
        given: Mapping[str, np.ndarray],
        data: Any,
        step: DescentStep,
    ) -> None:
        self._run, self._reference, self._form = run, reference, form
        self._given, self._data, self._step = dict(given), data, step
        self._gradients: dict[Value, dict[str, Any] | None] = {}

    def check(self, meaning: Meaning) -> Check:
        """Return the check of a computed number."""
        if not isinstance(meaning, Updated):
            bounds = self._bounds_of(meaning)
            return Check(self._by_autodiff(meaning), self._exactly(meaning), *bounds)
        (name, at), slope = meaning.of, Derivative(Value(WHOLE), meaning.of)
        start, rate = float(self._given[name][at]), self._step.rate
        exact = _descended(start, rate, self._exactly(slope))
        bounds = [descent_bounds(start, rate, of) for of in self._bounds_of(slope)]
        return Check(float(self._step.updated[name][at]), exact, *bounds)

    def _by_autodiff(self, meaning: Value | Derivative) -> float:
        values, derivatives = self._computed
        if isinstance(meaning, Value):
            return float(values[meaning.of][meaning.at])
        of, by = meaning
        if of == Value(WHOLE) and by.of in self._step.gradient:
            return float(self._step.gradient[by.of][by.at])
        return float(derivatives[of.of][by.of][of.at + by.at])

    def _exactly(self, meaning: Value | Derivative) -> Enclosure | None:
        """Enclose a number. Values are computed as derivatives, too: of t v by t."""
        if isinstance(meaning, Value):
            return None if self._values is None else self._values[meaning.of][meaning.at]
        of, by = meaning
        if of not in self._gradients:
            self._gradients[of] = _enclosed(lambda at: self._again(at)[of.of][of.at], self._at)
        gradient = self._gradients[of]
        return gradient[by.of][by.at] if gradient else self._alone(of, by)

    def _bounds_of(self, meaning: Value | Derivative) -> list[Bounded]:
        """Return the bounds of the number by hand, and of that by autodiff."""
        if isinstance(meaning, Value):
            found, at = [values[meaning.of] for values, _ in self._bounds], meaning.at
        else:
            of, by = meaning
            row = _rows({name: each.value.shape for name, each in self._bounds[0][0].items()})
            found = [derivatives[by.of] for _, derivatives in self._bounds]
            at = (row[of.of][of.at], *by.at)
        return [Bounded(value[at], error[at]) for value, error in found]

    @cached_property
    def _bounds(self) -> list[Any]:
        found = _compiled_bounds(self._reference)(self._at, self._data)
        return [found[form] for form in (self._form, CANCELLING)]

    @cached_property
    def _at(self) -> dict[str, np.ndarray]:
        """What is given, and the zeros that are added."""
        shapes = jax.eval_shape(self._all, self._given)
        between = shapes.keys() - {WHOLE, OF_DATA}
        return self._given | {name: np.zeros(shapes[name].shape) for name in sorted(between)}

    def _all(self, at: Mapping[str, Any]) -> dict[str, Any]:
        return _moved(self._run, at, self._data)

    @cached_property
    def _again(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """`_all` for arrays like those of `_at`, traced once for all the losses made of it."""
        with jax.enable_x64(True):
            program, shapes = jax.make_jaxpr(self._all, return_shape=True)(self._at)
        values = jaxpr_as_fun(program)
        return lambda at: jax.tree.unflatten(
            jax.tree.structure(shapes), values(*jax.tree.leaves(at))
        )

    @cached_property
    def _computed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        with jax.enable_x64(True):
            return jax.device_get(tuple(of(self._at, self._data) for of in _compiled(self._run)))

    @cached_property
    def _values(self) -> dict[str, Any] | None:
        weights = {name: np.ones(np.shape(value)) for name, value in self._computed[0].items()}

        def weighted(weights: dict[str, Any], at: Any) -> Any:
            values = self._again(at)
            return sum((weights[name] * values[name]).sum() for name in values)

        return _enclosed(weighted, weights, self._at)

    def _alone(self, of: Value, by: Value) -> Enclosure | None:
        """Differentiate by one number, all others held, so kinks that it does not move are none."""

        def held(moved: dict[str, Any]) -> Any:
            given = jax.numpy.asarray(self._at[by.of])
            at = self._at | {by.of: given.at[by.at].set(moved["by"])}
            return self._again(at)[of.of][of.at]

        alone = _enclosed(held, {"by": np.asarray(self._at[by.of][by.at])})
        return alone["by"][()] if alone else None


def _descended(start: float, rate: float, gradient: Enclosure | None) -> Enclosure | None:
    """Enclose start - rate * gradient, of two floats and an enclosed number."""
    if gradient is None:
        return None
    with localcontext(prec=60):
        moved = Decimal(start) - Decimal(rate) * Decimal(gradient.midpoint)
    with localcontext(prec=40):
        rounding = abs(moved) * Decimal("1e-39")
        radius = float(rounding) + rate * gradient.radius
        return Enclosure(str(+moved.normalize()), radius, gradient.certified)


def _moved(run: Run, at: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Return every intermediate value, each shifted by the entry of `at` under its name."""
    seen = {}

    def see(name: str, value: Any) -> Any:
        seen[name] = value + at[name] if name in at else value
        return seen[name]

    ends = run(at, data, see)
    return seen | ends


@cache
def _compiled(run: Run) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile two functions of (at, data): every value, and the derivatives of all by all."""
    values = partial(_moved, run)
    return jax.jit(values), jax.jit(jax.jacrev(values))


def _enclosed(loss: Callable[..., Any], by: dict[str, Any], *inputs: Any) -> dict[str, Any] | None:
    """Enclose a loss's gradient by named arrays; None where it has none, or more than one."""
    try:
        enclosures = enclosed_gradient(loss, by, *inputs)
    except ArithmeticError:
        return None
    return {name: np.asarray(of, dtype=object) for name, of in enclosures.items()}


@cache
def _compiled_bounds(run: Callable[[str], Run]) -> Callable[..., dict[str, Any]]:
    """Compile the bounds, by form, of every value, and of its derivatives, by `_rows`, by all."""

    def both(form: str, at: Any, data: Any) -> Any:
        values, back = jax.vjp(lambda at: _moved(run(form), at, data), at)
        row = _rows({name: np.shape(value) for name, value in values.items()})
        each = np.eye(sum(rows.size for rows in row.values()))
        # `jax.jacrev` cuts the rows apart, and each cut would be analysed.
        return values, jax.vmap(back)({name: each[:, rows] for name, rows in row.items()})[0]

    return by_form(both)


def _rows(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Number all elements of some arrays, in the order of their names, in the arrays' shapes."""
    names = sorted(shapes)
    ends = np.cumsum([math.prod(shapes[name]) for name in names])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    return {name: row.reshape(shapes[name]) for name, row in zip(names, rows, strict=True)}
