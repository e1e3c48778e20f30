"""Programs: custom rules that are not believed, rounded literals."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax
from jax.extend import core as jex

from handgrad.arithmetic import balls
from handgrad.oracle.certify import certify
from handgrad.oracle.custom_rules import broken_rules
from handgrad.oracle.evaluate import Problem, meant_literal
from handgrad.oracle.random_directions import FEWEST
from handgrad.program.programs import custom_rules, without_custom_rules
from tests.handgrad.oracle.problems import problem
from tests.tiers import slowly

WIDE = np.cos(np.arange(1.0, 312.0))


@jax.custom_jvp
def wrong_by_a_hair(x: Any) -> Any:
    return jnp.sin(x)


@wrong_by_a_hair.defjvp
def _hair(primals: Any, tangents: Any) -> Any:
    return wrong_by_a_hair(*primals), jnp.cos(primals[0]) * tangents[0] * (1 + 2e-16)


@jax.custom_vjp
def wrong_sign(x: Any) -> Any:
    return jnp.sin(x)


wrong_sign.defvjp(lambda x: (jnp.sin(x), x), lambda x, ct: (-ct * jnp.cos(x),))


@jax.custom_jvp
def right(x: Any) -> Any:
    return jnp.sin(x)


@right.defjvp
def _right(primals: Any, tangents: Any) -> Any:
    return right(*primals), jnp.cos(primals[0]) * tangents[0]


@pytest.mark.parametrize(
    ("f", "method"),
    [
        *((wrong_by_a_hair, "program"), slowly(wrong_by_a_hair, "auto")),
        *(slowly(wrong_sign, "program"), slowly(wrong_sign, "auto")),
    ],
)
def test_a_wrong_rule_of_a_large_network_is_not_believed(f: Any, method: str) -> None:
    case = problem(lambda p: jnp.sum(f(p) ** 2 * p), WIDE)
    reference = certify(case, method)
    exact = np.sin(WIDE) * (2 * np.cos(WIDE) * WIDE + np.sin(WIDE))
    np.testing.assert_allclose(balls.midpoints(reference.gradient), exact, rtol=1e-13, atol=1e-15)
    assert reference.program is case.traced.plain()
    assert reference.known.all()
    assert broken_rules(case, reference) == [f.__name__]


@jax.custom_vjp
def doubled_until_large(x: Any) -> Any:
    return lax.while_loop(lambda v: v[0] < 100, lambda v: 2 * v, x)


doubled_until_large.defvjp(lambda x: (doubled_until_large(x), None), lambda _, ct: (3 * ct,))


def not_differentiable_otherwise(case: Problem) -> Problem:
    """Return a problem as if JAX could not differentiate the loss without its custom rules."""
    return replace(case, traced=replace(case.traced, plain=lambda: None))


def test_a_loop_is_differentiated_forwards_without_its_wrong_rule() -> None:
    case = problem(lambda p: jnp.sum(doubled_until_large(p) ** 2), np.abs(WIDE[:29]) + 0.01)
    assert certify(case, "program").program is case.traced.plain()


def test_where_no_program_has_the_gradient_some_elements_are_known() -> None:
    """A wrong rule for a loop that JAX cannot differentiate without one."""
    at = np.abs(WIDE[:29]) + 0.01
    case = problem(lambda p: jnp.sum(doubled_until_large(p) ** 2), at)
    case = not_differentiable_otherwise(case)
    everything, some = certify(case, "program"), certify(case, "program", seconds=0.0)
    factor = 2.0 ** np.ceil(np.log2(100 / at[0]))
    expected = 2 * factor**2 * at
    assert everything.known.all()
    assert everything.program is None
    np.testing.assert_allclose(balls.midpoints(everything.gradient), expected, rtol=1e-14)
    assert some.known.sum() == FEWEST
    assert f"{FEWEST} of 29 elements" in some.how
    found = balls.midpoints(some.gradient)
    np.testing.assert_allclose(found[some.known], expected[some.known], rtol=1e-14)


def test_some_of_every_leaf_is_known() -> None:
    """Where elements are drawn, a small leaf beside a large one is not forgotten."""
    params = {"large": np.linspace(1, 2, 200), "small": np.array([1.5]), "two": np.array([1.2, 3])}
    case = problem(lambda p: sum(jnp.sum(doubled_until_large(p[k]) ** 2) for k in p), params)
    reference = certify(not_differentiable_otherwise(case), "program", seconds=0.0)
    assert reference.known.sum() == FEWEST
    ends = np.cumsum([leaf.size for leaf in case.leaves])
    assert all(known.any() for known in np.split(reference.known, ends[:-1]))


def test_a_right_rule_is_believed() -> None:
    case = problem(lambda p: jnp.sum(right(p) ** 2 * p), WIDE)
    reference = certify(case, "program")
    assert reference.program is case.traced.gradient
    assert custom_rules(case.traced.loss) == ["right"]
    assert broken_rules(case, reference) == []


@pytest.mark.slow
def test_a_wrong_rule_inside_of_loops_and_branches_is_found_and_replaced() -> None:
    def loss(p: Any) -> Any:
        def step(h: Any, row: Any) -> tuple[Any, Any]:
            return lax.cond(h[0] > 0, wrong_sign, jnp.cos, h) * row, h

        last, kept = lax.scan(step, p[0], p)
        return jnp.sum(last) + jnp.sum(jax.jit(wrong_by_a_hair)(kept))

    case = problem(loss, np.cos(np.arange(1.0, 13.0)).reshape(4, 3))
    assert custom_rules(case.traced.loss) == ["wrong_sign", "wrong_by_a_hair"]
    plain = case.traced.plain()
    assert plain is not None
    assert custom_rules(plain) == []
    reference = certify(case, "series")
    assert reference.program is plain
    with jax.enable_x64(True):
        outputs = without_custom_rules(case.traced.loss.jaxpr, case.leaves)
    assert float(outputs[0]) == pytest.approx(float(reference.loss.mid()), rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, slowly(np.float32)])
@pytest.mark.parametrize("f", [lax.erf, slowly(lax.erfc), slowly(lambda p: lax.erf_inv(p * 0.5))])
def test_rounded_literals_of_derivative_rules_are_replaced(f: Any, dtype: Any) -> None:
    case = problem(lambda p: jnp.sum(f(p) ** 2), (WIDE * 0.9).astype(dtype))
    reference = certify(case, "program")
    assert reference.program is case.traced.gradient
    assert "held to" in reference.how


def literal(value: float, dtype: Any, shape: tuple[int, ...] = ()) -> jex.Literal:
    """As JAX itself makes them."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(lambda x: x * np.full(shape, value, dtype))(
            jnp.zeros(shape, dtype)
        )
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
            assert meant is not None
            assert (sign * exact).overlaps(meant.value[()])


def test_the_same_literal_in_a_loss_means_itself() -> None:
    case = problem(lambda p: jnp.sum(1.1283791670955126 * p * p), WIDE[:30])
    reference = certify(case, "program")
    with balls.precision(300):
        gaps = reference.gradient - 2 * arb(1.1283791670955126) * balls.exact(WIDE[:30])
    assert (balls.magnitudes(gaps) < 2.0**-56).all()
    assert all(gap.contains(0) for gap in gaps)
    assert "held to" in reference.how


@pytest.mark.parametrize("value", [1.0, 2.0, 1.128379, np.nextafter(2 / np.sqrt(np.pi), 2)])
def test_other_literals_mean_themselves(value: float) -> None:
    assert meant_literal(literal(value, np.float64)) is None
