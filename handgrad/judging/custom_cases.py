"""Cases for functions with a derivative rule of their own, or with a reference."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.extend import core as jex

from handgrad.data.attempts import best_effort
from handgrad.data.complex_pairs import in_pairs, joined
from handgrad.data.domains.tangent import Tangent
from handgrad.data.names import Names, argument_names, numbered
from handgrad.data.point import Point, alike, native, point_at
from handgrad.data.pytrees import is_real, is_traced, random_cotangent, weighed, wide
from handgrad.judging.case import (
    OF_REFERENCE,
    OF_RULE,
    Case,
    Vector,
    check_function,
    not_judged,
)
from handgrad.judging.claim import Check, OfArguments
from handgrad.judging.domains import in_domains
from handgrad.judging.forward_values import Referenced, float_outputs, referenced
from handgrad.judging.options import DEFAULT, Options
from handgrad.judging.part_cases import float_inputs
from handgrad.judging.repeatability import CALLS_OF_KERNEL
from handgrad.program.equations import equations, of_jax
from handgrad.program.form import CUSTOM
from handgrad.program.programs import Program, custom_rules, without_custom_rules
from handgrad.program.rules import RULES
from handgrad.program.trace import differentiated

#: How the names of operations end that call code which is no program of JAX's: `pallas_call`,
#: `triton_kernel_call`, `ffi_call`, `pure_callback`.
OPAQUE = ("_call", "_callback")

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of a call of a function: the arrays of floats that are judged, and the rest.

    Of a complex array these are its parts. The cotangent of a pair is that of both, so that a rule
    is called as `jax.grad` calls it. A Python number beside arrays is one to the function as well,
    of the dtype that JAX gives it, and leaves the dtype of results to the arrays.
    """

    leaves: list[Any]
    tree: Any
    numbers: frozenset[int]  #: which leaves are Python numbers to the function
    places: list[int]  #: which leaves are judged
    given: Point  #: of these, in a list
    notes: tuple[str, ...] = ()  #: which floats are not judged, and why

    @classmethod
    def of(cls, f: Callable[..., Any], args: tuple[Any, ...]) -> "Arguments":
        """Take a call apart; raises TypeError as `float_inputs`."""
        names = argument_names(f, len(args), numbered("args", len(args)))
        leaves, tree = jax.tree_util.tree_flatten(in_pairs(native(args)))
        real, numbers = list(filter(is_real, leaves)), frozenset[int]()
        if real:
            numbers = frozenset(k for k, leaf in enumerate(leaves) if type(leaf) is float)
            wide = jax.config.read("jax_enable_x64") or any(x.dtype == np.float64 for x in real)
            with jax.enable_x64(wide):
                leaves = [jax.numpy.asarray(x) if k in numbers else x for k, x in enumerate(leaves)]
        in_tree = jax.tree_util.tree_unflatten(tree, leaves)
        real, together, paths = float_inputs(in_tree, names)
        check_function("f", f, args, "f(*args)")
        leaves = jax.tree_util.tree_leaves(together(real))
        places = [k for k, leaf in enumerate(leaves) if is_real(leaf)]
        made = cls(leaves, tree, numbers, places, point_at(real, (), Names("args", leaves=paths)))
        fixed = {i % len(args) for i in getattr(f, "nondiff_argnums", ())}
        of = [i for i, arg in enumerate(in_tree) for _ in jax.tree_util.tree_leaves(arg)]
        return made.without([k for k in places if of[k] in fixed], "nondiff_argnums names them")

    def without(self, places: Sequence[int], why: str) -> "Arguments":
        """Return them with some that are not judged; unchanged if that would be all."""
        kept = [k for k in self.places if k not in places]
        if not kept or not places:
            return self
        pairs = list(zip(self.places, self.given.paths, strict=True))
        names = tuple(path for k, path in pairs if k in kept)
        given = point_at([self.leaves[k] for k in kept], (), Names("args", leaves=names))
        note = not_judged([path for k, path in pairs if k in places], why)
        return replace(self, places=kept, given=given, notes=(*self.notes, note))

    @property
    def real(self) -> list[Any]:
        """What is judged."""
        return list(self.given.params)

    def together(self, real: Sequence[Any]) -> Any:
        """Return the arguments of the function with others in place of what is judged."""
        leaves = list(self.leaves)
        for k, leaf in zip(self.places, real, strict=True):
            leaves[k] = leaf
        for k in self.numbers:
            if isinstance(leaves[k], np.ndarray | np.generic | jax.Array):
                leaves[k] = leaves[k] if is_traced(leaves[k]) else float(leaves[k])
        return joined(jax.tree_util.tree_unflatten(self.tree, leaves))

    def among(self, args: tuple[Any, ...]) -> list[Any]:
        """Return what is judged among other arguments of such a call."""
        leaves, tree = jax.tree_util.tree_flatten(in_pairs(native(args)))
        if tree != self.tree:
            return list(filter(is_real, leaves))  # which is refused
        pairs = [(leaves[k], mine) for k, mine in zip(self.places, self.real, strict=True)]
        return [alike(np.asarray(x, m.dtype), m) if type(x) is float else x for x, m in pairs]


