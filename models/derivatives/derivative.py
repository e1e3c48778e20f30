"""Mistakes in the arrays that derivatives return, and what their draws are made of."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from models.model import Draw, Model, Slip, Wrong
from models.rows import described


def of_derivative(
    name: str,
    kind: str,
    function: Callable[..., Any],
    by_hand: Any,
    draws: Mapping[str, Draw],
    mistakes: Mapping[str, Any],
    rewrites: Mapping[str, Any],
) -> Model:
    """Make the model of a derivative, whose mistakes and rewrites are rows: see `described`."""
    planted, written = described(mistakes), described(rewrites)
    return Model(name, kind, function, by_hand, draws, planted, written)


def changing(change: Callable[[Any], Any]) -> Wrong:
    """Return what makes a derivative whose result is changed, in a fresh array."""

    def make(by_hand: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: change(np.array(dense(by_hand(*args))))

    return make


def dense(found: Any) -> Any:
    """Return a matrix of whatever form as an array."""
    if hasattr(found, "toarray"):
        return found.toarray()
    return found @ np.eye(found.shape[1]) if hasattr(found, "matvec") else found


def times(factor: float, *at: Any) -> Wrong:
    """Return what makes a derivative whose elements at these indices are multiplied."""

    def change(found: np.ndarray) -> np.ndarray:
        for each in at:
            found[each] *= factor
        return found

    return changing(change)


def off(thousandth: Any, millionth: Any, billionth: Any) -> dict[str, Slip]:
    """Return mistakes in single elements, whose indices are given."""
    places = {"1e-3": thousandth, "1e-6": millionth, "1e-9": billionth, "1e-12": billionth}
    return {
        by: Slip(f"one element off by {by} of itself", make=times(1 + float(by), at))
        for by, at in places.items()
    }


def symmetric_off(thousandth: tuple[int, int], millionth: Any, billionth: Any) -> dict[str, Slip]:
    """Return mistakes in elements of a symmetric matrix, whose indices are given."""
    mirrored = times(1 + 1e-3, thousandth, thousandth[::-1])
    alone = times(1 + 1e-6, millionth)
    return {
        **off(thousandth, millionth, billionth),
        "1e-3": Slip("two mirrored elements off by 1e-3", make=mirrored),
        "1e-6": Slip("one element off by 1e-6, not its mirror image", kinds="symmetry", make=alone),
    }


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw standard normal numbers."""
    return rng.normal(size=shape)


def complex_normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw numbers whose real and imaginary parts are standard normal."""
    return normal(rng, *shape) + 1j * normal(rng, *shape)
