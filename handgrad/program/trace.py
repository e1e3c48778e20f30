"""Trace a Python loss to the programs that the oracle runs.

`jax.make_jaxpr` turns a loss into a list of primitive operations. The parameters and the real
arrays among the inputs are its arguments; all other inputs (labels, keys, settings) are constants.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.advised import NoScalarError
from handgrad.data.attempts import best_effort
from handgrad.data.complex_pairs import is_complex
from handgrad.data.point import Point, copied, real_inputs
from handgrad.data.pytrees import is_real, split, wide
from handgrad.program.equations import equations, source
from handgrad.program.form import CUSTOM
from handgrad.program.looked_at import looked_at
from handgrad.program.programs import Program, without_custom_rules

#: A loss or a gradient: (params, *inputs) -> ...
Function = Callable[..., Any]
#: Makes a function that returns the loss and its gradient from the loss.
Differentiate = Callable[[Function], Function]

#: Where the functions of JAX are whose derivative rules call no function of the caller.
_OWN_RULES = re.compile(r"/jax/_src/(nn|numpy|scipy)/|/jax/_src/lax/other\.py")

_NEEDS_A_NUMBER = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)


@dataclass(frozen=True, eq=False)
class Traced:
    """A loss as a program, and JAX's gradient of it as another with the same arguments."""

    loss: Program  #: (*parameter leaves, *real inputs) -> the loss
    #: The same -> the loss and its gradient's leaves; None if JAX cannot differentiate the loss.
    gradient: Program | None
    #: As `gradient`, of the loss without custom derivative rules.
    plain: Callable[[], Program | None]
    traced_inputs: bool  #: whether the real inputs are arguments, or constants of the program
    differentiate: Differentiate
    looked_at: bool = False  #: whether the loss asked for the value of a tracer, and went on

    @cached_property
    def key(self) -> Any:
        """What losses have in common whose gradients are the same; None if that is not known.

        The derivative rule of a function is not part of the loss's program, and that of one of
        JAX's functions may be the caller's. So with rules the gradient's program belongs to it.
        """
        calls = (eqn for eqn in equations(self.loss.jaxpr.jaxpr) if eqn.primitive.name in CUSTOM)
        rules = tuple(source(eqn) for eqn in calls)
        own = all(_OWN_RULES.search(rule.replace("\\", "/")) for rule in rules)
        if not own or (rules and self.gradient is None):
            return None
        gradient = self.gradient.form.operations if rules and self.gradient else None
        return self.loss.form.operations, gradient, rules, self.traced_inputs

    @cached_property
    def compiles_quickly(self) -> bool:
        """Whether it takes less time to compile the loss as a whole than to run its operations.

        XLA compiles an operation in 2.6 ms in a long program and in 30 ms alone, but that once for
        all that are alike. Run one by one at nine points they take 1.7 ms each, and loops and
        branches are compiled at every call.
        """
        found = [eqn.primitive.name for eqn in equations(self.loss.jaxpr.jaxpr)]
        return len(found) <= 100 or not {"scan", "while", "cond"}.isdisjoint(found)


def trace(
    loss: Function,
    params: Any,
    inputs: Sequence[Any],
    differentiate: bool = True,
    uses_values: bool = True,
    traced_inputs: bool = True,
) -> Traced:
    """Trace a loss, and JAX's gradient of it, at the shapes and dtypes of these arguments.

    Args:
        loss: the loss.
        params, inputs: its arguments.
        differentiate: whether to trace its gradient, too, which takes twice as long again.
        uses_values: whether the loss may use the values of real inputs, which are constants of the
            program then: what is computed of them is rounded.
        traced_inputs: whether real inputs are traced at first; else they are such constants.

    Raises:
        TypeError: the loss is not a scalar.
        jax.errors.JAXTypeError: the loss cannot be traced.
    """
    leaves, tree = jax.tree_util.tree_flatten(params)
    real, together = split(tuple(inputs))

    def of_both(leaves: Any, real: Any) -> Any:
        # The loss may write to what is no tracer, and a program keeps such arrays as they are.
        return loss(jax.tree_util.tree_unflatten(tree, leaves), *copied(together(real)))

    with wide([*leaves, *real]), looked_at() as looked:
        try:
            if traced_inputs:
                traced = _trace(of_both, leaves, real, True, differentiate)
                return replace(traced, looked_at=bool(looked))
        except _NEEDS_A_NUMBER:
            if not uses_values:
                raise
        # jax.grad does not trace the inputs, so the loss may use their values.
        looked.clear()
        given = lambda leaves, _: of_both(leaves, real), leaves, []
        return replace(_trace(*given, False, differentiate), looked_at=bool(looked))


