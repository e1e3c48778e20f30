"""What is known of each planted mistake; its size beside what rounding does to the same numbers.

Rounding of an element of a derivative is the largest error in it of

- a unit roundoff, which it is rounded by; of an element that is 0 and stays so, a unit roundoff of
  the largest one;
- the exact derivative of other arguments, each a unit roundoff away, in the direction that moves
  the element furthest, to first order: Σ |∂d/∂x_j · x_j| times that. Not in bfloat16, whose numbers
  stand for themselves;
- every right way to write it, computed in its format.

Of torch functions it is one number for all elements of an argument's gradient, the largest relative
to its largest element, since the right ways round one element by chance not at all, and others as
much as the format does. A mistake that is in small elements alone is larger than it says.

What is judged of a rule are the gradient of the results weighted by a cotangent, where the rule
defines it the derivative along a tangent, and the gradient of a slope: of each what random vectors
give. Of gradients of losses no size is known.
"""

import math
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.checkers.cases import (
    AS_WRITTEN,
    ELEMENTS,
    MISTAKES,
    Case,
    named,
    point,
    right_ways,
)
from benchmarks.checkers.results import Planted
from handgrad.data import formats
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED
from models import elements
from models.derivatives.derivative import dense
from models.model import COMPLEX, GRADIENT, HESSIAN, JACOBIAN, OF_TORCH, PRODUCT, RULE, Model, Slip

#: The unit roundoff of float64.
UNIT = 2.0**-53

#: The relative change of a number by which moves are measured in torch, the unit roundoff of
#: float32: of a move some 10⁻⁸ are lost to rounding in float64, and as much to what is of second
#: order.
STEP = 2.0**-24

#: Parts of what is judged, each with a largest element of its own: arrays of real numbers.
Parts = list[np.ndarray]


class Measured(NamedTuple):
    """The exact derivative at the ordinary point, and rounding: by data alone, and in all."""

    parts: Callable[[Any], list[Any] | None]  #: of a derivative by hand; None if its shape is wrong
    exact: Parts
    by_data: Parts
    rounding: Parts


def planted(questions: str, cases: Iterable[Case]) -> dict[str, Planted]:
    """Describe the mistakes among some cases, and measure those of derivatives, by case."""
    known, of = {}, cache(measured)
    with jax.enable_x64(True):
        for case in cases:
            if case.part == ELEMENTS:
                known[case.id] = _known(elements.MISTAKES[case.what])
            elif case.part == MISTAKES:
                subject, sizes = named(questions, case.subject), ()
                if subject.kind != GRADIENT:
                    about = of(subject, case.format)
                    sizes = _size(about.parts(subject.wrong(case.what)), about)
                known[case.id] = _known(subject.mistakes[case.what], *sizes)
    return known


def _known(mistake: Slip, size: float | None = None, times: float | None = None) -> Planted:
    kinds, lines = list(mistake.kinds), list(mistake.lines)
    return Planted(says=mistake.says, kinds=kinds, lines=lines, size=size, times=times)


def _size(found: list[Any] | None, of: Measured) -> tuple[float, float] | tuple[None, None]:
    """Return a mistake's size and how many times it is rounding; None if its shape is wrong.

    The size is relative to the largest element.
    """
    sizes = []
    for wrong, exact, rounding in zip(found or (), of.exact, of.rounding, strict=False):
        if np.ndim(wrong) and np.shape(wrong) != exact.shape:
            return None, None
        error = np.abs(np.asarray(wrong) - exact)
        sizes.append((np.max(error) / np.abs(exact).max(), np.max(error / rounding)))
    if not found:
        return None, None
    size, times = (float(f"{most:.3g}") for most in np.nanmax(sizes, axis=0))
    return size, times


def measured(subject: Model, dtype: str = "") -> Measured:
    """Return the derivative of the first draw, and rounding in it in a format."""
    in_torch = subject.kind == OF_TORCH
    parts, wide, exact, by_data = (_in_torch if in_torch else _in_jax)(subject, dtype)
    errors = [by_data]
    for what, draw in right_ways(subject, dtype):
        if draw == 0:
            found = parts(subject.right("" if what == AS_WRITTEN else what)) or ()
            off = [np.abs(np.asarray(one) - true) for one, true in zip(found, exact, strict=True)]
            errors.append([*map(np.max, off)] if in_torch else off)
    rounding = [np.fmax.reduce(each) for each in zip(*errors, strict=True)]
    return Measured(wide, exact, by_data, rounding)


def _in_jax(subject: Model, _: str) -> tuple[Any, Any, Parts, Parts]:
    """Return what finds the parts of a derivative by hand, twice, the exact ones, and moves.

    Of a rule a part that it does not define is NaN.
    """
    at = point(subject)
    data, together = ravel_pytree([_real(each) for each in at])

    def judged(data: Any) -> list[Any]:
        return _exact(subject, [_back(*pair) for pair in zip(together(data), at, strict=True)])

    def parts(by_hand: Any) -> list[Any]:
        if subject.kind == RULE:
            return _of_rule(by_hand(), at)
        found: Any = np.asarray(dense(by_hand(*at)))
        return [found.real, found.imag] if subject.kind == COMPLEX else [found.ravel()]

    exact = [np.asarray(part) for part in jax.jit(judged)(data)]
    by_data = []
    for part, by in zip(exact, jax.jit(jax.jacfwd(judged))(data), strict=True):
        moved = UNIT * (np.abs(by) @ np.abs(data) + np.abs(part))
        by_data.append(np.where(moved == 0, UNIT * np.abs(part).max(), moved))
    return parts, parts, exact, by_data


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


