"""Models of any size, for the times of checks: networks, attention, convolution and others."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models import layers, likelihoods, perceptrons, recurrent, small_networks
from models.helpers import (
    affine,
    biases,
    elements,
    squared_error_backward,
    tanh_derivative,
    tanh_slope,
)
from models.helpers import layers as draw_layers
from models.model import Model, of_loss


def perceptron(sizes: tuple[int, ...], examples: int) -> Model:
    """Make a tanh network with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        x, y = (rng.normal(size=(examples, n)) for n in (sizes[0], sizes[-1]))
        return draw_layers(rng, *sizes), x, y

    by_hand = partial(perceptrons.gradient, np.tanh, tanh_derivative)
    return of_loss("perceptron", partial(perceptrons.loss, jnp.tanh), by_hand, draw)


def attention(heads: int, positions: int, width: int) -> Model:
    """Make the attention of several heads, with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        x, y = rng.normal(size=(2, positions, width))
        return small_networks.Attention(*(affine(rng, width, width)[0] for _ in range(4))), x, y

    return of_loss("attention-heads", *small_networks.attention(heads, False), draw)


class Images(NamedTuple):
    """A kernel of shape (k, k, channels), and a layer (channels, outputs) on the mean position."""

    kernel: Any
    bias: Any
    w: Any
    b: Any


def convolution_loss(net: Images, x: Any, y: Any) -> Any:
    """Convolution, tanh, mean over positions, affine: x (n, side, side), y (n, outputs)."""
    z = jax.lax.conv_general_dilated(
        x[..., None],
        net.kernel[:, :, None, :],
        window_strides=(1, 1),
        padding="VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    h = jnp.tanh(z + net.bias[None, None, None, :]).mean(axis=(1, 2))
    return jnp.mean((h @ net.w + net.b[None, :] - y) ** 2)


def convolution_gradient(net: Images, x: Any, y: Any) -> Images:
    windows = np.lib.stride_tricks.sliding_window_view(x, net.kernel.shape[:2], axis=(1, 2))
    a = np.tanh(np.tensordot(windows, net.kernel, axes=2) + net.bias)
    h = a.mean(axis=(1, 2))
    # mean((h @ w + b - y) ** 2)
    errors = squared_error_backward(h @ net.w + net.b, y) / elements(y)
    # h @ w + b
    dw, db = h.T @ errors, errors.sum(axis=0)
    dh = errors @ net.w.T
    # h = mean(a) over positions
    da = dh[:, None, None, :] / (a.shape[1] * a.shape[2])
    # a = tanh(z)
    dz = da * tanh_slope(a)
    # z = windows · kernel + bias, in every example and at every position
    dkernel = np.tensordot(windows, dz, axes=([0, 1, 2], [0, 1, 2]))
    return Images(dkernel, dz.sum(axis=(0, 1, 2)), dw, db)


def convolution(examples: int, side: int, kernel: int, channels: int, outputs: int) -> Model:
    """Make a convolution of square images, with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        (w, bias), (out, b) = affine(rng, kernel**2, channels), affine(rng, channels, outputs)
        x, y = rng.normal(size=(examples, side, side)), rng.normal(size=(examples, outputs))
        return Images(w.reshape(kernel, kernel, channels), bias, out, b), x, y

    return of_loss("convolution-of-images", convolution_loss, convolution_gradient, draw)


def layer_norm(examples: int, width: int, outputs: int) -> Model:
    """Make an affine map, layer norm, tanh and an output, with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        (w, _), (out, b) = draw_layers(rng, width, width, outputs)
        gain, shift = rng.uniform(0.6, 1.2, size=width), biases(rng, width)
        x, y = rng.normal(size=(examples, width)), rng.normal(size=(examples, outputs))
        return layers.Normalised(w, gain, shift, out, b), x, y

    return of_loss("layer-norm", layers.norm_loss, layers.norm_gradient, draw)


def scanned(steps: int, examples: int, inputs: int, units: int, outputs: int) -> Model:
    """Make an Elman network over time, a scan, with a squared error at every step."""

    def draw(rng: np.random.Generator) -> Any:
        (wx, b), (wh, _), (wy, c) = draw_layers(rng, inputs, units, units, outputs)
        x, y = (rng.normal(size=(steps, examples, n)) for n in (inputs, outputs))
        return recurrent.Elman(wx, 0.7 * wh, b, wy, c), x, y

    return of_loss("elman-scan", recurrent.scan_loss, recurrent.scan_gradient, draw)


def gaussian(examples: int, dimensions: int) -> Model:
    """Make the likelihood of a Gaussian by the Cholesky factor of its covariance."""

    def draw(rng: np.random.Generator) -> Any:
        root = rng.normal(size=(dimensions, 3 * dimensions))
        covariance = root @ root.T / (3 * dimensions)
        # Exactly symmetric, whatever the order of the sums.
        covariance = (covariance + covariance.T) / 2
        return (rng.normal(size=dimensions), covariance), rng.normal(size=(examples, dimensions))

    return of_loss(
        *("gaussian-covariance", likelihoods.covariance_loss, likelihoods.covariance_gradient),
        draw,
    )


#: Each at a small size.
MODELS = [
    perceptron((3, 7, 5, 2), 11),
    attention(2, 5, 6),
    convolution(5, 7, 3, 2, 4),
    layer_norm(7, 5, 3),
    scanned(4, 7, 3, 5, 2),
    gaussian(7, 5),
]
