"""Right gradients at points that are hard to judge; calling one wrong is a false alarm.

They are written as a careful author would: they lose no digits that can be kept, and at a kink they
return one of the right gradients.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.activations import sigmoid, tanh_backward
from models import functions
from models.likelihoods import Kernel, process_gradient, process_loss
from models.model import Model, of_loss
from models.networks import NONE, NUMBERS, RELU, SIGMOID, SQUARES, dense
from models.regressions import QUANTILE, Line, line
from models.regressions import SQUARES as OF_LINE


def neuron_loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jax.nn.sigmoid(x @ params["w"] + params["b"]) - y) ** 2)


def neuron_gradient(params: Any, x: Any, y: Any) -> Any:
    z = x @ params["w"] + params["b"]
    dz = 2 / len(y) * (sigmoid(z) - y) * sigmoid(z) * sigmoid(-z)
    return {"w": x.T @ dz, "b": dz.sum()}


def draw_neuron(_: np.random.Generator) -> Any:
    params = {"w": np.array([1.0, 1.0]), "b": np.array(0.5)}
    return params, np.array([[25.0, 6.0], [17.0, 4.0], [21.0, 9.0]]), np.array([0.0, 0.25, 0.5])


def draw_margins(rng: np.random.Generator) -> Any:
    w, x = np.array([11.0, -7.0, 5.0]), rng.uniform(1, 3, size=(5, 3))
    return w, x, np.sign(x @ w)


def draw_confident(rng: np.random.Generator) -> Any:
    logits, labels = rng.normal(size=(3, 4)), np.array([0, 2, 3])
    logits[np.arange(3), labels] += 35
    return (logits, np.zeros(4)), np.eye(3), labels


def draw_hidden(rng: np.random.Generator) -> Any:
    w1, w2 = rng.uniform(4, 8, size=(3, 2)), rng.normal(size=(2, 1))
    params = [(w1, np.zeros(2)), (w2, np.zeros(1))]
    return params, rng.uniform(1, 2, size=(5, 3)), rng.normal(size=(5, 1))


#: A sum of sines, scaled.
SINE = (lambda w, scale: scale * jnp.sum(jnp.sin(w))), (lambda w, scale: scale * np.cos(w))


def likelihood_gradient(mean: Any, x: Any) -> Any:
    density = np.prod(np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi))
    return -density * (x - mean).sum(axis=0)


def draw_incomes(rng: np.random.Generator) -> Any:
    """Draw incomes and house prices in dollars, not scaled."""
    params = Line(np.array([3.0, 1200.0]), np.array(1e4))
    x = np.stack([rng.uniform(2e4, 2e5, size=9), rng.uniform(500, 4000, size=9)], axis=1)
    return params, x, rng.uniform(1e5, 2e6, size=9)


def draw_counts(rng: np.random.Generator) -> Any:
    """Draw a Poisson regression with counts of about 1e9."""
    x = np.stack([np.ones(9), rng.normal(size=9)], axis=1)
    return np.array([20.1, 0.6]), x, np.round(np.exp(x @ np.array([20.0, 0.5])))


def gravity_loss(place: Any, masses: Any) -> Any:
    """The potential energy of two bodies in SI units."""
    d = place[0] - place[1]
    return -6.674e-11 * masses[0] * masses[1] / jnp.sqrt(jnp.sum(d * d))


def gravity_gradient(place: Any, masses: Any) -> Any:
    d = place[0] - place[1]
    force = 6.674e-11 * masses[0] * masses[1] * d / (d @ d) ** 1.5
    return np.stack([force, -force])


def draw_sun_and_earth(_: np.random.Generator) -> Any:
    return np.array([[7e8, -3e8, 1e7], [1.1e11, 1.0e11, 2e9]]), np.array([1.989e30, 5.972e24])


def hilbert(n: int) -> Any:
    """The n×n matrix 1 / (i + j + 1)."""
    return 1.0 / (np.add.outer(np.arange(n), np.arange(n)) + 1)


def draw_quadratic(rng: np.random.Generator) -> Any:
    """Draw a point near the minimum, where the two terms cancel in all but their last digits."""
    w, matrix = rng.normal(size=8), hilbert(8)
    return w + 1e-9 * rng.normal(size=8), matrix, matrix @ w


def draw_polynomial(rng: np.random.Generator) -> Any:
    """Draw a polynomial of degree 12 through 20 points."""
    x = np.vander(np.linspace(0, 1, 20), 13)
    return 1e3 * rng.normal(size=13), x, rng.normal(size=20)


def draw_determinant(rng: np.random.Generator) -> Any:
    """Draw a covariance of rank one, and a little noise."""
    v = rng.normal(size=5)
    return rng.uniform(1, 2, size=5) * 1e-7, np.outer(v, v)


def valley_gradient(w: Any, steep: Any) -> Any:
    off = w[1] - w[0] ** 2
    return np.array([-2 * (1 - w[0]) - 4 * steep * w[0] * off, 2 * steep * off])


def draw_process(_: np.random.Generator) -> Any:
    """Draw a Gaussian process whose length scale is long, and which has hardly any noise."""
    x = np.linspace(0, 1, 7)
    return Kernel(np.log(0.8), np.array(0.0), np.log(1e-4)), x, np.sin(3 * x)


def draw_relu(rng: np.random.Generator) -> Any:
    """Draw a layer whose first unit has zero weights, so that it ties in every example."""
    w = rng.normal(size=(3, 2))
    w[:, 0] = 0
    params = [(w, np.zeros(2)), (np.ones((2, 1)), np.zeros(1))]
    return params, rng.normal(size=(5, 3)), rng.normal(size=(5, 1))


def draw_lasso(rng: np.random.Generator) -> Any:
    """Draw coefficients of which two are exactly zero, as the lasso makes them."""
    return np.array([1.5, 0.0, -0.5, 0.0]), rng.normal(size=(7, 4)), rng.normal(size=7)


def draw_hinge(_: np.random.Generator) -> Any:
    """Draw a support vector exactly on its margin."""
    x = np.array([[1.0, 0.5], [-2.0, 1.0], [0.25, 3.0]])
    return np.array([0.5, 1.0]), x, np.array([1.0, -1.0, 1.0])


def blocks(image: Any) -> Any:
    """Cut a 4×4 image into four blocks, a row each; of such rows make the image again."""
    return image.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)


def pool_loss(image: Any, weights: Any) -> Any:
    return jnp.sum(weights * jnp.max(blocks(image), axis=1))


def pool_gradient(image: Any, weights: Any) -> Any:
    dblocks = np.zeros((4, 4))
    dblocks[np.arange(4), blocks(image).argmax(axis=1)] = weights
    return blocks(dblocks)


def draw_pool(rng: np.random.Generator) -> Any:
    """Draw an image with a black corner, for max pooling."""
    image = rng.normal(size=(4, 4))
    image[:2, :2] = 0
    return image, rng.normal(size=4)


def draw_pinball(_: np.random.Generator) -> Any:
    """Draw a quantile's line exactly through one of its points."""
    x, y = np.array([[0.5], [1.0], [2.0], [3.0]]), np.array([0.7, 0.75, 0.2, 1.9])
    return Line(np.array([0.25]), np.array(0.5)), x, y


