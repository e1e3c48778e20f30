"""Programs of complex numbers, rewritten to their real and imaginary parts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad import exact_gradient
from handgrad.program.complex_numbers.transform import has_complex, in_reals
from tests.handgrad.oracle.problems import assert_right
from tests.handgrad.program.rule_losses_of_complex_numbers import SPLIT, WHOLE, of
from tests.tiers import one_of_each


@pytest.mark.slow  # each compiles a loss of its own
@pytest.mark.parametrize("name", SPLIT)
def test_a_function(name: str) -> None:
    assert_right(*SPLIT[name])


@pytest.mark.parametrize("name", one_of_each([*SPLIT, *WHOLE], ["products"]))
@pytest.mark.parametrize("of_gradient", one_of_each([False, True], [False]))
def test_the_program_of_parts_computes_the_same(name: str, of_gradient: bool) -> None:
    loss, at = (SPLIT | WHOLE)[name]
    if of_gradient and name == "while":
        pytest.skip("JAX cannot differentiate it backwards")
    with jax.enable_x64(True):
        program = jax.make_jaxpr(jax.grad(loss) if of_gradient else loss)(at)
        parts = in_reals(program)
        assert has_complex(program.jaxpr)
        assert not has_complex(parts.jaxpr)
        (expected,), (found,) = (jex.jaxpr_as_fun(p)(at) for p in (program, parts))
    # Five digits more than float32 has; of an element that cancels, of those that do not.
    largest = np.max(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11 * largest)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*WHOLE, "cholesky", "triangular", "loops"])
def test_jax_differentiates_the_program_of_parts(name: str) -> None:
    """As the diagnosis lets it: with one link changed."""
    loss, at = (SPLIT | WHOLE)[name]
    with jax.enable_x64(True):
        parts = jex.jaxpr_as_fun(in_reals(jax.make_jaxpr(loss)(at)))
        found, expected = jax.grad(lambda p: parts(p)[0])(at), jax.grad(loss)(at)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)  # five digits to spare


def test_a_program_of_real_numbers_is_left_alone() -> None:
    program = jax.make_jaxpr(lambda x: jax.lax.cond(x > 0, jax.numpy.sin, lambda x: -x, x))(1.0)
    assert in_reals(program) is program


@pytest.mark.slow
@pytest.mark.parametrize("f", [jnp.sign, jnp.arccosh])
def test_where_jax_is_wrong(f: Any) -> None:
    """JAX 0.10.2 has slopes of 0 for the one, and the other branch's for the other."""
    loss, at = of(f)
    exact = np.array([float(each.midpoint) for each in exact_gradient(loss, at)])
    h = 1e-6
    with jax.enable_x64(True):
        moved = [(loss(at + d) - loss(at - d)) / (2 * h) for d in h * np.eye(at.size)]
        off = np.abs(exact - np.array(jax.grad(loss)(at)))
    # Of third order in h, and the rounding of the loss over h.
    np.testing.assert_allclose(exact, moved, rtol=1e-7, atol=1e-8)
    assert off.max() > 0.1
