"""Compute every value of a loss, and every derivative between two, by autodiff and exactly."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import jaxpr_as_fun

from autodiff.intermediates import See, as_it_is
from compare.certified import enclosed_gradient
from compare.reference import CANCELLING, by_form, descent_bounds
from handgrad.data.findings import Enclosure
from handgrad.tolerance.rounding import Bounded

Index = tuple[int, ...]

#: (given, data, see) -> the final values by name: a loss in JAX of named arrays, and of data that
#: it is not differentiated by. It passes every intermediate value to `see(name, value)` and goes on
#: with the result. Equal runs are compiled once.
Run = Callable[[Mapping[str, Any], Any, See], dict[str, Any]]


#: The loss, and the loss without λ Σ w².
WHOLE, OF_DATA = "L", "L_data"


class Value(NamedTuple):
    """One element of an intermediate value of the loss."""

    of: str
    at: Index = ()


class Derivative(NamedTuple):
    """The partial derivative of one number by an earlier one."""

    of: Value
    by: Value


class Updated(NamedTuple):
    """A parameter after one step of descent."""

    of: Value


#: What a number of a pass stands for.
Meaning = Value | Derivative | Updated


def descended(start: float, rate: float, gradient: Enclosure | None) -> Enclosure | None:
    """Enclose start - rate * gradient, of two floats and an enclosed number."""
    if gradient is None:
        return None
    with localcontext(prec=60):
        moved = Decimal(start) - Decimal(rate) * Decimal(gradient.midpoint)
    with localcontext(prec=40):
        rounding = abs(moved) * Decimal("1e-39")
        radius = float(rounding) + rate * gradient.radius
        return Enclosure(str(+moved.normalize()), radius, gradient.certified)


class Bounds:
    """How far off values and derivatives may be, by the third program.

    Args:
        run: the loss of a form (`compare.reference`), with the names of the witnesses' loss.
        by_hand: the form of the lines by hand.
        witnesses: of the pass.
    """

    def __init__(self, run: Callable[[str], Run], by_hand: str, witnesses: "Witnesses") -> None:
        found = compiled_bounds(run)(witnesses.at, witnesses.data)
        self._sides = [found[form] for form in (by_hand, CANCELLING)]

    def of(self, meaning: Value | Derivative) -> list[Bounded]:
        """Return the bounds of the value by hand, and of that by autodiff."""
        if isinstance(meaning, Value):
            found = [side[0][meaning.of] for side in self._sides]
            return [Bounded(*(part[meaning.at] for part in each)) for each in found]
        of, by = meaning
        found = [side[1][by.of] for side in self._sides]
        row = _rows({name: value.value.shape for name, value in self._sides[0][0].items()})
        return [Bounded(*(part[row[of.of][of.at]][by.at] for part in each)) for each in found]

    def of_update(self, start: float, rate: float, by: Derivative) -> list[Bounded]:
        """Return the bounds of start - rate * gradient."""
        return [descent_bounds(start, rate, slope) for slope in self.of(by)]


class Witnesses:
    """Autodiff in float64, and certified enclosures of the exact numbers.

    A zero is added to every intermediate value; the derivative by it is the one by the value.

    Args:
        run: the loss.
        given: parameters and other arrays to differentiate by, float64, by name.
        data: further arguments of the loss.
    """

    def __init__(self, run: Run, given: Mapping[str, np.ndarray], data: Any) -> None:
        self._run, self.given, self.data = run, dict(given), data
        self._exact: dict[Value, dict[str, Any] | None] = {}

    def by_autodiff(self, meaning: Value | Derivative) -> float:
        """Return a value, or a derivative by `jax.jacrev`."""
        if isinstance(meaning, Value):
            return float(self._computed[0][meaning.of][meaning.at])
        (of, by) = meaning
        return float(self._computed[1][of.of][by.of][of.at + by.at])

    def exactly(self, meaning: Value | Derivative) -> Enclosure | None:
        """Enclose a number between proved bounds; None where it is not unique, as behind a kink.

        Exact values are computed as derivatives, too: of t v by t.
        """
        if isinstance(meaning, Value):
            return None if self._values is None else self._values[meaning.of][meaning.at]
        of, by = meaning
        if of not in self._exact:
            self._exact[of] = self._gradient(of)
        gradient = self._exact[of]
        return gradient[by.of][by.at] if gradient else self._alone(of, by)

    @cached_property
    def at(self) -> dict[str, np.ndarray]:
        """What is given, and the zeros that are added."""
        shapes = jax.eval_shape(self._all, self.given)
        return self.given | {
            name: np.zeros(value.shape) for name, value in shapes.items() if name not in self._ends
        }

    @cached_property
    def _ends(self) -> set[str]:
        def run(given: Any, data: Any) -> Any:
            return self._run(given, data, as_it_is)

        return set(jax.eval_shape(run, self.given, self.data))

    def _all(self, at: Mapping[str, Any]) -> dict[str, Any]:
        return _moved(self._run, at, self.data)

    @cached_property
    def _again(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """`_all` for arrays like those of `at`, traced once for all the losses made of it."""
        with jax.enable_x64(True):
            program, shapes = jax.make_jaxpr(self._all, return_shape=True)(self.at)
        values = jaxpr_as_fun(program)
        return lambda at: jax.tree.unflatten(
            jax.tree.structure(shapes), values(*jax.tree.leaves(at))
        )

    @cached_property
    def _computed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        values, derivatives = compiled(self._run)
        with jax.enable_x64(True):
            of = self.at, self.data
            return jax.device_get((values(*of), derivatives(*of)))

    @cached_property
    def _values(self) -> dict[str, Any] | None:
        weights = {name: np.ones(np.shape(value)) for name, value in self._computed[0].items()}

        def weighted(weights: dict[str, Any], at: Any) -> Any:
            values = self._again(at)
            return sum((weights[name] * values[name]).sum() for name in values)

        return _enclosed(weighted, weights, self.at)

    def _gradient(self, of: Value) -> dict[str, Any] | None:
        return _enclosed(lambda at: self._again(at)[of.of][of.at], self.at)

    def _alone(self, of: Value, by: Value) -> Enclosure | None:
        """Differentiate by one number, all others held, so kinks that it does not move are none."""

        def held(moved: dict[str, Any]) -> Any:
            given = jax.numpy.asarray(self.at[by.of])
            at = self.at | {by.of: given.at[by.at].set(moved["by"])}
            return self._again(at)[of.of][of.at]

        alone = _enclosed(held, {"by": np.asarray(self.at[by.of][by.at])})
        return alone["by"][()] if alone else None


def _moved(run: Run, at: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Return every intermediate value, each shifted by the entry of `at` under its name."""
    seen = {}

    def see(name: str, value: Any) -> Any:
        seen[name] = value + at[name] if name in at else value
        return seen[name]

    ends = run(at, data, see)
    return seen | ends


@cache
def compiled(run: Run) -> tuple[Callable[..., Any], Callable[..., Any]]:
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
def compiled_bounds(run: Callable[[str], Run]) -> Callable[..., dict[str, Any]]:
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
    rows, first = {}, 0
    for name in sorted(shapes):
        count = math.prod(shapes[name])
        rows[name] = np.arange(first, first + count).reshape(shapes[name])
        first += rows[name].size
    return rows
