"""The case: a gradient to judge, its loss, and the options."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from handgrad.data import attempts
from handgrad.data.computed_in import Arithmetic, arithmetic
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.tangent import Tangent
from handgrad.data.numerals import listed
from handgrad.data.point import Point, shortly
from handgrad.judging.claim import GRADIENT, Claim, Rewriting
from handgrad.judging.options import Options
from handgrad.judging.repeatability import CALLS
from handgrad.program.programs import Program
from handgrad.program.trace import traced_alone


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
OF_RULE = Wording(
    *("the rule", "f"),
    single="",
    two="",
    more_time="seconds= gives it more",
)

#: Of `check_custom` with a reference.
OF_REFERENCE = OF_RULE._replace(loss="reference")


class Vector(NamedTuple):
    """A vector that what is judged is linear in."""

    name: str
    arrays: list[np.ndarray]
    at: Callable[[list[np.ndarray]], tuple["Case", Point]]  #: the case at another vector


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
    claim: Claim = GRADIENT  #: what is judged
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

    def program(self, given: Point) -> Program | None:
        """Return what JAX traces of the gradient; None if it cannot."""
        if given.form not in self.programs:
            self.programs[given.form] = traced_alone(self.gradient, given)
        return self.programs[given.form]

    def varied(self, given: Point, change: Callable[[np.ndarray], np.ndarray]) -> Point:
        """Return a point of the case with each leaf of the caller's parameters changed."""
        whole = self.claim.of_caller(given)
        return self.claim.varied(given, self._inside(whole, [change(x) for x in whole.leaves]))

    def moved(self, given: Point, leaves: Sequence[np.ndarray]) -> Point:
        """Return a point of the case with other parameters, or near ones in their domains."""
        if self.claim.own_points:
            return given.moved(leaves)
        return self.claim.along(self.domains, self._inside(given, leaves))

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
        """Return the tangent space of the domains at a point; None if it has all directions."""
        return self.claim.tangent(self.domains, given)

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
        return replace(self, **self.claim.rewritten(self.loss, how))


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
