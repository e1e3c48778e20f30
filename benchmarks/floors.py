"""The parts of the floor, to be timed like contenders: calls, matrix products, bytes.

What they add up to is `benchmarks.analysis.floors`.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks import names
from benchmarks.contenders.ready import Ready, jitted
from benchmarks.problems.problem import Problem
from benchmarks.results import JAX

#: Sums of so few terms are written out by a compiler, and come for less than any library's product.
WRITTEN_OUT = 2


def empty_call(problem: Problem) -> Ready:  # noqa: ARG001 (the form of every floor)
    """A Python function that does nothing."""
    return Ready(lambda: None)


def identity(problem: Problem) -> Ready:
    """A jitted identity on the arguments: what calling a compiled program costs."""
    return jitted(lambda *arguments: arguments[0], problem.arguments)


def _operands(problem: Problem) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Random factors of every product, and room for it; transposed as the chain rule has them.

    The second kind of product, xᵀ·dz, has its left factor transposed, and the third, dz·wᵀ, its
    right one; libraries read these as they lie.
    """
    rng, dtype = np.random.default_rng(1), jax.tree.leaves(problem.arguments)[0].dtype
    layers = (len(problem.products) + 1) // 3
    made = []
    for at, (m, k, n) in enumerate(problem.products):
        left = rng.normal(size=(k, m) if layers <= at < 2 * layers else (m, k)).astype(dtype)
        right = rng.normal(size=(n, k) if at >= 2 * layers else (k, n)).astype(dtype)
        left = left.T if layers <= at < 2 * layers else left
        made.append((left, right.T if at >= 2 * layers else right, np.empty((m, n), dtype)))
    return made


def products_numpy(problem: Problem) -> Ready:
    """Every matrix product of one loss and gradient, into arrays that are there already."""
    operands = _operands(problem)

    def run() -> None:
        for left, right, room in operands:
            np.matmul(left, right, out=room)

    return Ready(run)


def products_jit(problem: Problem) -> Ready:
    """The same as one compiled program, which is given the arrays of its last answer to reuse."""
    operands = _operands(problem)
    factors = jax.device_put([_as_they_lie(left, right) for left, right, _ in operands])
    turned = [(left.flags.c_contiguous, right.flags.c_contiguous) for left, right, _ in operands]

    def multiply(factors: Any, rooms: Any) -> Any:
        del rooms  # donated: the answer is written there
        return [
            (left if straight else left.T) @ (right if upright else right.T)
            for (left, right), (straight, upright) in zip(factors, turned, strict=True)
        ]

    program = jax.jit(multiply, donate_argnums=1, keep_unused=True)
    state = [jax.device_put([room for _, _, room in operands])]

    def run() -> None:
        state[0] = jax.block_until_ready(program(factors, state[0]))

    return Ready(run, called=JAX)


def _as_they_lie(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two factors as they lie in memory."""
    return tuple(a if a.flags.c_contiguous else a.T for a in (left, right))  # type: ignore[return-value]


def memory_numpy(problem: Problem) -> Ready:
    """As many bytes as the arguments and the answer have, half of them read and half written."""
    source = np.zeros(max(problem.moved // 2, 1), np.uint8)
    room = np.empty_like(source)
    return Ready(lambda: np.copyto(room, source))


def memory_jit(problem: Problem) -> Ready:
    """The same by a compiled program, which is given the array of its last answer to reuse."""
    source = jax.device_put(np.zeros(max(problem.moved // 8, 1), np.float32))
    program = jax.jit(lambda source, room: -source, donate_argnums=1, keep_unused=True)
    state = [jax.device_put(np.empty(source.shape, np.float32))]

    def run() -> None:
        state[0] = jax.block_until_ready(program(source, state[0]))

    return Ready(run, called=JAX)


def transfer(problem: Problem) -> Ready:
    """The arguments from NumPy to the device, and as much as the gradient back."""
    arguments = problem.arguments

    def run() -> Any:
        given = jax.block_until_ready(jax.device_put(arguments))
        return jax.device_get(given[0])

    return Ready(run, called=JAX)


def floors(problem: Problem, device: str) -> dict[str, Callable[[Any], Ready]]:
    """Those that say something of a problem on a device, by name.

    NumPy computes in the processor's memory, which is no floor for another device.
    """
    made: dict[str, Callable[[Any], Ready]] = {
        names.EMPTY_CALL: empty_call,
        names.IDENTITY: identity,
        names.MEMORY["jax.jit"]: memory_jit,
    }
    by_library = any(min(product) > WRITTEN_OUT for product in problem.products)
    if by_library:
        made[names.PRODUCTS["jax.jit"]] = products_jit
    if device == "gpu":
        made[names.TRANSFER] = transfer
    else:
        made[names.MEMORY["NumPy"]] = memory_numpy
        if by_library:
            made[names.PRODUCTS["NumPy"]] = products_numpy
    return made
