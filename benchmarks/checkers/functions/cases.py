"""The cases: every mistake, and every right way to write a function, in every format."""

import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.checkers.cases import MISTAKES, RIGHT, Case
from benchmarks.checkers.functions.question import FunctionQuestion
from models.model import Model
from models.torch_functions.function import FORMATS, point
from models.torch_functions.functions import FUNCTIONS

#: A function as it is in its module, among its rewrites.
AS_WRITTEN = "as-written"

#: The rewrite that is one only where kernels compute in a wider format than they store.
IN_ITS_FORMAT = "in-its-format"


def cases(formats: Sequence[str] = FORMATS) -> list[Case]:
    """Return all cases in these formats: the mistakes first, then what is right."""
    wrong = [
        Case(MISTAKES, f.name, slug, partial(with_mistake, f.name, slug, dtype), format=dtype)
        for dtype in formats
        for f in FUNCTIONS
        for slug in f.mistakes
    ]
    right = [
        Case(
            *(RIGHT, f.name, slug, partial(without_mistake, f.name, slug, dtype, at)),
            draw=at,
            format=dtype,
        )
        for dtype in formats
        for f in FUNCTIONS
        for slug in right_ways(f, dtype)
        for at in range(len(f.draws))
    ]
    return [*wrong, *right]


def right_ways(function: Model, dtype: str) -> list[str]:
    """Return the slugs of the right ways to write a function that differ in a format."""
    half = dtype not in ("float64", "float32")
    return [AS_WRITTEN, *(slug for slug in function.rewrites if half or slug != IN_ITS_FORMAT)]


def with_mistake(name: str, slug: str, dtype: str) -> FunctionQuestion:
    """Build a function with a mistake, at its ordinary point."""
    found = named(name)
    at = arguments(found, 0, dtype)
    return FunctionQuestion(found.wrong(slug), found.function, at, found.by_hand)


def without_mistake(name: str, slug: str, dtype: str, draw: int) -> FunctionQuestion:
    """Build a right function at one of its points."""
    found = named(name)
    right = found.right("" if slug == AS_WRITTEN else slug)
    return FunctionQuestion(right, found.function, arguments(found, draw, dtype))


def simple() -> FunctionQuestion:
    """Return a question that makes a checker load its packages before the first case."""
    return without_mistake("softplus", AS_WRITTEN, "float64", 0)


def arguments(function: Model, draw: int, dtype: str) -> tuple[Any, ...]:
    """Return the arguments of a draw, the same values in every format but for rounding."""
    rng = np.random.default_rng(zlib.crc32(f"{function.name}/{draw}".encode()))
    return point(function, rng, list(function.draws)[draw], dtype)


def named(name: str) -> Model:
    """Return the function of that name."""
    (found,) = (function for function in FUNCTIONS if function.name == name)
    return found
