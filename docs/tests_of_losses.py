"""Tests of `losses.py`, as many packages have them: what do they miss?"""

import losses
import numpy as np
from scipy.optimize import check_grad


def test_huber_at_its_minimum():
    """The gradient is 0 there, and so is any multiple of it."""
    np.testing.assert_array_equal(losses.huber_grad(np.zeros(4)), 0)


def test_logistic_by_differences():
    """One point, and the tolerance that differences need."""
    w, x, y = losses.logistic_example()
    assert check_grad(losses.logistic, losses.d_logistic, w, x, y) < 1e-4
