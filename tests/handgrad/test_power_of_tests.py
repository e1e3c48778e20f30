"""Which planted mistakes a test misses: the test is run, on the caller's own functions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import check_grad

from handgrad import (
    GradientReport,
    check_backward,
    check_custom,
    check_gradient,
    check_hvp,
)

W = np.array([0.5, -1.0, 2.0])


def loss(w: Any) -> Any:
    return (w**4).sum()


def slope(w: Any) -> Any:
    return 4 * w**3


@pytest.fixture(scope="module")
def report() -> GradientReport:
    return check_gradient(slope, loss, W, points=0)


def missed(power: Any) -> set[str]:
    return {planted.mistake for planted in power.missed}


def everything(power: Any) -> set[str]:
    return {planted.mistake for planted in power.planted}


OF_A_GRADIENT = {
    *("sign", "zero", "factor 1/2", "factor 2", "weight-decay", "one element: sign"),
    *("one element: zero", "one element: off by 1e-06", "one element: off by 1%"),
}


def test_a_test_is_run_wherever_it_likes(report: GradientReport) -> None:
    """The mistakes are made at its own point, of another length than the judged one."""
    at = np.array([0.3, 0.0, -0.7, 1.1, 0.9])

    def by_differences(g: Any) -> bool:
        return check_grad(loss, g, at) < 1e-4

    found = report.power(test=by_differences)
    assert everything(found) == OF_A_GRADIENT
    assert missed(found) == {"one element: off by 1e-06"}
    slight = [p for p in found.planted if p.mistake == "one element: off by 1e-06"]
    assert [p.where for p in slight] == ["w[0]", "w[3]", "w[4]"], "none in the element that is 0"
    lines = str(found).splitlines()
    assert lines[0] == "Of 17 planted mistakes 14 were caught by test by_differences."
    assert "  missed: w[3]: changes 1e-6 of an element" in lines


@pytest.mark.parametrize(
    ("test", "error", "says"),
    [
        (lambda g: g(W)[0] == 0, ValueError, "the test does not pass on slope as it is: it re"),
        (lambda g: check_grad(loss, g, W), TypeError, "the test returned np.float64.*, expected T"),
        (slope(W), TypeError, "got the test array.*, expected a function"),
    ],
)
def test_what_says_nothing_is_refused(
    report: GradientReport, test: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=rf"^power: [^\n]*{says}"):
        report.power(test=test)


def test_what_is_wrong_or_a_rule_is_refused() -> None:
    halved = check_gradient(lambda w: slope(w) / 2, loss, W, points=0)
    with pytest.raises(ValueError, match=r"^power: what is wrong as it is shows nothing"):
        halved.power(test=lambda g: True)
    rule = jax.custom_jvp(lambda x: x * x)
    rule.defjvp(lambda x, t: (x[0] * x[0], 2 * x[0] * t[0]))
    with pytest.raises(ValueError, match=r"^power: got a report on a rule"):
        check_custom(rule, W, points=0).power(test=lambda g: True)


@pytest.mark.slow
def test_traced_values_and_steps() -> None:
    """Under jit, beside the value, of a backward step, of a product: all are planted in."""
    w = jnp.asarray(W, dtype=jnp.float32)
    report = check_gradient(lambda w: (loss(w), 4 * w**3), loss, w, points=0, has_value=True)

    def jitted(g: Any) -> bool:
        value, grads = jax.jit(g)(w)
        return bool(value == loss(w)) and bool(jnp.allclose(grads, 4 * W**3, rtol=1e-3))

    found = report.power(test=jitted)
    assert everything(found) == OF_A_GRADIENT
    # What the decay adds is as much as the tolerance, in one element: either is right.
    assert missed(found) - {"weight-decay"} == {"one element: off by 1e-06"}
    step = check_backward(lambda x: (x * x, x), lambda d, x: 2 * d * x, W, points=0)
    found = step.power(test=lambda b: bool(np.allclose(b(W, W), 2 * W * W)))
    assert missed(found) == {"one element: off by 1e-06"}
    assert "weight-decay" not in everything(found)
    product = check_hvp(lambda w, v: 12 * w**2 * v, loss, W, points=0)
    found = product.power(test=lambda p: bool(p(W, v=W)[0] > 0))
    assert {p.where for p in found.planted if p.caught} == {"w", "w[0]"}
