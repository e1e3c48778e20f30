"""What a case of a matrix, or of a product with one, has besides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import numpy as np

from handgrad.data.domains.blocks import Block, Side
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.point import Point, alike, vector
from handgrad.data.pytrees import is_real, weighed

#: Makes other code of a function: in `jax.numpy`, or with stand-ins for what it refers to.
Rewriting = Callable[[Callable[..., Any]], Callable[..., Any]]


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
    split: Callable[[Any], list[Any]]  #: a matrix of all results and arguments -> its blocks
    symmetric: bool  #: whether it is a Hessian
    #: Which of the caller's arrays the rows of each block belong to, if it is a Hessian, and which
    #: its columns.
    sides: tuple[tuple[int | None, int], ...]
    derivative: Callable[..., Any]  #: the caller's matrix, of (x, *args)
    #: The case at another point of the caller's, (x, *args), where it may have other shapes.
    again: Callable[[Point], tuple[Any, Point]]
    rewritten: Callable[[Rewriting], Any]  #: returns the case of the function as other code

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

    def tangent(self, domains: Sequence[Domain], given: Point) -> Tangent | None:
        """Return what counts of the blocks at a point, if the caller's arrays are in domains.

        None if that is all of them.
        """
        if not any(domain.projects for domain in domains):
            return None
        leaves = self.of_caller(given).leaves

        def side(k: int | None) -> Side | None:
            return None if k is None or not domains[k].projects else Side(domains[k], leaves[k])

        found = [(side(row), side(column)) for row, column in self.sides]
        blocks = [Block(*both) if any(both) else Domain() for both in found]
        return tangent_of(blocks, given.leaves)


@dataclass(frozen=True, eq=False)
class HessianProduct:
    """A Hessian times the first input, judged as the gradient of the slope along it.

    In domains that input is a tangent.
    """

    notes: ClassVar[tuple[str, ...]] = ()
    loss: Callable[..., Any]  #: the caller's: of (x, *args)
    hessian: Callable[[Any, Sequence[Any]], np.ndarray]  #: (x, args) -> (n, n), in floats
    rewritten: Callable[[Rewriting], Any]  #: returns the case of the loss as other code

    @staticmethod
    def along(domains: Sequence[Domain], given: Point) -> Point:
        """Return a point with the part of the vector that does not leave the domains.

        Unchanged where the arrays are not in them, as one of other lengths cannot be.
        """
        pairs = zip(domains, given.leaves, strict=False)  # none, if none was stated
        if not all(domain.inside(leaf).all() for domain, leaf in pairs):
            return given
        tangent, (v, *others) = tangent_of(domains, given.leaves), given.inputs
        leaves, tree = jax.tree_util.tree_flatten(v)
        shapes = [leaf.shape for leaf in given.leaves]
        if tangent is None or [np.shape(leaf) for leaf in leaves] != shapes:
            return given
        if not all(isinstance(leaf, float) or is_real(leaf) for leaf in leaves):
            return given
        flat = tangent.of_floats(vector([np.asarray(leaf) for leaf in leaves]))
        inside = [
            alike(flat[part].reshape(np.shape(leaf)).astype(np.asarray(leaf).dtype), leaf)
            for leaf, part in zip(leaves, given.parts(), strict=True)
        ]
        return replace(given, inputs=(jax.tree_util.tree_unflatten(tree, inside), *others))

    def called(self, x: Any, _: Any, *args: Any) -> Any:
        """Return what the caller's loss gives at the arguments of a point of this case."""
        return self.loss(x, *args)
