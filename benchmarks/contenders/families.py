"""Which ways there are to the loss and the gradient of a problem."""

from collections.abc import Callable
from functools import partial
from typing import Any

import manual.article
from benchmarks import names
from benchmarks.contenders import article, c_program, training
from benchmarks.contenders.derivatives import central_differences, forward_mode
from benchmarks.contenders.peers import hips_autograd, pytorch, scikit_learn
from benchmarks.contenders.peers.operations import of_article, of_network
from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.gradient import GradientProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.problems.problem import Problem
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Program, Ready, Unavailable, called, jitted
from manual.activations import sigmoid_derivative_article

#: Makes something to time of a problem; one that cannot run here, or should not, raises
#: `Unavailable`.
Make = Callable[[Any], Ready]


def hand_numpy(problem: GradientProblem) -> Ready:
    """Run the hand lines on NumPy arrays or scalars."""
    run, arguments = problem.by_hand, problem.arguments
    return Ready(lambda: run(*arguments))


#: The hand lines with σ' = σ(1 - σ), which saves two divisions and loses digits.
SHORT = partial(manual.article.value_and_gradient, derivative=sigmoid_derivative_article)

#: Of any loss and gradient, by hand and by JAX.
GRADIENTS: dict[str, Make] = {
    names.HAND: hand_numpy,
    names.HAND_JIT: lambda problem: jitted(problem.by_hand, problem.arguments),
    **called(lambda problem: Program(problem.value_and_grad, problem.arguments)),
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


def _peers(as_arrays: Callable[..., Any], by_sklearn: Make) -> dict[str, Make]:
    """Return the contenders of other libraries, for problems as `as_arrays` makes them."""
    ways = {
        names.TORCH: (pytorch, pytorch.eager),
        names.TORCH_COMPILED: (pytorch, pytorch.compiled),
        names.AUTOGRAD: (hips_autograd, hips_autograd.value_and_gradient),
    }

    def make(library: Any, differentiate: Callable[[Any], Ready]) -> Make:
        return lambda problem: differentiate(as_arrays(problem, library.operations()))

    return {name: make(*way) for name, way in ways.items()} | {names.SKLEARN: by_sklearn}


FAMILIES: dict[type, dict[str, Make]] = {
    ArticleProblem: {
        **GRADIENTS,
        **{name: _of_one(make) for name, make in ONE.items()},
        names.HAND_JIT_ARTICLE: lambda problem: jitted(SHORT, problem.arguments),
        names.C: c_program.article,
        **_peers(of_article, scikit_learn.article),
    },
    NetworkProblem: {
        **GRADIENTS,
        names.C: c_program.network,
        **_peers(of_network, scikit_learn.network),
    },
    TrainingProblem: training.CONTENDERS,
}


def contenders(problem: Problem) -> dict[str, Make]:
    """Return the contenders for a problem, by name."""
    return FAMILIES[type(problem)]
