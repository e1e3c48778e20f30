"""The case: a gradient to judge, its loss, and the options."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from inspect import signature
from typing import Any, ClassVar, NamedTuple

import numpy as np

from handgrad.data import attempts
from handgrad.data.computed_in import Arithmetic, arithmetic
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.numerals import listed
from handgrad.data.point import Point, shortly
from handgrad.judging.matrix_parts import HessianProduct, Matrix, Rewriting
from handgrad.judging.options import Options
from handgrad.judging.repeatability import CALLS
from handgrad.program.programs import Program
from handgrad.program.trace import traced_alone

#: Combines the float inputs of a part with its other inputs: float arrays -> inputs.
Together = Callable[[Sequence[Any]], Any]


class Wording(NamedTuple):
    """What messages call the caller's functions and options, by what was called."""

    gradient: str = "the gradient"
    loss: str = "the loss"
    #: On a single number where there should be more.
    single: str = "; were the loss and the gradient given in each other's place?"
    #: On two results where there should be one.
    two: str = "; if it returns (loss, grads), say has_value=True"
    has_value: str = "has_value"
    trust_rules: str = "trust_rules"
    #: Where there was no time for one point.
    more_time: str = "seconds= gives it more, directions=1 judges less"
    #: Where a gradient is wrong only at points that are out of its domain.
    elsewhere: str = "give points where it is not: points=[...], or points=0"
    every_element: str = "without directions="
    domain: str = "domain={0!r}"
    computed_in: str = "computed_in={0!r}"

    @property
    def more_seconds(self) -> str:
        """What gives work more time that has to be done whole."""
        return self.more_time.partition(",")[0]


#: Of `check_gradient`, and of the command line.
OF_GRADIENT = Wording()
OF_COMMAND = Wording(
    two="; if it returns (loss, grads), say --has-value",
    has_value="--has-value",
    trust_rules="--trust-rule",
    more_time="--seconds gives it more, --directions 1 judges less",
    elsewhere="judge at the example alone: --points 0",
    every_element="without --directions",
    domain="--domain '{1}'",
    computed_in="--computed-in {1}",
)

#: Of `check_backward`, also where `check_steps` calls it.
OF_BACKWARD = Wording(
    "backward",
    "forward",
    single="; expected a cotangent for each input, shaped like it",
    two="; expected a cotangent for each input",
    more_time="seconds= gives it more",
)

#: Of `handgrad.torch.check_function`.
OF_TORCH = Wording("backward", "forward", single="", two="", more_time="seconds= gives it more")

#: Of `check_custom`.
OF_RULE = Wording("the rule", "f", single="", two="", more_time="seconds= gives it more")

#: Of `check_custom` with a reference.
OF_REFERENCE = OF_RULE._replace(loss="reference")


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """The caller's functions of a case of `check_backward`."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    together: Together
    cache: Callable[..., Any]  #: (params, cotangent) -> what `forward` keeps for `backward`
    cotangents: Callable[..., Any]  #: (cache, cotangent) -> the gradient
    #: What the backward pass raised on JAX's arrays and not on writable NumPy copies of them.
    retried: list[str]
    without: Collection[int] = ()  #: which arrays of floats among the inputs are not judged
    gone: tuple[str, ...] = ()  #: and what they are called

    @property
    def notes(self) -> tuple[str, ...]:
        """The warnings for the report."""
        what = "backward was given writable NumPy copies, as on arrays of jax.numpy it raised "
        notes = (what + self.retried[0],) if self.retried else ()
        return (*notes, not_judged(self.gone, "backward returns None")) if self.gone else notes


@dataclass(frozen=True, eq=False)
class CustomRule:
    """The caller's function of a case of `check_custom`."""

    f: Callable[..., Any]
    together: Together
    places: Sequence[int]  #: which leaves of the arguments are judged
    notes: tuple[str, ...]  #: the warnings for the report
    reference: Callable[..., Any] | None = None  #: whose derivative is the right one, if not f's
    mode: str = "rev"  #: which derivative is judged, by `jax.jvp` ("fwd") or by `jax.grad`
    order: int = 1  #: 2 if the derivative of the rule is judged
    #: Of second order: the slope of first order that is differentiated, with the rule; of the
    #: parameters.
    slope: Callable[..., Any] | None = None


@dataclass(frozen=True, eq=False)
class ForwardValues:
    """The function whose values are judged, before its derivative; see `forward_values`."""

    notes: ClassVar[tuple[str, ...]] = ()
    given: Point  #: the caller's

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the arguments of one of this case."""
        return self.given.at(list(given.inputs), self.given.inputs)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of this case at other arguments."""
        return replace(given, inputs=tuple(moved.params))


