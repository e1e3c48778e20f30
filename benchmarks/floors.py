"""The parts of the floor, timed like contenders: calls, matrix products, bytes.

`benchmarks.analysis` adds them up.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks import names
from benchmarks.problems.gradient import GradientProblem
from benchmarks.problems.training import Problem
from benchmarks.ready import Ready, jitted
from benchmarks.results import JAX

#: Sums of so few terms are unrolled by a compiler, and cost less than any library's product.
WRITTEN_OUT = 2


def identity(problem: Problem) -> Ready:
    """Time a jitted identity on the arguments' pytree: the cost of calling a compiled program.

    Its leaves have one element each. A program's result never shares its argument's memory, so
    leaves of full size would be copied, which belongs to another part of the floor.
    """
    arrays = jax.tree.map(np.asarray, problem.arguments)
    small = jax.tree.map(lambda leaf: np.zeros((1,) * leaf.ndim, leaf.dtype), arrays)
    return jitted(lambda *arguments: arguments[0], small)


def layers(problem: GradientProblem) -> list[tuple[Any, Any, Any]]:
    """Draw inputs, weights and ∂L/∂z of every layer, in the problem's dtype.

    The three products of a layer share them, as in a network: x·w, then xᵀ·dz, then dz·wᵀ.
    """
    rng = np.random.default_rng(1)
    forward = problem.products[: (len(problem.products) + 1) // 3]

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(problem.dtype)

    return [(drawn(m, k), drawn(k, n), drawn(m, n)) for m, k, n in forward]


def factors(made: list[tuple[Any, Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the factors of every product of one loss and gradient, in order of computation."""
    forward = [(x, w) for x, w, _ in made]
    backward = [pair for x, w, dz in reversed(made) for pair in ((x.T, dz), (dz, w.T))]
    return forward + backward[:-1]  # the first layer's inputs need no derivative


def products_numpy(pairs: list[tuple[Any, Any]]) -> Ready:
    """Time matrix products in NumPy, into existing arrays."""
    rooms = [left @ right for left, right in pairs]

    def run() -> list[np.ndarray]:
        for (left, right), room in zip(pairs, rooms, strict=True):
            np.matmul(left, right, out=room)
        return rooms

    return Ready(run)


def products_jit(problem: GradientProblem) -> Ready:
    """Time the products as one compiled program, which reuses the arrays of its last result."""
    made = layers(problem)

    def multiply(made: Any, rooms: Any) -> Any:
        del rooms  # donated: the answer is written there
        return [left @ right for left, right in factors(made)]

    rooms = [np.empty((left.shape[0], right.shape[1]), left.dtype) for left, right in factors(made)]
    return _reusing(multiply, made, rooms)


def memory_jit(problem: Problem) -> Ready:
    """Time the copy by a compiled program, which reuses the array of its last result."""
    source = np.ones(max(problem.moved // 8, 1), np.float32)

    def copy(source: Any, room: Any) -> Any:
        del room  # donated: the answer is written there
        return -source

    return _reusing(copy, source, np.ones_like(source))


def _reusing(program: Callable[..., Any], given: Any, room: Any) -> Ready:
    """Prepare a compiled program whose second argument is its last result."""
    run, given = jax.jit(program, donate_argnums=1, keep_unused=True), jax.device_put(given)
    state = [jax.device_put(room)]

    def again() -> Any:
        state[0] = jax.block_until_ready(run(given, state[0]))
        return state[0]

    return Ready(again, called=JAX)


def transfer(problem: Problem) -> Ready:
    """Time moving the arguments to the device, and as many bytes as the gradient back."""
    arguments = problem.arguments

    def run() -> Any:
        given = jax.block_until_ready(jax.device_put(arguments))
        return jax.device_get(given[0])

    return Ready(run, called=JAX)


def floors(problem: Problem, device: str) -> dict[str, Callable[[Any], Ready]]:
    """Return the floors that apply to a problem on a device, by name.

    NumPy uses the processor's memory, so it is no floor for another device.
    """
    made: dict[str, Callable[[Any], Ready]] = {
        names.EMPTY_CALL: lambda _: Ready(lambda: None),
        names.IDENTITY: identity,
        names.MEMORY["jax.jit"]: memory_jit,
    }
    by_library = any(min(product) > WRITTEN_OUT for product in problem.products)
    if by_library:
        made[names.PRODUCTS["jax.jit"]] = products_jit
    if device == "gpu":
        return made | {names.TRANSFER: transfer}

    def copied(count: int) -> Ready:
        # Ones, not zeros: pages that were never written share one page, which is not really read.
        source, room = (np.ones(count, np.uint8) for _ in range(2))
        return Ready(lambda: np.copyto(room, source))

    def calls(problem: GradientProblem) -> Ready:
        one = np.ones((1, 1), problem.dtype)
        return products_numpy([(one, one)] * len(problem.products))

    # Half of the bytes that arguments and result have are read, half are written.
    made[names.MEMORY["NumPy"]] = lambda problem: copied(max(problem.moved // 2, 1))
    made[names.MEMORY_CALL] = lambda _: copied(1)
    if by_library:
        made[names.PRODUCTS["NumPy"]] = lambda problem: products_numpy(factors(layers(problem)))
        made[names.PRODUCTS_CALLS] = calls
    return made
