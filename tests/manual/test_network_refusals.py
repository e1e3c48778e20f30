"""Descriptions and arrays that are refused, and the parameters that a network starts from."""

import math
import re
from typing import Any

import numpy as np
import pytest

from manual.affine import Layer
from manual.network import Network, draw_parameters, forward


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (3,)}, "sizes: got (3,), expected two or more numbers from 1 up"),
        ({"sizes": (3, 0, 2)}, "sizes: got (3, 0, 2), expected two or more numbers from 1 up"),
        ({"activation": "swish"}, "activation: got 'swish', expected one of sigmoid, tanh, relu"),
        ({"output": "softmax"}, "output: got 'softmax', expected one of"),
        ({"loss": "l1"}, "loss: got 'l1', expected one of mse, bce, softmax-ce, huber"),
        ({"output": "sigmoid", "loss": "bce"}, "output: got 'sigmoid', expected identity: bce is"),
        ({"sizes": (3, 1), "loss": "softmax-ce"}, "sizes: got 1 output, expected one for each"),
        ({"l2": math.nan}, "l2: got nan, expected a finite number from 0 up"),
    ],
)
def test_what_is_no_network(arguments: dict[str, Any], message: str) -> None:
    refused: Any = {"sizes": (3, 5, 2)} | arguments
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Network(**refused)


NET = Network((3, 5, 2), "tanh")
W, B, V, C = np.zeros((3, 5)), np.zeros(5), np.zeros((5, 2)), np.zeros(2)
X, Y = np.zeros((7, 3)), np.zeros((7, 2))
SINGLE = np.float32


@pytest.mark.parametrize(
    ("params", "x", "y", "message"),
    [
        ([(W, B)], X, Y, "params: got 1 layers, expected 2"),
        ([(W, B), (V, C)], X.T, Y, "x: got shape (3, 7), expected (3, 3), n > 0"),
        ([(W, B), (V, C)], X[:0], Y[:0], "x: got shape (0, 3), expected (0, 3), n > 0"),
        ([(W, B), (V, C)], X, Y[:1], "y: got shape (1, 2), expected (7, 2), n > 0"),
        ([(W, B[:1]), (V, C)], X, Y, "params[0].b: got shape (1,), expected (5"),
        ([(W, B), (V[:, :1], C)], X, Y, "params[1].w: got shape (5, 1), expected (5, 2), n > 0"),
        ([(W, B), (V, C)], X.astype(SINGLE), Y, "x: got float32, expected float64 as params[0].w"),
        ([(W, B), (V, C.astype(SINGLE))], X, Y, "params[1].b: got float32, expected float64 as"),
    ],
)
def test_what_does_not_fit(params: Any, x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        forward(NET, [Layer(*layer) for layer in params], x, y)


def test_parameters_drawn_twice_have_the_same_bits() -> None:
    one, two, other = (draw_parameters(NET, seed) for seed in (5, 5, 6))
    assert [w.tobytes() for w, _ in one] == [w.tobytes() for w, _ in two]
    assert [w.tobytes() for w, _ in one] != [w.tobytes() for w, _ in other]


def test_parameters_have_the_shapes_and_the_dtype_and_no_bias() -> None:
    dtype = np.float32
    drawn = draw_parameters(NET, 1, dtype)
    assert [(w.shape, b.shape) for w, b in drawn] == [((3, 5), (5,)), ((5, 2), (2,))]
    assert {array.dtype for layer in drawn for array in layer} == {np.dtype(dtype)}
    assert not any(b.any() for _, b in drawn)
    exact = draw_parameters(NET, 1)
    assert all((w == v.astype(dtype)).all() for (w, _), (v, _) in zip(drawn, exact, strict=True))


@pytest.mark.parametrize(("activation", "gain"), [("tanh", 1), ("relu", 2), ("gelu", 2)])
def test_weights_have_the_variance_that_their_layer_wants(activation: str, gain: int) -> None:
    """The mean of m squares of N(0, 1) has variance 2/m: five standard deviations of it."""
    first, last = draw_parameters(Network((211, 101, 199), activation), 3)
    for w, wanted in ((first.w, gain / 211), (last.w, 1 / 101)):
        assert abs(np.mean(w * w) / wanted - 1) < 5 * math.sqrt(2 / w.size)
