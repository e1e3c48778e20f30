"""The article's network by autodiff: packing, compiled training, 64 bits by itself."""

import hashlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from autodiff import article
from compare.agreement import stack, stack_ranges
from compare.bounds import gradient_ranges
from tests.reference import EMILY, FRANK, LOSSES, PARTIALS, TRAINED, XS, YS, close
from tests.strategies import Point, points

ONES = article.Parameters(*[1.0] * 6, *[0.0] * 3)
ORDER = np.tile(np.arange(4), (1000, 1))


@pytest.fixture(scope="module")
def path() -> article.Parameters:
    return article.train(ONES, XS, YS, 0.1, ORDER)


@pytest.mark.parametrize("name", PARTIALS)
def test_the_partial_derivatives_for_alice(name: str) -> None:
    value, grads = article.value_and_gradient(ONES, XS[0], YS[0])
    assert close(value, 0.226866287190871, 15)
    assert close(getattr(grads, name), PARTIALS[name], 15)


def test_answers_are_float64_numpy_arrays() -> None:
    grads = article.gradient(ONES, XS[0], YS[0])
    assert {(type(part), part.dtype) for part in grads} == {(np.ndarray, np.dtype(np.float64))}


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


def test_pack_and_unpack_are_inverse() -> None:
    params = article.Parameters(*np.arange(9.0))
    assert [int(w) for w in article.unpack(article.pack(params))] == list(range(9))


@pytest.mark.slow
@given(point=points)
def test_the_packed_loss_is_the_same_loss(point: Point) -> None:
    """Its gradient, unpacked, lies where that of the loss in nine scalars must."""
    params = article.Parameters(*point.params)
    with jax.enable_x64(True):
        packed = _packed_gradient(jax.tree.map(jnp.asarray, params), point.x, point.y)
    right = stack_ranges(gradient_ranges(*point, "article"))
    assert right.contains(stack(packed)).all()


@jax.jit
def _packed_gradient(params: article.Parameters, x: jax.Array, y: jax.Array) -> article.Parameters:
    return article.unpack(jax.grad(article.packed_loss)(article.pack(params), x, y))


def test_training_is_reproducible_bit_for_bit(path: article.Parameters) -> None:
    again = article.train(ONES, XS, YS, 0.1, ORDER)
    assert stack(path).tobytes() == stack(again).tobytes()


@pytest.mark.slow
def test_so_it_is_in_another_process(path: article.Parameters) -> None:
    code = (
        "import hashlib\nfrom compare.agreement import stack\nfrom autodiff import article\n"
        "from tests.autodiff.test_article import ONES, ORDER, XS, YS\n"
        "path = stack(article.train(ONES, XS, YS, 0.1, ORDER))\n"
        "print(path.tobytes().hex()[-256:], hashlib.sha256(path.tobytes()).hexdigest())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    bits = stack(path).tobytes()
    assert run.stdout.split() == [bits.hex()[-256:], hashlib.sha256(bits).hexdigest()]


def test_the_callers_precision_is_left_alone() -> None:
    assert jnp.asarray(1.0).dtype == jnp.float32
    article.gradient(ONES, XS[0], YS[0])
    assert jnp.asarray(1.0).dtype == jnp.float32


def test_the_pure_loss_can_be_transformed_in_float32() -> None:
    params = jax.tree.map(lambda w: jnp.float32(w), ONES)
    x, y = jnp.asarray(XS[0], jnp.float32), jnp.float32(YS[0])
    slope = jax.jvp(lambda p: article.loss(p, x, y), (params,), (params,))[1]
    assert slope.dtype == jnp.float32
