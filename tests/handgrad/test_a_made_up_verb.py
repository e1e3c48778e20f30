"""What the judge is not asked for yet is a claim, and judged as all others are."""

from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.check import report_on
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case
from handgrad.judging.options import How
from handgrad.judging.vectors.cases import OF_HESSIAN, OfFunction
from handgrad.judging.vectors.functions import VectorFunction


@dataclass(frozen=True, eq=False)
class Diagonal(OfFunction):
    """The diagonal of a Hessian: the gradient of Σ c·Hᵢᵢ by c."""

    order, own_points, is_linear, extra_argument = 2, True, True, 0
    given: Point

    def loss(self) -> Any:
        return lambda c, x: (c * (self.f.hessian(x, ()) * np.eye(self.f.x.size)).sum(0)).sum()

    def of_caller(self, given: Point) -> Point:
        return self.given.at(given.inputs[0], ())

    def varied(self, given: Point, moved: Point) -> Point:
        return replace(given, inputs=(moved.params,))


def check_diagonal(diagonal: Any, loss: Any, x: np.ndarray, points: int) -> Any:
    given = point_at(x, (), Names("x"))
    claim = Diagonal(VectorFunction.of(loss, given, "loss"), given)
    case = Case(lambda _, x: diagonal(x), claim.loss(), claim=claim, wording=OF_HESSIAN)
    return report_on(case, point_at(np.ones_like(x), (x,), Names("diagonal")), How(points))


X = np.array([0.5, -1.0, 2.0, 0.25])


def in_jax(x: Any) -> Any:
    return jnp.sum(jnp.exp(x) * x[::-1] ** 2)


def in_numpy(x: Any) -> Any:
    return np.sum(np.exp(x) * x[::-1] ** 2)


def by_hand(x: Any) -> Any:
    return np.exp(x) * x[::-1] ** 2 + 2 * np.exp(x[::-1])


@pytest.mark.parametrize("loss", [in_jax, in_numpy])
def test_the_diagonal_of_a_hessian(loss: Any) -> None:
    right = check_diagonal(by_hand, loss, X, 3)
    assert (right.verdict, right.certified, right.points) == ("agree", True, 4)
    once = check_diagonal(lambda x: by_hand(x) - np.exp(x[::-1]), loss, X, 3)
    assert once.verdict == "disagree"
    near = check_diagonal(lambda x: by_hand(x) * (1 + 1e-11), loss, X, 3)
    assert near.verdict == "disagree"
    assert "diagonal: 4 of 4 elements" in near.headline
