"""Which generator a function draws from that all code shares, and that is no argument of it."""

import random
import sys
from typing import Any

import numpy as np

from handgrad.data.attempts import best_effort, raise_internal
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.oracle.numpy_losses.dispatch import UnwrittenError
from handgrad.oracle.numpy_losses.stand_ins import on_series

#: What helps where none of them was drawn from.
PASS_IT = "pass what it draws or remembers as an input"

#: Generators that all code shares, and how to draw from one that is seeded.
SEEDED = {
    "np.random": "draw from np.random.default_rng(0), made inside it",
    "Python's random": "draw from random.Random(0), made inside it",
    "PyTorch's generator": "call torch.manual_seed(0) inside it, or eval() of its modules",
}


def advice(case: Case, given: Point) -> str:
    """Say where a loss whose values vary has its numbers from, and what helps."""
    before = _generators()
    with best_effort():
        given.call(case.loss)
    for name, state in _generators().items():
        if before[name] != state:
            return f"it draws from {name}: {SEEDED[name]}, or pass what is drawn as an input"
    try:
        NumpyLoss(case.rewritten(on_series)).attempt(given)
    except UnwrittenError as error:
        return str(error)
    except Exception as error:  # of code that cannot run on series
        raise_internal(error, Exception)
    return PASS_IT


def _generators() -> dict[str, Any]:
    """Return the states of the generators that all code shares."""
    _, keys, *rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {"np.random": (np.asarray(keys).tobytes(), rest)}
    states["Python's random"] = random.getstate()
    torch = sys.modules.get("torch")
    if torch is not None:
        states["PyTorch's generator"] = torch.random.get_rng_state().numpy().tobytes()
    return states
