"""The libraries' contenders, by family of problems."""

from collections.abc import Callable
from typing import Any

from benchmarks import names
from benchmarks.contenders.peers import hips_autograd, pytorch, scikit_learn
from benchmarks.contenders.peers.operations import ArrayProblem, Operations, of_article, of_network
from benchmarks.ready import Ready

Make = Callable[[Any], Ready]


def _with_arrays(as_arrays: Callable[[Any, Operations], ArrayProblem]) -> dict[str, Make]:
    """Build the contenders of libraries that differentiate any function of arrays."""

    def contender(library: Any, differentiate: Callable[[ArrayProblem], Ready]) -> Make:
        return lambda problem: differentiate(as_arrays(problem, library.operations()))

    return {
        names.TORCH: contender(pytorch, pytorch.eager),
        names.TORCH_COMPILED: contender(pytorch, pytorch.compiled),
        names.AUTOGRAD: contender(hips_autograd, hips_autograd.value_and_gradient),
    }


#: For the article's network with nine named scalars.
TO_ARTICLE: dict[str, Make] = {**_with_arrays(of_article), names.SKLEARN: scikit_learn.article}

#: For a network of any shape.
TO_NETWORK: dict[str, Make] = {**_with_arrays(of_network), names.SKLEARN: scikit_learn.network}
