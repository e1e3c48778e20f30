"""How JAX computes what is judged, and how XLA compiles what runs for a moment, or for hours.

JAX is imported where it computes: training by hand does without.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def judged() -> Iterator[None]:
    """Enable 64 bits, and full float32 precision of matrix products on a GPU.

    Arrays keep their dtype.
    """
    import jax

    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that this version of XLA has: they come and go.

    JAX starts with it, if it has not.
    """
    import jax

    def has(some: Mapping[str, Any]) -> bool:
        try:
            jax.jit(lambda: 0, compiler_options=dict(some)).lower().compile()
        except jax.errors.JaxRuntimeError:
            return False
        return True

    if has(options):
        return dict(options)
    return {name: value for name, value in options.items() if has({name: value})}


@cache
def _quickly() -> dict[str, Any]:
    # Each part of a program that is compiled by itself takes time of its own.
    options = {
        "xla_backend_optimization_level": 0,
        "xla_cpu_parallel_codegen_split_count": 1,
        "xla_cpu_use_fusion_emitters": False,
    }
    return known(options)


def compiled_quickly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for little use: in a fifth of the time, and it runs for longer."""
    import jax

    made = cache(lambda: jax.jit(function, compiler_options=_quickly()))
    return lambda *args: made()(*args)
