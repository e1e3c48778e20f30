"""Every rule of the table, in a loss that has the operation and in JAX's gradient of it."""

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend import core as jex

from handgrad.oracle.evaluate import Problem
from handgrad.program.rules import RULES
from tests.handgrad.oracle.problems import assert_right
from tests.handgrad.program.rule_losses import COMPARING, CONTROL, ELEMENTWISE, POSITIVE, of
from tests.handgrad.program.rule_losses_of_arrays import (
    LINEAR_ALGEBRA,
    MOVING,
    SUMMING,
    triangular,
)
from tests.handgrad.program.rule_losses_of_complex_numbers import WHOLE
from tests.handgrad.program.rule_losses_of_windows import WINDOWS
from tests.tiers import one_of_each

#: Losses by operations that JAX has from version 0.12 on.
NEWER: dict[str, Any] = {
    "log2": of(jnp.log2, POSITIVE),
    "polynomial": of(lambda p: jnp.polyval(jnp.array([0.5, -2.0, 1.0]), p)),
    "call_hi_primitive": of(
        lambda p: p * jnp.searchsorted(jnp.array([-0.5, 0.4, 0.4, 0.9]), p).astype(p.dtype)
    ),
}

HAS_NEWER = jax.__version_info__ >= (0, 12)

LOSSES = {
    **ELEMENTWISE,
    **COMPARING,
    **CONTROL,
    **MOVING,
    **SUMMING,
    **WINDOWS,
    **LINEAR_ALGEBRA,
    **WHOLE,
    **(NEWER if HAS_NEWER else {}),
}

#: Names that the installed JAX gives to no operation of a loss of real numbers.
NEVER: dict[str, str] = {
    "pjit": "the name of `jit` in earlier versions",
    "checkpoint": "the name of `remat2` in other versions",
    "copy_p": "the name of the Python object; the operation is `copy`",
    "closed_call": "from inside of transformations alone",
    "core_call": "from inside of transformations alone",
    "expand_dims": "traced as broadcast_in_dim or reshape",
    "scatter_add": "spelt scatter-add",
    "lt_to": "inside of jnp.interp and searchsorted, in some versions",
    "le_to": "as lt_to",
    "device_put": "inside of jax.scipy.sparse.linalg.cg",
    "one_minus_square": "in the gradient of tanh, in later versions alone",
    **dict.fromkeys([] if HAS_NEWER else NEWER, "in later versions alone"),
}


#: The design's operations that take no real number: JAX runs them as they stand.
BY_JAX = {
    "and": of(lambda p: jnp.where((p > 0) & (p < 0.9), p, p * p)),
    "iota": of(lambda p: jnp.where(lax.iota(np.int32, 5) > 2, p, p * p)),
    "platform_index": of(lambda p: lax.platform_dependent(p, cpu=jnp.sin, default=jnp.cos)),
    "reduce_or": of(lambda p: jnp.where(jnp.any(p > 1), p, p * p)),
}

DESIGN = """
abs add add_any and broadcast_in_dim cholesky concatenate cond convert_element_type copy
custom_jvp_call custom_linear_solve digamma div dot_general eq erfc exp gather ge gt integer_pow
iota is_finite jit lgamma log log1p logistic lt lu max min mul ne neg platform_index reduce_max
reduce_or reduce_sum rem reshape rsqrt scan scatter-add select_n sign square squeeze stop_gradient
sub tanh transpose triangular_solve
erf erf_inv expm1 pow sqrt sin cos tan atan2 clamp cumsum cumlogsumexp sort argmax while
dynamic_slice dynamic_update_slice pad rev reduce_prod reduce_min conv_general_dilated
custom_vjp_call expand_dims exp2 cbrt
"""


def operations(jaxpr: Any) -> set[str]:
    names = {eqn.primitive.name for eqn in jaxpr.eqns}
    inner = (part for eqn in jaxpr.eqns for part in jex.jaxprs_in_params(eqn.params))
    return names.union(*map(operations, inner))


def names_in(case: Problem) -> set[str]:
    programs = (case.traced.loss, case.traced.gradient)
    return set().union(*(operations(program.jaxpr.jaxpr) for program in programs if program))


def test_every_rule_has_its_loss() -> None:
    assert set(LOSSES) | set(NEVER) == set(RULES)
    assert not set(LOSSES) & set(NEVER)


def test_the_design_is_covered() -> None:
    assert set(DESIGN.split()) - set(RULES) == set(BY_JAX)


@pytest.mark.slow  # each compiles a loss of its own
@pytest.mark.parametrize("name", [*LOSSES, *BY_JAX])
def test_a_rule(name: str) -> None:
    loss, params = {**LOSSES, **BY_JAX}[name]
    assert name in names_in(assert_right(loss, params))


@pytest.mark.parametrize(
    "options", one_of_each(list(product((True, False), repeat=3)), [(True, True, True)])
)
def test_triangular_systems_of_every_kind(options: tuple[bool, ...]) -> None:
    names = ("left_side", "lower", "transpose_a")
    loss, point = triangular(
        **dict(zip(names, options, strict=True)), unit_diagonal=options[0] == options[1]
    )
    assert_right(loss, point)
