"""Domains: what is inside, what is drawn there, and projections on their tangent spaces."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.data.domains.domain import Domain, Interval, Mask
from handgrad.data.domains.named import BY_NAME
from handgrad.data.domains.tangent import Tangent

FREE = np.array([[True, False, True], [False, False, True]])

#: Maps of all arrays to a domain, whose derivative there is the projection on its tangent space.
RETRACTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "symmetric": lambda a: (a + a.swapaxes(-1, -2)) / 2,
    "positive definite": lambda a: (a + a.swapaxes(-1, -2)) / 2,
    "lower triangular": np.tril,
    "unit sphere": lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
    "simplex": lambda x: x - x.mean(axis=-1, keepdims=True) + 1 / x.shape[-1],
    "orthogonal": lambda q: (
        (q @ (3 * np.eye(q.shape[-1]) - q.T @ q) / 2)
        if q.shape[0] >= q.shape[1]
        else ((3 * np.eye(len(q)) - q @ q.T) @ q / 2)
    ),
    "mask": lambda x: np.where(FREE, x, 7.0),
}
SHAPES = {"unit sphere": (2, 5), "simplex": (2, 5), "mask": FREE.shape}
CASES = [(name, SHAPES.get(name, (4, 4))) for name in RETRACTIONS]
CASES += [("orthogonal", (5, 3)), ("orthogonal", (3, 5))]


def domain_of(name: str) -> Domain:
    return Mask(FREE) if name == "mask" else BY_NAME[name]


def member(name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    drawn = np.random.default_rng(len(name)).standard_normal(shape).astype(dtype)
    return domain_of(name).nearest(drawn, drawn)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_projection_is_the_derivative_of_a_retraction(name: str, shape: tuple[int, ...]) -> None:
    x, step = member(name, shape), 2.0**-20
    tangent, units = Tangent([domain_of(name)], [x]), np.eye(x.size)
    projection = np.array([tangent.of_floats(unit) for unit in units])

    def moved(unit: np.ndarray) -> np.ndarray:
        return RETRACTIONS[name](x + step * unit.reshape(shape)).reshape(-1)

    slopes = np.array([(moved(unit) - moved(-unit)) / (2 * step) for unit in units])
    assert np.abs(slopes - projection).max() < 1e-8
    assert np.abs(projection - projection.T).max() < 1e-15
    assert np.abs(projection @ projection - projection).max() < 1e-14
    # |P|·e is no less than it is, and no more than three times as much.
    widened = tangent.widened(np.ones(x.size))
    assert (widened >= np.abs(projection).sum(axis=1) * (1 - 1e-12)).all()
    assert (widened <= 3 * np.abs(projection).sum(axis=1)).all()
    # Projected in balls, each element is enclosed.
    with balls.precision(192):
        exact = tangent.projected(balls.exact(units))
    assert np.abs(balls.midpoints(exact) - projection).max() < 1e-15


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", [*BY_NAME, "interval"])
def test_what_is_drawn_is_inside_and_moves(name: str, dtype: Any) -> None:
    domain = Interval(-1, 2) if name == "interval" else BY_NAME[name]
    rng = np.random.default_rng(1)
    drawn = rng.standard_normal((4, 4)).astype(dtype)
    x = domain.nearest(drawn, np.full_like(drawn, 0.5))
    assert domain.inside(x).all()
    for scale in (0.1, 1.0, 3.0):
        y = domain.drawn(x, scale, 0.5, rng)
        assert y.dtype == x.dtype
        assert domain.inside(y).all()
        assert (y != x).any()
