"""The contenders for the article's training; each returns the parameters after every update.

So the work is the same for all, and every update can be judged.
"""

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import manual.article
import manual.floats
import manual.sgd
from benchmarks import names
from benchmarks.contenders.article import sigmoid, slope
from benchmarks.contenders.c_program import library, pointer
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Leaves, Ready, called, jitted
from compare.agreement import stack
from manual.activations import sigmoid_derivative, sigmoid_derivative_article


def _of_layers(layers: Any) -> Leaves:
    return [stack(autodiff.article.unpack(jax.device_get(layers)))]


def _arguments(problem: TrainingProblem) -> tuple[Any, ...]:
    start, *rest = problem.arguments
    return (autodiff.article.Parameters(*start), *rest)


def hand_jit(derivative: Callable[[Any], Any], problem: TrainingProblem) -> Ready:
    """Train with the hand lines in the same `lax.scan` and packing, under `jax.jit`."""

    def trajectory(params: Any, xs: Any, ys: Any, rate: Any, order: Any) -> Any:
        def update(layers: Any, row: Any) -> Any:
            params = manual.article.Parameters(*autodiff.article.unpack(layers))
            grads = _packed(manual.article.gradient(params, xs[row], ys[row], derivative))
            layers = [manual.sgd.update(w, dw, rate) for w, dw in zip(layers, grads, strict=True)]
            return layers, layers

        return jax.lax.scan(update, _packed(params), jnp.ravel(order))[1]

    return jitted(trajectory, _arguments(problem), _of_layers)


def _packed(numbers: Any) -> Any:
    return autodiff.article.pack(autodiff.article.Parameters(*numbers))


def in_c(problem: TrainingProblem) -> Ready:
    """Train with the C program."""
    start, xs, ys, rate, order = problem.arguments
    train = library("float64").train
    rows = np.ascontiguousarray(order.ravel(), dtype=ctypes.c_long)
    path = np.empty((len(start), rows.size))
    beginning, current = np.array(start), np.empty(len(start))
    count, step = ctypes.c_long(rows.size), ctypes.c_double(rate)
    at = [pointer(array) for array in (current, xs, ys, rows)]
    to = pointer(path)

    def run() -> np.ndarray:
        current[:] = beginning
        train(*at, count, step, to)
        return path

    return Ready(run, read=lambda answer: [answer.copy()])


def hand_floats(problem: TrainingProblem) -> Ready:
    """Train with `manual.floats.gradient`: Python floats instead of NumPy's."""
    start, xs, ys, rate, order = problem.arguments
    floats = (type(start)(*map(float, start)), xs.tolist(), ys.tolist(), rate, order)
    return by_hand(manual.floats.gradient, floats)


def by_hand(gradient: Callable[..., Any], arguments: tuple[Any, ...]) -> Ready:
    """Train with `manual.sgd.train`, the readable lines."""
    start, xs, ys, rate, order = arguments
    return Ready(
        run=lambda: list(manual.sgd.train(start, xs, ys, gradient, rate, order)),
        read=lambda path: [np.array(path).T],
    )


def article_lines(problem: TrainingProblem) -> Ready:
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


CONTENDERS: dict[str, Callable[[TrainingProblem], Ready]] = {
    names.ARTICLE: article_lines,
    names.FLOATS: hand_floats,
    names.HAND: lambda problem: by_hand(manual.article.gradient, problem.arguments),
    names.HAND_JIT: partial(hand_jit, sigmoid_derivative),
    names.HAND_JIT_ARTICLE: partial(hand_jit, sigmoid_derivative_article),
    # In one `lax.scan`.
    **called(lambda of: (autodiff.article.trajectory, _arguments(of), _of_layers)),
    names.C: in_c,
}
