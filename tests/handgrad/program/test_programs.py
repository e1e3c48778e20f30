"""Programs: rounded literals of derivative rules, and elements where no program has a gradient."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax.extend import core as jex

from handgrad.arithmetic import balls
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import meant_literal
from handgrad.oracle.random_directions import FEWEST
from tests.corpus.rows.tracing import doubled_until_large
from tests.handgrad.oracle.problems import problem


def test_where_no_program_has_the_gradient_some_elements_of_every_leaf_are_known() -> None:
    """A wrong rule for a loop, as if JAX could not differentiate it without one."""
    params = {"large": np.linspace(1, 2, 200), "small": np.array([1.5]), "two": np.array([1.2, 3])}
    case = problem(lambda p: sum(jnp.sum(doubled_until_large(p[k]) ** 2) for k in p), params)
    case = replace(case, traced=replace(case.traced, plain=lambda: None))
    everything, some = certify(case, "program"), certify(case, "program", seconds=0.0)
    expected = np.concatenate([
        2 * 4.0 ** np.ceil(np.log2(100 / leaf[0])) * leaf for leaf in case.leaves
    ])  # fmt: skip
    assert everything.known.all()
    assert everything.program is None
    np.testing.assert_allclose(balls.midpoints(everything.gradient), expected, rtol=1e-14)
    assert some.known.sum() == FEWEST
    assert f"{FEWEST} of {expected.size} elements" in some.how
    found = balls.midpoints(some.gradient)
    np.testing.assert_allclose(found[some.known], expected[some.known], rtol=1e-14)
    ends = np.cumsum([leaf.size for leaf in case.leaves])
    assert all(known.any() for known in np.split(some.known, ends[:-1]))


def literal(value: float, dtype: Any) -> jex.Literal:
    """As JAX itself makes them."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(lambda x: x * np.asarray(value, dtype))(jnp.zeros((), dtype))
    return next(v for v in program.jaxpr.eqns[0].invars if isinstance(v, jex.Literal))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_a_literal_is_the_rounding_of(dtype: Any, sign: int) -> None:
    with balls.precision(300):
        for value, exact in (
            (2 / np.sqrt(np.pi), 2 / arb.const_sqrt_pi()),
            (np.sqrt(np.pi) / 2, arb.const_sqrt_pi() / 2),
        ):
            meant: Any = meant_literal(literal(sign * value, dtype))
            assert (sign * exact).overlaps(meant.value[()])


@pytest.mark.parametrize("value", [1.0, 2.0, 1.128379, np.nextafter(2 / np.sqrt(np.pi), 2)])
def test_other_literals_mean_themselves(value: float) -> None:
    assert meant_literal(literal(value, np.float64)) is None


def test_the_same_literal_in_a_loss_means_itself() -> None:
    at = np.cos(np.arange(1.0, 31.0))
    reference = certify(problem(lambda p: jnp.sum(1.1283791670955126 * p * p), at), "program")
    with balls.precision(300):
        gaps = reference.gradient - 2 * arb(1.1283791670955126) * balls.exact(at)
    assert (balls.magnitudes(gaps) < 2.0**-56).all()
    assert all(gap.contains(0) for gap in gaps)
    assert "held to" in reference.how
