"""The form of a program, which all programs share that compute the same by the same operations.

JAX compiles a function for every Python object that it gets, and a loss that is traced again makes
a new program. By their forms, programs are compared and compiled once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.clock import time_left
from handgrad.data.pytrees import is_traced, split
from handgrad.program.equations import equations

#: Calls of functions with a custom derivative rule.
CUSTOM = ("custom_jvp_call", "custom_vjp_call")

#: For a program that runs a few hundred times at most: optimising it would take longer than it
#: saves; and so does compiling its parts side by side.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_parallel_codegen_split_count": 1,
}
# Half of the time is XLA's newer way to compile fused operations; later versions have no other.
if jax.__version_info__ < (0, 11):
    QUICK["xla_cpu_use_fusion_emitters"] = False


#: About the seconds that XLA takes to compile an operation of a long program, at its quickest: of
#: 1,000 operations of a derivative it took 0.8 ms for each, of 4,000 it took 4 ms.
COMPILED = 0.0026


def may_be_compiled(jaxpr: Any, times: int = 1) -> bool:
    """Tell whether there is time to compile what has so many operations for each of a program.

    Nothing interrupts that.
    """
    return times * COMPILED * sum(1 for _ in equations(jaxpr)) <= time_left(float("inf"))


@dataclass(frozen=True)
class Form:
    """Operations, their operands and parameters, with variables numbered as they appear."""

    operations: Any
    program: Any = field(compare=False, repr=False)  #: the first program that was found to have it

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.operations)


def form_of(program: Any) -> Form:
    """Return the form of a jaxpr, or of a closed one, whose constants belong to its form."""
    return Form(_comparable(program), program)


def form_of_operation(eqn: Any) -> Form:
    """Return the form of one equation of a jaxpr, which it holds as its program."""
    alone = SimpleNamespace(constvars=(), invars=(), eqns=[eqn], outvars=eqn.outvars)
    return Form(_operations(alone), eqn)


@lru_cache(maxsize=128)
def compiled(form: Form) -> Callable[[Any, Any], list[Any]]:
    """Compile the jaxpr of a form, as a function of its constants and, in any nesting, arguments.

    As a constant of the compiled program, an array would be computed with while it is compiled.
    """

    def run(consts: Any, given: Any) -> list[Any]:
        closed = jex.ClosedJaxpr(form.program, consts)
        return jex.jaxpr_as_fun(closed)(*jax.tree.leaves(given))

    return jax.jit(run)


@lru_cache(maxsize=32)
def compiled_differential(form: Form) -> Callable[..., list[Any]]:
    """Compile how the results of the jaxpr of a form change, to first order.

    It is a function of constants and arguments, and of moves of those that are real.
    """

    def run(consts: Any, given: Any, moves_of_constants: Any, moves: Any) -> list[Any]:
        real, together = split(consts)

        def results(real: Any, given: Any) -> list[Any]:
            return jex.jaxpr_as_fun(jex.ClosedJaxpr(form.program, together(real)))(*given)

        return jax.jvp(results, (real, given), (moves_of_constants, moves))[1]

    return jax.jit(run)


def _comparable(value: Any) -> Any:
    """Return something hashable, which equals that of another value only if both mean the same."""
    if isinstance(value, jex.ClosedJaxpr):
        return _operations(value.jaxpr), _comparable(value.consts)
    if isinstance(value, jex.Jaxpr):
        return _operations(value)
    if isinstance(value, dict):
        return tuple((key, _comparable(of)) for key, of in sorted(value.items(), key=str))
    if isinstance(value, list | tuple):
        return type(value), tuple(map(_comparable, value))
    if isinstance(value, jax.Array) and jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if isinstance(value, np.ndarray | np.generic | jax.Array) and not is_traced(value):
        array = np.asarray(value)
        return array.dtype, array.shape, array.tobytes()
    if isinstance(value, float):
        return value.hex()  # which tells 0.0 and -0.0 apart
    try:
        hash(value)
    except TypeError:
        return object()  # equal to nothing else
    return type(value), value


def _operations(jaxpr: Any) -> tuple[Any, ...]:
    places: dict[Any, int] = {}

    def atom(atom: Any) -> tuple[Any, Any]:
        is_literal = isinstance(atom, jex.Literal)
        what = _comparable(atom.val) if is_literal else places.setdefault(atom, len(places))
        return what, atom.aval

    def atoms(them: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(map(atom, them))

    given = atoms(jaxpr.constvars), atoms(jaxpr.invars)
    operations = tuple(
        (
            *(eqn.primitive, atoms(eqn.invars), atoms(eqn.outvars)),
            *map(_comparable, (_parameters(eqn), _settings(eqn))),
        )
        for eqn in jaxpr.eqns
    )
    return given, operations, atoms(jaxpr.outvars)


def _parameters(eqn: Any) -> dict[str, Any]:
    """Return what decides the result of an operation; a derivative rule does not."""
    if eqn.primitive.name in CUSTOM:
        return {"call_jaxpr": eqn.params["call_jaxpr"]}
    return eqn.params


def _settings(eqn: Any) -> list[Any]:
    """Return the settings of JAX under which an operation was traced and will run."""
    names = ("compute_type", "threefry_partitionable", "cur_abstract_mesh", "xla_metadata")
    return [getattr(eqn.ctx, name, None) for name in names]
