"""The contenders for the article's network: one loss and gradient, and the whole training."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import manual.article
import manual.floats
import manual.sgd
from benchmarks.contenders.derivatives import expect_one
from benchmarks.problems.gradient import ArticleProblem
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Leaves, Ready, Unavailable, jitted
from benchmarks.results import JAX
from compare.agreement import stack


def sigmoid(z: Any) -> Any:
    """The article's σ, as printed."""
    return 1 / (1 + np.exp(-z))


def slope(z: Any) -> Any:
    """The article's σ', as printed."""
    f = sigmoid(z)
    return f * (1 - f)


def article_lines(problem: ArticleProblem) -> Ready:
    """Compute in the article's style: NumPy scalars, and σ' recomputed for each factor."""
    expect_one(problem)
    params, x, y = problem.arguments
    target = y[()]

    def run() -> Any:
        w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
        z1 = w1 * x[0] + w2 * x[1] + b1
        h1 = sigmoid(z1)
        z2 = w3 * x[0] + w4 * x[1] + b2
        h2 = sigmoid(z2)
        z3 = w5 * h1 + w6 * h2 + b3
        ypred = sigmoid(z3)
        error = -2 * (target - ypred)
        to_w5, to_w6, to_b3 = h1 * slope(z3), h2 * slope(z3), slope(z3)
        to_h1, to_h2 = w5 * slope(z3), w6 * slope(z3)
        of_w1, of_w2, of_b1 = x[0] * slope(z1), x[1] * slope(z1), slope(z1)
        of_w3, of_w4, of_b2 = x[0] * slope(z2), x[1] * slope(z2), slope(z2)
        return (
            (target - ypred) ** 2,
            error * to_h1 * of_w1,
            error * to_h1 * of_w2,
            error * to_h2 * of_w3,
            error * to_h2 * of_w4,
            error * to_w5,
            error * to_w6,
            error * to_h1 * of_b1,
            error * to_h2 * of_b2,
            error * to_b3,
        )

    return Ready(run)


def hand_floats(problem: ArticleProblem) -> Ready:
    """Run the hand lines on Python floats."""
    expect_one(problem)
    if problem.dtype != "float64":
        raise Unavailable("Python floats are float64")
    params = manual.article.Parameters(*map(float, problem.params))
    x, y = tuple(map(float, problem.x)), float(problem.y)
    return Ready(lambda: manual.floats.value_and_gradient(params, x, y))


def public(problem: ArticleProblem) -> Ready:
    """Call `autodiff.article.value_and_gradient`."""
    expect_one(problem)
    if problem.dtype != "float64":
        raise Unavailable("the public function computes in float64")
    params = autodiff.article.Parameters(*problem.params)
    x, y = problem.x, problem.y
    return Ready(lambda: autodiff.article.value_and_gradient(params, x, y), called=JAX)


def _of_layers(layers: Any) -> Leaves:
    return [stack(autodiff.article.unpack(jax.device_get(layers)))]


def in_one_scan(problem: TrainingProblem) -> tuple[Any, ...]:
    """Return autodiff's function, its arguments, and what turns its result into arrays."""
    start, *rest = problem.arguments
    params = autodiff.article.Parameters(*start)
    return autodiff.article.trajectory, (params, *rest), _of_layers


def train_hand_jit(derivative: Callable[[Any], Any], problem: TrainingProblem) -> Ready:
    """Train with the hand lines in the same `lax.scan` and packing, under `jax.jit`."""

    def trajectory(params: Any, xs: Any, ys: Any, rate: Any, order: Any) -> Any:
        def update(layers: Any, row: Any) -> Any:
            params = manual.article.Parameters(*autodiff.article.unpack(layers))
            grads = _packed(manual.article.gradient(params, xs[row], ys[row], derivative))
            layers = [manual.sgd.update(w, dw, rate) for w, dw in zip(layers, grads, strict=True)]
            return layers, layers

        return jax.lax.scan(update, _packed(params), jnp.ravel(order))[1]

    _, arguments, read = in_one_scan(problem)
    return jitted(trajectory, arguments, read)


def _packed(numbers: Any) -> Any:
    return autodiff.article.pack(autodiff.article.Parameters(*numbers))


def train_floats(problem: TrainingProblem) -> Ready:
    """Train with `manual.floats.gradient`: Python floats instead of NumPy's."""
    start, xs, ys, rate, order = problem.arguments
    floats = (type(start)(*map(float, start)), xs.tolist(), ys.tolist(), rate, order)
    return train(manual.floats.gradient, floats)


def train(gradient: Callable[..., Any], arguments: tuple[Any, ...]) -> Ready:
    """Train with `manual.sgd.train`, the readable lines."""
    start, xs, ys, rate, order = arguments
    return Ready(
        run=lambda: list(manual.sgd.train(start, xs, ys, gradient, rate, order)),
        read=lambda path: [np.array(path).T],
    )


def train_article_lines(problem: TrainingProblem) -> Ready:
    """Train in the article's style: NumPy scalars, integer data, σ' recomputed for each factor."""
    params, xs, ys, rate, order = problem.arguments
    xs, ys = xs.astype(np.int64), ys.astype(np.int64)

    def run() -> list[tuple]:
        w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
        path = []
        for k in order.ravel():
            x, y = xs[k], ys[k]
            z1 = w1 * x[0] + w2 * x[1] + b1
            h1 = sigmoid(z1)
            z2 = w3 * x[0] + w4 * x[1] + b2
            h2 = sigmoid(z2)
            z3 = w5 * h1 + w6 * h2 + b3
            error = -2 * (y - sigmoid(z3))
            to_h1, to_h2 = w5 * slope(z3), w6 * slope(z3)
            w5 = w5 - rate * error * h1 * slope(z3)
            w6 = w6 - rate * error * h2 * slope(z3)
            b3 = b3 - rate * error * slope(z3)
            w1 = w1 - rate * error * to_h1 * x[0] * slope(z1)
            w2 = w2 - rate * error * to_h1 * x[1] * slope(z1)
            b1 = b1 - rate * error * to_h1 * slope(z1)
            w3 = w3 - rate * error * to_h2 * x[0] * slope(z2)
            w4 = w4 - rate * error * to_h2 * x[1] * slope(z2)
            b2 = b2 - rate * error * to_h2 * slope(z2)
            path.append((w1, w2, w3, w4, w5, w6, b1, b2, b3))
        return path

    return Ready(run, read=lambda path: [np.array(path).T])
