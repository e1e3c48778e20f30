"""The seconds of a check and of reading its report, of losses that would take far longer.

What is measured is processor time, so other load does not count.
"""

import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_custom, check_gradient, clock, report
from handgrad.judging import trial
from tests.handgrad.heavy import BEGUN, FOR_READING, HEAVY, MODELS, of_model, one_of_each, spent

SECONDS = 4.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits as users have them, which other tests have not."""
    monkeypatch.setattr(trial, "limited", clock.limited)
    monkeypatch.setattr(report, "FOR_READING", FOR_READING)


def newton(a: Any, tolerance: Any) -> Any:
    """The square root of a, by an iteration that ends at a tolerance."""
    return lax.while_loop(
        lambda s: jnp.abs(s * s - a) > tolerance, lambda s: (s + a / s) / 2, jnp.ones_like(a)
    )


def elsewhere(a: Any) -> Any:
    """The same, which ends within a thousandth of 2 alone."""
    return newton(a, jnp.where(jnp.abs(a - 2) < 1e-3, 1e-12, -1.0))


def in_python(a: Any) -> Any:
    """The same in Python."""
    s, tolerance = 1.0, 1e-12 if abs(a - 2) < 1e-3 else -1.0
    while abs(s * s - a) > tolerance:
        s = (s + a / s) / 2
    return s


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


ended = jax.jit(lambda a: newton(a, jnp.where(a < 1.5, 1e-12, -1.0)))


def root(a: Any) -> Any:
    return 0.5 / jnp.sqrt(a)


def nested(a: Any) -> Any:
    return lax.scan(lambda c, _: (c + elsewhere(a), None), 0.0 * a, None, 3)[0]


#: (gradient, loss, whether the given point can be judged).
ENDLESS: dict[str, tuple[Any, Any, bool]] = {
    "the loss, compiled, at other points": (root, jax.jit(elsewhere), True),
    "the gradient, in JAX": (lambda a: 0.5 / elsewhere(a), lambda a: newton(a, 1e-12), True),
    "the loss, in JAX, everywhere": (root, lambda a: newton(a, -1.0), False),
    "the gradient, in JAX, of a loss in NumPy": (lambda a: 0.5 / newton(a, -1.0), np.sqrt, False),
    "the gradient, compiled and run elsewhere before": (lambda a: 0.5 / ended(a), jnp.sqrt, False),
    "the loss, in Python": (lambda a: 0.5 / np.sqrt(a), in_python, True),
    "the gradient, in Python": (lambda a: 0.5 / in_python(a), lambda a: np.sqrt(a), True),
    "the loss, in callbacks": (lambda a: 0.5 / np.sqrt(a), with_callbacks, True),
    "a loop in a loop": (lambda a: 3 * root(a), nested, True),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_does_not_end_ends_with_the_seconds(name: str) -> None:
    gradient, loss, judged = ENDLESS[name]
    with jax.enable_x64(True):
        ended(np.float64(1.0))
    took, found = spent(lambda: check_gradient(gradient, loss, np.float64(2.0), seconds=SECONDS))
    assert took <= SECONDS + BEGUN
    if judged:
        assert found.verdict == "agree"
        assert any(said.startswith("time ran out after 0 of 8") for said in found.warnings)
    else:
        assert found.headline.startswith(f"undecidable: {SECONDS:g} s were too short for one point")
        assert "in a loop that had not ended after" in found.headline


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_loss_and_its_report_keep_to_the_seconds(name: str) -> None:
    heavy = HEAVY[name]
    heavy.warm()
    found = heavy.measured(1.5, SECONDS)
    assert not found.late(BEGUN), found.line(name)
    assert found.report.verdict != ("disagree" if heavy.verb is check_custom else "agree")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "slug"), list(one_of_each()))
def test_a_report_is_read_in_a_quarter_of_the_seconds(name: str, slug: str) -> None:
    """On each loss, and each kind of mistake; `heavy --reading` reads all of them."""
    found = of_model(MODELS[name], slug).measured(1.0, SECONDS)
    assert found.read <= FOR_READING * SECONDS + BEGUN, found.line(slug)
