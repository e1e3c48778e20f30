"""Reference numbers: exact gradients as decimals, held to what else is known of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp

import autodiff.article
from handgrad import Enclosure, exact_gradient
from tests.handgrad import article_in_balls
from tests.strategies import drawn_points


def close(found: Enclosure, right: str) -> bool:
    with mp.workdps(60):
        return bool(abs(mp.mpf(found.midpoint) / mp.mpf(right) - 1) < mp.mpf("1e-36"))


def test_the_form_of_the_parameters() -> None:
    def loss(p: Any, x: Any) -> Any:
        return jnp.sum(p["w"] @ x) + 3 * p["b"] + jnp.sum(jnp.exp(p["e"]))

    at = {"w": np.ones((2, 3)), "b": np.float64(1), "e": np.array([1.0, 0.0])}
    found = exact_gradient(loss, at, np.arange(3.0))
    assert isinstance(found["b"], Enclosure)
    assert [[entry.midpoint for entry in row] for row in found["w"]] == [["0", "1", "2"]] * 2
    with mp.workdps(60):
        assert [entry.midpoint for entry in found["e"]] == [mp.nstr(mp.e, 40), "1"]
    assert found["e"][0].radius < 1e-40
    parts = exact_gradient(lambda z: jnp.sum(z.real**2 - 3 * z.imag), np.array([1 + 2j]))
    assert (parts.real[0].midpoint, parts.imag[0].midpoint) == ("2", "-3")


LARGEST = np.finfo(np.float64).max


def test_ulps_are_taken_at_the_exact_value() -> None:
    assert Enclosure("0.9999999999999999", 0.0).ulps(1.0) == pytest.approx(0.9, abs=0.01)
    assert Enclosure("1", 0.0).ulps(1.0 + 2**-52) == 1
    assert np.isnan(Enclosure("1", 0.0).ulps(np.nan))
    assert Enclosure(str(int(LARGEST)), 0.0).ulps(float(np.nextafter(LARGEST, 0))) == 1
    tiny = exact_gradient(lambda w: jnp.exp(-w * w) * 1.0, np.float64(1e12))
    assert (tiny.midpoint, tiny.radius, tiny.ulps(0.0)) == ("0", 5e-324, 1)


def test_what_is_finite_at_more_bits_is_certified() -> None:
    found = exact_gradient(lambda p: jnp.log(jnp.exp(p * 1e-100) - 1.0), np.float64(0.7))
    assert float(found) == 1 / 0.7


def test_losses_that_differ_in_a_constant_alone_are_not_taken_for_each_other() -> None:
    for c in (0.1, float(np.nextafter(0.1, 1)), -0.1):
        for at in (np.full(3, c), c):
            found = exact_gradient(lambda w, at=at: jnp.sum(w * at), np.ones(3))
            assert [float(number.midpoint) for number in found] == [c] * 3


@pytest.mark.parametrize(
    ("loss", "at", "options", "error"),
    [
        (jnp.abs, 0.0, {}, "kink"),
        # By rejection: it has no derivative, though JAX has a rule for one.
        (lambda p: jax.random.gamma(jax.random.key(0), p), 0.3, {}, "random_gamma"),
        (lambda w: w, np.array([1]), {}, r"w.*int64"),
        (lambda p: jnp.log(p).sum(), -np.ones(2), {"domain": "positive"}, r"^p\[0\]: got -1\.0, "),
        (jnp.sin, 0.0, {"referee": "serial"}, "^referee: got 'serial', expected one of auto, ser"),
    ],
)
def test_where_there_is_no_one_answer(loss: Any, at: Any, options: Any, error: str) -> None:
    with pytest.raises((ArithmeticError, TypeError, ValueError, NotImplementedError), match=error):
        exact_gradient(loss, np.asarray(at), **options)


def test_two_referees_that_share_no_line() -> None:
    """The article's network by the judge's referee and by `article_in_balls`, forward lines too."""
    for seed in range(5):
        point = drawn_points(1, seed, scale=3.0)
        params = [float(value[0]) for value in point.params]
        x, y = point.x[0], float(point.y[0])
        ours = exact_gradient(autodiff.article.loss, autodiff.article.Parameters(*params), x, y)
        with article_in_balls.precisely():
            right = [ball.str(50, radius=False) for ball in article_in_balls.gradient(params, x, y)]
        assert all(map(close, ours, right))
