"""Points for property tests: like the example, of every scale, and small when they fail."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from handgrad.data.domains.named import domains_of
from handgrad.strategies import points
from tests.tiers import one_of_each


class Layer(NamedTuple):
    w: Any
    b: Any


with jax.enable_x64(True):
    WIDE = jnp.ones(5, dtype=jnp.float64)

PARAMS = {
    "layers": [Layer(np.ones((3, 5)), WIDE), Layer(np.ones((5, 2), np.float32), jnp.ones(2))],
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

#: Parameters, and where they stay.
STAY: dict[str, tuple[Any, Any]] = {
    "positive": (1.0, "positive"),
    "interval": (np.ones((2, 3), np.float32), ("interval", -1, 2)),
    "simplex": (np.array([0.2, 0.3, 0.5]), "simplex"),
    "symmetric": (SPREAD, "symmetric"),
    "positive definite": (SPREAD.astype(np.float32), "positive definite"),
    "lower triangular": (np.tril(SPREAD), "lower triangular"),
    "orthogonal": (np.eye(3), "orthogonal"),
    "unit sphere": (np.array([0.6, 0.8]), "unit sphere"),
    "mask": (np.array([1.0, 2.0]), np.array([True, False])),
    "several": (
        {"p": np.full(5, 0.2), "n": 3, "s": np.float64(2)},
        {"p": "simplex", "n": None, "s": "positive"},
    ),
    "list": ([1.0, -1.0], ("positive", None)),
}


@pytest.mark.parametrize("name", one_of_each(list(STAY), ["several"]))
def test_points_stay_in_a_domain(name: str) -> None:
    params, domain = STAY[name]
    domains, seen = domains_of(domain, params), set()

    @settings(max_examples=20)
    @given(points(params, X, domain=domain, max_magnitude=20.0))
    def stay(point: tuple[Any, ...]) -> None:
        assert signature(point[0]) == signature(params)
        leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(point[0])]
        assert all(d.inside(x).all() for d, x in zip(domains, leaves, strict=True))
        seen.add(b"".join(leaf.tobytes() for leaf in leaves))

    stay()
    assert len(seen) > 3


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
    "ordinary": lambda a: ((np.abs(a) > 0.01) & (np.abs(a) < 8) & (a % 1 != 0)).all(),
    "negative and saturating": lambda a: (a == -37).any(),
    "tiny": lambda a: ((a != 0) & (np.abs(a) < 1e-70)).all(),
    "huge and saturating": lambda a: (np.abs(a) > 1e70).any() and (np.abs(a) == 17).any(),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", DRAWN)
def test_every_scale_is_drawn(what: str) -> None:
    found = find(
        points(np.ones(3)), lambda p: bool(DRAWN[what](p[0])), settings=settings(max_examples=2000)
    )
    assert DRAWN[what](found[0])
