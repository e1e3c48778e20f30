"""What is judged of a function: its values or a derivative, all of it or contracted.

A claim is (D^k f)(x), contracted with cotangents on the left and tangents on the right:

| what is judged, and its class | order | left | right |
| --- | --: | --- | --- |
| the values of a function: `ForwardValues` | 0 | every result | |
| a gradient: `Claim` itself | 1 | 1 | every element |
| a backward pass: `BackwardStep`, `TorchRule` | 1 | c | every element |
| a rule: `CustomRule`, by `jax.grad` or by `jax.jvp` | 1 | c | every element |
| a rule by `jax.jvp`: `RandomTangents` | 1 | c | T |
| the slopes of a gradient: `RandomDirections` | 1 | 1 | T |
| a Jacobian: `Matrix` | 1 | every result | every element |
| a Hessian: `Matrix` | 2 | 1 | every element, every element |
| a product with a Hessian: `HessianProduct` | 2 | 1 | every element, v |
| the derivative of a rule: `CustomRule` | 2 | c + d·f | every element, v |

Each class stands where its cases are made, and answers for itself; the answers of `Claim` are those
of a gradient. Nobody else asks which class it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from handgrad.data.complex_pairs import in_pairs
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.findings import Finding
from handgrad.data.point import Point
from handgrad.data.pytrees import is_real
from handgrad.judging.blind_spots import blind_spots, contracted
from handgrad.judging.ruling import Ruling

Function = Callable[..., Any]

#: (x, args) -> the blocks of a matrix, on any numbers.
Matrices = Callable[[Any, Sequence[Any]], list[Any]]

#: Makes other code of a function: in `jax.numpy`, or with stand-ins for what it refers to.
Rewriting = Callable[[Function], Function]


class Check(NamedTuple):
    """The check that gives a case again."""

    assertion: str  #: `assert_gradient`
    functions: Sequence[tuple[Any, str]]  #: the caller's, with general names
    like: Any  #: a function whose parameters name the arguments
    derivative: int | None = 0  #: which of the functions returns what is judged, if one does
    root: str = ""  #: what the leaves of that are called, if not as those of the point
    options: Mapping[str, str] = {}  #: further ones, as code
    #: More of the caller's functions, which are given by name after the arguments.
    by_name: Sequence[tuple[Any, str]] = ()
    #: The keywords of arguments that are given by name, by their places among the arguments.
    keywords: Mapping[int, str] = {}
    home: str = "handgrad"  #: the module of the check


class Claim:
    """What is judged; the answers here are those of a whole gradient of a loss of the caller's.

    A case, which has a claim, is `Any` here.
    """

    order: int = 1  #: how often the function is differentiated
    why: str = ""  #: what it means that a value of the function is wrong
    is_gradient: bool = True  #: whether it is a whole gradient, by the parameters of a loss
    #: What the first input is, if what is judged is linear in it.
    contracted_with: Literal["", "cotangent", "vector"] = ""
    #: Whether its points are others than the caller's: numbers beside results, or distances.
    own_points: bool = False
    along_directions: bool = False  #: whether slopes are judged, and no elements
    #: Whether the loss is linear in what is judged, and made for that. It must run with its real
    #: inputs traced, or on series: what a reference computes of their values, in floats, is as
    #: rounded as what is judged by it.
    is_linear: bool = False
    is_matrix: bool = False  #: whether every element has a row and a column
    #: Whether the function was held to the values of the caller's where the case was made.
    is_held: bool = False
    chooses_convention: bool = True  #: whether the caller says how complex numbers are written
    cotangent_is_constant: bool = False  #: whether the loss has a cotangent as a constant
    #: Which argument the loss has besides those of the function that it is a derivative of.
    extra_argument: int | None = None
    #: The gradient as two functions, if it is: of the arguments of the loss, and with what that
    #: returns in place of the parameters.
    passes: tuple[Function, Function] | None = None
    #: The slope of first order, by a rule whose own derivative is judged, if one is.
    slope: Function | None = None

    @property
    def of_hessian(self) -> bool:
        """Whether a Hessian of the caller's function is judged, or its product with a vector."""
        return self.order == 2 and self.function() is not None

    # Its points.

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point for one of the case."""
        return given

    def varied(self, given: Point, moved: Point) -> Point:  # noqa: ARG002 (of other claims)
        """Return a point of the case at another point of the caller's."""
        return moved

    def along(self, domains: Sequence[Domain], given: Point) -> Point:  # noqa: ARG002 (as above)
        """Return a point whose vector, of a product with a Hessian, is tangent to the domains."""
        return given

    def points(
        self, around: Iterable[Point], given: Point, domains: Sequence[Domain]
    ) -> Iterator[Point]:
        """Yield the point of the case, as `given` is one, for each of the caller's."""
        for moved in around:
            yield self.along(domains, self.varied(given, moved))

    def tangent(self, domains: Sequence[Domain], given: Point) -> Tangent | None:
        """Return the tangent space of the domains at a point; None if it has all directions."""
        return None if self.own_points else tangent_of(domains, given.leaves)

    def whole(self, params: Any) -> Any:
        """Return what domains are stated of: the parameters, or all arguments of a function."""
        return params

    def places(self, leaves: Sequence[Any], count: int) -> list[int]:
        """Return which leaves of that are judged, so many of them."""
        if len(leaves) == count:
            return list(range(count))
        return [k for k, leaf in enumerate(leaves) if is_real(leaf)]

    # Its functions.

    def function(self) -> Function | None:
        """Return the caller's function, if the loss is a derivative of it, by power series."""
        return None

    def own_arguments(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return the arguments of that function among those of the loss."""
        return [arg for k, arg in enumerate(args) if k != self.extra_argument]

    def called(self) -> Function | None:
        """Return the same function, of the arguments of the loss."""
        function = self.function()
        return function and (lambda *args: function(*self.own_arguments(args)))

    def in_floats(self, loss: Function) -> Function:
        """Return what runs in floats alone: the loss, or that whose derivative it is."""
        return self.called() or loss

    def rewritten(self, loss: Function, how: Rewriting) -> dict[str, Any]:
        """Return the fields of a case whose loss is other code of the same function."""
        return {"loss": how(loss)}

    def matrix(self) -> Matrices | None:
        """Return the functions that compute the matrix; None where no matrix is judged."""
        return None

    def hessian(self) -> Function | None:
        """Return what computes the Hessian whose product with a vector is judged, of (x, args)."""
        return None

    def in_blocks(self, matrix: Any) -> list[Any]:
        """Return a matrix of all results and elements as the leaves that are judged."""
        return [matrix]

    def asked(self, case: Any) -> Any:
        """Return the case that the caller asked for, in whose place this one is judged."""
        return case

    # What a report says of it.

    def notes(self) -> tuple[str, ...]:
        """Return warnings for the report, once the case was judged."""
        return ()

    def place(self, index: tuple[int, ...]) -> str:
        """Write where an element of a leaf is."""
        return f"at {list(index)}"

    def remark(self, path: str) -> str:  # noqa: ARG002 (of other claims)
        """Return the remark on a leaf, for the case that it is wrong."""
        return ""

    def certificate(self, ruling: Ruling, loss: str) -> str:  # noqa: ARG002 (as above)
        """Say how the right one is known at a point; `loss` is what messages call the function."""
        return ruling.reference.how

    def what_is_right(self, ruling: Ruling) -> str:
        """Say what is right, where all that was judged is."""
        if ruling.reference.known.all():
            return "every element is right"
        return f"the {ruling.judged_of_all} that were judged are right"

    def observed(self, ruling: Ruling) -> list[Finding]:  # noqa: ARG002 (of other claims)
        """Return what is wrong at a point besides elements."""
        return []

    def why_not_shown(self, ruling: Ruling) -> str | None:  # noqa: ARG002 (of other claims)
        """Return why what was found at a point does not show what is claimed; None if it does."""
        return None

    def blind_spots(self, rulings: Sequence[Ruling]) -> list[str]:
        """Return what mistakes could hide at the points, one sentence each."""
        points = [ruling.given for ruling in rulings] if self.contracted_with else []
        found = [] if self.own_points else blind_spots(rulings, not self.is_gradient)
        return [*found, *contracted(points, self.contracted_with)]

    # How it is judged again.

    def check(self, case: Any) -> Check | None:
        """Return the check that gives a case again; None if no check does."""
        gradient, loss = case.own.functions if case.own else (case.gradient, case.loss)
        return Check("assert_gradient", ((gradient, "gradient"), (loss, "loss")), case.loss)

    def arguments(self, params: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments of that check, of a point of the caller's."""
        return (params, *inputs)

    def again(self, case: Any, given: Point) -> tuple[Any, Point]:
        """Return a case at another point of the caller's, and its own point there."""
        return case, given


#: A gradient, all of it.
GRADIENT = Claim()


class OfArguments(Claim):
    """What is judged by arguments of a function, and not by parameters of a loss."""

    is_gradient = False
    together: Callable[[Any], Any]  #: what is judged -> all arguments

    def whole(self, params: Any) -> Any:
        """Return all arguments, with pairs for complex arrays."""
        return in_pairs(self.together(params))

    def arguments(self, params: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:  # noqa: ARG002 (of other claims)
        """Return all arguments."""
        return self.together(params)
