"""Programs of JAX: what they compute, and the custom derivative rules in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

import jax
from jax.extend import core as jex

from handgrad.data import formats
from handgrad.data.formats import Format
from handgrad.data.pytrees import wide
from handgrad.program.complex_numbers.transform import in_reals
from handgrad.program.ending import ended, may_not_end
from handgrad.program.equations import equations, results, results_by_jax, rule_name, walked
from handgrad.program.form import CUSTOM, Form, compiled, compiled_differential, form_of


@dataclass(frozen=True, eq=False)
class Program:
    """A traced function of real arrays; what is complex between them, it has as parts."""

    jaxpr: Any  #: a closed jaxpr, with the constants of the function's closure
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)  #: a cache of its runs
    #: Whether rounded constants of derivative rules count as exact; see `evaluate.meant_literal`.
    meant: bool = False
    #: The same as JAX traced and runs it, if that has complex numbers; `jaxpr` has their parts.
    with_complex: Any = field(default=None, repr=False)

    @classmethod
    def of(cls, jaxpr: Any, meant: bool = False) -> "Program":
        """Make a program of a closed jaxpr, whose arguments and results are real."""
        reals = in_reals(jaxpr)
        return cls(reals, meant=meant, with_complex=None if reals is jaxpr else jaxpr)

    @cached_property
    def form(self) -> Form:
        """The program without the names of its variables; two of one form compute the same."""
        return form_of(self.jaxpr)

    @cached_property
    def open_form(self) -> Form:
        """The form of the jaxpr alone, whatever the constants are."""
        return form_of(self.jaxpr.jaxpr)

    @cached_property
    def short_formats(self) -> tuple[Format, ...]:
        """The formats of the results of its operations that are short ones."""
        dtypes = {getattr(v.aval, "dtype", None) for v in results(self.jaxpr.jaxpr)}
        return tuple(formats.of(dtype) for dtype in dtypes if formats.is_half(dtype))

    @cached_property
    def may_not_end(self) -> bool:
        """Whether the program has loops that a condition ends."""
        return may_not_end(self.jaxpr.jaxpr)

    def compiled(self) -> Callable[..., list[Any]]:
        """Return the program as a compiled function of its arguments, in any nesting.

        It raises `OutOfTimeError` where a loop does not end in the time that there is.
        """
        if self.with_complex is not None:
            return Program(self.with_complex).compiled()
        if self.may_not_end:
            form = self.open_form
            return lambda *given: ended(form, self.jaxpr.consts, jax.tree.leaves(given))
        run = compiled(self.open_form)
        return lambda *given: run(self.jaxpr.consts, given)

    def with_slopes(self, count: int) -> "Program":
        """Return a program of the result, and of its slopes in each of the first arguments."""
        run, shapes = jex.jaxpr_as_fun(self.jaxpr), self.jaxpr.in_avals

        def both(*given: Any) -> list[Any]:
            first, others = given[:count], given[count:]

            def slope(i: int) -> tuple[Any, Any]:
                along = tuple(jax.numpy.full_like(x, i == j) for j, x in enumerate(first))
                (value,), (change,) = jax.jvp(lambda *x: run(*x, *others), first, along)
                return value, change

            pairs = [slope(i) for i in range(count)]
            return [pairs[0][0], *(change for _, change in pairs)]

        with wide(shapes):
            return Program(jax.make_jaxpr(both)(*shapes))

    def differential(
        self, given: Sequence[Any], moves: Sequence[Any], moves_of_constants: Sequence[Any]
    ) -> list[Any]:
        """Return the changes of the outputs, to first order, as arguments and constants move.

        Raises:
            TypeError: JAX cannot differentiate the program, as others of its errors say.
        """
        run = compiled_differential(self.open_form)
        return run(self.jaxpr.consts, given, moves_of_constants, moves)


def without_custom_rules(
    program: Any,
    arguments: Sequence[Any],
    instead: Callable[[Any, list[Any]], list[Any] | None] = lambda *_: None,
) -> list[Any]:
    """Run a closed jaxpr in JAX, with custom derivative rules removed from its functions.

    Args:
        program: the closed jaxpr.
        arguments: its arguments.
        instead: (an equation outside loops and branches, its operands) -> its results, or None if
            these are JAX's.
    """

    def results_of(eqn: Any, operands: list[Any]) -> list[Any]:
        name = eqn.primitive.name
        if (found := instead(eqn, operands)) is not None:
            return found
        if name in CUSTOM or name in ("jit", "pjit"):
            inner = eqn.params["call_jaxpr" if name in CUSTOM else "jaxpr"]
            return without_custom_rules(inner, operands, instead)
        return results_by_jax(eqn, operands, **{k: _replaced(p) for k, p in eqn.params.items()})

    return walked(program.jaxpr, [*program.consts, *arguments], attrgetter("val"), results_of)


def _replaced(parameter: Any) -> Any:
    """Remove custom rules from the programs in a parameter of an operation."""
    if type(parameter) is tuple:
        return tuple(_replaced(part) for part in parameter)
    if not isinstance(parameter, jex.ClosedJaxpr):
        return parameter
    return jax.make_jaxpr(lambda *a: without_custom_rules(parameter, a))(*parameter.in_avals)


def literals_of(program: Program) -> Iterator[Any]:
    """Yield the literals of a program."""
    for eqn in equations(program.jaxpr.jaxpr):
        yield from (atom for atom in eqn.invars if isinstance(atom, jex.Literal))


def custom_rules(program: Program) -> list[str]:
    """Return the names of the functions in a program that have a custom derivative rule."""
    calls = (eqn for eqn in equations(program.jaxpr.jaxpr) if eqn.primitive.name in CUSTOM)
    return list(dict.fromkeys(rule_name(eqn) for eqn in calls))
