"""The article's network by autodiff: packing, compiled training, 64 bits by itself."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import manual.article
from autodiff import article
from tests.reference import EMILY, FRANK, LOSSES, PARTIALS, TRAINED, XS, YS, close
from tests.strategies import drawn_points

ONES = article.Parameters(*[1.0] * 6, *[0.0] * 3)
ORDER = np.tile(np.arange(4), (1000, 1))


@pytest.fixture(scope="module")
def path() -> article.Parameters:
    return article.train(ONES, XS, YS, 0.1, ORDER)


def test_the_partial_derivatives_for_alice() -> None:
    value, grads = article.value_and_gradient(ONES, XS[0], YS[0])
    assert close(value, 0.226866287190871, 15)
    for name, partial in PARTIALS.items():
        assert close(getattr(grads, name), partial, 15), name
    assert {type(part) for part in (value, *grads)} == {np.float64}


@pytest.mark.parametrize("kind", [float, np.float32, np.array, jnp.float32, jnp.bfloat16])
def test_the_nine_may_be_numbers_of_any_kind(kind: Any) -> None:
    grads = article.gradient(article.Parameters(*map(kind, ONES)), XS[0], YS[0])
    assert isinstance(grads, article.Parameters)
    assert all(close(getattr(grads, name), partial, 15) for name, partial in PARTIALS.items())


def test_parameters_of_any_shape_that_fits_the_inputs() -> None:
    """Of n networks, of one, and of networks that share a weight: few roundings from by hand."""
    params, x, _ = drawn_points(5, seed=5, scale=0.3)
    first = [w[0] for w in params]
    for given, inputs in ((params, x), (first, x), (first, x[0]), ([*first[:8], params.b3], x)):
        output = article.predict(article.Parameters(*given), inputs)
        by_hand = manual.article.feedforward(manual.article.Parameters(*given), inputs)
        assert output.shape == np.shape(by_hand)
        np.testing.assert_allclose(output, by_hand, rtol=1e-14)


def test_what_the_compiled_function_refuses_is_refused() -> None:
    with pytest.raises(TypeError, match="real- or complex-valued inputs"):
        article.gradient(article.Parameters(*[1] * 9), XS[0], YS[0])
    with pytest.raises(TypeError, match="scalar-output"):
        article.gradient(ONES._replace(w1=np.ones(3)), XS[0], YS[0])


@pytest.mark.parametrize("epoch", LOSSES)
def test_the_loss_after_an_epoch(path: article.Parameters, epoch: int) -> None:
    ends = article.Parameters(*(w[[4 * epoch + 3]] for w in path))
    (loss,) = article.mean_losses(ends, XS, YS)
    assert close(loss, LOSSES[epoch], 14)


def test_the_mean_loss_of_three_people() -> None:
    """In the tables there are always four."""
    losses = [article.value_and_gradient(ONES, XS[i], YS[i])[0] for i in range(3)]
    network = article.Parameters(*(np.array([w]) for w in ONES))
    (loss,) = article.mean_losses(network, XS[:3], YS[:3])
    assert close(loss, float(np.mean(losses)), 14)


def test_where_training_ends(path: article.Parameters) -> None:
    last = article.Parameters(*(w[-1] for w in path))
    for value, reference in zip(last, TRAINED, strict=True):
        assert abs(value - reference) <= 0.51e-12
    emily, frank = article.predict(last, np.array([[-7.0, -3.0], [20.0, 2.0]]))
    assert abs(emily - EMILY) <= 0.51e-10
    assert abs(frank - FRANK) <= 0.51e-10


def test_the_callers_precision_is_left_alone() -> None:
    assert jnp.asarray(1.0).dtype == jnp.float32
    article.gradient(ONES, XS[0], YS[0])
    assert jnp.asarray(1.0).dtype == jnp.float32


def test_the_pure_loss_can_be_transformed_in_float32() -> None:
    params = jax.tree.map(lambda w: jnp.float32(w), ONES)
    x, y = jnp.asarray(XS[0], jnp.float32), jnp.float32(YS[0])
    slope = jax.jvp(lambda p: article.loss(p, x, y), (params,), (params,))[1]
    assert slope.dtype == jnp.float32
