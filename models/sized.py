"""Models of any size, for the times of checks; `Model.of_size` makes other models larger."""

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.losses import mse_backward
from models import layers
from models.helpers import affine, over_outputs, tanh_output_backward
from models.helpers import layers as draw_layers
from models.model import Model, of_loss
from models.networks import SQUARES, TANH, dense


def perceptron(sizes: tuple[int, ...], examples: int) -> Model:
    """Make a tanh network with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        x, y = (rng.normal(size=(examples, n)) for n in (sizes[0], sizes[-1]))
        return draw_layers(rng, *sizes), x, y

    return dense("perceptron", TANH, SQUARES, draw, {})


def attention(heads: int, positions: int, width: int) -> Model:
    """Make the attention of several heads, with a mean squared error."""

    def draw(rng: np.random.Generator) -> Any:
        x, y = rng.normal(size=(2, positions, width))
        return layers.Attention(*(affine(rng, width, width)[0] for _ in range(4))), x, y

    return of_loss("attention-heads", *layers.attention(heads, False), draw)


#: A kernel of shape (k, k, channels), and a layer (channels, outputs) on the mean position.
Images = namedtuple("Images", "kernel bias w b")


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
    errors = mse_backward(over_outputs(y), h @ net.w + net.b - y)
    # h @ w + b
    dw, db = h.T @ errors, errors.sum(axis=0)
    dh = errors @ net.w.T
    # h = mean(a) over positions
    da = dh[:, None, None, :] / (a.shape[1] * a.shape[2])
    # a = tanh(z)
    dz = tanh_output_backward(da, a)
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


#: Each at a small size.
MODELS = [perceptron((3, 7, 5, 2), 11), attention(2, 5, 6), convolution(5, 7, 3, 2, 4)]
