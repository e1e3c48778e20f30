"""Losses that replace a number which is not finite at the point: what the slope is there."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, check_hvp, check_jacobian

DATA, WEIGHTS = np.array([1.0, np.nan, 2.0, np.nan, 0.5]), np.array([0.3, 0.2, 0.7, 1.0, 2.0])
INFINITE = np.array([1.0, np.inf, 2.0])


class Row(NamedTuple):
    """A loss of (numpy or jax.numpy, x), a point, and its gradient; None if it has none."""

    loss: Callable[[Any, Any], Any]
    x: Any
    gradient: Any


def _or(c: float, f: Callable[[Any, Any], Any], test: str = "isnan") -> Callable[[Any, Any], Any]:
    """Return the sum of a function, with c where it is not finite."""

    def loss(m: Any, x: Any) -> Any:
        r = f(m, x)
        bad = {"isnan": m.isnan(r), "isfinite": ~m.isfinite(r), "r != r": r != r}[test]
        return m.sum(m.where(bad, c, r))

    return loss


def _residuals(m: Any, x: Any) -> Any:
    return m.tanh(x * WEIGHTS - DATA)


def _patched_vectors(m: Any, x: Any) -> Any:
    length = m.sqrt(m.sum(x * x))
    return m.sum(m.nan_to_num(x / length) * WEIGHTS[:3]) * length


SLOPES = (1 - np.tanh(0.4 * WEIGHTS - DATA) ** 2) * WEIGHTS

ROWS = {
    # The limit of what is replaced.
    "isnan": Row(_or(1.0, lambda m, x: m.expm1(x) / x), [0.0], [0.5]),
    "nan_to_num": Row(lambda m, x: m.sum(m.nan_to_num(x**2 / x)), [0.0, 2.0], [1.0, 1.0]),
    "isfinite": Row(_or(0.0, lambda m, x: x**2 / x, "isfinite"), [0.0], [1.0]),
    "r != r": Row(_or(0.0, lambda m, x: x**2 / x, "r != r"), [0.0], [1.0]),
    "nansum": Row(lambda m, x: m.nansum(x**2 / x) + 3 * m.sum(x), [0.0, 1.0], [4.0, 4.0]),
    "nanmax": Row(lambda m, x: m.nanmax(x**2 / x), [0.0, 1.0, -2.0], [0.0, 1.0, 0.0]),
    "a flat one": Row(_or(1.0, lambda m, x: m.sin(x) / x), [0.0], [0.0]),
    "third powers cancel": Row(_or(1 / 6, lambda m, x: (x - m.sin(x)) / x**3), [0.0], None),
    "not at 0": Row(_or(2.0, lambda m, x: (x**2 - 1) / (x - 1)), [1.0], [1.0]),
    "of a norm": Row(_patched_vectors, np.zeros(3), WEIGHTS[:3]),
    "0 ** 0": Row(lambda m, x: m.sum(x**0.0), [0.0, 1.0], [0.0, 0.0]),
    "sinc": Row(lambda m, x: m.sum(m.sinc(x)), [0.0, 1.0], [0.0, -1.0]),
    # What has none, or goes on to another number.
    "a jump": Row(_or(7.0, lambda m, x: x**2 / x), [0.0], None),
    "a jump between equal slopes": Row(_or(7.0, lambda m, x: x**3 / x), [0.0], None),
    "a pole": Row(_or(0.0, lambda m, x: 1 / x, "isfinite"), [0.0], None),
    "a kink": Row(_or(0.0, lambda m, x: x * x / m.abs(x)), [0.0], None),
    "a comparison with NaN": Row(
        lambda m, x: m.sum(m.where(x**2 / x > -1, x**2 / x, 5.0)), [0.0], None
    ),
    "a cone": Row(_or(0.0, lambda m, x: x[0] * x[1] ** 2 / (x @ x)), [0.0, 0.0], None),
    "one side": Row(lambda m, x: m.nansum(x * m.log(x)), [0.0, 0.5], None),
    # What is replaced beside the point, too.
    "out of its domain": Row(lambda m, x: m.nansum(m.log(x)), [-1.0, 2.0], [0.0, 0.5]),
    "missing data": Row(
        lambda m, x: m.nanmean((x * WEIGHTS - DATA) ** 2),
        [0.4],
        [2 * np.nanmean((0.4 * WEIGHTS - DATA) * WEIGHTS)],
    ),
    "missing data in a function": Row(
        lambda m, x: m.nanmean(_residuals(m, x)), [0.4], [np.nanmean(SLOPES)]
    ),
    "missing data at a kink": Row(
        lambda m, x: m.nansum(m.tanh(m.abs(x - DATA))),
        [0.5],
        [np.nansum(np.sign(0.5 - DATA) * (1 - np.tanh(0.5 - DATA) ** 2))],
    ),
    "columns that are constant": Row(
        lambda m, x: m.sum(m.nan_to_num((DATA[[0, 0]] - 1) / m.std(DATA[[0, 0]])) * x + x**2),
        [1.0, 2.0],
        [2.0, 4.0],
    ),
    "a guard by value": Row(
        lambda m, x: m.sum(m.where(x > 0, x * m.log(x), 0.0)), [-1.0, 2.0], [0.0, 1 + math.log(2)]
    ),
    "missing data at two kinks": Row(
        lambda m, x: m.nansum(m.abs(x - DATA[:2]) + m.abs(x - DATA[[0, 2]]) + m.abs(x)),
        [1.0, 2.0],
        [1.0, 0.0],
    ),
    # An infinity in the data.
    "0 times infinity": Row(lambda m, x: m.nansum(x * INFINITE) + m.sum(x), [0.0] * 3, None),
    "0 times infinity to a number": Row(
        lambda m, x: m.sum(m.nan_to_num(x * INFINITE)), [0.0] * 3, None
    ),
    "0 times infinity, by isnan": Row(_or(0.0, lambda m, x: x * INFINITE), [0.0, 0.0, 1.0], None),
    "0 times infinity, and every infinity replaced": Row(
        _or(0.0, lambda m, x: x * INFINITE, "isfinite"), [0.0] * 3, [1.0, 0.0, 2.0]
    ),
    "a product with infinities": Row(
        lambda m, x: m.nansum(m.asarray(np.stack([INFINITE, WEIGHTS[:3]])) @ x), [0.0] * 3, None
    ),
    "a step": Row(lambda m, x: m.nansum(m.tanh(x * INFINITE)), [0.0] * 3, None),
    "infinity less infinity": Row(
        lambda m, x: m.nansum((3 * x + INFINITE) - (x + INFINITE)), [0.0, 0.3, 0.7], [2.0, 0.0, 2.0]
    ),
    "infinity by infinity": Row(
        lambda m, x: m.nansum((x + INFINITE) / INFINITE), [0.0] * 3, [1.0, 0.0, 0.5]
    ),
    "infinite data less infinite data": Row(
        lambda m, x: m.nansum(x * (INFINITE - INFINITE + 2)), [0.0] * 3, [2.0, 0.0, 2.0]
    ),
    "an infinity that is cut off": Row(
        lambda m, x: m.sum(m.minimum(m.nan_to_num(x * INFINITE), 1.0)), [0.3] * 3, [1.0, 0.0, 2.0]
    ),
    "weights beside an infinity": Row(
        lambda m, x: m.sum(m.where(m.isfinite(m.exp(x) + INFINITE), x, 3 * x)),
        [0.0, 1.0, 2.0],
        [1.0, 3.0, 1.0],
    ),
    "and both": Row(lambda m, x: m.nansum(x**2 / x * DATA[:3]), [0.0, 0.0, 1.0], [1.0, 0.0, 2.0]),
}

JAX = pytest.param(jnp, id="jax", marks=pytest.mark.slow)


def judged(row: Row, loss: Callable[[Any], Any], dtype: Any = np.float64) -> tuple[Any, Any]:
    """Return the reports on the row's gradient, or on ones, and on another one."""
    x = np.asarray(row.x, dtype)
    right = np.ones_like(x) if row.gradient is None else np.asarray(row.gradient, dtype)
    reports = [
        check_gradient(lambda x, g=g: g.copy(), loss, x, points=0)
        for g in (right, right + np.asarray(2.5, dtype))
    ]
    return reports[0], reports[1]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("m", [pytest.param(np, id="numpy"), JAX])
