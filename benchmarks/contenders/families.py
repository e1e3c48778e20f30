"""Which ways there are to the loss and the gradient of a problem."""

from collections.abc import Callable
from typing import Any

from benchmarks.contenders import article, network, training
from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.problems.problem import Problem
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Ready

#: Makes something to time of a problem; one that cannot run here, or should not, raises
#: `Unavailable`.
Make = Callable[[Any], Ready]

FAMILIES: dict[type, dict[str, Make]] = {
    ArticleProblem: article.CONTENDERS,
    NetworkProblem: network.CONTENDERS,
    TrainingProblem: training.CONTENDERS,
}


def contenders(problem: Problem) -> dict[str, Make]:
    """Return the contenders for a problem, by name."""
    return FAMILIES[type(problem)]
