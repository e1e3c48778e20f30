"""Run the caller's code in ball arithmetic, where nothing is lost: by NumPy or by JAX.

Arguments and results are pytrees, or objects such as dataclasses, whose floats are `Real`; so what
one function keeps for another (the cache of a forward pass) can be computed by NumPy and used by
JAX, and the other way round.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, is_dataclass
from types import ModuleType
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data.pytrees import is_real, wide
from handgrad.oracle.numpy_losses.dispatch import NumpyRun, Perturbation
from handgrad.oracle.numpy_losses.series import Number
from handgrad.oracle.numpy_losses.stand_ins import apart, on_series
from handgrad.program import numpy_to_jax
from handgrad.program.interpreter import Run, number
from handgrad.program.programs import Program
from handgrad.program.rules import RULES


@dataclass(frozen=True, eq=False)
class Real:
    """An array of floats as balls."""

    numbers: Dual
    dtype: Any  #: of the floats
    bare: bool = False  #: whether it is a number, not an array without axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.numbers.shape


def exactly(tree: Any) -> Any:
    """Convert the floats among arguments to balls: NumPy's and JAX's arrays and numbers."""
    return mapped(
        lambda leaf: (
            Real(Dual(balls.exact(leaf)), leaf.dtype, isinstance(leaf, np.generic))
            if is_real(leaf)
            else leaf
        ),
        tree,
    )


def mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to all leaves of a pytree, and to those in the attributes of objects."""
    return jax.tree_util.tree_map(lambda leaf: _in_object(change, leaf), tree)


def _in_object(change: Callable[[Any], Any], leaf: Any) -> Any:
    names = [f.name for f in fields(leaf)] if is_dataclass(leaf) else getattr(leaf, "__dict__", ())
    if not names or hasattr(leaf, "shape") or callable(leaf) or isinstance(leaf, ModuleType):
        return change(leaf)
    other = copy.copy(leaf)
    for name in names:
        # A frozen dataclass refuses assignments.
        object.__setattr__(other, name, mapped(change, getattr(leaf, name)))
    return other


def by_numpy(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    constants: Perturbation | None = None,
    final: bool = True,
    comparisons: Comparisons | None = None,
) -> Any:
    """Run a function on object arrays, as the oracle runs a loss in NumPy.

    Args:
        function: the caller's code.
        arguments: its arguments.
        constants: perturbs the floats in it, if given.
        final: whether numbers that overlap count as equal.
        comparisons: how comparisons are decided, if not by that.

    Raises:
        MorePrecisionNeededError: numbers overlap that it compares.
        Exception: what the function raises on numbers that it was not written for.
    """
    comparisons = comparisons or Comparisons(final=final, undefined=final)
    lines = NumpyRun(comparisons, {}, constants)

    def boxed(leaf: Any) -> Any:
        if not isinstance(leaf, Real):
            return np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf
        number = lines.unpacked(leaf.numbers)
        return number if leaf.bare else lines.series(balls.array(number))

    def packed(leaf: Any) -> Any:
        of_balls = isinstance(leaf, np.ndarray) and leaf.dtype == object
        bare = isinstance(leaf, Number)
        return Real(lines.packed(leaf), np.float64, bare) if of_balls or bare else leaf

    return mapped(packed, apart(function)(*mapped(boxed, arguments)))


def by_stand_ins(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    constants: Perturbation | None = None,
    **options: Any,
) -> Any:
    """Run a function as `by_numpy` does, all that it refers to by what takes balls."""
    return by_numpy(on_series(function), arguments, constants, **options)


def in_jax(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    constants: Perturbation | None = None,
    floats: bool = False,
) -> Any:
    """Run a function as `by_jax` does, with JAX's modules in place of NumPy's and SciPy's."""
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        return by_jax(numpy_to_jax.in_jax(function), arguments, constants, floats)


def by_jax(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    constants: Perturbation | None = None,
    floats: bool = False,
) -> Any:
    """Trace a function, and run its program in balls; or run it on JAX's arrays, in floats.

    Args:
        function: the caller's code.
        arguments: its arguments.
        constants: perturbs the floats in it, if given.
        floats: whether to run it in floats.

    Raises:
        Exception: the function cannot be traced, or has an operation without a rule.
    """
    if floats:
        return _in_floats(function, arguments)
    given: list[Real] = []
    mapped(lambda leaf: given.append(leaf) if isinstance(leaf, Real) else None, arguments)
    answers: list[Any] = []

    def traced(arrays: Sequence[Any]) -> list[Any]:
        left, found = iter(arrays), []

        def taken(leaf: Any) -> Any:
            if not isinstance(leaf, Tracer):
                return leaf
            found.append(leaf)
            return _Output(len(found) - 1)

        answer = function(
            *mapped(lambda leaf: next(left) if isinstance(leaf, Real) else leaf, arguments)
        )
        answers.append(mapped(taken, answer))
        return found

    with wide(given) if given else nullcontext():
        shapes = [jax.ShapeDtypeStruct(real.shape, real.dtype) for real in given]
        program = Program.of(jax.make_jaxpr(traced)(shapes))
    literals = constants.literal if constants else None
    run = Run(RULES, Comparisons(final=True, undefined=True), program.memory, literals=literals)
    consts = [
        constants.constant(np.asarray(c)) if constants and is_real(c) else number(c)
        for c in program.jaxpr.consts
    ]
    found = run.program(program.jaxpr.jaxpr, consts, [real.numbers for real in given])
    outputs = [
        Real(out, aval.dtype) if isinstance(out, Dual) else out
        for out, aval in zip(found, program.jaxpr.out_avals, strict=True)
    ]
    return mapped(lambda leaf: outputs[leaf] if isinstance(leaf, _Output) else leaf, answers[-1])


def _in_floats(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    def rounded(leaf: Any) -> Any:
        real = isinstance(leaf, Real)
        return jax.numpy.asarray(balls.midpoints(leaf.numbers.value), leaf.dtype) if real else leaf

    with jax.enable_x64(True):
        return exactly(function(*mapped(rounded, arguments)))


class _Output(int):
    """The number of an output of a program, where a traced function returned it."""
