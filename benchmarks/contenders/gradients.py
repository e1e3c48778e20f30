"""The contenders that all problems except trainings share, by hand and by JAX."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import names
from benchmarks.contenders.derivatives import central_differences, forward_mode
from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Leaves, Ready, ahead_of_time, from_host, in_numpy, jitted, leaves

GradientProblem = ArticleProblem | NetworkProblem

#: A function for JAX to compile, its arguments, and what turns its answer into arrays.
Program = tuple[Callable[..., Any], Sequence[Any], Callable[[Any], Leaves]]


def call_variants(of: Callable[[Any], Program]) -> dict[str, Callable[[Any], Ready]]:
    """Return the ways to call the JAX program of a problem, by name."""
    return {
        names.GRAD: lambda problem: jitted(*of(problem)),
        names.GRAD_AOT: lambda problem: ahead_of_time(*of(problem)),
        names.FROM_HOST: lambda problem: from_host(*of(problem)),
        names.IN_NUMPY: lambda problem: in_numpy(*of(problem)),
    }


def hand_numpy(problem: GradientProblem) -> Ready:
    """Run the hand lines on NumPy arrays or scalars."""
    run, arguments = problem.by_hand, problem.arguments
    return Ready(lambda: run(*arguments))


def hand_jit(problem: GradientProblem) -> Ready:
    """Compile the same lines with `jax.jit`."""
    return jitted(problem.by_hand, problem.arguments)


def with_jax(problem: GradientProblem) -> Program:
    """Differentiate the same loss by `jax.value_and_grad`."""
    return problem.value_and_grad, problem.arguments, leaves


def forward(problem: GradientProblem) -> Ready:
    """Differentiate by forward mode."""
    params, *inputs = problem.arguments
    return forward_mode(problem.loss, params, inputs)


def differences(problem: GradientProblem) -> Ready:
    """Differentiate by central differences."""
    params, *inputs = problem.arguments
    return central_differences(problem.loss, problem.exact_loss, params, inputs)


GRADIENTS: dict[str, Callable[..., Ready]] = {
    names.HAND: hand_numpy,
    names.HAND_JIT: hand_jit,
    **call_variants(with_jax),
    names.FORWARD: forward,
    names.DIFFERENCES: differences,
}
