"""Other libraries' ways to the loss and the gradient of the article's network."""

from collections.abc import Callable

from benchmarks import names
from benchmarks.contenders.peers import (
    hips_autograd,
    micrograd_values,
    mygrad_tensors,
    pytorch,
    scikit_learn,
)
from benchmarks.contenders.peers.operations import of_article
from benchmarks.problems.article import ArticleProblem
from benchmarks.ready import Ready


def torch_eager(problem: ArticleProblem) -> Ready:
    """PyTorch."""
    return pytorch.eager(of_article(problem, pytorch.operations()))


def torch_compiled(problem: ArticleProblem) -> Ready:
    """PyTorch, compiled."""
    return pytorch.compiled(of_article(problem, pytorch.operations()))


def autograd(problem: ArticleProblem) -> Ready:
    """HIPS autograd."""
    return hips_autograd.value_and_gradient(of_article(problem, hips_autograd.operations()))


def mygrad(problem: ArticleProblem) -> Ready:
    """MyGrad."""
    return mygrad_tensors.value_and_gradient(of_article(problem, mygrad_tensors.operations()))


CONTENDERS: dict[str, Callable[[ArticleProblem], Ready]] = {
    names.TORCH: torch_eager,
    names.TORCH_COMPILED: torch_compiled,
    names.AUTOGRAD: autograd,
    names.MYGRAD: mygrad,
    names.MICROGRAD: micrograd_values.article,
    names.SKLEARN: scikit_learn.article,
}
