"""A loss in NumPy as it would be in `jax.numpy`: the same lines, which find the other module.

For the diagnosis alone. No verdict rests on it, and a kind only where the lines give the exact
gradient in JAX as well. Lines that write into arrays, or ask for floats, stop it; then there are no
links.
"""

from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import scipy.special

#: Modules, and those that have the same functions by the same names.
MODULES: dict[ModuleType, ModuleType] = {
    np: jnp,
    np.linalg: jnp.linalg,
    np.fft: jnp.fft,
    scipy.special: jax.scipy.special,
}


def in_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with JAX's modules in place of NumPy's, and so all that it calls.

    Args:
        function: anything; what is no plain function stays as it is.
    """
    return _Translation().of(function)


class _Translation:
    """One copy of each function, so that those that call each other do so again."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """What takes the place of a value that a function finds by a name."""
        if isinstance(value, ModuleType):
            return MODULES.get(value, value)
        if isinstance(value, FunctionType):
            return self._function(value) if _of_somebody(value) else value
        if isinstance(value, MethodType):
            return MethodType(self.of(value.__func__), value.__self__)
        if isinstance(value, partial):
            return partial(self.of(value.func), *value.args, **value.keywords)
        if isinstance(value, np.ufunc) or _of_numpy(value):
            return _counterpart(value)
        return value

    def _function(self, function: FunctionType) -> FunctionType:
        if id(function) in self.made:
            return self.made[id(function)][1]
        variables = dict(function.__globals__)
        copy = FunctionType(
            function.__code__,
            variables,
            function.__name__,
            function.__defaults__,
            tuple(CellType() for _ in function.__closure__ or ()),
        )
        copy.__kwdefaults__ = function.__kwdefaults__
        # Kept with what it is a copy of, whose number is not given to another meanwhile.
        self.made[id(function)] = function, copy
        for name in _names(function.__code__) & variables.keys():
            variables[name] = self.of(variables[name])
        for cell, old in zip(copy.__closure__ or (), function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(old.cell_contents)
            except ValueError:
                continue  # a variable that has no value yet
        return copy


def _names(code: CodeType) -> set[str]:
    """The names that some code asks for, and the functions within it."""
    within = [_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*within)


def _of_somebody(function: FunctionType) -> bool:
    """Whether a function may find NumPy by a name: not one of NumPy's, SciPy's or JAX's own."""
    module = (function.__module__ or "").partition(".")[0]
    return module not in ("numpy", "scipy", "jax")


def _of_numpy(value: Any) -> bool:
    return callable(value) and str(getattr(value, "__module__", "")).startswith(("numpy", "scipy"))


def _counterpart(value: Any) -> Any:
    """The function of the same name in JAX's module; itself if there is none."""
    name = getattr(value, "__name__", "")
    for theirs, twins in MODULES.items():
        if getattr(theirs, name, None) is value:
            return getattr(twins, name, value)
    return value
