"""The worked example and the training of the article, by hand, against its reference numbers."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from compare.people import NEWCOMERS, raw, shifted
from manual import article, sgd
from manual.activations import sigmoid_derivative, sigmoid_derivative_article
from tests.reference import (
    ALICE,
    BOB,
    BOB_W1,
    BOB_W1_ARTICLE,
    EMILY,
    EPOCH_0,
    FRANK,
    LOSSES,
    PARTIALS,
    START,
    TRAINED,
    XS,
    YS,
    close,
)

ONES = article.ones_parameters()


def test_the_passes_for_alice() -> None:
    z1, h1, z2, h2, z3, ypred = article.forward(ONES, ALICE[0])
    assert (z1, z2) == (-3.0, -3.0)
    assert close(h1, 0.0474258731775668, 15)
    assert h2 == h1
    assert close(z3, 0.0948517463551336, 15)
    assert close(ypred, 0.523695174084, 12)
    assert close(article.loss(ONES, *ALICE), 0.226866287190871, 15)
    for name, slope in article.gradient(ONES, *ALICE)._asdict().items():
        assert close(slope, PARTIALS[name], 15), name


@pytest.mark.parametrize("derivative", [sigmoid_derivative, sigmoid_derivative_article])
def test_the_loss_comes_with_its_gradient(derivative: Any) -> None:
    """Bit for bit, for one sample, for many networks at once, and in JAX beside lists."""
    many = article.Parameters(*np.random.default_rng(0).normal(size=(9, 4)))
    in_jax = article.Parameters(*map(jnp.asarray, many))
    for params, x, y in ((ONES, *BOB), (many, XS, YS), (in_jax, XS.tolist(), YS.tolist())):
        value, grads = article.value_and_gradient(params, x, y, derivative)
        assert np.array_equal(value, article.loss(params, x, y))
        assert np.array_equal(grads, article.gradient(params, x, y, derivative))
    with pytest.raises(ValueError, match=r"x has shape \(3,\), expected \(..., 2\)"):
        article.value_and_gradient(ONES, [1.0, 2.0, 3.0], 1.0)


def test_bob_keeps_his_digits_in_one_form_only() -> None:
    assert close(article.gradient(ONES, *BOB).w1, BOB_W1, 15)
    in_article_form = article.gradient(ONES, *BOB, sigmoid_derivative_article).w1
    assert close(in_article_form, BOB_W1_ARTICLE, 15)


def test_the_mean_loss_of_three_people() -> None:
    """In the tables there are always four."""
    losses = [article.loss(ONES, x, y) for x, y in zip(XS[:3], YS[:3], strict=True)]
    assert close(article.mean_loss(ONES, XS[:3], YS[:3]), float(np.mean(losses)), 14)


def test_the_training() -> None:
    """From all weights 1 and all biases 0: the losses on the way, and where it ends."""
    path = list(sgd.train(ONES, XS, YS, article.gradient, 0.1, sgd.sample_order(4, 1000)))
    for params, loss in zip([ONES, *path[:4]], [START, *EPOCH_0], strict=True):
        assert close(article.mean_loss(params, XS, YS), loss, 15)
    for epoch, loss in LOSSES.items():
        assert close(article.mean_loss(path[4 * epoch + 3], XS, YS), loss, 14)
    for value, reference in zip(path[-1], TRAINED, strict=True):
        assert abs(value - reference) <= 0.51e-12
    emily, frank = article.feedforward(path[-1], shifted(raw(NEWCOMERS)))
    assert abs(emily - EMILY) <= 0.51e-10
    assert abs(frank - FRANK) <= 0.51e-10


def test_the_draws_come_in_the_order_of_the_parameters() -> None:
    rng = np.random.RandomState(44)
    assert article.draw_parameters(44) == tuple(rng.normal() for _ in range(9))