def traced_alone(f: Function, given: Point) -> Program | None:
    """Return a function of a point's arguments as a program of the leaves and the real inputs.

    None if JAX cannot trace it, as what calls NumPy.
    """
    tree = jax.tree_util.tree_structure(given.params)
    real, together = split(given.inputs)

    def flat(leaves: Any, real: Any) -> Any:
        return f(jax.tree_util.tree_unflatten(tree, leaves), *copied(together(real)))

    with best_effort(*_NEEDS_A_NUMBER), wide([*given.leaves, *real]):
        return Program.of(jax.make_jaxpr(flat)(list(given.leaves), real))
    return None


def run_to_end(program: Program | None, given: Point, with_inputs: bool = True) -> None:
    """Run a program at a point, if it has loops that may not end; the inputs are its arguments.

    Raises:
        OutOfTimeError: a loop has not ended in time.
    """
    if program is not None and program.may_not_end:
        with jax.enable_x64(given.wide), jax.debug_nans(False), jax.debug_infs(False):
            program.compiled()(given.leaves, real_inputs(given) if with_inputs else [])


def with_coefficients(traced: Traced, f: Function, params: Any, inputs: Sequence[Any]) -> Traced:
    """Return a traced loss, linear in its parameters, with a gradient that nobody has to derive.

    Args:
        traced: the loss.
        f: returns the loss and its gradient.
        params, inputs: its arguments.
    """
    leaves, tree = jax.tree_util.tree_flatten(params)
    real, together = split(tuple(inputs))

    def both(leaves: Any, real: Any) -> Any:
        return f(jax.tree_util.tree_unflatten(tree, leaves), *copied(together(real)))

    with wide([*leaves, *real]):
        program = Program.of(jax.make_jaxpr(both)(leaves, real))
    return replace(traced, gradient=program, differentiate=lambda _: f)


def _trace(f: Any, leaves: Any, real: Any, traced_inputs: bool, derivative: bool) -> Traced:
    program = jax.make_jaxpr(f)(leaves, real)
    outputs = program.out_avals
    if len(outputs) != 1 or outputs[0].shape != () or not is_real(outputs[0]):
        got = ", ".join(str(aval) for aval in outputs) or "nothing"
        one = len(outputs) == 1 and outputs[0].shape == () and is_complex(outputs[0])
        how = "jnp.real or jnp.abs make" if one else "jnp.sum or jnp.mean make"
        raise NoScalarError(f"loss: got {got}, expected one real scalar; {how} one")

    # Of the arguments only the shapes are kept.
    shapes = [
        [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]
        for arrays in (leaves, real)
    ]

    def plain() -> Program | None:
        def flat(leaves: Any, real: Any) -> Any:
            return without_custom_rules(program, [*leaves, *real])[0]

        with wide([*shapes[0], *shapes[1]]):
            return differentiated(flat, *shapes)[1]

    traced = Traced(Program.of(program), None, cache(plain), traced_inputs, _undifferentiated)
    if not derivative:
        return traced
    differentiate, gradient = differentiated(f, leaves, real)
    return replace(traced, gradient=gradient, differentiate=differentiate)


def differentiated(f: Function, *arguments: Any) -> tuple[Differentiate, Program | None]:
    """Differentiate a loss backwards, or else forwards, which JAX can with a `while` loop.

    Returns:
        What makes of a loss a function that returns it and its gradient; and this, traced. If JAX
        can do neither, they return NaN for the gradient, and None.

    Raises:
        Exception: what the caller's own derivative rules raise.
    """
    refusals: list[Exception] = []
    for differentiate in (jax.value_and_grad, _forwards):
        try:
            program = jax.make_jaxpr(differentiate(f))(*arguments)
        except (ValueError, TypeError, NotImplementedError) as error:
            refusals.append(error)
        else:
            return differentiate, Program.of(program, meant=True)
    backwards, forwards = refusals
    # Operations without a rule say so in both directions; other errors are the caller's.
    has_no_rule = str(backwards) == str(forwards) or NO_LOOPS in str(backwards)
    if isinstance(backwards, TypeError) or not has_no_rule:
        raise backwards
    return _undifferentiated, None


#: What JAX says where it cannot differentiate a loop backwards. Forwards it may fail for another
#: reason: a function with a `jax.custom_vjp`.
NO_LOOPS = "Reverse-mode differentiation does not work"


def _forwards(f: Function) -> Function:
    def both(params: Any, *inputs: Any) -> Any:
        return f(params, *inputs), jax.jacfwd(f)(params, *inputs)

    return both


def _undifferentiated(f: Function) -> Function:
    def both(params: Any, *inputs: Any) -> Any:
        missing = jax.tree_util.tree_map(lambda leaf: np.full_like(leaf, np.nan), params)
        return f(params, *inputs), missing

    return both
