"""The ways to a network's loss and gradient."""

from collections.abc import Callable
from typing import Any

import manual.network
from benchmarks import names
from benchmarks.contenders import c_program
from benchmarks.contenders.derivatives import central_differences, forward_mode
from benchmarks.contenders.peers.ways import TO_NETWORK
from benchmarks.contenders.with_jax import Program, ways
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Ready, Unavailable, jitted
from manual.article import Parameters


def hand_numpy(problem: NetworkProblem) -> Ready:
    """The hand lines on NumPy arrays."""
    run, arguments = problem.by_hand, problem.arguments
    return Ready(lambda: run(*arguments))


def hand_jit(problem: NetworkProblem) -> Ready:
    """The very same lines under `jax.jit`."""
    return jitted(problem.by_hand, problem.arguments)


def with_jax(problem: NetworkProblem) -> Program:
    """`jax.value_and_grad` of the same loss."""
    return Program(problem.value_and_grad, problem.arguments)


def forward(problem: NetworkProblem) -> Ready:
    """Forward mode."""
    params, *inputs = problem.arguments
    return forward_mode(problem.loss, params, inputs)


def differences(problem: NetworkProblem) -> Ready:
    """Central differences."""
    params, *inputs = problem.arguments

    def exact(params: Any, *inputs: Any) -> Any:
        return manual.network.loss(problem.network, params, *inputs)

    return central_differences(problem.loss, exact, params, inputs)


def in_c(problem: NetworkProblem) -> Ready:
    """The C program, which knows the article's network only."""
    network = problem.network
    form = (network.sizes, network.activation, network.output, network.loss, network.l2)
    if form != ((2, 2, 1), "sigmoid", "sigmoid", "mse", 0.0):
        raise Unavailable("the C program has the 2-2-1 sigmoid network only")
    (w, b), (v, c) = problem.params
    params = Parameters(
        w1=w[0, 0], w2=w[1, 0], w3=w[0, 1], w4=w[1, 1], w5=v[0, 0], w6=v[1, 0],
        b1=b[0], b2=b[1], b3=c[0],
    )  # fmt: skip
    ready = c_program.loss_and_gradient("mean", params, problem.x, problem.y[:, 0])
    return Ready(ready.run, read=lambda answer: c_program.layered(ready.read(answer)))


CONTENDERS: dict[str, Callable[[NetworkProblem], Ready]] = {
    names.HAND: hand_numpy,
    names.HAND_JIT: hand_jit,
    **ways(with_jax),
    names.FORWARD: forward,
    names.DIFFERENCES: differences,
    names.C: in_c,
    **TO_NETWORK,
}
