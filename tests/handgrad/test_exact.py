"""Reference numbers: exact gradients as decimals, held to what else is known of them."""

import decimal
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

import autodiff.article
import tests.exact
from handgrad import Enclosure, exact_gradient
from handgrad.arithmetic import balls
from tests.strategies import drawn_points

E = str(decimal.Context(prec=40).exp(decimal.Decimal(1)))


def close(found: Enclosure, right: arb) -> bool:
    with balls.precision(400):
        return bool((arb(found.midpoint) - right).abs_upper() < abs(right) * arb(2) ** -120)


def test_the_form_of_the_parameters() -> None:
    def loss(p: Any, x: Any) -> Any:
        return jnp.sum(p["w"] @ x) + 3 * p["b"] + jnp.sum(jnp.exp(p["e"]))

    at = {"w": np.ones((2, 3)), "b": np.float64(1), "e": np.array([1.0, 0.0])}
    found = exact_gradient(loss, at, np.arange(3.0))
    assert isinstance(found["b"], Enclosure)
    assert [[entry.midpoint for entry in row] for row in found["w"]] == [["0", "1", "2"]] * 2
    assert [entry.midpoint for entry in found["e"]] == [E, "1"]
    assert found["e"][0].radius < 1e-40
    parts = exact_gradient(lambda z: jnp.sum(z.real**2 - 3 * z.imag), np.array([1 + 2j]))
    assert (parts.real[0].midpoint, parts.imag[0].midpoint) == ("2", "-3")


LARGEST = np.finfo(np.float64).max


@pytest.mark.parametrize(
    ("exact", "number", "ulps"),
    [
        ("0.9999999999999999", 1.0, pytest.approx(0.9, abs=0.01)),
        ("1", 1.0 + 2**-52, 1),
        ("1", np.nan, pytest.approx(np.nan, nan_ok=True)),
        (str(int(LARGEST)), np.nextafter(LARGEST, 0), 1),
    ],
)
def test_ulps_are_taken_at_the_exact_value(exact: str, number: float, ulps: Any) -> None:
    assert Enclosure(exact, 0.0).ulps(number) == ulps


def test_a_number_below_every_float() -> None:
    tiny = exact_gradient(lambda w: jnp.exp(-w * w) * 1.0, np.float64(1e12))
    assert (tiny.midpoint, tiny.radius, tiny.ulps(0.0)) == ("0", 5e-324, 1)


@pytest.mark.parametrize(
    ("loss", "at", "options", "error"),
    [
        (jnp.abs, 0.0, {}, "kink"),
        (jnp.sqrt, 0.0, {}, "not finite"),
        (lambda w: w, np.array([1]), {}, r"w.*int64"),
        (lambda p: jnp.log(p).sum(), -np.ones(2), {"domain": "positive"}, r"^p\[0\]: got -1\.0, "),
        (jnp.sin, 0.0, {"referee": "serial"}, "^referee: got 'serial', expected one of auto, ser"),
    ],
)
def test_where_there_is_no_one_answer(loss: Any, at: Any, options: Any, error: str) -> None:
    with pytest.raises((ArithmeticError, TypeError, ValueError), match=error):
        exact_gradient(loss, np.asarray(at), **options)


def test_in_a_domain_the_gradient_is_projected() -> None:
    """On the simplex the mean is taken off 1/p: of 2, 4 and 4 in thirds, which are no floats."""
    p = np.array([0.5, 0.25, 0.25])
    for log in (jnp.log, np.log):
        found = exact_gradient(lambda p, log=log: log(p).sum(), p, domain="simplex")
        with balls.precision(400):
            assert all(map(close, found, [arb(third) / 3 for third in (-4, 2, 2)]))


def test_two_referees_that_share_no_line() -> None:
    """The article's network by the judge's referee, and by `tests.exact`, forward lines and all."""
    for seed in range(5):
        point = drawn_points(1, seed, scale=3.0)
        params = [float(value[0]) for value in point.params]
        x, y = point.x[0], float(point.y[0])
        ours = exact_gradient(autodiff.article.loss, autodiff.article.Parameters(*params), x, y)
        assert all(map(close, ours, tests.exact.gradient(params, x, y)))
