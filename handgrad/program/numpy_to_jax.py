"""Translate a NumPy loss to `jax.numpy`: the same code, with the modules replaced.

This serves the diagnosis, if the code has the exact gradient in JAX too, and the rerun of a
gradient that lost digits, if it loses as many in JAX. Code that writes into arrays, or needs
floats, cannot be translated.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import scipy.special

from handgrad.program.copies import Copies

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
    return Copies(_in_jax).of(function)


def _in_jax(value: Any) -> Any:
    """Return the replacement of a value that a function refers to."""
    if isinstance(value, ModuleType):
        return MODULES.get(value, value)
    if isinstance(value, np.ufunc) or _of_numpy(value):
        return _counterpart(value)
    return value


def _of_numpy(value: Any) -> bool:
    return callable(value) and str(getattr(value, "__module__", "")).startswith(("numpy", "scipy"))


def _counterpart(value: Any) -> Any:
    """Return the function of the same name in JAX's module; itself if there is none."""
    name = getattr(value, "__name__", "")
    for module, counterpart in MODULES.items():
        if getattr(module, name, None) is value:
            return getattr(counterpart, name, value)
    return value
