"""What is known of each planted mistake; its size beside what rounding does in the same format."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.checkers.cases import MISTAKES, Case
from benchmarks.checkers.functions.cases import AS_WRITTEN, arguments, named, right_ways
from benchmarks.checkers.functions.question import distance
from benchmarks.checkers.results import Planted
from models.torch_functions.function import TorchFunction
from models.torch_functions.gradients import gradients, widened
from models.torch_functions.installed import torch


def planted(cases: Iterable[Case]) -> dict[str, Planted]:
    """Describe and measure the mistakes among some cases, by case."""
    wrong = [case for case in cases if case.part == MISTAKES]
    found = {of: _of(named(of[0]), of[1]) for of in {(c.subject, c.format): None for c in wrong}}
    return {case.id: found[case.subject, case.format][case.what] for case in wrong}


def _of(function: TorchFunction, dtype: str) -> Mapping[str, Planted]:
    at = arguments(function, 0, dtype)
    exact = gradients(function.reference, widened(at))
    rounding = _rounding(function, dtype, at, exact)
    found = {}
    for slug, slip in function.mistakes.items():
        size, times = _size(function.wrong(slug), at, exact, rounding)
        found[slug] = Planted(
            says=slip.says,
            kinds=list(slip.kinds),
            lines=list(slip.lines),
            size=size,
            times=times,
        )
    return found


def _rounding(
    function: TorchFunction, dtype: str, at: tuple[Any, ...], exact: tuple[Any, ...]
) -> list[float]:
    """Return the largest error of all right ways, by argument; half a unit in the last place."""
    found = [[torch.finfo(getattr(torch, dtype)).eps / 2] * len(exact)]
    for slug in right_ways(function, dtype):
        right = function.right("" if slug == AS_WRITTEN else slug)
        pairs = zip(gradients(right.apply, at), exact, strict=True)
        found.append([distance(ours, true) for ours, true in pairs])
    return [max(errors) for errors in zip(*found, strict=True)]


def _size(
    wrong: Any, at: tuple[Any, ...], exact: tuple[Any, ...], rounding: list[float]
) -> tuple[float, float] | tuple[None, None]:
    """Return a mistake's size and how many times it is rounding; None if its shape is wrong."""
    try:
        found = gradients(wrong.apply, widened(at))
    except RuntimeError:
        return None, None
    errors = [distance(a, b) for a, b in zip(found, exact, strict=True)]
    times = [error / by for error, by in zip(errors, rounding, strict=True)]
    return float(f"{max(errors):.3g}"), float(f"{max(times):.3g}")
