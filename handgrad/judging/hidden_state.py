"""What a function depends on that is no argument of it: a generator, or what was in memory."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np

from handgrad.data.advised import NotAFunctionError
from handgrad.data.attempts import best_effort
from handgrad.data.point import Point
from handgrad.data.silent import quiet
from handgrad.data.ulps import ANOTHER
from handgrad.judging.case import Case
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.oracle.numpy_losses.dispatch import UnwrittenError
from handgrad.program.ending import LoopError, before_loops
from handgrad.program.numpy_to_jax import names_in, replaced

#: What helps where none of them was drawn from.
PASS_IT = "pass what it draws or remembers as an input"

#: Generators that all code shares, and how to draw from one that is seeded.
SEEDED = {
    "np.random": "draw from np.random.default_rng(0), made inside it",
    "Python's random": "draw from random.Random(0), made inside it",
    "PyTorch's generator": "call torch.manual_seed(0) inside it, or eval() of its modules",
}


#: NumPy's functions that leave in an array what was in memory, by the names that code has for them.
EMPTY = {"empty": np.empty, "empty_like": np.empty_like, "ndarray": np.ndarray}

#: Those that do so where they are told to compute nothing, by `where`.
UFUNCS = {name: f for name, f in vars(np).items() if isinstance(f, np.ufunc)}

#: What they are filled with, the first number twice; NaN spreads to all that is computed of it.
FILLED = 1234.5, 1234.5, np.nan, -0.625


def reads_unwritten(case: Case, given: Point) -> bool:
    """Tell whether a loss gives another number where arrays that nothing was written to do."""
    if case.claim.is_held:  # and its arrays are PyTorch's
        return False
    found: set[str] = set()
    case.rewritten(lambda function: found.update(names_in(function)) or function)
    leaving = {name: function for name, function in EMPTY.items() if name in found}
    leaving |= UFUNCS if "where=" in found else {}
    if not leaving:
        return False
    values = []
    for number in FILLED:
        filled = {name: _Filled(number, function) for name, function in leaving.items()}
        code = case.rewritten(
            partial(replaced, one=partial(_in_place_of, filled), of_compiled=True)
        )
        # A library raises what it likes, given these numbers, and a loop of JAX's may not end.
        with best_effort(Exception), suppress(LoopError), before_loops(), _in_numpy(filled):
            values.append(np.asarray(NumpyLoss(code).in_floats(given), np.float64))
    first, again, *others = values if len(values) > 1 else (0.0, 0.0)
    return np.array_equal(first, again, equal_nan=True) and not all(
        np.allclose(other, first, rtol=ANOTHER, atol=0, equal_nan=True) for other in others
    )


@contextmanager
def _in_numpy(functions: dict[str, Any]) -> Iterator[None]:
    """Let NumPy have other functions, by which objects and what is compiled find them as well."""
    try:
        np.__dict__.update(functions)
        with quiet():  # NumPy warns of `where` itself
            yield
    finally:
        np.__dict__.update(EMPTY | UFUNCS)


def _in_place_of(filled: dict[str, Any], value: Any) -> Any:
    """Return what takes the place of a function that code has imported."""
    return next((f for f in filled.values() if value is f.function), value)


class _Filled:
    """A function of NumPy's that leaves a number in place of what was in memory."""

    def __init__(self, number: float, function: Any) -> None:
        self.number, self.function = number, function

    def __call__(self, *args: Any, **options: Any) -> Any:
        made = self.function(*args, **options)
        given = "out" in options or getattr(made, "base", None) is not None  # as a buffer
        if isinstance(made, np.ndarray) and made.dtype.kind in "fc" and not given:
            written = options.get("where", isinstance(self.function, np.ufunc))
            np.copyto(made, self.number, where=~np.asarray(written, bool))
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def __instancecheck__(self, instance: Any) -> bool:
        """Tell whether it is an array, which code may ask of `np.ndarray`."""
        return isinstance(instance, self.function)


def advice(case: Case, given: Point, error: NotAFunctionError) -> str:
    """Say where a loss that is no function has its numbers from, and what helps."""
    before = _generators()
    with best_effort():
        given.call(case.loss)
    for name, state in _generators().items():
        if before[name] != state:
            return f"it draws from {name}: {SEEDED[name]}, or pass what is drawn as an input"
    return str(error.__cause__) if isinstance(error.__cause__, UnwrittenError) else PASS_IT


def _generators() -> dict[str, Any]:
    """Return the states of the generators that all code shares."""
    _, keys, *rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {"np.random": (np.asarray(keys).tobytes(), rest)}
    states["Python's random"] = random.getstate()
    torch = sys.modules.get("torch")
    if torch is not None:
        states["PyTorch's generator"] = torch.random.get_rng_state().numpy().tobytes()
    return states
