"""Autodiff's values, the exact ones and bounds, for every number of a pass: what checks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(eq=False)
class Witnesses:
    """Autodiff in float64, certified enclosures of the exact numbers, bounds by the third program.

    A zero is added to every intermediate value; the derivative by it is the one by the value. The
    step of descent is the compiled program's that training uses: it may round differently from a
    program that computes all intermediate values.
    """

    run: Run  #: the loss
    reference: Callable[[str], Run]  #: that of a form (`compare.reference`), with the same names
    form: str  #: of the lines by hand
    given: Mapping[str, np.ndarray]  #: the parameters, arrays of float64 by name
    data: Any  #: further arguments of the loss
    rate: float  #: η of the step
    #: Takes it; returns ∂L by arrays of parameters where it begins, and these after it.
    step: Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]]

    def check(self, meaning: Meaning) -> Check:
        """Return the check of a computed number."""
        if not isinstance(meaning, Updated):
            exact = self._value(meaning) if isinstance(meaning, Value) else self._slope(*meaning)
            return Check(self._by_autodiff(meaning), exact, *self._bounds_of(meaning))
        (name, at), slope = meaning.of, Derivative(Value(WHOLE), meaning.of)
        start = float(self.given[name][at])
        exact = _descended(start, self.rate, self._slope(*slope))
        bounds = [descent_bounds(start, self.rate, of) for of in self._bounds_of(slope)]
        return Check(float(self._stepped[1][name][at]), exact, *bounds)

    def _by_autodiff(self, meaning: Value | Derivative) -> float:
        if isinstance(meaning, Derivative) and meaning.of == Value(WHOLE):
            (name, at), (gradient, _) = meaning.by, self._stepped
            if name in gradient:
                return float(gradient[name][at])
        return float(_element(self._computed, meaning))

    def _bounds_of(self, meaning: Value | Derivative) -> list[Bounded]:
        """Return the bounds of the number by hand, and of that by autodiff."""
        return [Bounded(*(_element(part, meaning) for part in side)) for side in self._bounds]

    @cached_property
    def _stepped(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return self.step()

    @cached_property
    def _at(self) -> dict[str, np.ndarray]:
        """What is given, and the zeros that are added."""
        shapes = jax.eval_shape(self._all, self.given)
        between = shapes.keys() - {WHOLE, OF_DATA}
        return {**self.given, **{name: np.zeros(shapes[name].shape) for name in sorted(between)}}

    def _all(self, at: Mapping[str, Any]) -> dict[str, Any]:
        return _moved(self.run, at, self.data)

    @cached_property
    def _computed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        with jax.enable_x64(True):
            return jax.device_get(_compiled(self.run)(self._at, self.data))

    @cached_property
    def _bounds(self) -> list[list[Any]]:
        """Of each side the values, and their errors, as `_everything` returns them."""
        found = _compiled_bounds(self.reference)(self._at, self.data)
        sides = [found[form] for form in (self.form, CANCELLING)]
        leaves = partial(jax.tree.map, is_leaf=lambda of: isinstance(of, Bounded))
        return [[leaves(lambda of, k=k: of[k], side) for k in range(2)] for side in sides]

    @cached_property
    def _again(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """`_all` for arrays like those of `_at`, traced once for all the losses made of it."""
        with jax.enable_x64(True):
            program, shapes = jax.make_jaxpr(self._all, return_shape=True)(self._at)
        values = jaxpr_as_fun(program)
        return lambda at: jax.tree.unflatten(
            jax.tree.structure(shapes), values(*jax.tree.leaves(at))
        )

    def _value(self, meaning: Value) -> Enclosure | None:
        return None if self._values is None else self._values[meaning.of][meaning.at]

    @cached_property
    def _values(self) -> dict[str, Any] | None:
        """Enclose values as derivatives, too: of t v by t."""
        weights = {name: np.ones(np.shape(value)) for name, value in self._computed[0].items()}

        def weighted(weights: dict[str, Any], at: Any) -> Any:
            values = self._again(at)
            return sum((weights[name] * values[name]).sum() for name in values)

        return _enclosed(weighted, weights, self._at)

    def _slope(self, of: Value, by: Value) -> Enclosure | None:
        gradient = self._gradient(of)
        return gradient[by.of][by.at] if gradient else self._alone(of, by)

    @cached_property
    def _gradient(self) -> Callable[[Value], dict[str, Any] | None]:
        return cache(lambda of: _enclosed(lambda at: self._again(at)[of.of][of.at], self._at))

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


def _everything(run: Run, at: Mapping[str, Any], data: Any) -> tuple[Any, Any]:
    """Return every value, and the derivatives, by `_rows`, of all by all."""
    values, back = jax.vjp(lambda at: _moved(run, at, data), at)
    row = _rows(values)
    each = np.eye(sum(rows.size for rows in row.values()))
    # `jax.jacrev` cuts the rows apart, and each cut would be analysed.
    return values, jax.vmap(back)({name: each[:, rows] for name, rows in row.items()})[0]


def _rows(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Number all elements of some arrays, in the order of their names, in the arrays' shapes."""
    names = sorted(arrays)
    ends = np.cumsum([np.size(arrays[name]) for name in names])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    return {name: row.reshape(arrays[name].shape) for name, row in zip(names, rows, strict=True)}


def _element(computed: Any, meaning: Value | Derivative) -> Any:
    """Return a number out of what `_everything` returns."""
    values, derivatives = computed
    if isinstance(meaning, Value):
        return values[meaning.of][meaning.at]
    of, by = meaning
    return derivatives[by.of][(_rows(values)[of.of][of.at], *by.at)]


@cache
def _compiled(run: Run) -> Callable[..., Any]:
    return jax.jit(partial(_everything, run))


@cache
def _compiled_bounds(reference: Callable[[str], Run]) -> Callable[..., dict[str, Any]]:
    return by_form(lambda form, at, data: _everything(reference(form), at, data))


def _enclosed(loss: Callable[..., Any], by: dict[str, Any], *inputs: Any) -> dict[str, Any] | None:
    """Enclose a loss's gradient by named arrays; None where it has none, or more than one."""
    try:
        enclosures = enclosed_gradient(loss, by, *inputs)
    except ArithmeticError:
        return None
    return {name: np.asarray(of, dtype=object) for name, of in enclosures.items()}
