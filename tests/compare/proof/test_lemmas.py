"""What is proved beside the gradient, and that it would be seen if it were not so."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import manual.article
import manual.network
import manual.regression
from compare.proof import lemmas
from compare.proof.arrays import Array
from compare.proof.least_squares import gradient_of_loss, stationary_point
from compare.proof.network import generators
from manual.activations import sigmoid
from manual.affine import Layer
from manual.regression import Coefficients
from tests.compare.proof.proving import of_article, of_network


def test_all_of_them_hold() -> None:
    found = [lemmas.slope_of_sigmoid(), gradient_of_loss(), stationary_point()]
    assert [lemma.name for lemma in found] == [
        "sigmoid-derivative",
        "regression-gradient",
        "least-squares",
    ]
    assert all(lemma.proved for lemma in found)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z: sigmoid(z) * sigmoid(z),
        lambda z: SLOPE(z) * z / z,  # divides by what may be 0
    ],
)
def test_a_wrong_slope_of_the_sigmoid(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    monkeypatch.setitem(lemmas.SIGMOID_DERIVATIVES, "stable", wrong)
    assert not lemmas.slope_of_sigmoid().proved


SLOPE, GRADIENT = lemmas.SIGMOID_DERIVATIVES["stable"], manual.regression.gradient


@pytest.mark.parametrize(
    "wrong",
    [
        lambda y, of: of / 2,  # half of 0 is 0, so the point stays stationary
        lambda y, of: of * y[0] / y[0],
    ],
)
def test_a_wrong_gradient_of_the_regression(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    def gradient(coefficients: Coefficients, x: Any, y: Any) -> Coefficients:
        slopes, intercept = GRADIENT(coefficients, x, y)
        return Coefficients(slopes, wrong(y, intercept))

    monkeypatch.setattr(manual.regression, "gradient", gradient)
    assert not gradient_of_loss().proved


def _line_elsewhere(x: Any, y: Any) -> Any:
    slope = (x[0] - x[1]) * (y[0] - y[1])
    return slope, y.mean() - slope * x.mean()


def _plane_elsewhere(x: Any, y: Any) -> Coefficients:
    return Coefficients(x[0], y.mean())


def _line_that_divides(x: Any, y: Any) -> Any:
    dx = x - x.mean()
    slope = (dx @ (y - y.mean())) / (dx @ dx) * y[0] / y[0]
    return slope, y.mean() - slope * x.mean()


def _plane_that_divides(x: Any, y: Any) -> Coefficients:
    mean = x.mean(axis=0)
    _, r = np.linalg.qr(x - mean)
    slopes = np.linalg.solve(r, (x - mean).T @ (y - y.mean()))
    return Coefficients(slopes * mean[0] / mean[0], y.mean() - mean @ slopes)


def _line_moved(x: Any, y: Any) -> Any:
    """Together with the slope such that Xᵀ r = 0 still holds, but the sum of r is not 0."""
    dx = x - x.mean()
    slope = (dx @ (y - y.mean())) / (dx @ dx)
    return slope + x.sum(), y.mean() - slope * x.mean() - x @ x


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("line", _line_elsewhere),
        ("least_squares", _plane_elsewhere),
        ("line", _line_that_divides),
        ("least_squares", _plane_that_divides),
        ("line", _line_moved),
    ],
)
def test_a_solution_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str, wrong: Any) -> None:
    """Through another point than that of the means, or right where a number is not 0."""
    monkeypatch.setattr(manual.regression, name, wrong)
    assert not stationary_point().proved


def _with_term(
    monkeypatch: pytest.MonkeyPatch, term: Callable[[Any], Any], slopes: Callable[[Any], list[Any]]
) -> None:
    """A loss with one more term, a function of the biases of all layers, and with its gradient."""
    forward, backward, seen = manual.network.forward, manual.network.backward, []

    def with_term(net: Any, params: Any, x: Any, y: Any) -> Any:
        loss, cache = forward(net, params, x, y)
        seen.append([layer.b for layer in params])
        return loss + term(seen[-1]), cache

    def with_slopes(net: Any, cache: Any) -> Any:
        added = slopes(seen[-1])
        return [
            Layer(dw, db + (added[at] if at < len(added) else 0))
            for at, (dw, db) in enumerate(backward(net, cache))
        ]

    monkeypatch.setattr(manual.network, "forward", with_term)
    monkeypatch.setattr(manual.network, "backward", with_slopes)


def _numbers(*of: Any) -> Array:
    return Array([each.number for each in of])


def test_hidden_units_that_only_a_cycle_leaves_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """(b0 - b1)(b1 - b2)(b2 - b0) changes its sign when two of the three are exchanged."""

    def term(biases: Any) -> Any:
        a, b, c = biases[0]
        return (a - b) * (b - c) * (c - a)

    def slopes(biases: Any) -> list[Any]:
        a, b, c = biases[0]
        d, e, f = a - b, b - c, c - a
        return [_numbers(e * f - d * e, d * f - e * f, d * e - d * f)]

    _with_term(monkeypatch, term, slopes)
    proof = of_network((1, 3, 1), 1, output="identity")
    assert proof.verdict == "proved"
    assert proof.permutes is False


def test_hidden_units_that_an_exchange_leaves_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """b0 b1 is what it was when the first two of three are exchanged."""

    def slopes(biases: Any) -> list[Any]:
        a, b, c = biases[0]
        return [_numbers(b, a, 0 * c)]

    _with_term(monkeypatch, lambda biases: biases[0][0] * biases[0][1], slopes)
    proof = of_network((1, 3, 1), 1, output="identity")
    assert (proof.verdict, proof.permutes) == ("proved", False)


def test_layers_are_permuted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product of two differences, one of each layer, stays if both change their signs."""

    def term(biases: Any) -> Any:
        (a, b), (c, d), _ = biases
        return (a - b) * (c - d)

    def slopes(biases: Any) -> list[Any]:
        (a, b), (c, d), _ = biases
        return [_numbers(c - d, d - c), _numbers(a - b, b - a)]

    _with_term(monkeypatch, term, slopes)
    proof = of_network((1, 2, 2, 1), 1, output="identity")
    assert (proof.verdict, proof.permutes) == ("proved", False)


def test_units_of_the_article_that_are_not_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, gradient = manual.article.loss, manual.article.gradient
    monkeypatch.setattr(manual.article, "loss", lambda p, x, y: loss(p, x, y) + p.b1 * p.b1)

    def right(p: Any, x: Any, y: Any) -> Any:
        grads = gradient(p, x, y)
        return grads._replace(b1=grads.b1 + 2 * p.b1)

    proof = of_article(right)
    assert (proof.verdict, proof.permutes) == ("proved", False)


@pytest.mark.parametrize("units", [1, 2, 3, 4, 5])
def test_all_permutations_are_made_of_those_that_are_tried(units: int) -> None:
    made = {tuple(range(units))}
    while (
        more := {tuple(one[at] for at in other) for one in made for other in generators(units)}
        - made
    ):
        made |= more
    assert made == set(itertools.permutations(range(units)))


def test_hidden_units_of_any_network() -> None:
    """Those of two or more in a layer; of a gradient that is wrong nothing is said."""
    assert of_network((2, 3, 2)).permutes is True
    assert of_network((1, 2, 1, 2, 1)).permutes is True
    assert of_network((2, 2)).permutes is None
    assert of_network((1, 1, 1)).permutes is None
    assert of_article(lambda p, x, y: p).permutes is False
