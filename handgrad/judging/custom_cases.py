"""Cases for functions with a derivative rule of their own, or with a reference."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import jax
from jax.extend import core as jex

from handgrad.data.complex_pairs import holds_complex, in_pairs, joined
from handgrad.data.names import Names, argument_names, numbered
from handgrad.data.point import Point, point_at
from handgrad.data.pytrees import is_real, wide
from handgrad.judging.case import (
    OF_REFERENCE,
    OF_RULE,
    Case,
    CustomRule,
    check_function,
    check_seed,
)
from handgrad.judging.forward_values import Referenced, referenced, weighed
from handgrad.judging.part_cases import float_inputs, random_cotangent, weighed_output
from handgrad.judging.repeatability import CALLS_OF_KERNEL
from handgrad.program.equations import equations
from handgrad.program.rules import RULES
from handgrad.program.trace import (
    Program,
    custom_rules,
    differentiated,
    trace,
    without_custom_rules,
)

#: How the names of operations end that call code which is no program of JAX's: `pallas_call`,
#: `triton_kernel_call`, `ffi_call`, `pure_callback`.
OPAQUE = ("_call", "_callback")

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def custom_case(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    seed: int = 0,
    referee: str = "auto",
    computed_in: Any = None,
) -> tuple[Case, Point]:
    """Build the case of a custom rule, and its point; see `handgrad.check_custom`."""
    written, (f,) = f, _on_pairs(args, f)
    real, together, given = _arguments_of(f, in_pairs(args), seed)
    with wide(real):
        output = f(*together(real))
    cotangent = random_cotangent(output, seed)

    def loss(params: Any) -> Any:
        return weighed_output(f(*together(params)), cotangent)

    program = _with_rule(f, loss, list(real))

    def plain(params: Any) -> Any:
        return without_custom_rules(program.jaxpr, params)[0]

    with wide(real):
        differentiate, possible = differentiated(plain, list(real))
    case = Case(
        jax.grad(loss),
        loss,
        referee=referee,
        seed=seed,
        autodiff=differentiate(plain),
        has_autodiff=possible is not None,
        part=CustomRule(written, together),
        wording=OF_RULE,
        computed_in=computed_in,
        calls=CALLS_OF_KERNEL,
    )
    return case, given


def referenced_case(
    f: Callable[..., Any],
    reference: Callable[..., Any],
    args: tuple[Any, ...],
    seed: int = 0,
    referee: str = "auto",
    computed_in: Any = None,
) -> tuple[Case, Point, Referenced]:
    """Build the case of a derivative that a reference has; see `handgrad.check_custom`.

    It says nothing of the values of f, see `handgrad.judging.forward_values`.
    """
    check_function("reference", reference, args, "reference(*args)")
    written, (f, reference) = (f, reference), _on_pairs(args, f, reference)
    real, together, given = _arguments_of(f, in_pairs(args), seed)
    pair = referenced(f, reference, real, together)
    cotangents = pair.cotangents(seed)

    def of_f(params: Any) -> Any:
        return weighed(pair.f(params), cotangents)

    def loss(params: Any) -> Any:
        return weighed(pair.reference(params), cotangents)

    part = CustomRule(written[0], together, written[1])
    options = {
        "referee": referee,
        "seed": seed,
        "computed_in": computed_in,
        "calls": CALLS_OF_KERNEL,
    }
    return Case(jax.grad(of_f), loss, **options, part=part, wording=OF_REFERENCE), given, pair


def _on_pairs(args: Any, *functions: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return functions that take and give pairs, if complex numbers are among their arguments.

    The cotangent of a pair is that of both parts, so a rule is called as `jax.grad` calls it.
    """

    def on_pairs(f: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(f)
        def run(*args: Any) -> Any:
            return in_pairs(f(*joined(args)))

        return run

    return [on_pairs(f) if holds_complex(args) else f for f in functions]


def _arguments_of(
    f: Callable[..., Any], args: tuple[Any, ...], seed: int
) -> tuple[list[Any], Callable[[Sequence[Any]], Any], Point]:
    """Return the float arrays among arguments, what replaces them, and the point they make."""
    check_seed(seed)
    names = argument_names(f, len(args), numbered("args", len(args)))
    real, together, leaves = float_inputs(args, names)
    check_function("f", f, args, "f(*args)")
    return real, together, point_at(list(real), (), Names("args", leaves=leaves))


def _with_rule(f: Callable[..., Any], loss: Callable[..., Any], real: list[Any]) -> Program:
    """Trace the loss of a function that has a custom rule, and that can be looked into.

    Raises:
        TypeError: it has no rule, or cannot.
    """
    name = getattr(f, "__name__", repr(f))
    try:
        program = trace(loss, real, (), differentiate=False).loss
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
    trace(loss, real, ())  # what is wrong with the form of a rule is raised here
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