@dataclass(frozen=True, eq=False)
class TorchRule:
    """What a case of `handgrad.torch.check_function` has besides."""

    again: Callable[[Any, Any], Any]  #: (params, inputs) -> the case at other arguments, its point
    signature: Callable[..., Any]  #: a function whose parameters name the arguments
    wrt: tuple[str, ...] | None  #: the arguments that are judged, if not all
    reference: Callable[..., Any] | None  #: whose derivative is right, if not the function's own
    #: Remarks on leaves, for the case that they are wrong, by their names.
    remarks: dict[str, str] = field(default_factory=dict)
    said: dict[str, None] = field(default_factory=dict)  #: warnings, in order

    @property
    def notes(self) -> tuple[str, ...]:
        """The warnings for the report."""
        return tuple(self.said)


@dataclass(frozen=True, eq=False)
class RandomDirections:
    """The gradient whose slopes along random directions are judged instead of its elements."""

    notes: ClassVar[tuple[str, ...]] = ()
    whole: "Case"
    given: Point  #: the caller's
    count: int  #: the number of directions

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the parameters of one of this case."""
        params, _, *inputs = given.inputs
        return self.given.at(params, inputs)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of this case at other parameters."""
        return replace(given, inputs=(moved.params, *given.inputs[1:]))


class Vector(NamedTuple):
    """A vector that what is judged is linear in."""

    name: str
    arrays: list[np.ndarray]
    at: Callable[[list[np.ndarray]], tuple["Case", Point]]  #: the case at another vector


#: Parts that are judged at points of their own instead of the caller's.
Instead = ForwardValues | Matrix | RandomDirections


@dataclass(frozen=True, eq=False)
class Own:
    """What the caller gave, where a case has other arrays: of tensors, or of complex numbers."""

    functions: tuple[Any, ...]
    #: (params, *inputs), arrays -> the caller's kind of arguments; None if code cannot make them.
    arguments: Callable[..., tuple[Any, ...]] | None
    of_torch: bool = True  #: whether these are tensors of PyTorch


