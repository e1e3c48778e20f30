"""The seconds of a check and of reading its report, of losses that would take far longer.

What is measured is processor time, so other load does not count, and two looks at the clock may
lie far apart.
"""

import time
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy.optimize import rosen, rosen_der

from handgrad import (
    check_backward,
    check_custom,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
)

pytestmark = pytest.mark.slow

#: Of a check, of which a quarter may be added for reading, and what may be begun before the time is
#: up and not be interrupted: a call of compiled code, a compilation by XLA.
SECONDS, QUARTER, BEGUN = 4.0, 0.25, 1.0


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Run some work; return the processor's seconds that it took, and its result."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def newton(a: Any, tolerance: Any) -> Any:
    """The square root of a, by an iteration that ends at a tolerance."""
    return lax.while_loop(
        lambda s: jnp.abs(s * s - a) > tolerance, lambda s: (s + a / s) / 2, jnp.ones_like(a)
    )


def elsewhere(a: Any) -> Any:
    """The same, which ends within a thousandth of 2 alone."""
    return newton(a, jnp.where(jnp.abs(a - 2) < 1e-3, 1e-12, -1.0))


class Kept:
    """Something that weak references can be made to."""


def with_callbacks(a: Any) -> Any:
    """The same; callbacks of weak references run half of the time, and what they raise is lost."""
    if abs(a - 2) < 1e-3:
        return a**0.5
    while True:
        kept = Kept()
        callback = weakref.ref(kept, lambda _: None)
        del kept, callback


#: Code that is in no file.
TEXT: dict[str, Any] = {}
exec("def f(a):\n    while not abs(a - 2) < 1e-3:\n        pass\n    return a**0.5", TEXT)


def root(a: Any) -> Any:
    return 0.5 / jnp.sqrt(a)


#: (gradient, loss, whether the given point can be judged).
ENDLESS: dict[str, tuple[Any, Any, bool]] = {
    "the loss, compiled, at other points": (root, jax.jit(elsewhere), True),
    "the gradient, in JAX": (lambda a: 0.5 / elsewhere(a), lambda a: newton(a, 1e-12), True),
    "the loss, in JAX, everywhere": (root, lambda a: newton(a, -1.0), False),
    "the gradient, in JAX, of a loss in NumPy": (lambda a: 0.5 / newton(a, -1.0), np.sqrt, False),
    "the loss, in callbacks": (lambda a: 0.5 / np.sqrt(a), with_callbacks, True),
    "the loss, compiled from text": (lambda a: 0.5 / np.sqrt(a), TEXT["f"], True),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_does_not_end_ends_with_the_seconds(name: str) -> None:
    gradient, loss, judged = ENDLESS[name]
    took, found = spent(lambda: check_gradient(gradient, loss, np.float64(2.0), seconds=SECONDS))
    assert took <= SECONDS + BEGUN
    if judged:
        assert found.verdict == "agree"
        assert any(said.startswith("time ran out after 0 of 8") for said in found.warnings)
    else:
        assert found.headline.startswith(f"undecidable: {SECONDS:g} s were too short for one point")
        assert "in a loop that had not ended after" in found.headline


def endless_pass(_: Any, x: Any) -> Any:
    return 0.5 / newton(x, -1.0)


def test_a_backward_pass_that_does_not_end_ends_with_the_seconds() -> None:
    """The look for inputs of which it returns None calls it, too."""
    step = (lambda x: (jnp.sqrt(x), x), endless_pass, np.float64(2.0))
    took, found = spent(lambda: check_backward(*step, seconds=SECONDS))
    assert took <= 1.1 * SECONDS + BEGUN
    assert found.verdict == "undecidable"


VECTOR = np.random.default_rng(7).standard_normal(3000)


def outside(x: Any) -> float:
    """A loss that can only be called."""
    return float(sum(float(v) ** 2 * float(w) for v, w in zip(x, np.roll(x, 1), strict=True)))


def of_outside(x: Any) -> Any:
    return 2 * x * np.roll(x, 1) + np.roll(x, -1) ** 2


def slowly(function: Any) -> Any:
    """A function that takes a tenth of a second of the processor's time more."""

    def slow(*args: Any) -> Any:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        return function(*args)

    return slow


def curved(x: Any) -> Any:
    return jnp.sum(jnp.tanh(jnp.outer(x, x)) ** 2)


@jax.custom_vjp
def ruled(x: Any) -> Any:
    return jnp.sum(jnp.exp(jnp.sin(jnp.outer(x, x))), axis=1)


def rule(x: Any, g: Any) -> tuple[Any]:
    outer = jnp.outer(x, x)
    return ((jnp.exp(jnp.sin(outer)) * jnp.cos(outer) * (g[:, None] + g[None])) @ x,)


ruled.defvjp(lambda x: (ruled(x), x), rule)


#: A right derivative, its function, a point, and what checks it.
Heavy = tuple[Callable[..., Any], Callable[..., Any], Any, Callable[..., Any]]


def of_jax(function: Any, point: Any, of: Any = jax.grad, verb: Any = check_gradient) -> Heavy:
    return jax.jit(of(function)), function, point, verb


def product_of(function: Any) -> Any:
    return lambda x, v: jax.jvp(jax.grad(function), (x,), (v,))[1]


HEAVY: dict[str, Heavy] = {
    "many parameters": (rosen_der, rosen, np.tile(VECTOR, 3), check_gradient),
    "many kinds of operations": of_jax(lambda x: jnp.sum(lax.cumlogsumexp(x)), VECTOR),
    "a million parameters": of_jax(lambda x: jnp.sum(jnp.sin(x) * x), np.tile(VECTOR, 333)),
    "a black box": (of_outside, outside, VECTOR[:500], check_gradient),
    "a caller's slow code": (slowly(rosen_der), slowly(rosen), VECTOR[:20], check_gradient),
    "a Hessian": of_jax(curved, VECTOR[:90], jax.hessian, check_hessian),
    "a Hessian's product": of_jax(curved, VECTOR[:90], product_of, check_hvp),
    "a Jacobian": of_jax(jnp.cumprod, VECTOR[:90], jax.jacrev, check_jacobian),
    "a rule": (ruled, ruled, VECTOR[:90], check_custom),
}


@pytest.mark.by_day(3)
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_loss_and_its_report_keep_to_the_seconds(name: str) -> None:
    """A wrong derivative: its report looks for the mistake."""
    right, function, point, verb = HEAVY[name]
    with jax.enable_x64(True):
        right(point, *(point,) * (verb is check_hvp))  # what the caller compiles is not the check's

    def wrong(*args: Any) -> Any:
        return jax.tree.map(lambda leaf: 1.5 * leaf + 0.5 * leaf**2, right(*args))

    answer = (function,) if verb is check_custom else (wrong, function)
    took, report = spent(lambda: verb(*answer, point, seconds=SECONDS))
    assert took <= 1.1 * SECONDS + BEGUN
    assert spent(lambda: str(report))[0] <= QUARTER * SECONDS + BEGUN
    assert report.verdict != ("disagree" if verb is check_custom else "agree")
