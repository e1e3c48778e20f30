"""Other libraries' ways to a network's loss and gradient."""

from collections.abc import Callable

from benchmarks import names
from benchmarks.contenders.peers import (
    hips_autograd,
    micrograd_values,
    mygrad_tensors,
    pytorch,
    scikit_learn,
)
from benchmarks.contenders.peers.operations import of_network
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Ready


def torch_eager(problem: NetworkProblem) -> Ready:
    """PyTorch."""
    return pytorch.eager(of_network(problem, pytorch.operations()))


def torch_compiled(problem: NetworkProblem) -> Ready:
    """PyTorch, compiled."""
    return pytorch.compiled(of_network(problem, pytorch.operations()))


def autograd(problem: NetworkProblem) -> Ready:
    """HIPS autograd."""
    return hips_autograd.value_and_gradient(of_network(problem, hips_autograd.operations()))


def mygrad(problem: NetworkProblem) -> Ready:
    """MyGrad."""
    return mygrad_tensors.value_and_gradient(of_network(problem, mygrad_tensors.operations()))


CONTENDERS: dict[str, Callable[[NetworkProblem], Ready]] = {
    names.TORCH: torch_eager,
    names.TORCH_COMPILED: torch_compiled,
    names.AUTOGRAD: autograd,
    names.MYGRAD: mygrad,
    names.MICROGRAD: micrograd_values.network,
    names.SKLEARN: scikit_learn.network,
}
