"""What a case of a matrix, or of a product with one, has besides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import numpy as np

from handgrad.data.domains.domain import Domain, Mask
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.point import Point, alike, slices
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

        None if that is all of them. Of a Hessian these are the derivatives by two elements that
        its masks let vary; of a Jacobian each row counts as a gradient does.
        """
        arrays = self.of_caller(given).leaves
        tangent = tangent_of(domains, arrays)
        if tangent is None:
            return None
        if self.symmetric:
            vary = [~tangent.fixed[part] for part in slices(arrays)]
            return tangent_of([Mask(np.outer(a, b)) for a in vary for b in vary], given.leaves)
        results = len(given.leaves) // len(arrays)
        return Tangent([*domains] * results, given.leaves, [*arrays] * results)


@dataclass(frozen=True, eq=False)
class HessianProduct:
    """A Hessian times the first input, judged as the gradient of the slope along it.

    What a mask does not let vary is 0 in that input.
    """

    notes: ClassVar[tuple[str, ...]] = ()
    loss: Callable[..., Any]  #: the caller's: of (x, *args)
    hessian: Callable[[Any, Sequence[Any]], np.ndarray]  #: (x, args) -> (n, n), in floats
    rewritten: Callable[[Rewriting], Any]  #: returns the case of the loss as other code

    @staticmethod
    def along(domains: Sequence[Domain], given: Point) -> Point:
        """Return a point with 0 in the vector where the parameters do not vary.

        Unchanged where the arrays are not in the domains, as one of other lengths cannot be.
        """
        if not any(domain.projects for domain in domains):
            return given
        v, *others = given.inputs
        leaves, tree = jax.tree_util.tree_flatten(v)
        if [np.shape(leaf) for leaf in leaves] != [x.shape for x in given.leaves]:
            return given
        triples = list(zip(domains, given.leaves, leaves, strict=True))
        if not all(
            domain.inside(x).all() and (isinstance(leaf, float) or is_real(leaf))
            for domain, x, leaf in triples
        ):
            return given
        inside = [alike(domain.projected(x, np.asarray(v)), v) for domain, x, v in triples]
        return replace(given, inputs=(tree.unflatten(inside), *others))

    def called(self, x: Any, _: Any, *args: Any) -> Any:
        """Return what the caller's loss gives at the arguments of a point of this case."""
        return self.loss(x, *args)
