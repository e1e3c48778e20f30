"""Cases of Jacobians, Hessians, and products of Hessians with vectors.

A Jacobian J(x) of a function is judged as the gradient of L(U) = Σ U·J(x) by U, as the values of a
function are (`handgrad.judging.forward_values`): so every element is certified, has its tolerance
and its diagnosis as an element of any gradient has. A Hessian is the Jacobian of the gradient. A
product with v is the gradient of the slope of the loss along v. The oracle knows J by power series
of the function, and a Hessian by series whose numbers are series; both without a derivative rule of
JAX's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.levels import WRONG
from handgrad.data.domains.domain import Domain, Mask
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.findings import Finding
from handgrad.data.names import Names
from handgrad.data.point import Point, alike, point_at, slices
from handgrad.data.pytrees import is_real, weighed
from handgrad.judging.blind_spots import zeros
from handgrad.judging.case import Case, Wording, check_function
from handgrad.judging.claim import Check, Claim, Function, Matrices, Rewriting
from handgrad.judging.judgement import Judgement
from handgrad.judging.options import Options
from handgrad.judging.ruling import Ruling
from handgrad.judging.untraceable import calling
from handgrad.judging.vectors.answers import Blocks, dense
from handgrad.judging.vectors.functions import VectorFunction
from handgrad.program.numpy_to_jax import TRANSLATED

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

_OF_MATRIX = Wording(single="", two="", more_time="seconds= gives it more")

#: Of `check_jacobian`, `check_hessian` and `check_hvp`.
OF_JACOBIAN = _OF_MATRIX._replace(gradient="jac", loss="fun")
OF_HESSIAN = _OF_MATRIX._replace(gradient="hess")
OF_PRODUCT = _OF_MATRIX._replace(gradient="hessp")


@dataclass(frozen=True, eq=False)
class OfFunction(Claim, ABC):
    """What is judged by a loss that is a derivative of the caller's function."""

    is_gradient = False
    f: VectorFunction

    def function(self) -> Function:
        """Return the caller's function."""
        return self.f.f

    @abstractmethod
    def loss(self) -> Function:
        """Return the loss of the case."""

    def rewritten(self, loss: Function, how: Rewriting) -> dict[str, Any]:  # noqa: ARG002 (of other claims)
        """Return the fields of a case whose function is other code."""
        there = replace(self, f=replace(self.f, f=how(self.f.f)))
        return {"loss": there.loss(), "claim": there}


