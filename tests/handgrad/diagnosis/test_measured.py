"""Factors of whole leaves in formats where no element stands out from rounding."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.handgrad import short_functions as functions

BF16 = "bfloat16"


def judged(name: str, change: Any, **options: Any) -> Any:
    """Judge what `change` makes of a gradient in float32 by a loss in bfloat16."""
    f, p, given = functions.one(name, BF16)
    right = functions.in_dtype(f, jnp.float32)

    def gradient(p: Any, *given: Any) -> Any:
        found = {k: np.asarray(g).astype(np.float32) for k, g in right(p, *given).items()}
        return {k: g.astype(p[k].dtype) for k, g in change(found).items()}

    return check_gradient(gradient, f, p, *given, points=2, **options)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.05, 0.95])
def test_a_factor_is_measured_where_single_elements_do_not_tell_it(factor: float) -> None:
    report = judged("mlp", lambda g: {**g, "w1": np.float32(factor) * g["w1"]})
    (diagnosis,) = report.diagnoses
    assert (diagnosis.kind, diagnosis.leaves) == ("unknown", ("p['w1']",))
    start = "all of p['w1'] is about "
    assert diagnosis.says.startswith(start)
    measured, _, rest = diagnosis.says.removeprefix(start).partition(" times exact, to ")
    precision = float(rest.split(",")[0])
    assert abs(float(measured) - factor) <= precision < 0.1


@pytest.mark.slow
def test_a_factor_that_single_elements_tell_is_named() -> None:
    report = judged("mlp", lambda g: {**g, "w1": np.float32(1.15) * g["w1"]})
    (diagnosis,) = report.diagnoses
    assert diagnosis.kind == "factor"
    assert diagnosis.says == "every element of p['w1'] is 1.15 times exact"


@pytest.mark.slow
def test_a_mistake_that_is_no_factor_is_not_measured_as_one() -> None:
    def other(g: Any) -> Any:  # some columns alone; the same at all points, as the gradient is
        some = np.where(np.arange(len(g["b"])) % 2, 1.9, 1.3).astype(np.float32)
        return {**g, "b": some * g["b"]}

    report = judged("layer norm", other)
    assert report.verdict == "disagree"
    assert all("is about" not in diagnosis.says for diagnosis in report.diagnoses)


@pytest.mark.slow
def test_one_number_is_not_measured() -> None:
    """It may as well lack a term."""
    c = np.linspace(0.5, 2, 7).astype(BF16)

    def loss(w: Any, c: Any) -> Any:
        return jnp.sum(jnp.tanh(w * c) * c)

    def gradient(w: Any, c: Any) -> Any:
        return (1.3 * jax.grad(loss)(w.astype(np.float32), c.astype(np.float32))).astype(BF16)

    report = check_gradient(gradient, loss, np.asarray(0.4, BF16), c, points=1)
    assert report.verdict == "disagree"
    assert all("is about" not in diagnosis.says for diagnosis in report.diagnoses)
