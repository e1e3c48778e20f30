"""Each forward step with its backward step: ruled on one by one, saturated and at the kinks."""

from functools import partial
from typing import Any

import mpmath
import numpy as np
import pytest

from handgrad import check_backward
from manual.activations import ACTIVATIONS
from manual.affine import affine_backward, affine_forward
from manual.losses import LOSSES
from manual.network import LINKS, Network
from tests.network_strategies import Described, draw_point
from tests.tiers import one_of_each, slowly

#: Saturated, ordinary, nearly 0 and 0; in single precision e^-80 is about the smallest number.
POINTS = {
    np.float64: [-800, -40, -8, -1, -0.3, -1e-300, 0, 1e-300, 0.3, 1, 8, 40, 800],
    np.float32: [-800, -40, -8, -1, -0.3, -1e-30, 0, 1e-30, 0.3, 1, 8, 40, 800],
}
DTYPES = pytest.mark.parametrize("dtype", [np.float64, slowly(np.float32)])


@DTYPES
@pytest.mark.parametrize("name", one_of_each(ACTIVATIONS, ("sigmoid", "relu")))
def test_activations(name: str, dtype: Any) -> None:
    z = np.array(POINTS[dtype], dtype)
    report = check_backward(*ACTIVATIONS[name][:2], z, points=2, strict=True)
    assert report.verdict == "agree", str(report)


@DTYPES
def test_the_affine_step(dtype: Any) -> None:
    rng = np.random.default_rng(7)
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in ((7, 3), (3, 5), 5))
    report = check_backward(affine_forward, affine_backward, x, w, b, points=2, strict=True)
    assert report.verdict == "agree", str(report)


@pytest.mark.parametrize(
    ("soft", "dtype"), [(False, np.float64), slowly(True, np.float64), slowly(False, np.float32)]
)
@pytest.mark.parametrize("name", one_of_each(LOSSES, ("mse", "bce")))
def test_losses(name: str, soft: bool, dtype: Any) -> None:
    """With outputs of 0.5, 8 and 40, a row each: classes nearly sure, right ones and wrong ones."""
    y = draw_point(Described(Network((2, 3), loss=name), 5), 4, soft=soft, dtype=dtype).y
    # Rounded once here and once by the pair: y is read back in the precision of the outputs.
    scales = np.array([[0.5], [8.0], [40.0], [8.0], [40.0]])
    a = (scales * np.random.default_rng(3).standard_normal(y.shape)).astype(dtype)
    forward = partial(lambda a, y, pair: pair.forward(a, y), y=y, pair=LOSSES[name])
    report = check_backward(forward, LOSSES[name].backward, a, points=1, strict=True)
    assert report.verdict == "agree", str(report)


def of_mpmath(name: str, z: Any, y: Any) -> tuple[Any, list[Any]]:
    """One example's loss and n ∂L/∂z, term by term, with bits enough for the smallest beside 1."""
    with mpmath.workprec(200 + 4 * int(np.abs(z).max())):
        z, y = [mpmath.mpf(float(v)) for v in z], [mpmath.mpf(float(v)) for v in y]
        if name == "bce":
            p = [1 / (1 + mpmath.exp(-v)) for v in z]
            loss = -sum(
                t * mpmath.log(q) + (1 - t) * mpmath.log(1 - q) for t, q in zip(y, p, strict=True)
            )
            return loss, [q - t for t, q in zip(y, p, strict=True)]
        total = sum(mpmath.exp(v) for v in z)
        p = [mpmath.exp(v) / total for v in z]
        loss = -sum(t * mpmath.log(q) for t, q in zip(y, p, strict=True))
        return loss, [q * sum(y) - t for t, q in zip(y, p, strict=True)]


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("size", [1.0, 17.0, 40.0, 600.0])
@pytest.mark.parametrize("right", [True, False])
def test_losses_on_logits_keep_their_digits(name: str, size: float, right: bool) -> None:
    """Nearly perfect predictions and utterly wrong ones: no overflow, and 2e-14 relative.

    But softmax-ce takes the log of a sum with a 1 in it: that loss is right to 2e-14 absolutely.

    Some ten roundings and two exponentials of numbers up to `size` in them, whose error is that of
    their argument, which here is exact: 20 ulps. Below the smallest number there is nothing.
    """
    z = size * np.array([[1.0, -1.0, -0.75]])
    y = np.array([[1.0, 0.0, 0.0]] if right else [[0.0, 1.0, 0.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, cache = LOSSES[name].forward(z, y)
        dz = LOSSES[name].backward(1.0, cache)
    exact, slopes = of_mpmath(name, z[0], y[0])
    if name == "softmax-ce":
        assert abs(mpmath.mpf(float(loss)) - exact) <= 2e-14 * max(1, abs(exact))
        loss, exact = 0.0, mpmath.mpf(0)
    for value, truth in zip([loss, *dz[0]], [exact, *slopes], strict=True):
        assert abs(mpmath.mpf(float(value)) - truth) <= 2e-14 * abs(truth) + 1e-307
