"""Cases for functions with a derivative rule of their own, or with a reference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.data.complex_pairs import in_pairs, joined
from handgrad.data.domains.tangent import Tangent
from handgrad.data.names import Names, argument_names, numbered
from handgrad.data.point import Point, point_at
from handgrad.data.pytrees import is_real, weighed, wide
from handgrad.judging.case import OF_REFERENCE, OF_RULE, Case, CustomRule, Vector, check_function
from handgrad.judging.domains import in_domains
from handgrad.judging.forward_values import Referenced, float_outputs, referenced
from handgrad.judging.options import DEFAULT, Options
from handgrad.judging.part_cases import float_inputs, random_cotangent
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
class CustomFunction:
    """A function with a derivative rule of its own, or with a reference, at a point.

    `own` and `right` return the arrays of floats of the result, of those among the arguments: of
    the function, and of the same without its rule, or of the reference.
    """

    f: Callable[..., Any]
    reference: Callable[..., Any] | None
    real: list[Any]  #: the arrays of floats among the arguments
    together: Callable[[Sequence[Any]], Any]  #: makes the arguments of these
    given: Point
    own: Callable[[Any], list[Any]]
    right: Callable[[Any], list[Any]]
    cotangents: list[np.ndarray]
    defined: tuple[str, ...]  #: the modes that the rule defines
    pair: Referenced | None  #: of a function with a reference
    options: Options

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
    def part(self) -> CustomRule:
        """What a case has of it, for the reverse mode of first order."""
        return CustomRule(self.f, self.together, self.reference)

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
                part=self.part,
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
    real, together, given = _arguments_of(f, args)
    found = f, reference, real, together, given
    if reference is not None:
        pair = referenced(f, reference, real, together)
        drawn = pair.cotangents(options.seed)
        try:
            modes = _defined(_traced(pair.f, real))
        except jax.errors.JAXTypeError:  # code in NumPy, which is refused elsewhere
            modes = ("rev",)
        return CustomFunction(*found, pair.f, pair.reference, drawn, modes, pair, options)
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
    return CustomFunction(*found, own, right, drawn, _defined(program), None, options)


def _arguments_of(
    f: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[list[Any], Callable[[Sequence[Any]], Any], Point]:
    """Return the float arrays among arguments, what replaces them, and the point they make.

    Those of a complex array are its parts. The cotangent of a pair is that of both, so that a rule
    is called as `jax.grad` calls it.
    """
    names = argument_names(f, len(args), numbered("args", len(args)))
    real, in_parts, leaves = float_inputs(in_pairs(args), names)
    check_function("f", f, args, "f(*args)")

    def together(real: Sequence[Any]) -> Any:
        return joined(in_parts(real))

    return real, together, point_at(list(real), (), Names("args", leaves=leaves))


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
