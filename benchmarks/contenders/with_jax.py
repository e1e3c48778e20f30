"""The ways to call a compiled JAX program: `jit`, ahead of time, with NumPy arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import names
from benchmarks.ready import Leaves, Ready, ahead_of_time, from_host, jitted, leaves


@dataclass(frozen=True)
class Program:
    """A function for JAX to compile, and what it is given."""

    function: Callable[..., Any]
    arguments: Sequence[Any]
    read: Callable[[Any], Leaves] = leaves  #: turns an answer into arrays

    def jitted(self) -> Ready:
        """Under `jax.jit`, with arguments that are on the device."""
        return jitted(self.function, self.arguments, read=self.read)

    def ahead_of_time(self) -> Ready:
        """Compiled before it is called."""
        return ahead_of_time(self.function, self.arguments, read=self.read)

    def from_host(self) -> Ready:
        """Under `jax.jit`, handed NumPy arrays."""
        return from_host(self.function, self.arguments, read=self.read)


def call_variants(of: Callable[[Any], Program]) -> dict[str, Callable[[Any], Ready]]:
    """To call the program that JAX derives from a problem."""
    return {
        names.GRAD: lambda problem: of(problem).jitted(),
        names.GRAD_AOT: lambda problem: of(problem).ahead_of_time(),
        names.FROM_HOST: lambda problem: of(problem).from_host(),
    }