@pytest.mark.parametrize("name", ROWS)
def test_what_a_loss_replaces_is_not_taken_for_a_constant(name: str, m: Any) -> None:
    row = ROWS[name]
    right, wrong = judged(row, lambda x: row.loss(m, x))
    if row.gradient is None:
        assert right.verdict == wrong.verdict == "undecidable"
        return
    assert (right.verdict, right.certified) == ("agree", True), str(right)
    assert wrong.verdict == "disagree", str(wrong)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, jnp.bfloat16])
def test_short_floats(dtype: Any) -> None:
    right, wrong = judged(ROWS["nan_to_num"], lambda x: jnp.sum(jnp.nan_to_num(x**2 / x)), dtype)
    assert (right.verdict, wrong.verdict) == ("agree", "disagree")


def branching(x: Any) -> Any:
    r = x[0] ** 2 / x[0]
    return 0.0 * x[0] if r != r else r


CONTROL: dict[str, Callable[[Any], Any]] = {
    "if": branching,
    "an index": lambda x: (lambda r: np.sum(r[~np.isnan(r)]))(x**2 / x),
    "cond": lambda x: jax.lax.cond(
        jnp.isnan(x[0] ** 2 / x[0]), lambda: 0.0, lambda: x[0] ** 2 / x[0]
    ),
    "scan": lambda x: jax.lax.scan(
        lambda total, v: (total + jnp.nan_to_num(v**2 / v), None), 0.0, x
    )[0],
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CONTROL)
def test_branches_by_nan(name: str) -> None:
    row = Row(lambda m, x: 0, [0.0], [1.0])
    right, wrong = judged(row, CONTROL[name])
    assert (right.verdict, wrong.verdict) == ("agree", "disagree")


