"""What a case of a matrix, or of a product with one, has besides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from handgrad.data.point import Point
from handgrad.data.pytrees import weighed


@dataclass(frozen=True, eq=False)
class Matrix:
    """A Jacobian or Hessian, which is judged as the gradient of Σ U·J by U."""

    notes: ClassVar[tuple[str, ...]] = ()
    function: Callable[..., Any]  #: the caller's, whose derivative it is: of (x, *args)
    given: Point  #: the caller's: (x, *args)
    #: (x, args) -> a scalar of the function's values, and the blocks of the matrix, on any numbers.
    values: Callable[[Any, Sequence[Any]], tuple[Any, list[Any]]]
    value: Callable[[Any, Sequence[Any]], Any]  #: the same scalar alone
    matrix: Callable[[Any, Sequence[Any]], list[Any]]  #: the same blocks alone
    symmetric: bool  #: whether it is a Hessian
    #: (x, args) -> what may be its Gauss-Newton approximation, if it is one, in floats.
    approximations: Callable[[Any, Sequence[Any]], list[np.ndarray]]
    #: Which elements a sparse answer stores, if it is one: a single entry.
    structures: dict[bytes, np.ndarray]

    def with_matrix(self, u: Any, x: Any, *args: Any) -> tuple[Any, list[Any]]:
        """Return Σ U·J, and J."""
        blocks = self.matrix(x, args)
        return weighed(u, blocks), blocks

    def called(self, _: Any, x: Any, *args: Any) -> Any:
        """Return what the caller's function gives at the arguments of a point of this case."""
        return self.function(x, *args)

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the arguments of one of this case."""
        x, *args = given.inputs
        return self.given.at(x, args)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of this case at other arguments."""
        return replace(given, inputs=(moved.params, *moved.inputs))


@dataclass(frozen=True, eq=False)
class HessianProduct:
    """A Hessian times the first input, judged as the gradient of the slope along it."""

    notes: ClassVar[tuple[str, ...]] = ()
    loss: Callable[..., Any]  #: the caller's: of (x, *args)
    #: (x, args) -> the Hessian, shape (n, n), in floats; and what may approximate it.
    hessian: Callable[[Any, Sequence[Any]], np.ndarray]
    approximations: Callable[[Any, Sequence[Any]], list[np.ndarray]]

    def called(self, x: Any, _: Any, *args: Any) -> Any:
        """Return what the caller's loss gives at the arguments of a point of this case."""
        return self.loss(x, *args)
