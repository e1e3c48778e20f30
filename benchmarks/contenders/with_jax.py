"""The ways to call a compiled JAX program: `jit`, ahead of time, with NumPy arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import names
from benchmarks.ready import Leaves, Ready, ahead_of_time, from_host, jitted, leaves


@dataclass(frozen=True)
class Program:
    """A function for JAX to compile, and its arguments."""

    function: Callable[..., Any]
    arguments: Sequence[Any]
    read: Callable[[Any], Leaves] = leaves  #: turns an answer into arrays

    def jitted(self) -> Ready:
        """Prepare it under `jax.jit`, with arguments on the device."""
        return jitted(self.function, self.arguments, read=self.read)

    def ahead_of_time(self) -> Ready:
        """Prepare it compiled ahead of time."""
        return ahead_of_time(self.function, self.arguments, read=self.read)

    def from_host(self) -> Ready:
        """Prepare it under `jax.jit`, with NumPy arrays as arguments."""
        return from_host(self.function, self.arguments, read=self.read)


def call_variants(of: Callable[[Any], Program]) -> dict[str, Callable[[Any], Ready]]:
    """Return the contenders that call the JAX program of a problem, by name."""
    return {
        names.GRAD: lambda problem: of(problem).jitted(),
        names.GRAD_AOT: lambda problem: of(problem).ahead_of_time(),
        names.FROM_HOST: lambda problem: of(problem).from_host(),
    }
