"""Kinks, ties and jumps: which of several slopes is right, and where there is none.

All gradients on some side of a point are right there, and so are their means.
"""

from collections.abc import Collection, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.nn import leaky_relu, relu

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases


def slopes(*values: float) -> Any:
    return lambda p: np.array(values, dtype=p.dtype).reshape(p.shape)


def in_two(p: Any) -> Any:
    """z by its two signs, of which 0 has neither: the slope that is had on z = 0 is no side's."""
    z = 2 * relu(p[0]) - p[1]
    return jnp.where(z > 0, z, 0.0) + jnp.where(z < 0, z, 0.0)


def narrow(p: Any) -> Any:
    """Not 0 between two half-lines a ten-thousandth apart, which no random step would hit."""
    return relu(jnp.minimum(p[0] - 0.9999 * p[1], 1.0001 * p[1] - p[0]))


def smaller_if_positive(p: Any) -> Any:
    """min(x, y) where both are positive, else 0: what a line changes is not everywhere the same."""
    x, y = p
    return jnp.where(x > 0, jnp.where(y > 0, jnp.where(x > y, y, x), 0.0), 0.0)


# Hyperplanes that depend on each other, with edges of very different sizes.

FIVE = np.array([
    [0.3, -0.2, -0.3, 0.3], [-0.03, -0.03, 0.02, -0.03], [0.02, 0.01, -0.02, 0.01],
    [10.0, 30.0, 10.0, -20.0], [-0.001, 0.002, -0.002, 0.003],
])  # fmt: skip
THREE = np.array([[0.003, 0.002], [-300.0, -300.0], [-1e5, 2e5]])
FOUR_SIDES = np.array([[-2.0, 1.0], [0.0, 2.0], [-4.0, 2.0], [-4.0, 3.0]])

STEEPEST = float(np.sin(1e5 * 0.3))

#: So many parameters that the gradient program is compared with slopes in random directions.
MANY = [0.0, 0.0, *[0.5] * 38]


def among_many(*answers: tuple[float, float]) -> list[tuple[float, ...]]:
    return [(*answer, *[1.0] * 38) for answer in answers]


PAID = 3e7
BILLED = PAID + np.array([0.61, 0.27, 0.04, 0.97])

