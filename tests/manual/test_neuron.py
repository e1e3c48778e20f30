"""Rows 1 to 8 of the article: activations, a neuron, a network of neurons."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual.activations import sigmoid, sigmoid_derivative, sigmoid_derivative_article, step
from manual.article import Parameters, feedforward, neurons
from manual.neuron import Neuron
from tests.reference import close
from tests.tiers import fewer

ALL_THE_SAME = Parameters(w1=0, w2=1, w3=0, w4=1, w5=0, w6=1, b1=0, b2=0, b3=0)


def printed(output: Any, digits: float) -> bool:
    """Whether it is what the article prints; exponentials of other processors round otherwise."""
    return close(output, digits, 15)


def test_a_neuron_feeds_forward() -> None:
    assert printed(Neuron(weights=[0, 1], bias=4).feedforward([2, 3]), 0.9990889488055994)


def test_a_network_of_neurons_feeds_forward() -> None:
    h1, h2, o1 = neurons(ALL_THE_SAME)
    hidden = [h1.feedforward([2, 3]), h2.feedforward([2, 3])]
    assert all(printed(output, 0.9525741268224334) for output in hidden)
    assert printed(o1.feedforward(hidden), 0.7216325609518421)
    assert printed(feedforward(ALL_THE_SAME, [2, 3]), 0.7216325609518421)


@fewer(8)
@given(st.tuples(*[st.floats(-20, 20)] * 9), st.tuples(*[st.floats(-20, 20)] * 2))
def test_the_network_is_three_neurons(numbers: tuple, x: tuple) -> None:
    params = Parameters(*map(np.float64, numbers))
    h1, h2, o1 = neurons(params)
    inputs = np.array(x)
    hidden = np.array([h1.feedforward(inputs), h2.feedforward(inputs)])
    assert o1.feedforward(hidden) == feedforward(params, inputs)


def test_the_exam_at_its_threshold() -> None:
    assert step(np.array([-1.0, -0.0, 0.0, 1.0])).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert sigmoid(0.0) == 0.5


def test_no_overflow_far_out() -> None:
    """Warnings are errors here: none may be raised at z = ±1000 or beyond."""
    z = np.array([-np.inf, -1000.0, -745.0, 745.0, 1000.0, np.inf])
    assert sigmoid(z)[[0, 1, 4, 5]].tolist() == [0, 0, 1, 1]
    for derivative in (sigmoid_derivative, sigmoid_derivative_article):
        assert derivative(z)[[0, 1, 4, 5]].tolist() == [0, 0, 0, 0]
        assert derivative(-1000.0) == derivative(1000.0) == 0.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one and the same \(n_in,\)"):
        Neuron([1.0, 1.0], 0.0).feedforward([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"x has shape \(3,\), expected \(\.\.\., 2\)"):
        feedforward(ALL_THE_SAME, [1.0, 2.0, 3.0])
