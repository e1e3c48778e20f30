"""The article's 2-2-1 network, its loss, and all nine partial derivatives by the chain rule.

        x1 ──w1──▶ h1 ──w5──╮          z1 = w1*x1 + w2*x2 + b1      h1 = σ(z1)
           ╲w3  w2╱          ▶ o1      z2 = w3*x1 + w4*x2 + b2      h2 = σ(z2)
        x2 ──w4──▶ h2 ──w6──╯          z3 = w5*h1 + w6*h2 + b3      ypred = o1 = σ(z3)

Source: the article, "Training a Neural Network" and "Backpropagation". It derives w1 only, and
loses the square of the loss on the way; here are all nine, from the squared loss.

The lines use operators and the two functions that they are given, σ and σ'. With those of
`manual.activations` they run on one sample and on many at once, and on any library of the array API
standard; in `manual.floats` they run on Python's floats.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from manual.activations import sigmoid, sigmoid_derivative
from manual.arrays import Array, as_array
from manual.losses import mse, squared_error
from manual.neuron import Neuron


class Parameters(NamedTuple):
    """The nine parameters, or nine values that belong to them (their partial derivatives, say).

    Each is a scalar, or an array of one shape for many networks at once.
    """

    w1: Array
    w2: Array
    w3: Array
    w4: Array
    w5: Array
    w6: Array
    b1: Array
    b2: Array
    b3: Array


class Forward(NamedTuple):
    """Everything the forward pass computes, in the order in which it is computed."""

    z1: Array
    h1: Array
    z2: Array
    h2: Array
    z3: Array
    ypred: Array


def draw_parameters(seed: int) -> Parameters:
    """Nine draws from N(0, 1), float64, by NumPy's legacy generator in the order w1..w6, b1..b3.

    Args:
        seed: 0 to 2³² - 1. The article gives none; 44, 77, 115 and 185 lead to its printed 0.951
            and 0.039.

    Raises:
        ValueError: the seed is outside that range.
    """
    return Parameters(*np.random.RandomState(seed).normal(size=len(Parameters._fields)))


def ones_parameters() -> Parameters:
    """All weights 1 and all biases 0, float64: the start of the article's worked example."""
    return Parameters(*np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]))


def neurons(params: Parameters) -> tuple[Neuron, Neuron, Neuron]:
    """The same network as three neurons h1, h2, o1; o1 takes the outputs of h1 and h2."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    return Neuron([w1, w2], b1), Neuron([w3, w4], b2), Neuron([w5, w6], b3)


def forward(params: Parameters, x: Array) -> Forward:
    """The forward pass with every intermediate value.

    Args:
        params: scalars, or arrays of shape (...).
        x: the two inputs along the last axis, shape (..., 2).

    Returns:
        Six values of shape (...).

    Raises:
        ValueError: the last axis of x is not 2.
    """
    return forward_lines(params, *_inputs(x), sigmoid)


def _inputs(x: Array) -> tuple[Array, Array]:
    x = as_array(x)
    if x.shape[-1:] != (2,):
        raise ValueError(f"forward: x has shape {x.shape}, expected (..., 2)")
    x1, x2 = x[..., 0], x[..., 1]
    if isinstance(x, np.ndarray) and not x.dtype.hasobject:
        # A number is an array of one number here, which takes ten times as long to compute with.
        return x1[()], x2[()]
    return x1, x2


def forward_lines(
    params: Parameters, x1: Array, x2: Array, sigmoid: Callable[[Array], Array]
) -> Forward:
    """The lines of `forward`: all values of shape (...), or of any type that has operators.

    σ is given, as a function of such a value.
    """
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    z1 = w1 * x1 + w2 * x2 + b1  # (1)
    h1 = sigmoid(z1)  # (2)
    z2 = w3 * x1 + w4 * x2 + b2  # (3)
    h2 = sigmoid(z2)  # (4)
    z3 = w5 * h1 + w6 * h2 + b3  # (5)
    ypred = sigmoid(z3)  # (6)
    return Forward(z1, h1, z2, h2, z3, ypred)


def feedforward(params: Parameters, x: Array) -> Array:
    """The network's output, in [0, 1]: the probability of "female". Shapes as in `forward`."""
    return forward(params, x).ypred


