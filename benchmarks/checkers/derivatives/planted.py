"""What is known of each planted mistake; its size beside what rounding does to the same numbers.

Rounding of an element of the derivative is the largest error in it of

- a unit roundoff, which it is rounded by; of an element that is 0 and stays so, a unit roundoff of
  the largest one;
- the exact derivative of other arguments, each a unit roundoff away, in the direction that moves
  the element furthest, to first order: Σ |∂d/∂x_j · x_j| times that;
- every right way to write it.

What is judged of a rule are the gradient of the results weighted by a cotangent, where the rule
defines it the derivative along a tangent, and the gradient of a slope: of each what random vectors
give.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.checkers.cases import MISTAKES, Case
from benchmarks.checkers.derivatives.cases import AS_WRITTEN, arguments, named, right_ways
from benchmarks.checkers.results import Planted
from models.derivatives.derivative import dense
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE, Model

#: The unit roundoff of float64.
UNIT = 2.0**-53

#: Parts of what is judged, each with a largest element of its own: vectors of real numbers.
Parts = list[np.ndarray]


class Measured(NamedTuple):
    """The exact derivative, and rounding in each of its elements: by data alone, and in all."""

    exact: Parts
    by_data: Parts
    rounding: Parts


def planted(cases: Iterable[Case]) -> dict[str, Planted]:
    """Describe and measure the mistakes among some cases, by case."""
    wrong = [case for case in cases if case.part == MISTAKES]
    with jax.enable_x64(True):
        found = {name: _of(named(name)) for name in dict.fromkeys(case.subject for case in wrong)}
    return {case.id: found[case.subject][case.what] for case in wrong}


def _of(derivative: Model) -> dict[str, Planted]:
    measured = exact_and_rounding(derivative)
    return {
        slug: Planted(
            says=slip.says,
            kinds=list(slip.kinds),
            lines=[],
            **_size(derivative, derivative.wrong(slug), measured),
        )
        for slug, slip in derivative.mistakes.items()
    }


def exact_and_rounding(derivative: Model) -> Measured:
    """Return the derivative of the first draw, and rounding in it."""
    at = arguments(derivative, 0)
    data, together = ravel_pytree([_real(each) for each in at])

    def judged(data: Any) -> list[Any]:
        return _exact(derivative, [_back(*pair) for pair in zip(together(data), at, strict=True)])

    exact = [np.asarray(part) for part in jax.jit(judged)(data)]
    moves = jax.jit(jax.jacfwd(judged))(data)
    by_data = []
    for part, by in zip(exact, moves, strict=True):
        moved = UNIT * (np.abs(by) @ np.abs(data) + np.abs(part))
        by_data.append(np.where(moved == 0, UNIT * np.abs(part).max(), moved))
    errors = [by_data, *(_errors(derivative, slug, at, exact) for slug in _ways(derivative))]
    return Measured(exact, by_data, [np.fmax.reduce(each) for each in zip(*errors, strict=True)])


def _ways(derivative: Model) -> list[str]:
    return [slug for slug, draw in right_ways(derivative) if draw == 0]


def _errors(of: Model, slug: str, at: Any, exact: Parts) -> Parts:
    """Return how far a right way to write a derivative is off; NaN where it defines nothing."""
    found = _by_hand(of, of.right("" if slug == AS_WRITTEN else slug), at)
    return [np.abs(np.asarray(a) - b) for a, b in zip(found, exact, strict=True)]


def _exact(of: Model, at: Any) -> list[Any]:
    """Return the parts of what is judged, as JAX differentiates the function itself."""
    x, *args = at
    if of.kind == JACOBIAN:
        return [jax.jacfwd(of.function)(x, *args).ravel()]
    if of.kind == HESSIAN:
        return [jax.jacfwd(jax.grad(of.function))(x, *args).ravel()]
    if of.kind == PRODUCT:
        v, *args = args
        return [jax.jvp(lambda x: jax.grad(of.function)(x, *args), (x,), (v,))[1]]
    if of.kind == COMPLEX:
        found = jax.grad(of.function)(x, *args)
        return [found.real, found.imag]
    return _of_rule(of.function, at)


def _by_hand(of: Model, by_hand: Any, at: Any) -> list[Any]:
    """Return the same of a derivative by hand; of a rule None for what it does not define."""
    if of.kind == RULE:
        return _of_rule(by_hand(), at, careful=True)
    found: Any = np.asarray(dense(by_hand(*at)))
    return [found.real, found.imag] if of.kind == COMPLEX else [found.ravel()]


def _of_rule(f: Any, at: Any, careful: bool = False) -> list[Any]:
    rng = np.random.default_rng(0)

    def drawn(tree: Any) -> Any:
        return jax.tree_util.tree_map(lambda a: rng.standard_normal(a.shape), tree)

    cotangent, square = (drawn(jax.eval_shape(f, *at)) for _ in range(2))
    tangents, along = drawn(tuple(at)), drawn(tuple(at))
    every = tuple(range(len(at)))

    def loss(*at: Any) -> Any:
        return jnp.sum(cotangent * f(*at)) + jnp.sum(square * f(*at) ** 2) / 2

    def slope(*at: Any) -> Any:
        grads = jax.grad(loss, every)(*at)
        return sum(jnp.vdot(a, b) for a, b in zip(along, grads, strict=True))

    ways = (
        lambda: jax.grad(lambda *at: jnp.sum(cotangent * f(*at)), every)(*at),
        lambda: jax.jvp(f, tuple(at), tangents)[1],
        lambda: jax.grad(slope, every)(*at),
    )
    return [_flat(way, careful) for way in ways]


def _flat(way: Any, careful: bool) -> Any:
    try:
        return ravel_pytree(way())[0]
    except (TypeError, NotImplementedError):  # the rule does not define it
        if careful:
            return np.nan
        raise


def _size(of: Model, wrong: Any, measured: Measured) -> dict[str, float | None]:
    """Return a mistake's size and how many times it is rounding; None if its shape is wrong."""
    at, sizes, times = arguments(of, 0), [], []
    for found, exact, rounding in zip(
        _by_hand(of, wrong, at), measured.exact, measured.rounding, strict=True
    ):
        if np.ndim(found) and np.shape(found) != exact.shape:
            return {"size": None, "times": None}
        error = np.abs(np.asarray(found) - exact)
        sizes.append(np.max(error) / np.abs(exact).max())
        times.append(np.max(error / rounding))
    return {"size": _short(sizes), "times": _short(times)}


def _short(values: list[Any]) -> float:
    return float(f"{np.nanmax(values):.3g}")


def _real(array: Any) -> Any:
    """Return the real numbers of an array."""
    return np.stack([array.real, array.imag]) if np.iscomplexobj(array) else np.asarray(array)


def _back(numbers: Any, like: Any) -> Any:
    return jax.lax.complex(*numbers) if np.iscomplexobj(like) else numbers
