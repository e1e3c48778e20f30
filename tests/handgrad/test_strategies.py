"""Points for property tests: like the example, of every scale, and small when they fail."""

from random import Random
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from handgrad.strategies import points

with jax.enable_x64(True):
    WIDE = jnp.ones(5, dtype=jnp.float64)

PARAMS = {
    "layers": [(np.ones((3, 5)), WIDE), (np.ones((5, 2), np.float32), jnp.ones(2))],
    "scale": 1.0,
    "shift": np.float64(1),
    "count": 3,
    "empty": np.ones((0, 2)),
}
X, Y = np.arange(6.0).reshape(2, 3), np.array([0, 1])


def signature(tree: Any) -> Any:
    leaves, structure = jax.tree_util.tree_flatten(tree)
    kinds = [
        (isinstance(v, jax.Array) or type(v), np.shape(v), str(np.asarray(v).dtype)) for v in leaves
    ]
    return structure, kinds


@settings(max_examples=20)
@given(points(PARAMS, X, Y), points(1.0, X, Y, move_inputs=True))
def test_a_point_is_like_the_example(point: tuple[Any, ...], moved: tuple[Any, ...]) -> None:
    params, x, y = point
    assert signature(params) == signature(PARAMS)
    assert x is X
    assert y is Y
    assert params["count"] == 3
    assert moved[1] is not X
    assert signature(moved[1]) == signature(X)
    assert moved[2] is Y, "labels are no floats"


SPREAD = np.array([[2.0, 0.3], [0.3, 1.0]])

#: Leaves, where they stay, and whether they do.
STAY: dict[str, tuple[Any, Any, Any]] = {
    "positive": (1.0, "positive", lambda x: x > 0),
    "simplex": (np.full(3, 1 / 3), "simplex", lambda x: (x >= 0).all() and near(x.sum(), 1)),
    "definite": (SPREAD, "positive definite", lambda x: (np.linalg.eigvalsh(x) > 0).all()),
    "orthogonal": (np.eye(3), "orthogonal", lambda x: near(x.T @ x, np.eye(3))),
    "unit sphere": (np.array([0.6, 0.8]), "unit sphere", lambda x: near(x @ x, 1)),
    "mask": (np.array([1.0, 2.0]), np.array([True, False]), lambda x: x[1] == 2),
    "free": (np.ones(2), None, lambda x: x.shape == (2,)),
}


def near(a: Any, b: Any) -> bool:
    return np.allclose(a, b, rtol=0, atol=1e-12)


def test_points_stay_in_their_domains() -> None:
    params, domain = ({name: row[k] for name, row in STAY.items()} for k in (0, 1))
    seen: dict[str, set[str]] = {name: set() for name in STAY}

    @settings(max_examples=20)
    @given(points(params, X, domain=domain, max_magnitude=20.0))
    def stay(point: tuple[Any, ...]) -> None:
        assert signature(point[0]) == signature(params)
        for name, leaf in point[0].items():
            assert STAY[name][2](leaf), name
            seen[name].add(str(leaf))

    stay()
    assert min(map(len, seen.values())) > 3


@settings(max_examples=40)
@given(
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from([None, 1e-3, 0.5, 20.0, 1e5]),
    st.data(),
)
def test_elements_are_finite_and_bounded(dtype: Any, most: float | None, data: Any) -> None:
    (array,) = data.draw(points(np.ones((2, 3), dtype), max_magnitude=most))
    bound = most or {np.float64: 1e77, np.float32: 1e9}[dtype]
    assert np.isfinite(array).all()
    assert (np.abs(array) <= dtype(bound)).all()
    assert np.isfinite(np.prod(array[:, :2], dtype=dtype))  # a product of four
    small = np.abs(array[array != 0])
    assert (small >= np.finfo(dtype).smallest_normal).all()


#: Points that are drawn at times, of three numbers.
DRAWN: dict[str, Any] = {
    "exact zeros": lambda a: (a == 0).all(),
    "ones of both signs": lambda a: {1.0, -1.0} <= set(a.tolist()),
    "huge and saturating": lambda a: (np.abs(a) > 1e70).any() and (np.abs(a) == 17).any(),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", DRAWN)
def test_every_scale_is_drawn(what: str) -> None:
    """By a seed of its own, and with time: Hypothesis also draws constants of what is imported."""
    many = settings(max_examples=20_000, database=None)
    (found,) = find(
        points(np.ones(3)), lambda p: bool(DRAWN[what](p[0])), settings=many, random=Random(1)
    )
    assert DRAWN[what](found)
