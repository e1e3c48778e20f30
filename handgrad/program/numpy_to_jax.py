"""Translate a NumPy loss to `jax.numpy`: the same code, with the modules replaced.

This serves the diagnosis, if the code has the exact gradient in JAX too, and the rerun of a
gradient that lost digits, if it loses as many in JAX. Code that writes into arrays, or needs
floats, cannot be translated.
"""

import importlib
from collections.abc import Callable
from functools import partial, wraps
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import scipy.special

#: Modules, and their counterparts with functions of the same names.
MODULES: dict[ModuleType, ModuleType] = {
    np: jnp,
    np.linalg: jnp.linalg,
    np.fft: jnp.fft,
    scipy: jax.scipy,
    scipy.special: jax.scipy.special,
}


def in_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy a function, and all that it calls, with JAX's modules in place of NumPy's.

    Args:
        function: any object; only plain functions are changed.
    """
    return _Translation().of(function)


def in_jax_with_promotion(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy a function as `in_jax` does; it promotes as NumPy does, however strict JAX is set."""
    code = in_jax(function)

    @wraps(function)
    def in_its_place(*args: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return code(*args)

    return in_its_place


def replaced(function: Callable[..., Any], one: Callable[[Any], Any]) -> Callable[..., Any]:
    """Copy a function, and all that it calls, with other values in place of what it refers to.

    Args:
        function: any object; only plain functions are changed.
        one: returns what takes the place of a value that is no function; itself if nothing does.
    """
    return _Replacement(one).of(function)


class _Translation:
    """Keeps one copy of each function, so that the copies call each other."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """Return the replacement of a value that a function refers to."""
        if isinstance(value, ModuleType):
            if value.__name__ == "scipy.stats":  # which takes a second to load
                return importlib.import_module("jax.scipy.stats")
            return MODULES.get(value, value)
        if isinstance(value, FunctionType):
            return self._function(value) if _is_own(value) else value
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
        # The original is kept alive, so that its id is not reused.
        self.made[id(function)] = function, copy
        for name in _names(function.__code__):
            if name in variables or name == "float":
                variables[name] = self.of(variables.get(name, float))
        for cell, old in zip(copy.__closure__ or (), function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(old.cell_contents)
            except ValueError:
                continue  # a closure variable without a value yet
        return copy


class _Replacement(_Translation):
    """The same with other values."""

    def __init__(self, one: Callable[[Any], Any]) -> None:
        super().__init__()
        self._one = one

    def of(self, value: Any) -> Any:
        """Return the replacement of a value that a function refers to."""
        own = isinstance(value, FunctionType) and _is_own(value)
        through = own or isinstance(value, MethodType | partial)
        return super().of(value) if through else self._one(value)


def _names(code: CodeType) -> set[str]:
    """Return the names that code uses, those of nested functions included."""
    within = [_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*within)


def _is_own(function: FunctionType) -> bool:
    """Tell whether a function may refer to NumPy: one not of NumPy, SciPy or JAX."""
    module = (function.__module__ or "").partition(".")[0]
    return module not in ("numpy", "scipy", "jax")


def _of_numpy(value: Any) -> bool:
    return callable(value) and str(getattr(value, "__module__", "")).startswith(("numpy", "scipy"))


def _counterpart(value: Any) -> Any:
    """Return the function of the same name in JAX's module; itself if there is none."""
    name = getattr(value, "__name__", "")
    for module, counterpart in MODULES.items():
        if getattr(module, name, None) is value:
            return getattr(counterpart, name, value)
    return value
