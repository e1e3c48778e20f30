"""Copies of functions, and of all that they call, which refer to other values."""

from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any


class Copies:
    """Keeps one copy of each function, so that the copies call each other.

    Args:
        changed: (a value that a function refers to by a name or a default) -> what its copy refers
            to. Plain functions, methods and partial functions are copied before they get there.
    """

    def __init__(self, changed: Callable[[Any], Any]) -> None:
        self._change = changed
        self._made: dict[int, tuple[Any, Any]] = {}
        self.differ = False  #: whether some value was replaced

    def of(self, value: Any) -> Any:
        """Return the copy of a function, or the replacement of another value."""
        if isinstance(value, FunctionType):
            return self._function(value) if _is_own(value) else self._changed(value)
        if isinstance(value, MethodType):
            return MethodType(self.of(value.__func__), value.__self__)
        if isinstance(value, partial):
            named = {name: self.of(of) for name, of in value.keywords.items()}
            return partial(self.of(value.func), *map(self.of, value.args), **named)
        return self._changed(value)

    def _changed(self, value: Any) -> Any:
        changed = self._change(value)
        self.differ |= changed is not value
        return changed

    def _function(self, function: FunctionType) -> FunctionType:
        if id(function) in self._made:
            return self._made[id(function)][1]
        variables = dict(function.__globals__)
        copy = FunctionType(
            function.__code__,
            variables,
            function.__name__,
            None,
            tuple(CellType() for _ in function.__closure__ or ()),
        )
        # The original is kept alive, so that its id is not reused.
        self._made[id(function)] = function, copy
        copy.__defaults__ = tuple(map(self.of, function.__defaults__ or ())) or None
        named = function.__kwdefaults__ or {}
        copy.__kwdefaults__ = {name: self.of(of) for name, of in named.items()} or None
        for name in _names(function.__code__) & variables.keys():
            variables[name] = self.of(variables[name])
        for cell, old in zip(copy.__closure__ or (), function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(old.cell_contents)
            except ValueError:
                continue  # a closure variable without a value yet
        return copy


def _names(code: CodeType) -> set[str]:
    """Return the names that code uses, those of nested functions included."""
    within = [_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*within)


def _is_own(function: FunctionType) -> bool:
    """Tell whether a function may refer to the caller's data: one not of NumPy, SciPy or JAX."""
    module = (function.__module__ or "").partition(".")[0]
    return module not in ("numpy", "scipy", "jax")
