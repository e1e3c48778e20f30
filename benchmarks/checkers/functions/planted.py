"""What is known of each planted mistake; its size beside what rounding does in the same format.

Rounding in a format is the largest error in an argument's gradient, relative to its largest
element, of

- a unit roundoff, which the result is rounded by;
- every right way to write the function, computed in that format;
- in float64 and float32, whose numbers stand for others, the exact gradient of other arguments and
  cotangents: each a unit roundoff away, in the direction that moves the element furthest, and the
  element rounded.

It is one number for all elements, since the right ways round one element by chance not at all, and
others as much as the format does. A mistake that is in small elements alone is larger than it says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.checkers.cases import MISTAKES, Case
from benchmarks.checkers.functions.cases import AS_WRITTEN, arguments, named, right_ways
from benchmarks.checkers.functions.question import distance
from benchmarks.checkers.results import Planted
from handgrad.data import formats
from models.model import Model
from models.torch_functions.gradients import cotangent_like, floating, gradients, widened
from models.torch_functions.installed import torch

#: The relative change of a number by which moves are measured, the unit roundoff of float32: of a
#: move some 10⁻⁸ are lost to rounding in float64, and as much to what is of second order.
STEP = 2.0**-24


def planted(cases: Iterable[Case]) -> dict[str, Planted]:
    """Describe and measure the mistakes among some cases, by case."""
    wrong = [case for case in cases if case.part == MISTAKES]
    found = {of: _of(named(of[0]), of[1]) for of in {(c.subject, c.format): None for c in wrong}}
    return {case.id: found[case.subject, case.format][case.what] for case in wrong}


def _of(function: Model, dtype: str) -> Mapping[str, Planted]:
    exact, rounding, cotangent = exact_and_rounding(function, dtype)
    at, found = arguments(function, 0, dtype), {}
    for slug, slip in function.mistakes.items():
        size, times = _size(function.wrong(slug), at, cotangent, exact, rounding)
        found[slug] = Planted(
            says=slip.says,
            kinds=list(slip.kinds),
            lines=list(slip.lines),
            size=size,
            times=times,
        )
    return found


def exact_and_rounding(function: Model, dtype: str) -> tuple[tuple[Any, ...], list[float], Any]:
    """Return the exact gradients of the first draw, rounding in each, and the cotangent."""
    at = arguments(function, 0, dtype)
    cotangent = cotangent_like(function.function(*at))
    exact = gradients(function.function, widened(at), cotangent)
    return exact, _rounding(function, dtype, at, cotangent, exact), cotangent


def _rounding(
    function: Model,
    dtype: str,
    at: tuple[Any, ...],
    cotangent: Any,
    exact: tuple[Any, ...],
) -> list[float]:
    """Return rounding in a format, relative to the largest element, by argument."""
    form = formats.named(dtype)
    found = [[form.unit] * len(exact)]
    for slug in right_ways(function, dtype):
        right = function.right("" if slug == AS_WRITTEN else slug)
        pairs = zip(gradients(right.apply, at, cotangent), exact, strict=True)
        found.append([distance(ours, true) for ours, true in pairs])
    if not form.half:
        moves = _moves(function.function, widened((*at, cotangent)), exact)
        found.append([move * (form.unit / STEP) + form.unit for move in moves])
    return [max(errors) for errors in zip(*found, strict=True)]


def _moves(reference: Any, data: tuple[Any, ...], exact: tuple[Any, ...]) -> list[float]:
    """Return how far relative changes of data by `STEP` move the gradient at most.

    To first order, by central differences: Σ |∂g/∂x_j · x_j| · STEP, over the numbers of arguments
    and cotangent, which is the last of the data; the largest of an argument, relative to its
    largest element.
    """
    moved = [torch.zeros_like(one) for one in exact]
    for k, tensor in enumerate(data):
        for j in range(tensor.numel() if floating(tensor) else 0):
            both = []
            for factor in (1 + STEP, 1 - STEP):
                other = tensor.clone()
                other.view(-1)[j] *= factor
                *at, cotangent = (*data[:k], other, *data[k + 1 :])
                both.append(gradients(reference, at, cotangent))
            for total, up, down in zip(moved, *both, strict=True):
                total += (up - down).abs() / 2
    return [distance(one + move, one) for one, move in zip(exact, moved, strict=True)]


def _size(
    wrong: Any,
    at: tuple[Any, ...],
    cotangent: Any,
    exact: tuple[Any, ...],
    rounding: list[float],
) -> tuple[float, float] | tuple[None, None]:
    """Return a mistake's size and how many times it is rounding; None if its shape is wrong."""
    try:
        found = gradients(wrong.apply, widened(at), cotangent)
    except RuntimeError:
        return None, None
    errors = [distance(a, b) for a, b in zip(found, exact, strict=True)]
    times = [error / by for error, by in zip(errors, rounding, strict=True)]
    return float(f"{max(errors):.3g}"), float(f"{max(times):.3g}")