@dataclass(frozen=True, eq=False)
class Matrix(OfFunction):
    """A Jacobian, or the Hessian of a scalar: the gradient of Σ U·J by U."""

    own_points = True
    extra_argument = 0  # U
    is_linear = True
    is_matrix = True
    derivative: Function  #: the caller's matrix, of (x, *args)
    given: Point  #: the caller's: (x, *args)
    wording: Wording
    options: Options
    order: int = 1

    @property
    def blocks(self) -> Blocks:
        """How the matrix falls into leaves."""
        return Blocks(self.f.result if self.order == 1 else self.f.x, self.f.x)

    def matrix(self) -> Matrices:
        """Return what computes the matrix."""
        exact = self.f.jacobian if self.order == 1 else self.f.hessian
        return lambda x, args: self.in_blocks(exact(x, args))

    def in_blocks(self, matrix: Any) -> list[Any]:
        """Return a matrix of all results and elements as the leaves that are judged."""
        return self.blocks.split(matrix)

    def loss(self) -> Function:
        """Return Σ U·J."""
        matrix = self.matrix()

        def loss(u: Any, x: Any, *args: Any) -> Any:
            return weighed(u, matrix(x, args))

        return loss

    def case(self) -> tuple[Case, Point]:
        """Return the case, and its point."""
        options, given, name = self.options.handed_on(), self.given, self.wording.gradient
        derivative, blocks = self.derivative, self.blocks  # where a rerun finds them
        check_function(name, derivative, (given.params, *given.inputs), f"{name}(x, *args)")

        def gradient(_: Any, x: Any, *args: Any) -> Any:
            answer = derivative(x, *args)
            found = None if answer is None else blocks.of_answer(answer)
            return answer if found is None else found

        case = Case(gradient, self.loss(), **options, claim=self, wording=self.wording)
        shapes = [(m, n) for m in blocks.rows.sizes for n in blocks.columns.sizes]
        rng = np.random.default_rng(self.options.seed)
        pairs = zip(shapes, blocks.dtypes(), strict=True)
        u = [rng.standard_normal(shape).astype(dtype) for shape, dtype in pairs]
        names = Names(name, (given.names.params, *given.names.inputs), blocks.paths(name))
        return case, point_at(u, (given.params, *given.inputs), names)

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the arguments of one of the case."""
        x, *args = given.inputs
        return self.given.at(x, args)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of the case at other arguments."""
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
        if self.order == 2:
            vary = [~tangent.fixed[part] for part in slices(arrays)]
            return tangent_of([Mask(np.outer(a, b)) for a in vary for b in vary], given.leaves)
        results = len(given.leaves) // len(arrays)
        return Tangent([*domains] * results, given.leaves, [*arrays] * results)

    def in_floats(self, loss: Function) -> Function:  # noqa: ARG002 (of other claims)
        """Return a weighted sum of the function's results."""
        weights = np.random.default_rng(0).uniform(1, 2, self.f.result.size)
        return lambda _, x, *args: (weights * self.f.value(x, args)).sum()

    def place(self, index: tuple[int, ...]) -> str:
        """Write where an element of a leaf is: its row and column."""
        in_words = "in row {}, column {}"
        return in_words.format(*index) if len(index) == 2 else super().place(index)

    def certificate(self, ruling: Ruling, loss: str) -> str:
        """Say how the matrix is known."""
        reference = ruling.reference
        if not (reference.certified and reference.known.all()):
            return super().certificate(ruling, loss)
        second = ", whose numbers are series again" if self.order == 2 else ""
        how = f"every element by power series of {loss} in ball arithmetic{second}"
        how += f"; {TRANSLATED}" if TRANSLATED in reference.how else ""
        return how if ruling.has_autodiff else f"{how}; there is no autodiff to compare with"

    def blind_spots(self, rulings: Sequence[Ruling]) -> list[str]:
        """Return which arguments are 0 at all points."""
        return list(zeros([self.of_caller(ruling.given) for ruling in rulings]))

    def observed(self, ruling: Ruling) -> list[Finding]:
        """Return what is wrong of a Hessian besides its elements."""
        single = self.order == 2 and len(ruling.given.leaves) == 1
        return _asymmetric(ruling) if single else []

    def check(self, case: Case) -> Check:  # noqa: ARG002 (of other claims)
        """Return the check that gives the case again."""
        of_hessian = "assert_hessian", "hess", "loss"
        what, one, other = ("assert_jacobian", "jac", "fun") if self.order == 1 else of_hessian
        return Check(what, ((self.derivative, one), (self.f.f, other)), self.f.f)

    def again(self, case: Case, given: Point) -> tuple[Case, Point]:  # noqa: ARG002 (as above)
        """Return the case at another point of the caller's, where it may have other shapes."""
        own = self.derivative, self.f.f, given, self.wording, self.options
        return matrix_case(*own, self.order)


@dataclass(frozen=True, eq=False)
class HessianProduct(OfFunction):
    """A Hessian times the first input, judged as the gradient of the slope along it.

    What a mask does not let vary is 0 in that input.
    """

    order = 2
    contracted_with = "vector"
    extra_argument = 1  # v

    def loss(self) -> Function:
        """Return the slope of the caller's loss along v."""

        def slope(x: Any, v: Any, *args: Any) -> Any:
            return self.f.slope(x, v, args)

        return slope

    def hessian(self) -> Function:
        """Return what computes the Hessian."""
        return self.f.hessian

    def along(self, domains: Sequence[Domain], given: Point) -> Point:
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

    def check(self, case: Case) -> Check:
        """Return the check that gives a case again."""
        functions = (case.gradient, "hessp"), (self.f.f, "loss")
        return Check("assert_hvp", functions, case.gradient, keywords={1: "v"})


