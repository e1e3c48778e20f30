"""Time tracing, lowering, compiling, and the first call, in a separate process.

JAX was started there by another program and has traced and compiled nothing else, so no part of the
work was done before.
"""

from contextlib import suppress

import jax

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.ready import Unavailable
from handgrad.speed.rounds import sample


def phases(spec: Spec) -> dict[str, float]:
    """Return the seconds of each phase for `jax.grad`; {} if the problem has none."""
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    make = contenders(problem)[names.GRAD_AOT]
    precise = jax.default_matmul_precision(spec.precision)
    with wide, precise, suppress(Unavailable):
        ready = make(problem)
        return {**ready.phases, "first call": sample(ready.run, 1)[0]}
    return {}
