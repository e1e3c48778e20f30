"""Mistakes in the arrays that derivatives return, and what their draws are made of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.helpers import normal
from models.model import Wrong, named


def changing(change: Callable[[Any], Any]) -> Wrong:
    """Return what makes a derivative whose result is changed, in a fresh array."""
    return lambda by_hand: lambda *args: change(np.array(dense(by_hand(*args))))


def dense(found: Any) -> Any:
    """Return a matrix, sparse or not, as an array."""
    return found.toarray() if hasattr(found, "toarray") else found


def times(factor: float, *at: Any) -> Wrong:
    """Return what makes a derivative whose elements at these indices are multiplied."""

    def change(found: np.ndarray) -> np.ndarray:
        for each in at:
            found[each] *= factor
        return found

    return changing(change)


def off(thousandth: Any, millionth: Any, billionth: Any) -> dict[str, Wrong]:
    """Return rows of mistakes in single elements, whose indices are given."""
    places = {"1e-3": thousandth, "1e-6": millionth, "1e-9": billionth, "1e-12": billionth}
    return {
        f"{by}: one element off by {by} of itself": times(1 + float(by), at)
        for by, at in places.items()
    }


def symmetric_off(thousandth: tuple[int, int], millionth: Any, billionth: Any) -> dict[str, Any]:
    """Return rows of mistakes in elements of a symmetric matrix, whose indices are given."""
    mirrored = times(1 + 1e-3, thousandth, thousandth[::-1])
    _, (_, alone), *smaller = off(thousandth, millionth, billionth).items()
    return {
        "1e-3: two mirrored elements off by 1e-3": mirrored,
        "1e-6: one element off by 1e-6, not its mirror image": named("symmetry", alone),
        **dict(smaller),
    }


def complex_normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw numbers whose real and imaginary parts are standard normal."""
    return normal(rng, *shape) + 1j * normal(rng, *shape)
