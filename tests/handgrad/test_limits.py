"""The seconds of a check and of reading its report, of losses that would take far longer.

What is measured is processor time, so other load does not count.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_custom, check_gradient, clock, report
from handgrad.judging import trial
from tests.handgrad.heavy import BEGUN, HEAVY, spent
from tests.handgrad.reading import FOR_READING, read
from tests.handgrad.test_matrix import CELLS, DIAGNOSED

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
    "a loop in a loop": (lambda a: 3 * root(a), nested, True),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_does_not_end_ends_with_the_seconds(name: str) -> None:
    gradient, loss, judged = ENDLESS[name]
    with jax.enable_x64(True):
        ended(np.float64(1.0))
    took, found = spent(lambda: check_gradient(gradient, loss, np.float64(2.0), seconds=SECONDS))
    assert took.processor <= SECONDS + BEGUN
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
    took, found = spent(lambda: heavy.check(1.5, SECONDS))
    assert took.processor <= 1.1 * SECONDS + BEGUN
    assert found.verdict != ("disagree" if heavy.verb is check_custom else "agree")
    took, _ = spent(lambda: str(found))
    assert took.processor <= SECONDS / 4 + BEGUN


@pytest.mark.slow
@pytest.mark.parametrize(("slug", "name"), [(s, name) for s in CELLS for name in CELLS[s]])
def test_a_report_is_read_in_a_quarter_of_the_seconds(slug: str, name: str) -> None:
    """On each loss, and each kind of mistake; `tests.handgrad.reading` reads all of the matrix."""
    found = read(DIAGNOSED[name], slug, SECONDS)
    assert found.share <= FOR_READING + BEGUN / SECONDS
