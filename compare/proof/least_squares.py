"""Prove least squares: run the lines of `manual.regression` on symbols.

Loss and gradient run as they are. `line` and `least_squares` are for floats: they have NumPy
convert their arguments, test whether all x are equal or a feature depends on others, and compute a
QR decomposition, which has roots. The same lines run here with another `np` and `float`: the
conversion does nothing, points are not all equal, features are independent, and R slopes = Qᵀy is
solved after multiplying both sides by Rᵀ, which is invertible: for x = QR these are the equations
xᵀx slopes = xᵀy.

So the lemmas hold for points that are not all equal, and for features that are independent once
their means are subtracted. Only the pivots of xᵀx are therefore taken to be nonzero: the squared
norm of what remains of each column after projecting out those before it. Any other divisor leaves
the lemma unproved.
"""

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import manual.regression
from compare.proof.field import Field
from compare.proof.lemmas import Lemma, equal
from compare.proof.number import Number
from manual.regression import Coefficients

#: Small, but more than one of each, and different numbers.
POINTS, FEATURES = 3, 2

COUNTS = f"{FEATURES} features, {POINTS} points"


def gradient_of_loss() -> Lemma:
    """Prove that the hand-written gradient is the derivative of the loss."""
    field, x, y = _data(FEATURES)
    at = Coefficients(
        np.array([_number(field, f"m{j}") for j in range(FEATURES)]), _number(field, "c")
    )
    loss = manual.regression.loss(at, x, y).tree
    slopes, intercept = manual.regression.gradient(at, x, y)
    by_hand = {f"m{j}": slope for j, slope in enumerate(slopes)} | {"c": intercept}
    exact = {name: Number(field, field.derivative(loss, name)) for name in by_hand}
    return Lemma(
        "regression-gradient",
        f"the gradient of the regression is that of its loss ({COUNTS})",
        r"\frac{\partial L}{\partial m} = -\frac{2}{n} X^T (y - X m - c), \quad "
        r"\frac{\partial L}{\partial c} = -\frac{2}{n} \sum_k (y - X m - c)_k",
        not field.unproved and all(equal(by_hand[name], exact[name]) for name in by_hand),
    )


def stationary_point() -> Lemma:
    """Prove that the gradient is 0 at the solution of the closed forms."""
    field, x, y = _data(1)
    slope, intercept = _on_symbols(manual.regression.line)(x[:, 0], y)
    holds = _is_stationary(field, Coefficients(np.array([slope]), intercept), x, y)
    field, x, y = _data(FEATURES)
    holds &= _is_stationary(field, _on_symbols(manual.regression.least_squares)(x, y), x, y)
    return Lemma(
        "least-squares",
        f"the least-squares solution is its stationary point (a line, and {COUNTS})",
        r"X^T (y - X m - c) = 0, \quad \sum_k (y - X m - c)_k = 0",
        holds,
    )


class _Points(np.ndarray):
    """Points that compare as different, as the lines test whether they are all equal."""

    def __eq__(self, other: object) -> Any:
        return np.zeros(self.shape, dtype=bool)

    def __array_wrap__(self, array: Any, *_: Any) -> Any:
        return array[()]  # results are plain arrays again

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def _data(features: int) -> tuple[Field, Any, Any]:
    """Build a field with symbols for the data and the coefficients, and x and y in it."""
    places = [[f"x{k}{j}" for j in range(features)] for k in range(POINTS)]
    targets = [f"y{k}" for k in range(POINTS)]
    slopes = [f"m{j}" for j in range(features)]
    field = Field([*(name for row in places for name in row), *targets, *slopes, "c"], room=0)
    x = np.array([[_number(field, name) for name in row] for row in places])
    return field, x, np.array([_number(field, name) for name in targets])


def _number(field: Field, name: str) -> Number:
    return Number(field, field.named[name])


def _is_stationary(field: Field, found: Coefficients, x: Any, y: Any) -> bool:
    """Whether the gradient is 0, and every divisor is known to be nonzero."""
    slopes, intercept = manual.regression.gradient(found, x, y)
    centred = x - x.sum(axis=0) / POINTS
    positive = [pivot.tree for pivot in _pivots(centred.T @ centred)]
    return all(equal(slope, 0) for slope in (*slopes, intercept)) and all(
        divisor in positive for divisor in field.unproved
    )


def _pivots(matrix: Any) -> Iterator[Number]:
    """Yield the pivots of elimination."""
    if len(matrix):
        yield matrix[0, 0]
        yield from _pivots(matrix[1:, 1:] - np.outer(matrix[1:, 0], matrix[0, 1:] / matrix[0, 0]))


def _on_symbols(function: Callable[..., Any]) -> Callable[..., Any]:
    """Rebuild a function with the replacements for NumPy and `float`, see the module."""
    numpy = types.SimpleNamespace(
        asarray=lambda value, dtype: value.view(_Points),
        float64=np.float64,
        all=np.all,
        finfo=np.finfo,
        diag=np.diag,
        abs=lambda _: 1.0,
        flatnonzero=np.flatnonzero,
        linalg=types.SimpleNamespace(
            qr=lambda x: (x, x.T @ x),
            norm=lambda *_, **__: 0.0,
            solve=_solved,
        ),
    )
    others = {"np": numpy, "float": lambda value: value}
    return types.FunctionType(function.__code__, function.__globals__ | others)


def _solved(matrix: Any, right: Any) -> Any:
    """Solve by elimination; pivots of independent columns are not 0."""
    matrix, right = matrix.copy(), right.copy()
    for at in range(len(right)):
        pivot = matrix[at, at]
        matrix[at], right[at] = matrix[at] / pivot, right[at] / pivot
        for other in set(range(len(right))) - {at}:
            factor = matrix[other, at]
            matrix[other] = matrix[other] - matrix[at] * factor
            right[other] = right[other] - right[at] * factor
    return right
