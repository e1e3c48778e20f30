"""Which ways there are to the loss and the gradient of a problem."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

import manual.article
from benchmarks import names
from benchmarks.contenders import article, c_program
from benchmarks.contenders.derivatives import central_differences, forward_mode
from benchmarks.contenders.peers import PEERS, scikit_learn
from benchmarks.problems.gradient import ArticleProblem, NetworkProblem
from benchmarks.problems.training import Problem, TrainingProblem
from benchmarks.ready import Leaves, Ready, jitted, leaves
from benchmarks.results import JAX
from manual.activations import sigmoid_derivative, sigmoid_derivative_article

#: Makes something to time of a problem; one that cannot run here, or should not, raises
#: `Unavailable`.
Make = Callable[[Any], Ready]

#: The hand lines with σ' = σ(1 - σ), which saves two divisions and loses digits.
SHORT = partial(manual.article.value_and_gradient, derivative=sigmoid_derivative_article)


def _from_host(
    finish: Callable[[Any], Any],
    function: Callable[..., Any],
    arguments: Sequence[Any],
    read: Callable[[Any], Leaves],
) -> Ready:
    """Prepare a function under `jax.jit` that gets NumPy arrays in every call."""
    run, given = jax.jit(function), tuple(arguments)
    return Ready(lambda: finish(run(*given)), read, JAX)


#: The ways to call a function by JAX, by the name of the row.
CALLS: dict[str, Callable[..., Ready]] = {
    names.GRAD: jitted,
    names.GRAD_AOT: partial(jitted, ahead=True),
    names.FROM_HOST: partial(_from_host, jax.block_until_ready),
    # `jax.device_get` takes three times as long for ten numbers.
    names.IN_NUMPY: partial(_from_host, partial(jax.tree.map, np.asarray)),
}


def _called(of: Callable[[Any], Sequence[Any]]) -> dict[str, Make]:
    """Return the contenders that call a problem's function, in each of the ways.

    Args:
        of: returns the function, its arguments, and what turns its result into arrays.
    """
    return {name: lambda problem, way=way: way(*of(problem)) for name, way in CALLS.items()}


#: Of any loss and gradient, by hand and by JAX.
GRADIENTS: dict[str, Make] = {
    names.HAND: lambda problem: Ready(partial(problem.by_hand, *problem.arguments)),
    names.HAND_JIT: lambda problem: jitted(problem.by_hand, problem.arguments),
    **_called(lambda problem: (problem.value_and_grad, problem.arguments, leaves)),
    names.FORWARD: forward_mode,
    names.DIFFERENCES: central_differences,
    **PEERS,
}


#: A training returns the parameters after every update, so that the work is the same for all, and
#: every update can be judged.
FAMILIES: dict[type, dict[str, Make]] = {
    ArticleProblem: {
        **GRADIENTS,
        names.ARTICLE: article.article_lines,
        names.FLOATS: article.hand_floats,
        names.PUBLIC: article.public,
        names.HAND_JIT_ARTICLE: lambda problem: jitted(SHORT, problem.arguments),
        names.C: c_program.article,
    },
    NetworkProblem: {**GRADIENTS, names.C: c_program.network, names.SKLEARN: scikit_learn},
    TrainingProblem: {
        names.ARTICLE: article.train_article_lines,
        names.FLOATS: article.train_floats,
        names.HAND: lambda problem: article.train(manual.article.gradient, problem.arguments),
        names.HAND_JIT: partial(article.train_hand_jit, sigmoid_derivative),
        names.HAND_JIT_ARTICLE: partial(article.train_hand_jit, sigmoid_derivative_article),
        **_called(article.in_one_scan),
        names.C: c_program.training,
    },
}


def contenders(problem: Problem) -> dict[str, Make]:
    """Return the contenders for a problem, by name."""
    return FAMILIES[type(problem)]