def _asymmetric(ruling: Ruling) -> list[Finding]:
    """Say which mirrored elements of a Hessian differ by more than rounding explains."""
    if ruling.yours.worst != WRONG:
        return []
    (leaf,), (path,) = ruling.given.leaves, ruling.given.paths
    yours = ruling.yours.answer.reshape(leaf.shape)
    allowed = np.fmax(ruling.tolerance.sharp, ruling.tolerance.loose).reshape(leaf.shape)
    apart = np.abs(yours - yours.T) - (allowed + allowed.T)
    if not (apart > 0).any():
        return []
    size = np.maximum(np.abs(yours), np.abs(yours.T))
    relative = np.where(apart > 0, apart / np.where(size > 0, size, 1), 0)
    i, j = sorted(int(k) for k in np.unravel_index(int(np.argmax(relative)), leaf.shape))
    count = int((np.triu(apart) > 0).sum())
    above, below = float(yours[i, j]), float(yours[j, i])
    what = f"it is not symmetric: [{i}, {j}] is {above!r} and [{j}, {i}] {below!r}"
    what += f", and {count - 1} more pairs differ" if count > 1 else ""
    return [Finding("symmetry", path, (i, j), what, 1.0)]


def without_elements(
    jac: Callable[..., Any], fun: Callable[..., Any], given: Point, reproduce: str, strict: bool
) -> Judgement | None:
    """Judge the form of a Jacobian of a function without results; None if it has some.

    Raises as `matrix_case`.
    """
    with calling("fun"):
        f = VectorFunction.of(fun, given, "fun")
    if f.result.size:
        return None
    answer, _ = given.call(jac)
    shape, expected = np.shape(dense(answer)), (0, f.x.size)
    right = shape in (expected, f.result.shapes[0] + f.x.shapes[0])
    what = f"got shape {shape}, expected {expected}"
    found = () if right else (Finding.of_form("shape", "jac", what),)
    verdict = "agree" if right else "disagree"
    said = "there are no results, and so no derivatives" if right else f"jac: {what}"
    blame, judged = None if right else "yours", int(right)
    how = (), "by its shape", reproduce, judged, 0
    return Judgement(verdict, blame, f"{verdict}: {said}", found, *how, strict=strict)


def matrix_case(
    derivative: Callable[..., Any],
    function: Callable[..., Any],
    given: Point,
    wording: Wording,
    options: Options,
    order: int = 1,
) -> tuple[Case, Point]:
    """Build the case of a Jacobian, or at order 2 of a Hessian, and its point.

    Args:
        derivative, function: the caller's, functions of (x, *args).
        given: x and args.
        wording: what messages call them.
        options: of the check.
        order: of the derivative.

    Raises:
        TypeError: they are no such functions, or the result of the function has no floats.
    """
    f = _function(function, given, wording, order)
    return Matrix(f, derivative, given, wording, options, order).case()


def product_case(
    hessp: Callable[..., Any],
    loss: Callable[..., Any],
    given: Point,
    v: Any,
    wording: Wording,
    options: Options,
) -> tuple[Case, Point]:
    """Build the case of a product of the Hessian with v, shaped like x, and its point."""
    f = _function(loss, given, wording, order=2)
    check_function(wording.gradient, hessp, (given.params, v, *given.inputs), "hessp(x, v, *args)")
    names = replace(given.names, inputs=("v", *given.names.inputs))
    claim = HessianProduct(f)
    case = Case(hessp, claim.loss(), claim=claim, wording=wording, **options.handed_on())
    return case, point_at(given.params, (v, *given.inputs), names)


def _function(
    function: Callable[..., Any], given: Point, wording: Wording, order: int
) -> VectorFunction:
    name = wording.loss.removeprefix("the ")
    with calling(name):
        f = VectorFunction.of(function, given, name)
    if order == 2 and f.result.size != 1:
        got = ", ".join(map(str, f.result.shapes))
        raise TypeError(f"{name}: got a result of shape {got}, expected one real scalar")
    return f