#: The models by what makes them hard.
POINTS: Mapping[str, Sequence[Model]] = {
    # Their derivatives are tiny, and 1 - σ would lose their digits.
    "saturated": [
        of_loss("saturated neuron", neuron_loss, neuron_gradient, draw_neuron),
        of_loss(
            "wide margins",
            lambda w, x, y: jnp.mean(jax.nn.softplus(-y * (x @ w))),
            lambda w, x, y: -x.T @ (y * sigmoid(-y * (x @ w))) / len(y),
            draw_margins,
        ),
        of_loss(
            "saturated tanh",
            lambda w, x: jnp.sum(jnp.tanh(x * w)),
            lambda w, x: tanh_backward(x, x * w),
            lambda rng: (rng.uniform(10, 16, size=7), rng.choice([-1.0, 1.0], size=7)),
        ),
        dense("confident softmax", NONE, NUMBERS, draw_confident, {}),
        dense("saturated hidden layer", SIGMOID, SQUARES, draw_hidden, {}),
        of_loss(
            "saturated erf",
            lambda w: jnp.sum(jax.scipy.special.erf(w)),
            lambda w: 2 / np.sqrt(np.pi) * np.exp(-w * w),
            lambda rng: (rng.uniform(4, 6, size=5),),
        ),
    ],
    "tiny": [
        of_loss("1e-6 sum(sin)", *SINE, lambda rng: (rng.normal(size=7), 1e-6)),
        of_loss(
            "nanometres in metres",
            lambda w, x, y: jnp.mean((x @ w - y) ** 2),
            lambda w, x, y: 2 / len(y) * x.T @ (x @ w - y),
            lambda rng: (
                *(rng.normal(size=3), 1e-9 * rng.normal(size=(11, 3)), 1e-9 * rng.normal(size=11)),
            ),
        ),
        of_loss(
            # Its logarithm was not taken.
            "raw likelihood",
            lambda mean, x: (
                -jnp.prod(jnp.exp(-((x - mean[None, :]) ** 2) / 2) / jnp.sqrt(2 * jnp.pi))
            ),
            likelihood_gradient,
            lambda rng: (rng.normal(size=2), rng.normal(size=(13, 2))),
        ),
        of_loss(
            "flat minimum",
            lambda w: jnp.sum(w**4),
            lambda w: 4 * w**3,
            lambda rng: (1e-3 * rng.normal(size=5),),
        ),
        of_loss(
            "tail of a Gaussian",
            lambda w: -jnp.exp(-jnp.sum(w**2)),
            lambda w: 2 * w * np.exp(-(w**2).sum()),
            lambda rng: (rng.uniform(2, 3, size=6),),
        ),
    ],
    "huge": [
        of_loss("1e8 sum(sin)", *SINE, lambda rng: (rng.normal(size=7), 1e8)),
        line("dollars", OF_LINE, draw_incomes, {}),
        of_loss(
            "counts of a billion",
            lambda w, x, y: jnp.sum(jnp.exp(x @ w) - y * (x @ w)),
            lambda w, x, y: x.T @ (np.exp(x @ w) - y),
            draw_counts,
        ),
        of_loss(
            *("Rosenbrock, far away", functions.rosenbrock_loss, functions.rosenbrock_gradient),
            lambda rng: (1e3 * rng.normal(size=5),),
        ),
        of_loss("Sun and Earth", gravity_loss, gravity_gradient, draw_sun_and_earth),
        # Like that of a log likelihood, which has no gradient.
        of_loss(
            "large constant",
            lambda w, constant: constant + jnp.sum(w**2),
            lambda w, constant: 2 * w,
            lambda rng: (rng.normal(size=5), 1e7),
        ),
    ],
    # Inputs rounded in their last digit move the gradient in many digits. Matrices are symmetric.
    "badly conditioned": [
        of_loss(
            "Hilbert quadratic",
            lambda w, matrix, b: w @ matrix @ w / 2 - b @ w,
            lambda w, matrix, b: matrix @ w - b,
            draw_quadratic,
        ),
        of_loss("Vandermonde", functions.squares_loss, functions.squares_gradient, draw_polynomial),
        of_loss(
            "Hilbert solve",
            lambda b, matrix: b @ jnp.linalg.solve(matrix, b) / 2,
            lambda b, matrix: np.linalg.solve(matrix, b),
            lambda rng: (rng.normal(size=6), hilbert(6)),
        ),
        of_loss(
            "log-determinant",
            lambda s, matrix: jnp.linalg.slogdet(matrix + jnp.diag(s))[1],
            lambda s, matrix: np.diag(np.linalg.inv(matrix + np.diag(s))),
            draw_determinant,
        ),
        of_loss(
            "steep valley",
            lambda w, steep: (1 - w[0]) ** 2 + steep * (w[1] - w[0] ** 2) ** 2,
            valley_gradient,
            lambda _: (np.array([0.7, 0.49 + 1e-7]), 1e6),
        ),
        of_loss("Gaussian process", process_loss, process_gradient, draw_process),
    ],
    # Several gradients are right; each one here is one of them.
    "kinked": [
        dense("dead ReLU", RELU, SQUARES, draw_relu, {}),
        of_loss(
            "lasso",
            lambda w, x, y: jnp.mean((x @ w - y) ** 2) + 0.1 * jnp.sum(jnp.abs(w)),
            lambda w, x, y: 2 / len(y) * x.T @ (x @ w - y) + 0.1 * np.sign(w),
            draw_lasso,
        ),
        of_loss(
            "hinge",
            lambda w, x, y: jnp.mean(jnp.maximum(0.0, 1 - y * (x @ w))),
            lambda w, x, y: -x.T @ (y * (y * (x @ w) < 1)) / len(y),
            draw_hinge,
        ),
        of_loss(
            "largest of equals",
            lambda w: jnp.max(w) ** 2,
            # The first of the largest has it all.
            lambda w: 2 * w.max() * (np.arange(w.size) == np.argmax(w)),
            lambda _: (np.array([0.25, 1.5, -1.0, 1.5, 1.5]),),
        ),
        of_loss("max pooling", pool_loss, pool_gradient, draw_pool),
        line("pinball", QUANTILE, draw_pinball, {}),
    ],
}