def _of_rule(f: Any, at: Any) -> list[Any]:
    rng = np.random.default_rng(0)

    def drawn(tree: Any) -> Any:
        return jax.tree.map(lambda a: rng.standard_normal(a.shape), tree)

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
    return [_flat(way) for way in ways]


def _flat(way: Any) -> Any:
    try:
        return ravel_pytree(way())[0]
    except (TypeError, NotImplementedError):  # the rule does not define it
        return np.nan


def _real(array: Any) -> Any:
    """Return the real numbers of an array."""
    return np.stack([array.real, array.imag]) if np.iscomplexobj(array) else np.asarray(array)


def _back(numbers: Any, like: Any) -> Any:
    return jax.lax.complex(*numbers) if np.iscomplexobj(like) else numbers


def _in_torch(subject: Model, dtype: str) -> tuple[Any, Any, Parts, Parts]:
    """Return the same, with one move for an argument: of parts in a format, and in float64."""
    from models.torch_functions.function import cotangent_like, widened

    form, at = formats.named(dtype), point(subject, 0, dtype)
    cotangent, wide = cotangent_like(subject.function(*at)), widened(at)

    def parts(by_hand: Any, at: Any = at) -> Parts | None:
        try:
            return _gradients(by_hand.apply, at, cotangent)
        except RuntimeError:
            return None

    exact = _gradients(subject.function, wide, cotangent)
    by_data = [form.unit * np.abs(part).max() for part in exact]
    if not form.half:
        moves = _moves(subject.function, widened((*at, cotangent)), exact)
        by_data = [m * (form.unit / STEP) + unit for m, unit in zip(moves, by_data, strict=True)]
    return parts, partial(parts, at=wide), exact, [*map(np.array, by_data)]


def _gradients(function: Any, at: Any, cotangent: Any) -> Parts:
    from models.torch_functions.function import gradients

    return [grad.double().numpy() for grad in gradients(function, at, cotangent)]


def _moves(function: Any, data: tuple[Any, ...], exact: Parts) -> list[Any]:
    """Return how far relative changes of data by `STEP` move the gradient of an argument at most.

    To first order, by central differences: Σ |∂g/∂x_j · x_j| · STEP, over the numbers of arguments
    and cotangent, which is the last of the data.
    """
    from models.torch_functions.function import floating

    moved = [np.zeros_like(one) for one in exact]
    for k, tensor in enumerate(data):
        for j in range(tensor.numel() if floating(tensor) else 0):
            both = []
            for factor in (1 + STEP, 1 - STEP):
                other = tensor.clone()
                other.view(-1)[j] *= factor
                *at, cotangent = (*data[:k], other, *data[k + 1 :])
                both.append(_gradients(function, at, cotangent))
            for total, up, down in zip(moved, *both, strict=True):
                total += np.abs(up - down) / 2
    return [move.max() for move in moved]


def allowed(dtype: str) -> float:
    """Return what the judge allows at most, in rounding, in a format; by default in float64.

    Let k be the element in which the mistake is largest. It is wrong beyond what the judge allows
    there, and that is no more than what it allows in some element of the argument.

    - **Numbers that stand for others** (float64, float32): `SHARP` units are allowed. A unit is the
      largest move of an element for random data half an ulp away, and half an ulp of the element.
      The worst such data, and the half ulp, are part of rounding: at most 1. Constants of the code,
      such as cosines, are data to the judge, and not part of rounding: each multiplies a datum, and
      so moves an element about as far as that, at most once more in all.
    - **Short formats** (bfloat16), whose numbers are themselves: allowed are half an ulp, at most
      1, and `STATED` root mean squares of the moves by Monte Carlo runs. Such a run moves every
      result by the whole unit roundoff u, up or down; a real rounding error lies anywhere within ±
      u, so that its root mean square is u/√3. Rounding is the largest error of several right ways
      to write a function, one of which rounds all that it computes, in any element: no less than
      the root mean square in one of them. So the moves are at most √3.

    What else ordinary rounding may explain (the loose yardstick) excuses no mistake that stays when
    the same lines are run at another precision, or a backward pass that can be traced, as all of
    these, in exact arithmetic; where lines cannot be, one near the limit may be undecidable, which
    is not caught.

    That a constant moves little, and that several right ways show how far rounding leads, are the
    steps that are no arithmetic. Tests hold what the judge allows to these limits, and have
    mistakes of just this size caught.
    """
    half = formats.named(dtype or "float64").half
    return 1 + STATED * math.sqrt(3) if half else SHARP * 2.0


def limit(dtype: str) -> float:
    """Return how large, in rounding in a format, a mistake is that must be caught.

    The wrong code rounds as a right one does, which may hide as much of the mistake.
    """
    return allowed(dtype) + 1