#: A loss, a point, gradients that are right there, and some that are not.
KINKS: dict[str, tuple[Any, list[float], list[Any], list[Any]]] = {
    "the modulus of a sum": (
        *(lambda p: jnp.abs(p[0] + p[1]), [1.5, -1.5]),
        [(s, s) for s in (-1 - 2.0**-52, 1e-17, 1 / 3)],
        [(0.5, 0.4), (1.001, 1.001), (0.3, 0.3 + 1e-13)],
    ),
    "the square of an angle on its cut": (
        *(lambda p: jnp.arctan2(p[0], p[1]) ** 2, [0.0, -1.0]),
        [(s * np.pi, 0) for s in (-2, 2, 0.3)],
        [(1.0, 0.1)],
    ),
    "a complex root on its cut": (
        *(lambda p: jnp.sqrt(lax.complex(p[0], p[1])).real, [-1.0, 0.0]),
        [(0, s) for s in (-0.5, 0.5, 0.1)],
        [(0.1, 0.5)],
    ),
    "units at zero": (
        *(lambda p: jnp.sum(relu(p[:3]) * jnp.arange(1.0, 4.0)) + p[3], [0.0, 0.0, 0.0, 1.0]),
        *([(1, 2, 3, 1), (0.3, 2, 1.7, 1)], [(2, 0, 0, 1), (-0.1, 0, 0, 1), (0, 0, 0, 0)]),
    ),
    "a hyperplane that decides two ties": (
        lambda p: relu(p[0]) * 2.0 + relu(p[0] * 3.0) + jnp.abs(p[1]),
        *([0.0, 0.0], [(5, 1), (2.5, -0.5)], [(5.5, 0), (2, 1.5)]),
    ),
    "three lines through a point": (
        *(lambda p: jnp.abs(p[0]) + jnp.abs(p[1]) + jnp.abs(p[0] + p[1]), [0.0, 0.0]),
        *([(0, 0), (-2, 0), (1.9, 1.7), (0.3, -1.2)], [(2, -2), (2, -0.1), (2.1, 2)]),
    ),
    "the largest of three equal numbers": (
        *(jnp.max, [0.7, 0.7, 0.7]),
        [(0, 0, 1), (0.5, 0.5, 0), (1 - 1e-10, 5e-11, 5e-11)],
        [(0.5, 0, 0), (2, -1, 0), (0.5, 0.6, 0)],
    ),
    # Steps into every sector give ±1 in one of the two.
    "the smaller of two moduli": (
        *(lambda p: jnp.minimum(jnp.abs(p[0]), jnp.abs(p[1])), [0.0, 0.0]),
        *([(1, 0), (0, -1), (-0.25, 0.75), (1 - 1e-10, 0)], [(1, -1), (0.6, 0.6)]),
    ),
    "the smaller if both are positive": (
        *(smaller_if_positive, [0.0, 0.0]),
        *([(1, 0), (0, 0), (0.5, 0.5)], [(0, -1), (1, 1), (-1, 0)]),
    ),
    # Where all are equal: x, or 2y - z, or 2z - y.
    "a maximum with a modulus inside": (
        lambda p: jnp.maximum(p[0], jnp.maximum(p[1], p[2]) + jnp.abs(p[1] - p[2])),
        *([1.0, 1.0, 1.0], [(1, 0, 0), (0, 2, -1), (0, -1, 2), (0.5, 0.5, 0)]),
        [(1, 1, 0), (0, 2, 2), (0, 3, -2)],
    ),
    # Steps to both sides give the same one of the three.
    "the middle of three equal numbers": (
        *(jnp.median, [1.0, 1.0, 1.0]),
        *([(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.3, 0.3, 0.4)], [(1, 1, 0), (-1, 1, 1)]),
    ),
    "a median and its halves": (
        *(jnp.median, [2.0, 2.0, 9.0], [(1, 0, 0), (0.5, 0.5, 0)], [(0, 0, 1), (1, 1, 0)]),
    ),
    # The inner tie has two sides; the outer one never goes the other way.
    "a tie that another one turns around": (
        *(lambda p: leaky_relu(jnp.abs(p[0] - p[1]), 0.25) - 0.5 * p[0], [0.7, 0.7]),
        *([(0.5, -1), (-1.5, 1), (-0.5, 0)], [(1.5, -2), (1.5, 0)]),
    ),
    "edges of different sizes": (
        lambda p: jnp.sum(p) + jnp.sum(relu(jnp.asarray(FIVE) @ p)),
        *([0.0] * 4, [tuple(1 + 0.6374 * edge) for edge in FIVE], [(1, 1, 1, 1.1)]),
    ),
    "a mean along two edges": (
        lambda p: jnp.sum(p) + jnp.sum(relu(jnp.asarray(THREE) @ p)),
        *([0.0, 0.0], [(-73.997, -73.998)], [(-74, 1000)]),
    ),
    "the largest of four": (
        lambda p: jnp.max(jnp.asarray(FOUR_SIDES) @ p),
        *([0.0, 0.0], [(-2e-7, 2 - 1e-7)], [(2e-7, 2), (-3, 1)]),
    ),
    "narrow sides": (
        *(lambda p: narrow(p) + narrow(-p), [0.0, 0.0]),
        *([(0, 0), (1, -0.9999), (-1, 1.0001), (-1, 0.9999), (1, -1.0001)], [(1, 1)]),
    ),
    "normals below the range of floats": (
        lambda p: 1e300 * relu(jnp.abs(1e-200 * (1e-200 * (p[0] - p[1])))),
        *([0.0, 0.0], [(1e-100, -1e-100), (0, 0)], [(1e-100, 1e-100), (2e-100, -2e-100)]),
    ),
    "normals above the range of floats": (
        lambda p: 1e-300 * relu(jnp.abs(1e200 * (1e200 * (p[0] - p[1])))),
        *([0.0, 0.0], [(-1e100, 1e100), (0, 0)], [(1e100, 1e100), (2e100, -2e100)]),
    ),
    "a convention on a hyperplane": (
        *(in_two, [0.0, 0.0], [(0, -1), (2, -1), (0.5, -1)], [(0, 0), (1, -0.5)]),
    ),
    "nearly the same hyperplane": (
        lambda p: relu(p[0] + 1e-13 * p[1]) + relu(p[0] - 1e-13 * p[1]),
        *([0.0, 0.0], [(2, 0), (1, 1e-13), (1, -1e-13)], [(1, 1.1e-13), (0, 1e-13)]),
    ),
    "a mean that is nearly a side": (
        lambda p: relu(jnp.abs(p[0])),
        *([0.0], [(1,), (1 - 1e-7,), (-1 + 1e-9,), (1e-7,)], [(1 + 1e-9,)]),
    ),
    "the smaller of two moduli in NumPy": (
        lambda p: np.minimum(abs(p[0]), abs(p[1])) + 3 * p[0],
        *([0.0, 0.0], [(4, 0), (3, 1), (3, 0.5)], [(4, 1), (1.9, 0)]),
    ),
    # The first side and its opposite are flat, and another one is badly conditioned.
    "a steep side": (
        lambda p: relu(jnp.minimum(p[0] - p[1], p[0] + p[1])) * jnp.sin(1e5 * p[2]),
        *([0.0, 0.0, 0.3], [(STEEPEST, -STEEPEST, 0), (0, 0, 0)], [(0, 1, 0)]),
    ),
    "a steep side in NumPy": (
        lambda p: np.where(p[1] < 0, -p[1], 0.0) * np.sin(1e5 * p[0]),
        *([0.3, 0.0], [(0, -STEEPEST), (0, 0)], [(0, STEEPEST), (1, 0)]),
    ),
    "a kink among many parameters": (
        *(lambda p: relu(jnp.abs(p[0] - p[1])) + jnp.sum(p[2:] ** 2), MANY),
        *(among_many((-1, 1), (0.5, -0.5)), among_many((1.5, -1.5))),
    ),
    "thirty units at zero": (
        *(lambda p: jnp.sum(relu(p)), [0.0] * 30, [[0, 1, 0.5] * 10], [[0, 1, 2] * 10]),
    ),
}  # fmt: skip