@dataclass(frozen=True, eq=False)
class CustomFunction:
    """A function with a derivative rule of its own, or with a reference, at a point.

    `own` and `right` return the arrays of floats of the result, of those among the arguments: of
    the function, and of the same without its rule, or of the reference.
    """

    f: Callable[..., Any]
    reference: Callable[..., Any] | None
    arguments: Arguments
    own: Callable[[Any], list[Any]]
    right: Callable[[Any], list[Any]]
    cotangents: list[np.ndarray]
    defined: tuple[str, ...]  #: the modes that the rule defines
    pair: Referenced | None  #: of a function with a reference
    options: Options

    @property
    def real(self) -> list[Any]:
        """The arrays of floats among the arguments that are judged."""
        return self.arguments.real

    @property
    def given(self) -> Point:
        """The point of these."""
        return self.arguments.given

    @property
    def name(self) -> str:
        """What it is called."""
        return getattr(self.f, "__name__", "f")

    @cached_property
    def tangent(self) -> Tangent | None:
        """The tangent space of the domain at the point; None if it has all directions."""
        if self.options.domain is None:
            return None
        return in_domains(self.case(), self.given).tangent(self.given)

    @property
    def claim(self) -> "CustomRule":
        """What is judged of it, in the reverse mode of first order."""
        return CustomRule(self, self.arguments.together, CustomFunction.case)

    def loss(self, params: Any) -> Any:
        """Return Σ c·output with the rule."""
        return weighed(self.own(params), self.cotangents)

    def case(self, gradient: Callable[..., Any] | None = None, **options: Any) -> Case:
        """Return the case of a derivative; by default of that in reverse mode, of first order.

        `options` are fields of the case. A loss among them has no rule.
        """
        differentiate, possible = None, True
        if not self.reference and "loss" not in options:
            with wide(self.real):
                differentiate, possible = differentiated(self.of_right, list(self.real))

        def functions(of: "CustomFunction") -> dict[str, Any]:
            return {
                "gradient": gradient or jax.grad(of.loss),
                "loss": of.of_right if of.reference else of.loss,
                "autodiff": differentiate and differentiate(of.of_right),
            }

        def at(cotangents: list[np.ndarray]) -> tuple[Case, Point]:
            return replace(made, **functions(replace(self, cotangents=cotangents))), self.given

        made = replace(
            Case(
                **functions(self),
                **self.options.handed_on(),
                claim=self.claim,
                wording=OF_REFERENCE if self.reference else OF_RULE,
                calls=CALLS_OF_KERNEL,
                vector=Vector("cotangent", self.cotangents, at),
                has_autodiff=possible is not None,
            ),
            **options,
        )
        return made

    def of_right(self, params: Any) -> Any:
        """Return Σ c·output without the rule."""
        return weighed(self.right(params), self.cotangents)


@dataclass(frozen=True, eq=False)
class CustomRule(OfArguments):
    """A derivative of a function by a rule of its own, or the derivative of that rule."""

    chooses_convention = False
    rule: CustomFunction
    together: Callable[[Any], Any]
    case_of: Callable[[CustomFunction], Case]  #: makes the case of the same of another call
    mode: str = "rev"  #: which derivative is judged, by `jax.jvp` ("fwd") or by `jax.grad`
    order: int = 1
    cotangent_is_constant: bool = True
    slope: Callable[..., Any] | None = None  #: of what is judged

    def places(self, leaves: Sequence[Any], count: int) -> list[int]:  # noqa: ARG002 (of other claims)
        """Return which leaves of the arguments are judged."""
        return self.rule.arguments.places

    def notes(self) -> tuple[str, ...]:
        """Return the warnings for the report."""
        return self.rule.arguments.notes

    def check(self, case: Case) -> Check:  # noqa: ARG002 (of other claims)
        """Return the check that gives a case again."""
        f, reference = self.rule.f, self.rule.reference
        options = {"modes": '("fwd",)'} if self.mode == "fwd" else {}
        options |= {"order": "2"} if self.order == 2 else {}
        by_name = () if reference is None else ((reference, "reference"),)
        return Check("assert_custom", ((f, "f"),), f, None, options=options, by_name=by_name)

    def again(self, case: Case, given: Point) -> tuple[Case, Point]:
        """Return the case of the function at other arguments, and its point."""
        arguments = self.together(given.params)
        function = custom_function(self.rule.f, arguments, self.rule.reference, case)
        return self.case_of(function), function.given


def custom_function(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    reference: Callable[..., Any] | None = None,
    options: Options = DEFAULT,
) -> CustomFunction:
    """Take a call of a function apart; see `handgrad.check_custom`.

    Raises:
        TypeError: it has neither a rule nor a reference, or cannot be looked into.
    """
    if reference is not None:
        check_function("reference", reference, args, "reference(*args)")
    found = _function(f, Arguments.of(f, args), reference, options)
    arguments = found.arguments.without(_without_cotangent(found), "the rule returns None")
    return found if arguments is found.arguments else _function(f, arguments, reference, options)


