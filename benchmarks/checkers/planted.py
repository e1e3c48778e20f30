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
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.checkers.cases import (
    AS_WRITTEN,
    RIGHT,
    Case,
    Question,
    asked,
    models,
    of_rule,
    right_ways,
)
from benchmarks.checkers.results import Planted
from handgrad.data import formats
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED
from models import elements
from models.model import COMPLEX, GRADIENT, HESSIAN, OF_TORCH, PRODUCT, RULE, Model

#: Parts of what is judged, each with a largest element of its own: arrays of real numbers.
Parts = list[np.ndarray]


class Measured(NamedTuple):
    """The exact derivative at the ordinary point, and rounding: by data alone, and in all."""

    exact: Parts
    by_data: Parts
    rounding: Parts


def planted(cases: Iterable[Case]) -> dict[str, Planted]:
    """Describe the mistakes among some cases, and measure those of derivatives, by case."""
    known, found = {}, cache(measured)
    with jax.enable_x64(True):
        for case in cases:
            if case.part == RIGHT:
                continue
            of = models(case.questions).get(case.subject)  # none of single elements
            slip, size, times = (of.mistakes if of else elements.MISTAKES)[case.what], None, None
            if of and of.kind != GRADIENT:
                size, times = _size(case.build(), found(of, case.format))
            kinds, lines = [*slip.kinds], [*slip.lines]
            known[case.id] = Planted(
                says=slip.says, kinds=kinds, lines=lines, size=size, times=times
            )
    return known


def _size(question: Question, of: Measured) -> tuple[float | None, float | None]:
    """Return a mistake's size and how many times it is rounding; None if its shape is wrong.

    The size is relative to the largest element.
    """
    try:
        found = question.arrays(question.by_hand)
    except RuntimeError:  # of torch, where an argument's gradient has another shape
        return None, None
    sizes = []
    for wrong, exact, rounding in zip(found, of.exact, of.rounding, strict=True):
        if np.ndim(wrong) and np.size(wrong) != exact.size:
            return None, None
        error = np.abs(np.ravel(wrong) - exact)
        sizes.append((np.max(error) / np.abs(exact).max(), np.max(error / rounding)))
    size, times = (float(f"{most:.3g}") for most in np.nanmax(sizes, axis=0))
    return size, times


def measured(subject: Model, dtype: str = "") -> Measured:
    """Return the derivative of the first draw, and rounding in it in a format."""
    form, in_torch = formats.named(dtype or "float64"), subject.kind == OF_TORCH
    about = asked(subject, subject.by_hand, dtype=dtype)
    exact, moves = (_in_torch if in_torch else _in_jax)(about)
    by_data = []
    for part, by in zip(exact, moves, strict=True):
        moved = [by * (not form.half), np.abs(part)]
        total = sum(map(np.max, moved) if in_torch else moved)
        by_data.append(form.unit * np.where(total == 0, np.abs(part).max(), total))
    errors = [by_data]
    for what, draw in right_ways(subject, dtype):
        if draw == 0:
            way = asked(subject, subject.right("" if what == AS_WRITTEN else what), dtype=dtype)
            found = map(np.ravel, way.arrays(way.by_hand, wide=False))
            off = [np.abs(one - true) for one, true in zip(found, exact, strict=True)]
            errors.append([*map(np.max, off)] if in_torch else off)
    rounding = [np.fmax.reduce(each) for each in zip(*errors, strict=True)]
    return Measured(exact, by_data, rounding)


def _in_jax(of: Question) -> tuple[Parts, Parts]:
    """Return the exact parts, and how far relative changes of data by 1 move each element at most.

    To first order: Σ |∂d/∂x_j · x_j| over the numbers of the arguments.
    """
    data = [np.stack([a.real, a.imag]) if np.iscomplexobj(a) else np.asarray(a) for a in of.at]

    def judged(*data: Any) -> list[Any]:
        pairs = zip(data, of.at, strict=True)
        at = [jax.lax.complex(*one) if np.iscomplexobj(like) else one for one, like in pairs]
        return [part.ravel() for part in _exact(of, *at)]

    slopes = jax.jit(jax.jacfwd(judged, range(len(data))))(*data)
    exact = [np.asarray(part) for part in jax.jit(judged)(*data)]
    return exact, [_moved(each, data) for each in slopes]


def _moved(slopes: Any, data: Any) -> np.ndarray:
    pairs = [(np.abs(np.asarray(each)) for each in pair) for pair in zip(slopes, data, strict=True)]
    return np.sum([by.reshape(-1, one.size) @ one.ravel() for by, one in pairs], axis=0)


def _exact(of: Question, x: Any, *args: Any) -> list[Any]:
    """Return the parts of what is judged, as JAX differentiates the function itself."""
    slope = jax.grad(of.function)
    if of.kind == PRODUCT:
        v, *rest = args
        return [jax.jvp(lambda x: slope(x, *rest), (x,), (v,))[1]]
    if of.kind == COMPLEX:
        found = slope(x, *args)
        return [found.real, found.imag]
    if of.kind == RULE:
        return of_rule(of.function, (x, *args))
    return [jax.jacfwd(slope if of.kind == HESSIAN else of.function)(x, *args)]


def _in_torch(of: Question) -> tuple[Parts, Parts]:
    """Return the same; the cotangent belongs to the data."""
    torch = import_module("torch")
    from models.torch_functions.function import cotangent_like, floating, widened

    wide = widened((*of.at, cotangent_like(of.function(*of.at))))
    data = [one for one in wide if floating(one)]

    def judged(*data: Any) -> Any:
        def function(*leaves: Any) -> Any:
            left = iter(leaves)
            return of.function(*(next(left) if floating(one) else one for one in wide[:-1]))

        return torch.func.vjp(function, *data[:-1])[1](data[-1])

    slopes = torch.func.jacrev(judged, tuple(range(len(data))))(*data)
    return [*map(np.ravel, of.arrays(of.function))], [_moved(each, data) for each in slopes]


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
