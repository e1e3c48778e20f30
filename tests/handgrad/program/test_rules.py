"""Every line of the table of operations, alone: its value, its slopes and its second derivative.

The value is JAX's in float64. Slopes by power series are those of JAX's program in ball arithmetic,
two ways that have the rules alone in common, and the second derivative is a difference quotient's.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax.extend import core as jex

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.oracle import evaluate
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.program.form import QUICK
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.jacobians import jacobian
from handgrad.program.rules import RULES
from handgrad.program.trace import trace
from tests.corpus.operations import LINES, alone
from tests.handgrad.oracle.problems import problem
from tests.tiers import one_of_each

#: Operations that JAX has from 0.12 on.
NEWER = ("log2", "polynomial", "call_hi_primitive")

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
    **dict.fromkeys(NEWER if jax.__version_info__ < (0, 12) else (), "in later versions alone"),
}

#: Operations that JAX runs as they stand: they take no real number.
BY_JAX = {"and", "iota", "platform_index", "reduce_or"}

TRIED = sorted(set(LINES) - set(NEVER))

#: Operations without a second derivative here: what FLINT has no series of, and what decomposes
#: matrices of numbers. A Hessian of theirs is not certified, and the report says so.
WITHOUT = (
    *("complex eigh", "eigh", "igamma", "igamma_grad_a", "igammac", "jacobian"),
    *("regularized_incomplete_beta", "svd"),
)
WITH = set(TRIED) & set(RULES) - set(WITHOUT)


def operations(jaxpr: Any) -> set[str]:
    names = {eqn.primitive.name for eqn in jaxpr.eqns}
    inner = (part for eqn in jaxpr.eqns for part in jex.jaxprs_in_params(eqn.params))
    return names.union(*map(operations, inner))


def test_every_rule_has_its_lines() -> None:
    ruled = {name for name in LINES if name in RULES or not name.startswith("complex ")}
    assert ruled - BY_JAX | {"add_any"} | set(NEVER) == set(RULES)


@pytest.mark.parametrize("name", one_of_each(TRIED, ["pad", "qr", "complex products"]))
def test_a_rule(name: str) -> None:
    found: set[str] = set()
    for text in LINES[name]:
        loss, at = alone(text)
        case = problem(loss, at)
        reference = certify(case, "series")
        with jax.enable_x64(True):
            value = float(jax.jit(loss, compiler_options=QUICK)(at))
        off = abs(float(reference.loss.mid()) - value)
        assert off <= 64 * np.spacing(max(1.0, abs(value))), text
        assert reference.kink is None, text
        # It is JAX's if the two agree to 58 bits.
        assert reference.program is case.traced.gradient, text
        programs = (case.traced.loss, case.traced.gradient)
        found = found.union(*(operations(p.jaxpr.jaxpr) for p in programs if p))
    assert name in found or name not in {*RULES, *BY_JAX}


def second(loss: Any, at: Any) -> tuple[arb, arb]:
    """Return the mixed derivative along two directions, by series and by a difference quotient."""
    leaves, tree = jax.tree_util.tree_flatten(at)
    shapes, ends = [leaf.shape for leaf in leaves], np.cumsum([leaf.size for leaf in leaves])
    flat = np.concatenate([leaf.reshape(-1) for leaf in leaves])
    v, w = np.random.default_rng(0).uniform(-1, 1, (2, flat.size))

    def moved(t: Any, x: Any) -> Any:
        parts = jnp.split(x + t[0] * v, ends[:-1])
        given = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        return loss(jax.tree_util.tree_unflatten(tree, given)).reshape(1)

    def slope(x: Any) -> Any:
        return jacobian(moved, np.zeros(1), x)[0, 0]

    problem = Problem(trace(slope, flat, (), differentiate=False), [flat], [])
    with balls.precision(1000):
        found = partial(Comparisons, final=True, undefined=True)
        along = balls.exact(w)[None]
        _, (by_series,) = evaluate.slopes(problem, along, found())
        # (s(x + h·w) - s(x - h·w)) / 2h is off by about h².
        h = arb(2) ** -150
        ends_of = [[balls.exact(flat) + sign * h * balls.exact(w)] for sign in (1, -1)]
        right, left = (evaluate.slopes(problem, along, found(), x)[0] for x in ends_of)
        return by_series, (right - left) / (2 * h)


@pytest.mark.parametrize("name", one_of_each(sorted(WITH), ["tanh", "pow"]))
def test_a_second_derivative(name: str) -> None:
    by_series, quotient = second(*alone(LINES[name][0]))
    assert float(by_series.rad()) < 1e-100
    assert abs(float(by_series - quotient)) <= 1e-60 * max(1.0, abs(float(quotient)))


@pytest.mark.parametrize("name", one_of_each(WITHOUT, ["igamma", "svd"]))
def test_what_has_no_second_derivative_says_so(name: str) -> None:
    with pytest.raises(UncertifiedPrimitiveError):
        second(*alone(LINES[name][0]))