def loss(params: Parameters, x: Array, y: Array) -> Array:
    """One sample's squared error (y - ypred)². Shapes as in `forward`; y has shape (...)."""
    return squared_error(y, feedforward(params, x))


def mean_loss(params: Parameters, xs: Array, ys: Array) -> Array:
    """The mean of `loss` over n samples: xs of shape (n, 2), ys of shape (n,), a scalar back."""
    return mse(ys, feedforward(params, xs))


def gradient(
    params: Parameters,
    x: Array,
    y: Array,
    derivative: Callable[[Array], Array] = sigmoid_derivative,
) -> Parameters:
    """The nine partial derivatives of `loss`, each as the chain rule's product of factors.

    The steps of the forward pass, (1) to (6) in `forward` and (7) the loss, are undone in reverse.

    Args:
        params: scalars, or arrays of shape (...).
        x: inputs, shape (..., 2).
        y: target, shape (...).
        derivative: σ' as a function of z; one of `manual.activations`' two forms.

    Returns:
        ∂L/∂w1 .. ∂L/∂b3, each of shape (...), in the dtype of the arguments.

    Raises:
        ValueError: the last axis of x is not 2.
    """
    x1, x2 = _inputs(x)
    steps = forward_lines(params, x1, x2, sigmoid)
    return gradient_lines(params, x1, x2, as_array(y), steps, derivative)


def value_and_gradient(
    params: Parameters,
    x: Array,
    y: Array,
    derivative: Callable[[Array], Array] = sigmoid_derivative,
) -> tuple[Array, Parameters]:
    """`loss` and `gradient` from one forward pass; arguments and errors as there."""
    (x1, x2), y = _inputs(x), as_array(y)
    steps = forward_lines(params, x1, x2, sigmoid)
    grads = gradient_lines(params, x1, x2, y, steps, derivative)
    return squared_error(y, steps.ypred), grads


def gradient_lines(
    params: Parameters,
    x1: Array,
    x2: Array,
    y: Array,
    steps: Forward,
    derivative: Callable[[Array], Array],
) -> Parameters:
    """The lines of `gradient`, from the loss back to the inputs: values as in `forward_lines`.

    σ' is given. Above each group stands the step of the forward pass that it undoes.
    """
    z1, h1, z2, h2, z3, ypred = steps
    w5, w6 = params.w5, params.w6

    # (7) L = (y - ypred)**2
    dL_dypred = -2 * (y - ypred)

    # (6) ypred = sigmoid(z3)
    dypred_dz3 = derivative(z3)

    # (5) z3 = w5*h1 + w6*h2 + b3
    dypred_dw5 = dypred_dz3 * h1
    dypred_dw6 = dypred_dz3 * h2
    dypred_db3 = dypred_dz3
    dL_dw5 = dL_dypred * dypred_dw5
    dL_dw6 = dL_dypred * dypred_dw6
    dL_db3 = dL_dypred * dypred_db3
    dypred_dh1 = dypred_dz3 * w5
    dypred_dh2 = dypred_dz3 * w6

    # (4) h2 = sigmoid(z2)
    dh2_dz2 = derivative(z2)

    # (3) z2 = w3*x1 + w4*x2 + b2
    dh2_dw3 = dh2_dz2 * x1
    dh2_dw4 = dh2_dz2 * x2
    dh2_db2 = dh2_dz2
    dL_dw3 = dL_dypred * dypred_dh2 * dh2_dw3
    dL_dw4 = dL_dypred * dypred_dh2 * dh2_dw4
    dL_db2 = dL_dypred * dypred_dh2 * dh2_db2

    # (2) h1 = sigmoid(z1)
    dh1_dz1 = derivative(z1)

    # (1) z1 = w1*x1 + w2*x2 + b1
    dh1_dw1 = dh1_dz1 * x1
    dh1_dw2 = dh1_dz1 * x2
    dh1_db1 = dh1_dz1
    dL_dw1 = dL_dypred * dypred_dh1 * dh1_dw1
    dL_dw2 = dL_dypred * dypred_dh1 * dh1_dw2
    dL_db1 = dL_dypred * dypred_dh1 * dh1_db1

    return Parameters(dL_dw1, dL_dw2, dL_dw3, dL_dw4, dL_dw5, dL_dw6, dL_db1, dL_db2, dL_db3)