def _function(
    f: Callable[..., Any],
    arguments: Arguments,
    reference: Callable[..., Any] | None,
    options: Options,
) -> CustomFunction:
    real, together = arguments.real, arguments.together
    if reference is not None:
        pair = referenced(f, reference, real, together)
        drawn, both, modes = pair.cotangents(options.seed), (pair.f, pair.reference), ("rev",)
        with suppress(jax.errors.JAXTypeError):  # of code in NumPy, which is refused elsewhere
            modes = _defined(_traced(pair.f, real))
        return CustomFunction(f, reference, arguments, *both, drawn, modes, pair, options)
    with wide(real):
        outputs, select = float_outputs(f(*together(real)))
    if not outputs:
        raise TypeError("f: got a result without floats, expected an array of floats")

    def own(params: Any) -> list[Any]:
        return select(f(*together(params)))

    program = _with_rule(f, own, real)

    def right(params: Any) -> list[Any]:
        return without_custom_rules(program.jaxpr, params)

    drawn = random_cotangent(list(outputs.values()), options.seed)
    modes = _defined(program)
    return CustomFunction(f, None, arguments, own, right, drawn, modes, None, options)


def _without_cotangent(function: CustomFunction) -> list[int]:
    """Return the places of what a `jax.custom_vjp` returns None for, of what its function uses."""
    if function.defined != ("rev",):
        return []

    def reached(outputs: Callable[[Any], list[Any]]) -> set[int]:
        found: set[int] = set()

        def loss(params: Any) -> Any:
            passed = [_reaching(x, partial(found.add, k)) for k, x in enumerate(params)]
            return weighed(outputs(passed), function.cotangents)

        with wide(function.real):
            jax.make_jaxpr(jax.grad(loss))(list(function.real))
        return found

    with best_effort(TypeError, ValueError, NotImplementedError):
        if missing := set(range(len(function.real))) - reached(function.own):
            missing &= reached(function.right)
            return [function.arguments.places[k] for k in missing]
    return []


def _reaching(x: Any, tell: Callable[[], None]) -> Any:
    """Return an array; tell when a cotangent of it comes back that is not None to JAX."""

    @jax.custom_vjp
    def same(x: Any) -> Any:
        return x

    def back(_: None, cotangent: Any) -> tuple[Any]:
        if isinstance(cotangent, SymbolicZero):
            return (None,)
        tell()
        return (cotangent,)

    same.defvjp(lambda x: (x.value, None), back, symbolic_zeros=True)
    return same(x)


def _traced(own: Callable[[Any], list[Any]], real: list[Any]) -> Program:
    with wide(real):
        return Program.of(jax.make_jaxpr(own)(list(real)))


def _defined(program: Program) -> tuple[str, ...]:
    """Return the modes that the rules in a program define; "rev" if there are none."""
    names = {
        eqn.primitive.name
        for eqn in equations(program.jaxpr.jaxpr)
        if eqn.primitive.name in CUSTOM and not of_jax(eqn)
    }
    return ("fwd", "rev") if names == {"custom_jvp_call"} else ("rev",)


def _with_rule(f: Callable[..., Any], own: Callable[..., Any], real: list[Any]) -> Program:
    """Trace a function that has a custom rule, and that can be looked into.

    Raises:
        TypeError: it has no rule, or cannot.
    """
    name = getattr(f, "__name__", repr(f))
    try:
        program = _traced(own, real)
    except jax.errors.TracerArrayConversionError:
        if hasattr(f, "defvjp") or hasattr(f, "defjvp"):
            raise  # its rule is in NumPy
        program = None  # a NumPy function
    if program and (hidden := _opaque(program)):
        raise TypeError(
            f"{name}: what `{hidden}` computes cannot be looked into; expected reference=, a "
            "function of the same arguments in jax.numpy or NumPy that has the same values"
        )
    if program is None or not custom_rules(program):
        raise TypeError(f"{name}: expected a jax.custom_vjp or jax.custom_jvp function")
    return program


def _opaque(program: Program) -> str | None:
    """Return the first operation of a program on real numbers that hides what it computes."""
    for eqn in equations(program.jaxpr.jaxpr):
        name = eqn.primitive.name
        if _hides(eqn) and name not in RULES and any(is_real(v.aval) for v in eqn.invars):
            return name
    return None


def _hides(eqn: Any) -> bool:
    """Tell whether what an equation computes is nowhere in the program.

    The program that a call has inside is that of its operations. That of a kernel reads and writes
    memory, and so has references in place of arrays.
    """
    inside = [v for inner in jex.jaxprs_in_params(eqn.params) for v in inner.invars]
    whole = inside and not any(hasattr(v.aval, "inner_aval") for v in inside)
    return eqn.primitive.name.endswith(OPAQUE) and not whole
