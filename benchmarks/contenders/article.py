"""The contenders for one network of the article's: its loss and nine partial derivatives."""

from typing import Any

import numpy as np

import autodiff.article
import manual.article
import manual.floats
from benchmarks.problems.article import ArticleProblem
from benchmarks.ready import Ready, Unavailable
from benchmarks.results import JAX


def sigmoid(z: Any) -> Any:
    """The article's σ, as printed."""
    return 1 / (1 + np.exp(-z))


def slope(z: Any) -> Any:
    """The article's σ', as printed."""
    f = sigmoid(z)
    return f * (1 - f)


def article_lines(problem: ArticleProblem) -> Ready:
    """Compute in the article's style: NumPy scalars, and σ' recomputed for each factor."""
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
    if problem.dtype != "float64":
        raise Unavailable("Python floats are float64")
    params = manual.article.Parameters(*map(float, problem.params))
    x, y = tuple(map(float, problem.x)), float(problem.y)
    return Ready(lambda: manual.floats.value_and_gradient(params, x, y))


def public(problem: ArticleProblem) -> Ready:
    """Call `autodiff.article.value_and_gradient`."""
    if problem.dtype != "float64":
        raise Unavailable("the public function computes in float64")
    params = autodiff.article.Parameters(*problem.params)
    x, y = problem.x, problem.y
    return Ready(lambda: autodiff.article.value_and_gradient(params, x, y), called=JAX)