@dataclass(frozen=True, eq=False)
class Case(Options):
    """A gradient to judge, its loss, and the options."""

    gradient: Callable[..., Any]
    loss: Callable[..., Any]
    _: KW_ONLY
    autodiff: Callable[..., Any] | None = None  #: value and gradient by JAX, if not those of `loss`
    has_autodiff: bool = True  #: whether `autodiff` has a gradient to return
    #: What is judged of a gradient, if not all of it.
    part: BackwardStep | CustomRule | TorchRule | HessianProduct | Instead | None = None
    wording: Wording = OF_GRADIENT
    own: Own | None = None  #: of a case whose arrays stand for others
    condition: str = ""  #: where the gradient is judged, if not as usual: `where ... is unused`
    domains: tuple[Domain, ...] = ()  #: of the caller's parameters, for each leaf; () if of none
    #: How a gradient by complex numbers is written, if there are any; see
    #: `handgrad.data.complex_pairs`.
    written_as: str | None = None
    calls: int = CALLS  #: how often the gradient is called at the given point, if that is quick
    vector: Vector | None = None  #: what it should be linear in, if that is no input
    nonlinear: str = ""  #: the vector that it is not linear in, if that was seen: `cotangent`
    #: Of a gradient that may have loops of JAX's: what JAX traces of it, by the form of the point.
    programs: dict[Any, Program | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def along_directions(self) -> bool:
        """Whether slopes are judged, and no elements."""
        return isinstance(self.part, RandomDirections)

    @property
    def takes_cotangent(self) -> bool:
        """Whether the first input is the cotangent of what is judged."""
        return isinstance(self.part, BackwardStep | TorchRule)

    @property
    def takes_vector(self) -> bool:
        """Whether what is judged is linear in the first input."""
        return self.takes_cotangent or isinstance(self.part, HessianProduct)

    @property
    def of_second_order(self) -> bool:
        """Whether a Hessian is judged, or its product with a vector."""
        part = self.part
        return isinstance(part, HessianProduct) or (isinstance(part, Matrix) and part.symmetric)

    @property
    def of_values(self) -> bool:
        """Whether the values of a function are judged, and no derivative."""
        return isinstance(self.part, ForwardValues)

    @property
    def exact_inputs(self) -> bool:
        """Whether the loss must run with its real inputs traced, or on series.

        What a reference computes of their values, in floats, is as rounded as what is judged by it.
        """
        return self.is_linear

    @property
    def is_linear(self) -> bool:
        """Whether the loss is linear in what is judged, and made for that: values, a matrix."""
        return isinstance(self.part, ForwardValues | Matrix)

    def program(self, given: Point) -> Program | None:
        """Return what JAX traces of the gradient; None if it cannot."""
        if given.form not in self.programs:
            self.programs[given.form] = traced_alone(self.gradient, given)
        return self.programs[given.form]

    def of_caller(self, given: Point) -> Point:
        """Return a point of the case with the caller's parameters."""
        return self.part.of_caller(given) if isinstance(self.part, Instead) else given

    def place(self, index: tuple[int, ...]) -> str:
        """Write where an element of a leaf is: of a matrix, its row and column."""
        if isinstance(self.part, Matrix) and len(index) == 2:
            return "in row {}, column {}".format(*index)
        return f"at {list(index)}"

    def remark(self, path: str) -> str:
        """Return the remark on a leaf, for the case that it is wrong."""
        return self.part.remarks.get(path, "") if isinstance(self.part, TorchRule) else ""

    def varied(self, given: Point, change: Callable[[np.ndarray], np.ndarray]) -> Point:
        """Return a point of the case with each leaf of the caller's parameters changed."""
        whole = self.of_caller(given)
        moved = self._inside(whole, [change(leaf) for leaf in whole.leaves])
        return self.part.varied(given, moved) if isinstance(self.part, Instead) else moved

    def moved(self, given: Point, leaves: Sequence[np.ndarray]) -> Point:
        """Return a point of the case with other parameters, or near ones in their domains."""
        own = isinstance(self.part, Instead)
        return given.moved(leaves) if own else self.along(self._inside(given, leaves))

    def along(self, given: Point) -> Point:
        """Return a point whose vector, of a product with a Hessian, is tangent to the domains."""
        part = self.part
        return part.along(self.domains, given) if isinstance(part, HessianProduct) else given

    def _inside(self, whole: Point, leaves: Sequence[np.ndarray]) -> Point:
        """Return the caller's point with other parameters, or near ones in their domains."""
        if self.domains:
            triples = zip(self.domains, leaves, whole.leaves, strict=True)
            leaves = [
                np.asarray(domain.nearest(leaf, was)) if leaf.size and domain.fits(leaf) else leaf
                for domain, leaf, was in triples
            ]
        return whole.moved(leaves)

    def tangent(self, given: Point) -> Tangent | None:
        """Return the tangent space of the domains at a point; None if it has all directions.

        Values of a function, and slopes along directions, are judged as they are.
        """
        if isinstance(self.part, Matrix):
            return self.part.tangent(self.domains, given)
        own = isinstance(self.part, Instead)
        return None if own else tangent_of(self.domains, given.leaves)

    def projected(self, given: Point, gradient: np.ndarray) -> np.ndarray:
        """Return what counts of a gradient, float64, (size,): its part in the tangent space."""
        tangent = self.tangent(given)
        return gradient if tangent is None else tangent.of_floats(gradient)

    @property
    def arithmetic(self) -> Arithmetic | None:
        """The arithmetic of `computed_in`."""
        return arithmetic(self.computed_in)

    def rewritten(self, how: Rewriting) -> "Case":
        """Return the case whose loss is other code of the same function."""
        if not isinstance(self.part, Matrix | HessianProduct):
            return replace(self, loss=how(self.loss))
        there = self.part.rewritten(how)
        # That of a matrix records which form it returns, in its part.
        gradient = there.gradient if isinstance(self.part, Matrix) else self.gradient
        return replace(self, gradient=gradient, loss=there.loss, part=there.part)

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings for the report, once the case was judged."""
        return self.part.notes if self.part else ()


def not_judged(paths: Sequence[str], why: str) -> str:
    """Say which arguments are not differentiated."""
    return f"not differentiated, and so not judged: {listed(paths)}; {why}"


def takes(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Tell whether a function takes so many arguments, as far as that is known."""
    with suppress(ValueError):
        try:
            signature(function).bind(*arguments)
        except TypeError:
            return False
    return True


def check_case(case: Case, given: Point) -> None:
    """Raise TypeError if what a case has for functions cannot be called."""
    for name, function in (("gradient", case.gradient), ("loss", case.loss)):
        check_function(name, function, (given.params, *given.inputs), f"{name}(params, *inputs)")


def check_function(name: str, function: Any, arguments: Sequence[Any], form: str) -> None:
    """Raise TypeError if something is no function, or takes other arguments than it will get.

    `form` is how it is called, `loss(params, *inputs)`.
    """
    if not callable(function):
        raise TypeError(f"{name}: got {shortly(function)}, expected a function")
    attempts.given(function)
    try:
        found = signature(function)
    except (TypeError, ValueError):
        return
    try:
        found.bind(*arguments)
    except TypeError as error:
        n = len(arguments)
        count = f"{n} argument" + "s" * (n != 1)
        raise TypeError(f"{name}: {error}; it is called as {form}, here with {count}") from None
