"""Reference numbers: exact gradients as decimals."""

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
from handgrad.oracle.enclosures import enclosure
from tests.strategies import drawn_points


def test_e_to_forty_digits() -> None:
    found = exact_gradient(lambda w: jnp.sum(jnp.exp(w)), np.array([1.0, 0.0]))
    assert found.shape == (2,)
    assert found[0].midpoint == str(decimal.Context(prec=40).exp(decimal.Decimal(1)))
    assert found[1].midpoint == "1"
    assert found[0].radius < 1e-40


def test_the_shape_of_the_parameters() -> None:
    def loss(p: Any, x: Any) -> Any:
        return jnp.sum(p["w"] @ x) + 3 * p["b"]

    found = exact_gradient(loss, {"w": np.ones((2, 3)), "b": np.float64(1)}, np.arange(3.0))
    assert isinstance(found["b"], Enclosure)
    assert [[entry.midpoint for entry in row] for row in found["w"]] == [["0", "1", "2"]] * 2


def test_ulps_are_taken_at_the_exact_value() -> None:
    just_below_one = Enclosure("0.9999999999999999", 0.0)
    assert just_below_one.ulps(1.0) == pytest.approx(0.9, abs=0.01)
    assert Enclosure("1", 0.0).ulps(1.0 + 2**-52) == 1
    assert np.isnan(Enclosure("1", 0.0).ulps(np.nan))
    assert Enclosure("1", 0.0).ulps(np.inf) == np.inf
    largest = np.finfo(np.float64).max
    assert Enclosure(str(int(largest)), 0.0).ulps(np.nextafter(largest, 0)) == 1


@pytest.mark.parametrize("x", [3e3, 1e12])
def test_numbers_of_no_size_that_anybody_writes(x: float) -> None:
    """e^-x² is no 0, but below every float64."""
    tiny = exact_gradient(lambda w: jnp.exp(-w * w) * 1.0, np.float64(x))
    assert tiny.midpoint == "0"
    assert tiny.radius == 5e-324
    assert tiny.ulps(0.0) == 1
    large = enclosure(arb(x).exp().exp(), 192)
    assert large.radius == np.inf
    assert large.ulps(1.0) == np.inf


def test_where_there_is_no_one_answer() -> None:
    with pytest.raises(ArithmeticError, match="kink"):
        exact_gradient(lambda w: jnp.abs(w), np.float64(0.0))
    with pytest.raises(ArithmeticError, match="not finite"):
        exact_gradient(lambda w: jnp.sqrt(w), np.float64(0.0))
    with pytest.raises(TypeError, match=r"w.*int64"):
        exact_gradient(lambda w: w, np.array([1]))


def test_in_a_domain_the_gradient_is_projected() -> None:
    """On the simplex the mean is taken off 1/p: of 2, 4 and 4 in thirds, which are no floats."""
    p = np.array([0.5, 0.25, 0.25])
    for log in (jnp.log, np.log):
        found = exact_gradient(lambda p, log=log: log(p).sum(), p, domain="simplex")
        with balls.precision(400):
            for enclosure, thirds in zip(found, (-4, 2, 2), strict=True):
                assert abs(arb(enclosure.midpoint) - arb(thirds) / 3).abs_upper() < arb(2) ** -120
    with pytest.raises(ValueError, match=r"^p\[0\]: got -0\.5, expected a number above 0"):
        exact_gradient(lambda p: jnp.log(p).sum(), -p, domain="positive")


def test_two_referees_that_share_no_line() -> None:
    """The article's network by the judge's referee, and by `tests.exact`, forward lines and all."""
    for seed in range(5):
        point = drawn_points(1, seed, scale=3.0)
        params = [float(value[0]) for value in point.params]
        x, y = point.x[0], float(point.y[0])
        ours = exact_gradient(autodiff.article.loss, autodiff.article.Parameters(*params), x, y)
        for found, ball in zip(ours, tests.exact.gradient(params, x, y), strict=True):
            with balls.precision(400):
                assert (arb(found.midpoint) - ball).abs_upper() < abs(ball) * arb(2) ** -120


@pytest.mark.slow
def test_the_referee_may_be_chosen() -> None:
    """By series every digit is the same, however many elements there are and long they take."""
    w = np.linspace(0.1, 2, 40)
    found = exact_gradient(lambda w: jnp.prod(w), w, referee="series")
    alone = exact_gradient(lambda w: jnp.prod(w), w[:20], referee="series")
    assert len(found) == 40
    assert all(enclosure.certified for enclosure in (*found, *alone))
    with pytest.raises(ValueError, match=r"^referee: got 'serial', expected one of auto, series"):
        exact_gradient(lambda w: jnp.prod(w), w, referee="serial")
