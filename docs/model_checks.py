"""Tests of docs/model.py, one of which fails: what docs/howto/pytest.md shows."""

import numpy as np
import pytest
from model import example, gradient, loss

from handgrad import assert_gradient


def test_gradient():
    assert_gradient(gradient, loss, *example())


@pytest.mark.parametrize("n", [1, 5])
def test_slope_of_the_output(n):
    params, x, y = example()

    def loss_of_v(v, x, y):
        return loss(params | {"v": v}, x, y)

    def gradient_of_v(v, x, y):
        return gradient(params | {"v": v}, x, y)["v"]

    assert_gradient(gradient_of_v, loss_of_v, np.ones(3), x[:n], y[:n])
