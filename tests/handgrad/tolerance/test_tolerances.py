"""The two tolerances: how far from the reference an answer may be."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.oracle.certify import certify
from handgrad.tolerance.measuring import measure
from tests.handgrad.oracle.problems import flat, problem


def least_squares(p: Any, a: Any, b: Any) -> Any:
    return jnp.sum((a @ p - b) ** 2)


def first_order(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The most that half an ulp in every number but 0 and ±1 moves 2 aᵀ(a p - b), to first
    order.
    """
    half = [np.where(np.abs(v) == 1, 0, np.spacing(np.abs(v)) / 2) for v in (p, a, b)]
    r = np.abs(a @ p - b)
    of_a = half[1].T @ r + np.abs(a).T @ (half[1] @ np.abs(p))
    return 2 * (np.abs(a.T @ a) @ half[0] + of_a + np.abs(a).T @ half[2])


@pytest.mark.parametrize("by_series", [False, True])
@pytest.mark.parametrize("n", [3, 8])
def test_the_sharp_yardstick_is_the_conditioning(n: int, by_series: bool) -> None:
    """Near the solution of Hilbert's system the residual is small and every digit of it counts."""
    i, p = np.arange(n), np.linspace(0.7, 1.9, n)
    a = 1.0 / (i[:, None] + i[None, :] + 1.0)
    b = a @ p + 1e-9 * np.cos(i)
    case = problem(least_squares, p, a, b)
    if by_series:
        case = replace(case, traced=replace(case.traced, gradient=None, plain=lambda: None))
    reference = certify(case)
    assert (reference.program is None) == by_series
    measures, exact = measure(case, reference, seed=0).full, balls.midpoints(reference.gradient)
    most = first_order(p, a, b)
    assert (measures.unit <= most + np.spacing(np.abs(exact))).all()
    assert (measures.unit >= most / 20).all()
    assert (measures.unit / np.abs(exact) > 1e-9).all()
    with jax.enable_x64(True):
        of_jax = flat(jax.jit(jax.grad(least_squares))(p, a, b))
    assert (np.abs(of_jax - exact) <= measures.sharp).all()


def undefined(p: Any) -> Any:
    """A comparison with the logarithm of a negative number, false at every precision; a kink."""
    return jnp.where(jnp.log(-jnp.exp(p[0])) > 0, 5.0, 7.0) * p[1] + jnp.abs(p[2]) + p[0]


def tied(p: Any) -> Any:
    """max(a, b) where both are equal numbers, each moved by itself."""
    b = jnp.full(7, 0.3, np.float32)
    return jnp.sum(jnp.maximum(p, b) * 5.0 + p**2)


@jax.custom_vjp
def exponential(p: Any) -> Any:
    """Its rule for cotangents is wrong, which changes no unit."""
    return jnp.exp(p)


exponential.defvjp(lambda p: (exponential(p), p), lambda p, d: (p * d,))


#: A loss, a point, and between what the units of the gradient lie.
UNITS: list[tuple[Any, Any, float, float]] = [
    (undefined, np.array([0.7, 0.3, 0.0]), 1e-17, 1e-15),
    (tied, np.full(7, 0.3, np.float32), 1e-9, 1e-6),
    # All is zero: rounding is the size.
    (
        lambda p: jnp.sum(jnp.sin(p) ** 2 + jnp.cos(p) ** 2),
        np.array([0.3, 1.2, -0.7]),
        1e-17,
        1e-15,
    ),
    (lambda p: jnp.sum(exponential(9.0 * p)), np.array([0.1, -0.1]), 1e-16, 1e-13),
    # Constants in the closure move as well.
    (lambda p: jnp.exp(p @ jnp.array([0.3, 0.7]) * 100.0), np.zeros(2), 2.5e-15, 1e-13),
    # Each leaf has the units of its format.
    *(
        (lambda p: jnp.sum(jnp.exp(p)), np.array([0.3, -1.7], dtype), 0.04 * eps, 2.7 * eps)
        for dtype, eps in ((np.float64, 2.0**-52), (np.float32, 2.0**-23))
    ),
]


@pytest.mark.parametrize(("loss", "at", "least", "most"), UNITS)
def test_how_large_units_are(loss: Any, at: Any, least: float, most: float) -> None:
    case = problem(loss, at)
    measures = measure(case, certify(case), seed=0).full
    assert ((measures.unit > least) & (measures.unit < most)).all()
    assert ((measures.loose > 2 * least) & (measures.loose < 1000 * most)).all()
    assert measures.unit_of_loss < measures.loose_of_loss < 1000 * most