#: The same of ties inside a loss that cancel: one gradient alone is right.
NO_KINKS: dict[str, tuple[Any, list[float], list[Any], list[Any]]] = {
    "the larger of a number and itself": (
        lambda p: jnp.maximum(p[0], p[0]) + jnp.abs(p[1] * 0.0),
        *([0.7] * 2, [(1, 0)], [(1.1, 0), (1, 0.5)]),
    ),
    "the square of an inexact modulus": (
        lambda p: jnp.abs(jnp.exp(p[0]) / jnp.exp(p[1]) - 1.0) ** 2 + p[2],
        *([0.7, 0.7, 1], [(0, 0, 1)], [(0.1, -0.1, 1)]),
    ),
    "two ties of one hyperplane": (
        *(lambda p: jnp.sum(3.0 * relu(p) - relu(3.0 * p) + p), [0.0], [(1,)], [(2,), (-1,)]),
    ),
    "the larger of a number and its root squared, in NumPy": (
        lambda p: np.maximum(np.sqrt(p[0]) * np.sqrt(p[0]), p[0]) + p[1],
        *([0.7, 0.3], [(1, 1)], [(2, 1), (0.9, 1)]),
    ),
    "a modulus of a modulus, squared": (
        *(lambda p: jnp.sum(jnp.abs(jnp.abs(p)) ** 2 + p), [0.0], [(1,)], [(0.9,)]),
    ),
    "a condition on a modulus that always holds": (
        lambda p: jnp.sum(jnp.where(jnp.abs(p) >= 0.0, 3.0 * p, 5.0)),
        *([0.0], [(3,)], [(0,)]),
    ),
    "a branch on a number that is undefined": (
        lambda p: jnp.where(jnp.log(-jnp.exp(p[0])) > 0, 5.0, 7.0) * p[1],
        *([0.7, 0.3], [(0, 7)], [(0, 5)]),
    ),
    "the number of the first of equal ones": (
        lambda p: p[jnp.argmax(jnp.array([2.0, 7.0, 7.0]))] * 5.0 + 0.0 * jnp.sum(p),
        *([1.0] * 3, [(0, 5, 0)], [(0, 2.5, 2.5)]),
    ),
}  # fmt: skip

