"""Rewrite a program of complex numbers as one of their real and imaginary parts.

So all that follows - the oracle, the tolerances, the diagnosis - sees a program of real numbers. An
operation keeps the place in the caller's code that it came from.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core as jex

from handgrad.data.complex_pairs import Pair, is_complex
from handgrad.program.complex_numbers import arrays, control, elementary, factorisations, parts
from handgrad.program.complex_numbers.wholes import as_one
from handgrad.program.equations import COMPLEX, equations, walked

#: The scope in which the operations of one of the program are traced, with its number.
_SCOPE = re.compile(rf"{COMPLEX}(\d+)")

#: (transformation, equation, *operands) -> the result, or a list of several.
RULES: dict[str, Callable[..., Any]] = arrays.RULES | factorisations.RULES | control.RULES


def traced(function: Callable[..., Any], *arguments: Any) -> Any:
    """Trace a function of real arrays to a closed jaxpr, as `jax.make_jaxpr`, of real numbers."""
    return in_reals(jax.make_jaxpr(function)(*arguments))


def in_reals(program: Any) -> Any:
    """Return a closed jaxpr that computes the same without complex numbers; itself if it has none.

    Its arguments and results must be real.
    """
    if not has_complex(program.jaxpr):
        return program
    run = _Transformation()

    def split(*given: Any) -> list[Any]:
        return run.closed(program, given)

    found = jax.make_jaxpr(split)(*program.in_avals)
    return jex.ClosedJaxpr(run.placed(found.jaxpr), found.consts)


def has_complex(jaxpr: Any) -> bool:
    """Tell whether a program, or one inside it, has complex numbers."""
    variables = [*jaxpr.constvars, *jaxpr.invars, *jaxpr.outvars]
    return any(is_complex(v.aval) for v in variables) or any(map(_is_complex, jaxpr.eqns))


def _is_complex(eqn: Any) -> bool:
    if any(is_complex(v.aval) for v in (*eqn.invars, *eqn.outvars)):
        return True
    return any(has_complex(inner) for inner in jex.jaxprs_in_params(eqn.params))


def _inverse_lengths(eqn: Any) -> dict[complex, int]:
    """Return the numbers n of a Fourier transform of JAX's by 1/n, rounded.

    That is a factor in JAX's derivative of the inverse transform, written as a number.
    """
    if eqn.params.get("name") != "fft":
        return {}
    inside = (e for jaxpr in jex.jaxprs_in_params(eqn.params) for e in equations(jaxpr))
    lengths = {math.prod(e.params["fft_lengths"]) for e in inside if e.primitive.name == "fft"}
    return {complex(1 / n): n for n in lengths if n > 1}


class _Transformation:
    """Runs a program on pairs, while JAX traces what it does."""

    def __init__(self) -> None:
        self.sources: list[Any] = []  # where the operations of the program came from
        self.squares: dict[Any, Any] = {}  # of absolute values, by the variables of these
        self.inverses: dict[complex, int] = {}  # of the lengths of a transform of JAX's, inside it

    def closed(self, program: Any, operands: Sequence[Any]) -> list[Any]:
        """Run a closed jaxpr."""
        return self.program(program.jaxpr, [*map(parts.constant, program.consts)], operands)

    def program(self, jaxpr: Any, consts: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        """Run an open jaxpr."""

        def results_of(eqn: Any, operands: list[Any]) -> list[Any]:
            if (squared := self._squared(eqn)) is not None:
                return [squared]
            if not _is_complex(eqn):
                return _as_it_is(jaxpr, eqn, operands)
            with jax.named_scope(f"{COMPLEX}{len(self.sources)}"):
                self.sources.append(eqn.source_info)
                return self._equation(eqn, operands)

        return walked(jaxpr, [*consts, *operands], self._literal, results_of)

    def _literal(self, atom: Any) -> Any:
        """Return a number of the program; 1/n exactly where it is the factor of a transform."""
        if np.ndim(atom.val) == 0 and complex(atom.val) in self.inverses:
            n, dtype = self.inverses[complex(atom.val)], parts.part_dtype(atom.aval.dtype)
            return Pair(lax.div(np.ones((), dtype), np.array(n, dtype)), None)
        return parts.literal(atom)

    def _squared(self, eqn: Any) -> Any:
        """Return |z|^n of an even n, whose slope at 0 is 0, unlike that of |z|; else None."""
        n = 2 if eqn.primitive.name == "square" else eqn.params.get("y", 0)
        if eqn.primitive.name not in ("square", "integer_pow") or n % 2 or n < 2:
            return None
        (z,) = eqn.invars
        square = None if isinstance(z, jex.Literal) else self.squares.get(z)
        if square is None:
            return None
        return lax.integer_pow(square, n // 2) if n > 2 else square

    def _equation(self, eqn: Any, operands: list[Any]) -> list[Any]:
        name, outside = eqn.primitive.name, self.inverses
        self.inverses = outside or _inverse_lengths(eqn)
        try:
            return self._parts(name, eqn, operands)
        finally:
            self.inverses = outside

    def _parts(self, name: str, eqn: Any, operands: list[Any]) -> list[Any]:
        if name == "abs":
            self.squares[eqn.outvars[0]] = parts.square_of_size(operands[0])
        if name in RULES:
            found = RULES[name](self, eqn, *operands)
        elif name in elementary.RULES:
            found = elementary.RULES[name](*map(parts.of, operands))
        else:
            found = as_one(eqn, *operands)
        return list(found) if isinstance(found, list) else [found]

    def placed(self, jaxpr: Any) -> Any:
        """Return a traced jaxpr whose operations have the places of those that they stem from."""
        return jaxpr.replace(eqns=[self._placed(eqn) for eqn in jaxpr.eqns])

    def _placed(self, eqn: Any) -> Any:
        numbers = _SCOPE.findall(str(eqn.source_info.name_stack))
        source = eqn.source_info
        if numbers:
            # The scope tells that it is of complex numbers, and which part it makes.
            source = self.sources[int(numbers[-1])].replace(name_stack=source.name_stack)
        inside = {name: self._inside(value) for name, value in eqn.params.items()}
        return eqn.replace(source_info=source, params=inside)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, jex.ClosedJaxpr):
            return jex.ClosedJaxpr(self.placed(value.jaxpr), value.consts)
        if isinstance(value, jex.Jaxpr):
            return self.placed(value)
        if isinstance(value, tuple):
            parts_ = [self._inside(part) for part in value]
            return type(value)(*parts_) if hasattr(value, "_fields") else type(value)(parts_)
        return value


def _as_it_is(jaxpr: Any, eqn: Any, operands: list[Any]) -> list[Any]:
    """Run an operation without complex numbers, at its place."""
    given = {
        v: o for v, o in zip(eqn.invars, operands, strict=True) if not isinstance(v, jex.Literal)
    }
    one = jaxpr.replace(constvars=[], invars=list(given), outvars=eqn.outvars, eqns=[eqn])
    return jex.jaxpr_as_fun(jex.ClosedJaxpr(one, []))(*given.values())
