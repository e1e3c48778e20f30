"""Which ways there are to the loss and the gradient of a problem."""

from collections.abc import Callable
from functools import partial
from typing import Any

import manual.article
from benchmarks import names
from benchmarks.contenders import article, c_program
from benchmarks.contenders.derivatives import central_differences, forward_mode
from benchmarks.contenders.peers import hips_autograd, pytorch, scikit_learn
from benchmarks.contenders.peers.operations import of_article, of_network
from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.problems.training import Problem, TrainingProblem
from benchmarks.ready import Ready, Unavailable, called, jitted, leaves
from manual.activations import sigmoid_derivative_article

#: Makes something to time of a problem; one that cannot run here, or should not, raises
#: `Unavailable`.
Make = Callable[[Any], Ready]

#: The hand lines with σ' = σ(1 - σ), which saves two divisions and loses digits.
SHORT = partial(manual.article.value_and_gradient, derivative=sigmoid_derivative_article)

#: Of any loss and gradient, by hand and by JAX.
GRADIENTS: dict[str, Make] = {
    names.HAND: lambda problem: Ready(partial(problem.by_hand, *problem.arguments)),
    names.HAND_JIT: lambda problem: jitted(problem.by_hand, problem.arguments),
    **called(lambda problem: (problem.value_and_grad, problem.arguments, leaves)),
    names.FORWARD: forward_mode,
    names.DIFFERENCES: central_differences,
}


def _of_one(make: Make) -> Make:
    """Restrict a contender to one network with one sample."""

    def made(problem: ArticleProblem) -> Ready:
        if problem.y.ndim:
            raise Unavailable("it takes one network with one sample at a time")
        return make(problem)

    return made


#: Of one network of the article's, with one sample.
ONE: dict[str, Make] = {
    names.ARTICLE: article.article_lines,
    names.FLOATS: article.hand_floats,
    names.PUBLIC: article.public,
    names.FORWARD: forward_mode,
    names.DIFFERENCES: central_differences,
}

#: Of other libraries: the module with their operations, and what differentiates.
PEERS: dict[str, tuple[Any, Make]] = {
    names.TORCH: (pytorch, pytorch.eager),
    names.TORCH_COMPILED: (pytorch, pytorch.compiled),
    names.AUTOGRAD: (hips_autograd, hips_autograd.value_and_gradient),
}


def _peers(as_arrays: Callable[..., Any]) -> dict[str, Make]:
    """Return the contenders of other libraries, for problems as `as_arrays` makes them."""

    def made(library: Any, differentiate: Make) -> Make:
        return lambda problem: differentiate(as_arrays(problem, library.operations()))

    return {name: made(*way) for name, way in PEERS.items()}


FAMILIES: dict[type, dict[str, Make]] = {
    ArticleProblem: {
        **GRADIENTS,
        **{name: _of_one(make) for name, make in ONE.items()},
        names.HAND_JIT_ARTICLE: lambda problem: jitted(SHORT, problem.arguments),
        names.C: c_program.article,
        **_peers(of_article),
    },
    NetworkProblem: {
        **GRADIENTS,
        names.C: c_program.network,
        **_peers(of_network),
        names.SKLEARN: scikit_learn.network,
    },
    TrainingProblem: article.TRAINING,
}


def contenders(problem: Problem) -> dict[str, Make]:
    """Return the contenders for a problem, by name."""
    return FAMILIES[type(problem)]
