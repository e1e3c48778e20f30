"""Every line of the table of operations, alone: its value, its slopes and its second derivative.

The value and the slopes are JAX's in float64, and so is the second derivative.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad import check_hvp, exact_gradient
from handgrad.program.rules import RULES
from tests.corpus.operations import LINES, alone
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
    "device_put": "inside of jax.scipy.sparse.linalg.cg, which is not certified",
    "one_minus_square": "in the gradient of tanh, in later versions alone",
    **dict.fromkeys(NEWER if jax.__version_info__ < (0, 12) else (), "in later versions alone"),
}

#: Operations that JAX runs as they stand: they take no real number.
BY_JAX = {"and", "iota", "platform_index", "reduce_or"}

TRIED = sorted(set(LINES) - set(NEVER))

#: Operations without a second derivative here: what FLINT has no series of, and what decomposes
#: matrices of numbers. A Hessian of theirs is not certified, and the report says so.
WITHOUT = (
    *("eigh", "igamma", "igamma_grad_a", "igammac", "jacobian"),
    *("regularized_incomplete_beta", "svd"),
)

#: Those of which JAX has no second derivative either, or another.
IN_NOTHING = {"igamma_grad_a", "linear_call", "stop_gradient", "zeta"}
SECOND = [name for name in TRIED if name not in IN_NOTHING | BY_JAX and "complex" not in name]


def operations(jaxpr: Any) -> set[str]:
    names = {eqn.primitive.name for eqn in jaxpr.eqns}
    inner = (part for eqn in jaxpr.eqns for part in jex.jaxprs_in_params(eqn.params))
    return names.union(*map(operations, inner))


def slopes(text: str, loss: Any) -> Any:
    return (jax.jacfwd if "while_loop" in text else jax.grad)(loss)


@pytest.mark.slow
def test_every_rule_has_its_lines() -> None:
    ruled = {name for name in LINES if name in RULES or not name.startswith("complex ")}
    assert ruled - BY_JAX | {"add_any"} | set(NEVER) == set(RULES)
    for name in set(TRIED) & {*set(RULES), *BY_JAX}:
        found = set[str]()
        for text in LINES[name]:
            loss, at = alone(text)
            with jax.enable_x64(True):
                for function in (loss, slopes(text, loss)):
                    found |= operations(jax.make_jaxpr(function)(at).jaxpr)
        assert name.removeprefix("complex ") in found


def midpoints(tree: Any) -> list[np.ndarray]:
    return [np.vectorize(lambda e: float(e.midpoint))(leaf) for leaf in jax.tree.leaves(tree)]


@pytest.mark.by_day(40)
@pytest.mark.parametrize("name", one_of_each(TRIED, ["qr", "complex products"]))
def test_a_rule(name: str) -> None:
    """The value is the slope by its weight."""
    for text in LINES[name]:
        loss, at = alone(text)
        given = [np.float64(1), at]
        weighed = lambda p, loss=loss: p[0] * loss(p[1])  # noqa: E731
        with jax.enable_x64(True):
            expected = jax.jit(slopes(text, weighed))(given)
        found = midpoints(exact_gradient(weighed, given, referee="series"))
        size = max(np.abs(leaf).max() for leaf in jax.tree.leaves(expected))
        for got, of_jax in zip(found, jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(got, of_jax, rtol=1e-12, atol=1e-13 * size, err_msg=text)


@pytest.mark.parametrize("name", one_of_each(SECOND, ["pow"]))
def test_a_second_derivative(name: str) -> None:
    loss, at = alone(LINES[name][0])

    def product(p: Any, v: Any) -> Any:
        def along(p: Any) -> Any:
            slopes = jax.tree.map(jnp.vdot, jax.grad(loss)(p), v)
            return sum(jax.tree.leaves(slopes))

        with jax.enable_x64(True):
            return jax.grad(along)(p)

    report = check_hvp(product, loss, at, points=0)
    assert report.verdict in ("agree", "imprecise"), str(report)
    assert report.certified is (name not in WITHOUT), str(report)