def test_the_report_says_what_is_not_finite() -> None:
    loss = ROWS["a jump"].loss
    for m, what in ((jnp, "`div` (tests"), (np, "a number of tests")):
        with np.errstate(all="ignore"):
            report = judged(ROWS["a jump"], lambda x, m=m: loss(m, x))[0]
        assert report.headline.startswith(f"undecidable: {what}"), report.headline
    limit, _ = judged(ROWS["a flat one"], lambda x: ROWS["a flat one"].loss(jnp, x))
    assert "the limit along 2 random lines" in limit.certificate


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("m", [pytest.param(np, id="numpy"), JAX])
def test_other_derivatives(m: Any) -> None:
    zero = np.zeros(2)

    def fun(x: Any) -> Any:
        return m.nan_to_num(x**2 / x)

    for jacobian in (np.eye(2), np.zeros((2, 2))):
        report = check_jacobian(lambda x, j=jacobian: j.copy(), fun, zero, points=0)
        assert report.verdict == "undecidable"
        assert "is not finite at this point" in report.headline

    def loss(x: Any) -> Any:
        return m.sum(m.nan_to_num(x**3 / x))

    assert check_hvp(lambda x, v: 2 * v, loss, zero, points=0).verdict == "agree"
    assert check_hvp(lambda x, v: 0 * v, loss, zero, points=0).verdict == "disagree"

    def residuals(x: Any) -> Any:
        return m.nan_to_num(m.tanh(x * WEIGHTS[:2] - DATA[:2]))

    right = np.diag([(1 - np.tanh(0.3 * 0.3 - 1) ** 2) * 0.3, 0.0])
    at = np.array([0.3, 0.7])
    assert check_jacobian(lambda x: right.copy(), residuals, at, points=0).verdict == "agree"
    assert check_jacobian(lambda x: right + 1, residuals, at, points=0).verdict == "disagree"
