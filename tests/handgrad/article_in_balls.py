"""The truth about the article's network, from power series in ball arithmetic.

Put `w + t` in for one parameter: the coefficient of t of the loss is the partial derivative. It is
enclosed between rigorous bounds, and no derivative rule of anybody is used; the forward lines below
are written anew, so that this witness shares nothing with the two that are on trial.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flint import arb, arb_series, ctx

#: Enough for sums of float64 numbers between 1e-300 and 1e200 to keep 100 bits after cancellation.
BITS = 2500


@contextmanager
def precisely() -> Iterator[None]:
    """Ball arithmetic with `BITS` bits. The precision belongs to the process, so it is put back."""
    before, ctx.prec = ctx.prec, BITS
    try:
        yield
    finally:
        ctx.prec = before


def sigmoid(z: Any) -> Any:
    """The textbook's 1 / (1 + e^-z); in ball arithmetic it needs no rearrangement."""
    return 1 / (1 + (-z).exp())


def loss(params: list[Any], x: Any, y: float) -> Any:
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    x1, x2 = (arb(float(value)) for value in x)
    h1 = sigmoid(w1 * x1 + w2 * x2 + b1)
    h2 = sigmoid(w3 * x1 + w4 * x2 + b2)
    error = arb(float(y)) - sigmoid(w5 * h1 + w6 * h2 + b3)
    return error * error


def gradient(params: Any, x: Any, y: float) -> list[arb]:
    """The nine partial derivatives of one sample's loss as balls."""
    values = [arb(float(value)) for value in params]
    with precisely():
        return [
            loss([arb_series([v, int(i == j)], 2) for j, v in enumerate(values)], x, y)[1]
            for i in range(len(values))
        ]


def contained(ball: arb, lo: float, hi: float) -> bool:
    """Whether the ball certainly lies between the two."""
    return bool(ball >= arb(float(lo))) and bool(ball <= arb(float(hi)))
