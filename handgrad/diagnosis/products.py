"""The kinds of mistake in a product of a Hessian with a vector."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.clock import OutOfTimeError, limited
from handgrad.data.point import point_at, vector
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.judging import by_differences
from handgrad.judging.black_box import BlackBox

#: (the Hessian, the vector) -> a wrong product.
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: The most parameters of a product whose Hessian is computed.
MOST_PARAMETERS = 32

#: The longest time that these take by differences, in seconds.
SECONDS = 10.0


def products(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose that a product is that of another matrix, or with a part of the vector."""
    case, given = evidence.trial.case, evidence.given
    if case.claim.hessian() is None or given.size > MOST_PARAMETERS:
        return
    projected = case.projected
    try:
        with limited(SECONDS):
            hessians = {id(sample): _hessian(evidence, sample) for sample in evidence.all}
    except OutOfTimeError:
        return
    name, n = given.names.of_input(0), given.size

    def product(change: Callable[[np.ndarray, np.ndarray], np.ndarray], sample: Sample) -> Any:
        return projected(sample.given, change(hessians[id(sample)], _vector(sample)))

    def without(i: int, h: np.ndarray, v: np.ndarray) -> np.ndarray:
        return h @ np.where(np.arange(n) == i, 0, v)

    for i in reversed(range(n)):
        says = f"yours takes {name}{[i]} for 0"
        yield Theory("unknown", says, partial(product, partial(without, i)))
    for says, change in (
        ("the diagonal of the Hessian alone", lambda h, v: np.diag(h) * v),
        ("the upper triangle of the Hessian alone", lambda h, v: np.triu(h) @ v),
        ("the lower triangle of the Hessian alone", lambda h, v: np.tril(h) @ v),
    ):
        yield Theory("unknown", f"yours is the product with {says}", partial(product, change))


def normalised(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose that the vector of a product is divided by its length first: a factor as well."""
    if evidence.trial.case.claim.hessian() is not None:
        says = "yours is the product with v divided by its length"
        yield Theory("factor", says, lambda s: s.exact / np.linalg.norm(_vector(s)))


def _vector(sample: Sample) -> np.ndarray:
    return vector(jax.tree_util.tree_leaves(sample.given.inputs[0]))


def _hessian(evidence: Evidence, sample: Sample) -> np.ndarray:
    claim = evidence.trial.case.claim
    x, *args = claim.own_arguments((sample.given.params, *sample.given.inputs))
    called, hessian = claim.function(), claim.hessian()
    assert called is not None
    assert hessian is not None
    if isinstance(evidence.trial.loss, BlackBox):
        return by_differences.hessian(called, point_at(x, args))
    with jax.enable_x64(True):
        return np.asarray(hessian(x, args), dtype=np.float64)
