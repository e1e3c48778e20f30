"""Go through the equations of programs; calls of functions with a custom derivative rule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from jax.extend import core as jex

#: The scopes of operations that stand for one on complex numbers, and for its imaginary part.
COMPLEX, IMAGINARY = "handgrad_complex_", "handgrad_imaginary"


def walked(
    jaxpr: Any,
    given: Sequence[Any],
    literal: Callable[[Any], Any],
    results_of: Callable[[Any, list[Any]], Sequence[Any]],
    eqns: Iterable[Any] | None = None,
) -> list[Any]:
    """Go through the equations of an open jaxpr, and return what its results are.

    Args:
        jaxpr: the program.
        given: what its constants and then its arguments are.
        literal: returns what a literal is.
        results_of: (an equation, what its operands are) -> what its results are.
        eqns: the equations to go through; all by default.
    """
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], given, strict=True))

    def read(atom: Any) -> Any:
        return literal(atom) if isinstance(atom, jex.Literal) else values[atom]

    for eqn in jaxpr.eqns if eqns is None else eqns:
        outputs = results_of(eqn, [read(atom) for atom in eqn.invars])
        values.update(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def equations(jaxpr: Any) -> Iterator[Any]:
    """Yield the equations of a program and of all programs inside it."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jex.jaxprs_in_params(eqn.params):
            yield from equations(inner)


def results_by_jax(eqn: Any, operands: Sequence[Any], **changes: Any) -> list[Any]:
    """Return the results of an equation as JAX computes them, with changes of its parameters."""
    found = eqn.primitive.bind(*operands, **{**eqn.params, **changes})
    return list(found) if eqn.primitive.multiple_results else [found]


def results(jaxpr: Any) -> Iterator[Any]:
    """Yield the variables of the results of all equations of a program."""
    return (v for eqn in equations(jaxpr) for v in eqn.outvars)


def is_of_complex(eqn: Any) -> bool:
    """Tell whether an operation is a part of one on complex numbers."""
    return COMPLEX in str(eqn.source_info.name_stack)


def is_imaginary(eqn: Any) -> bool:
    """Tell whether an operation makes the imaginary part of a complex result."""
    return IMAGINARY in str(eqn.source_info.name_stack)


def rule_name(eqn: Any) -> str:
    """Return the name of the function that a custom rule belongs to."""
    info = eqn.params["call_jaxpr"].jaxpr.debug_info
    return getattr(info, "func_name", None) or str(info.func_src_info).split(" ")[0]


def alone(eqn: Any) -> tuple[list[Any], Callable[..., Any]]:
    """Return the variables of a call with a custom rule, and it as a function of these in JAX."""
    variables = list(dict.fromkeys(v for v in eqn.invars if not isinstance(v, jex.Literal)))
    info = eqn.params["call_jaxpr"].jaxpr.debug_info._replace(arg_names=None, result_paths=None)
    program = jex.Jaxpr([], variables, eqn.outvars, [eqn], debug_info=info)
    return variables, jex.jaxpr_as_fun(jex.ClosedJaxpr(program, []))


def of_jax(eqn: Any) -> bool:
    """Tell whether a function with a custom rule is one of JAX's own, and so is the rule.

    A rule that the caller gave to one of JAX's functions by `defjvps` is not told from JAX's.
    """
    rules = (eqn.params.get(name) for name in ("jvp_jaxpr_fun", "fwd_jaxpr_thunk", "bwd"))
    infos = [getattr(rule, "debug_info", None) for rule in rules]
    sources = [source(eqn), *(str(info.func_src_info) for info in infos if info is not None)]
    return all("/jax/_src/" in source.replace("\\", "/") for source in sources)


def source(eqn: Any) -> str:
    """Return name, file and line of a function with a custom rule."""
    return str(eqn.params["call_jaxpr"].jaxpr.debug_info.func_src_info)


def groups(eqn: Any) -> tuple[int, int]:
    """Return how many operands of a scan are constants, and how many are carried.

    The parameters that say so differ between versions of JAX, so shapes decide: a stepped operand
    or a collected result has one axis more outside than inside.
    """
    inside = eqn.params["jaxpr"].jaxpr
    stepped = sum(map(_one_axis_more, eqn.invars, inside.invars))
    collected = sum(map(_one_axis_more, eqn.outvars, inside.outvars))
    carried = len(eqn.outvars) - collected
    return len(eqn.invars) - stepped - carried, carried


def _one_axis_more(outside: Any, inside: Any) -> bool:
    return len(outside.aval.shape) > len(inside.aval.shape)