#: A loss that jumps at (2, 2), and its gradient at (1.9, 3).
JUMPS: dict[str, tuple[Any, tuple[float, float]]] = {
    "floor": (lambda p: jnp.floor(p[0]) * p[1], (0, 1)),
    "sign": (lambda p: jnp.sign(p[0] - 2.0) * p[1], (0, -1)),
    "angle": (lambda p: jnp.arctan2(p[0] - 2.0, -p[1]), (-3.0 / 9.01, (1.9 - 2.0) / 9.01)),
    "round": (lambda p: jnp.round(p[0] + 0.5) * p[1], (0, 2)),
    "where not": (lambda p: jnp.where(p[0] != 2.0, p[0], 5.0) * p[1], (3, 1.9)),
    "argmax": (lambda p: jnp.asarray([1.0, 7.0])[jnp.argmax(p)] * p[1], (0, 7)),
    "cond": (lambda p: lax.cond(p[0] >= 2.0, lambda v: v, lambda v: v + 1.0, p[1]), (0, 1)),
    "rem": (lambda p: lax.rem(p[0] * 3.0, p[1]), (3, -1)),
    "a conversion": (lambda p: p[0].astype(jnp.int32).astype(jnp.float64) * p[1], (0, 1)),
}


#: Of these differences know too little: of sides that are narrow, many, or nearly the same.
STATED = (
    "a mean that is nearly a side",
    "a steep side",
    "a steep side in NumPy",
    "edges of different sizes",
    "narrow sides",
    "nearly the same hyperplane",
    "normals above the range of floats",
    "normals below the range of floats",
    "the largest of four",
    "the modulus of a sum",
    "thirty units at zero",
)


def root_on_one_side(p: Any) -> Any:
    return jnp.where(p[0] > 0, jnp.sqrt(relu(p[0])), 0.0) + p[1]


def excess(p: Any, billed: Any) -> Any:
    return jnp.sum(relu(p) * (billed - PAID))


def of_excess(p: Any, billed: Any) -> Any:
    """It has as many digits as the data, and some elements are too large."""
    return np.where(p >= 0, (billed**2 - PAID**2) / (billed + PAID), 0.0)


def of(name: str, loss: Any, at: Any, *rows: Row, **options: Any) -> Iterator[Case]:
    yield from cases(name, check_gradient, loss, np.array(at), points=0, **options)(*rows)


def said(values: Any) -> str:
    return ", ".join(f"{v:.12g}" for v in values[:5])


def of_table(
    table: dict[str, tuple[Any, list[float], list[Any], list[Any]]], stated: Collection[str]
) -> Iterator[Case]:
    for name, (loss, at, right, wrong) in table.items():
        rows = [
            Row(
                f"{how}, {said(values)}",
                slopes(*values),
                verdict=verdict if name in stated else None,
                tie=True,
            )
            for how, verdict, answers in (("right", "agree", right), ("wrong", "disagree", wrong))
            for values in answers
        ]
        yield from of(name, loss, at, *rows, referee="program" if len(at) >= 30 else "auto")


def of_jumps() -> Iterator[Case]:
    none = {"verdict": "undecidable", "blame": None}
    for name, (loss, beside) in JUMPS.items():
        jump = Row("at the jump", slopes(0, 0), "jumps", **none)
        yield from of(f"a jump by {name}", loss, [2.0, 2.0], jump)
        yield from of(f"beside a jump by {name}", loss, [1.9, 3.0], Row("right", slopes(*beside)))
    side = Row("at the side without a slope", slopes(0, 1), **none)
    yield from of("a root on one side", root_on_one_side, [0.0, 0.0], side)
    many = Row("so many gradients", slopes(*np.eye(40)[0]), "gradients meet", **none)
    yield from of("the largest of forty", jnp.max, [0.0] * 40, many)


CASES = [
    *of_table(KINKS, STATED),
    *of_table(NO_KINKS, STATED),
    *of_jumps(),
    *cases("digits that data lack", check_gradient, excess, np.zeros(4), BILLED, points=0)(
        Row("right on either side", of_excess, verdict="agree")
    ),
]
