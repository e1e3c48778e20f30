"""Autodiff compiled as one program: where XLA makes it wrong, it is computed as it is written."""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.program import form, programs

W = np.array([0.5, -1.5])


def overflowing(w: Any) -> Any:
    """A loss whose constants some versions of XLA multiply, which is infinite."""
    return jnp.sum(1e-300 * (1e200 * (1e200 * (w - W))))


def test_constants_whose_product_is_infinite() -> None:
    report = check_gradient(lambda w: np.full_like(w, 1e100), overflowing, W, points=0)
    assert (report.verdict, report.blame, report.points) == ("agree", None, 1), str(report)
    np.testing.assert_allclose(report.leaves[0].autodiff, 1e100, rtol=1e-15)
    wrong = check_gradient(lambda w: np.full_like(w, 2e100), overflowing, W, points=0)
    assert (wrong.verdict, wrong.blame) == ("disagree", "yours")


@pytest.mark.parametrize("factor", [2.0, 0.0, math.nan])
def test_autodiff_is_not_blamed_for_what_xla_compiles(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miscompiled(of: form.Form) -> Any:
        def run(consts: Any, given: Any) -> list[Any]:
            loss, *grads = form.compiled(of)(consts, given)
            return [loss, *(factor * slope for slope in grads)]

        return run

    monkeypatch.setattr(programs, "compiled", miscompiled)
    report = check_gradient(lambda w: 2 * w, lambda w: jnp.sum(w**2), W, points=1)
    assert (report.verdict, report.blame) == ("agree", None), str(report)
    assert report.leaves[0].autodiff in 2 * W


def test_jax_looks_for_nan_in_what_is_written_alone() -> None:
    with jax.debug_nans(True), jax.debug_infs(True):
        report = check_gradient(lambda w: np.full_like(w, 1e100), overflowing, W, points=0)
    assert report.verdict == "agree", str(report)


def test_a_trusted_rule_is_asked_at_each_call() -> None:
    """One that is another every second time is no function, whatever it was first."""
    calls = itertools.count()

    @jax.custom_vjp
    def squares(w: Any) -> Any:
        return jnp.sum(w**2)

    def backward(w: Any, cotangent: Any) -> Any:
        return (2 * w * cotangent * (1 + 2 * (next(calls) % 2)),)

    squares.defvjp(lambda w: (squares(w), w), backward)
    for factor in (2, 6):
        report = check_gradient(
            lambda w, f=factor: f * w, lambda w: squares(w), W, trust_rules=["squares"]
        )
        assert report.verdict == "undecidable", str(report)
