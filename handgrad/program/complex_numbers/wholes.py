"""Operations on complex arrays that are not split: one on the parts, which joins them.

It runs as JAX's, is differentiated by JAX's rules, and has a rule of its own in ball arithmetic, by
its name: `complex fft`. One without a rule is named by it.
"""

from functools import cache, partial
from typing import Any

import jax
from jax.core import ShapedArray
from jax.extend import core as jex
from jax.interpreters import ad, batching, mlir

from handgrad.data.complex_pairs import Pair, in_pairs, is_complex
from handgrad.program.complex_numbers import parts


def as_one(eqn: Any, *operands: Any) -> list[Any]:
    """Run an operation on pairs as a single operation of a real program."""
    given, flat = [parts.full(o) for o in operands], []
    for operand in given:
        flat += operand if isinstance(operand, Pair) else [operand]
    params = tuple(eqn.params.items())
    pairs = tuple(isinstance(o, Pair) for o in given)
    one = _primitive(eqn.primitive)
    found = iter(one.bind(*flat, pairs=pairs, params=params))
    return [
        Pair(next(found), next(found)) if is_complex(v.aval) else next(found) for v in eqn.outvars
    ]


@cache
def _primitive(original: Any) -> Any:
    """Make the operation on parts from that on complex arrays."""

    def run(*flat: Any, pairs: tuple[bool, ...], params: Any) -> list[Any]:
        left = iter(flat)
        given = [jax.lax.complex(next(left), next(left)) if p else next(left) for p in pairs]
        found = original.bind(*given, **dict(params))
        return jax.tree_util.tree_leaves(in_pairs(found))

    def shapes(*avals: Any, **options: Any) -> list[Any]:
        given = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals]
        found = jax.eval_shape(partial(run, **options), *given)
        return [ShapedArray(s.shape, s.dtype) for s in found]

    def slopes(primals: Any, tangents: Any, **options: Any) -> Any:
        moves = [ad.instantiate_zeros(t) for t in tangents]
        return jax.jvp(partial(run, **options), tuple(primals), tuple(moves))

    def batched(args: Any, axes: Any, **options: Any) -> Any:
        found = jax.vmap(partial(run, **options), in_axes=tuple(axes))(*args)
        return found, [0] * len(found)

    one = jex.Primitive(f"complex {original.name}")
    one.multiple_results = True
    one.def_impl(run)
    one.def_abstract_eval(shapes)
    ad.primitive_jvps[one] = slopes
    batching.primitive_batchers[one] = batched
    mlir.register_lowering(one, mlir.lower_fun(run, multiple_results=True))
    return one
