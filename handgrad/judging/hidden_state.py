"""What a function that is none of its arguments draws from, or changes, besides them.

It is called once more, and what it could have changed is compared before and after: the generators
that all code shares, and the variables that it takes from where it was defined.
"""

import pickle
import random
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from inspect import unwrap
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.frames import is_own
from handgrad.data.point import Point
from handgrad.judging.case import BackwardStep, Case, CustomRule, RandomDirections
from handgrad.judging.matrix_parts import HessianProduct, Matrix
from handgrad.program.aten.tensors import is_module

#: What helps where nothing is found that changed.
PASS_IT = "pass what it draws or remembers as an input"

#: Generators that all code shares, and how to draw from one that is seeded.
SEEDED = {
    "np.random": "draw from np.random.default_rng(0), made inside it",
    "Python's random": "draw from random.Random(0), made inside it",
    "PyTorch's generator": "call torch.manual_seed(0) inside it",
}

#: Parts of modules of PyTorch that draw in training mode, by a part of the name of their class.
DRAWING = ("Dropout", "RReLU", "MultiheadAttention")


def advice(case: Case, given: Point) -> str:
    """Say where the loss of a case, which is no function, has its numbers from, and what helps."""
    found = _Found({}, {})
    if case.own and case.own.module is not None:
        _add("the module", partial(getattr, case.own, "module"), found)
    _hold(_own_function(case), found)
    held = found.variables
    for name, read in held.items():
        value = read()
        if is_module(value) and (drawing := _drawing(value)):
            return f"{drawing} of {name} draws in training mode: call eval() of {name} first"
    generators, before = _generators(), _states(held)
    called = False
    with best_effort():
        given.call(case.loss)
        called = True
    if not called:
        return PASS_IT
    for name, state in _generators().items():
        if generators[name] != state:
            return f"it draws from {name}: {SEEDED[name]}, or pass what is drawn as an input"
    after = _states(held)
    changed = next((name for name in held if before[name] != after[name]), None)
    if changed is None:
        return PASS_IT
    value = held[changed]()
    if isinstance(value, GENERATORS) or type(value).__name__ == "Generator":
        what = f"it draws from {changed}, which goes on from call to call"
        return f"{what}: make {changed} inside it, from a seed, or pass what is drawn as an input"
    return f"each call changes {changed}: pass it as an input"


#: Generators that a variable may hold; that of PyTorch has a name like NumPy's.
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


class _Found(NamedTuple):
    #: What reads the variables that functions hold, by their names there.
    variables: dict[str, Callable[[], Any]]
    functions: dict[int, Any]  #: those that were looked at, by id


def _own_function(case: Case) -> Any:
    """Return the caller's function whose results differ."""
    if isinstance(case.part, RandomDirections):
        case = case.part.whole
    if case.own:
        # Of a gradient or a step it is one of two.
        return case.own.functions[case.part is None]
    if isinstance(case.part, BackwardStep):
        return case.part.forward
    if isinstance(case.part, Matrix):
        return case.part.function
    if isinstance(case.part, HessianProduct):
        return case.part.loss
    if isinstance(case.part, CustomRule):
        return case.part.reference or case.part.f
    return case.loss


def _hold(function: Any, found: _Found) -> None:
    """Find the variables that a function takes from elsewhere, and so do those that it calls."""
    if isinstance(function, partial):
        return _hold(function.func, found)
    if isinstance(function, MethodType):
        _add_owner("self", function.__self__, found)
        function = function.__func__
    function = unwrap(function) if callable(function) else function
    if not isinstance(function, FunctionType):
        call = vars(type(function)).get("__call__")
        if isinstance(call, FunctionType) and is_own(call.__code__.co_filename):
            _add_owner(type(function).__name__, function, found)
        return None
    code = function.__code__
    if id(function) in found.functions or not is_own(code.co_filename):
        return None
    found.functions[id(function)] = function
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    given = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    _add_all({**given, **(function.__kwdefaults__ or {})}, "", found)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # one that is not assigned yet
            _add(name, partial(getattr, cell, "cell_contents"), found)
    used = dict.fromkeys(_names(code))
    _add_all(
        function.__globals__, "", found, [name for name in used if name in function.__globals__]
    )
    return None


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names of globals that code uses, also in the functions that it defines."""
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)


def _add(name: str, read: Callable[[], Any], found: _Found) -> None:
    value = read()
    if isinstance(value, FunctionType | MethodType | partial):
        _hold(value, found)
    elif not isinstance(value, ModuleType | type):
        found.variables.setdefault(name, read)


def _add_all(
    values: dict[str, Any], prefix: str, found: _Found, keys: Sequence[str] | None = None
) -> None:
    for key in values if keys is None else keys:
        _add(prefix + key, partial(values.get, key), found)


def _add_owner(name: str, owner: Any, found: _Found) -> None:
    """Add an object whose method is called: its attributes, if it has them by name."""
    if is_module(owner) or not hasattr(owner, "__dict__"):
        _add(name, lambda: owner, found)
    else:
        _add_all(vars(owner), f"{name}.", found, list(vars(owner)))


def _states(held: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    return {name: _state(read()) for name, read in held.items()}


class _Checksum:
    """A file that keeps a checksum of what is written to it."""

    value = 0

    def write(self, data: Any) -> None:
        self.value = zlib.crc32(data, self.value)


def _state(value: Any) -> Any:
    """Return something that differs when a value does."""
    if hasattr(value, "get_state") and not isinstance(value, np.random.RandomState):
        return bytes(value.get_state().numpy().tobytes())  # a generator of PyTorch
    if isinstance(value, jax.Array) and jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    checksum = _Checksum()
    try:
        pickle.Pickler(checksum, 5).dump(value)
    except Exception:  # whatever cannot be pickled; its text may say what it is
        return repr(value)
    return checksum.value


def _generators() -> dict[str, Any]:
    """Return the states of the generators that all code shares."""
    states = {"np.random": _state(np.random.get_state())}
    states["Python's random"] = _state(random.getstate())
    torch = sys.modules.get("torch")
    if torch is not None:
        states["PyTorch's generator"] = _state(torch.random.get_rng_state().numpy())
    return states


def _drawing(module: Any) -> str | None:
    """Name the part of a module of PyTorch that draws in training mode, if one does."""
    for name, part in module.named_modules():
        kind = type(part).__name__
        probability = getattr(part, "p", getattr(part, "dropout", 0.0))
        draws = isinstance(probability, float) and probability > 0
        if part.training and draws and any(word in kind for word in DRAWING):
            return f"{name} ({kind})" if name else kind
    return None
