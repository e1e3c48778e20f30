"""How XLA compiles what is long and runs for a moment, or runs for hours."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax


def known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that this version of XLA has: they come and go.

    JAX starts with it, if it has not.
    """

    def has(name: str) -> bool:
        program = jax.jit(lambda: 0, compiler_options={name: options[name]})
        try:
            program.lower().compile()
        except jax.errors.JaxRuntimeError:
            return False
        return True

    return {name: options[name] for name in options if has(name)}


@cache
def _quickly() -> dict[str, Any]:
    return known({"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0})


def compiled_quickly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for little use: in a third of the time, and it runs for longer."""
    made = cache(lambda: jax.jit(function, compiler_options=_quickly()))
    return lambda *args: made()(*args)
