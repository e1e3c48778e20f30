"""Points for property tests: like the example, of every scale, and small when they fail."""

import math
import subprocess
import sys
from random import Random
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from handgrad import GradientMismatch, assert_gradient, check_gradient
from handgrad.data.domains.named import domains_of
from handgrad.strategies import points
from tests.tiers import one_of_each, slowly


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
@given(points(PARAMS, X, Y))
def test_a_point_is_like_the_example(point: tuple[Any, ...]) -> None:
    params, x, y = point
    assert signature(params) == signature(PARAMS)
    assert x is X
    assert y is Y
    assert params["count"] == 3


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


def test_a_domain_that_the_example_is_not_in() -> None:
    with pytest.raises(
        ValueError, match=r"^params\['w'\]\[1\]: got -1\.0, expected a number above 0"
    ):
        points({"w": np.array([1.0, -1.0])}, domain="positive")
    with pytest.raises(ValueError, match=r"^domain: got 'round', expected 'positive', "):
        points(1.0, domain="round")


@settings(max_examples=20)
@given(points(1.0, X, Y, move_inputs=True))
def test_inputs_move_if_asked_for(point: tuple[Any, ...]) -> None:
    _, x, y = point
    assert x is not X
    assert signature(x) == signature(X)
    assert y is Y  # labels are no floats


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


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        slowly("exact zeros", lambda a: (a == 0).all()),
        slowly("ones of both signs", lambda a: {1.0, -1.0} <= set(a.tolist())),
        slowly("ordinary", lambda a: ((np.abs(a) > 0.01) & (np.abs(a) < 8) & (a % 1 != 0)).all()),
        slowly("saturating", lambda a: (np.abs(a) == 31).any()),
        slowly("negative and saturating", lambda a: (a == -37).any()),
        slowly("tiny", lambda a: ((a != 0) & (np.abs(a) < 1e-70)).all()),
        slowly("huge", lambda a: (np.abs(a) > 1e70).all()),
        slowly("mixed", lambda a: (np.abs(a) > 1e70).any() and (np.abs(a) == 17).any()),
    ],
)
def test_every_scale_is_drawn(what: str, wanted: Any) -> None:
    found = find(
        points(np.ones(3)), lambda p: bool(wanted(p[0])), settings=settings(max_examples=2000)
    )
    assert wanted(found[0]), what


@pytest.mark.slow
def test_failures_shrink_to_short_numbers() -> None:
    def smallest(condition: Any) -> list[float]:
        # How far a failure shrinks depends on where the search began.
        found = find(points(np.ones(3)), lambda p: bool(condition(p[0])), random=Random(0))
        return found[0].tolist()

    assert smallest(lambda a: True) == [0, 0, 0]
    assert smallest(lambda a: a[1] > 0) == [0, 1, 0]
    assert smallest(lambda a: a[0] > 1.5) in ([2, 0, 0], [17, 17, 17])
    assert smallest(lambda a: 0 < a[2] < 1e-20) == [0, 0, 1e-77]


@pytest.mark.slow
def test_a_large_array_is_drawn_fast_and_not_all_alike() -> None:
    drawn = []

    @settings(max_examples=100, database=None)
    @given(points(np.ones((50, 40))))
    def draw(point: tuple[Any, ...]) -> None:
        drawn.append(len(np.unique(point[0])))

    draw()
    assert max(drawn) > 1900
    assert min(drawn) == 1


def loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2)


def right(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) / len(y)


def wrong_if_large(w: Any, x: Any, y: Any) -> Any:
    return right(w, x, y) * (-1 if w[1] > 2.5 else 1)


@pytest.mark.slow
@settings(max_examples=40)
@given(points(np.ones(3), X, Y * 1.0))
def test_a_right_gradient_is_called_wrong_at_no_scale(point: tuple[Any, ...]) -> None:
    assert check_gradient(right, loss, *point, points=0).verdict != "disagree"


def test_a_right_gradient_that_has_lost_all_digits_is_undecidable() -> None:
    """Numbers of mixed scales cancel: x @ w is exactly 9e-77 more than floats say."""
    report = check_gradient(right, loss, np.array([1e-77, -1.0, 1.0]), X, Y * 1.0, points=0)
    assert (report.verdict, report.leaves[0].yours) == ("undecidable", 0.0)


@pytest.mark.slow
def test_a_wrong_gradient_is_caught_and_its_point_is_short() -> None:
    seen = []

    @settings(max_examples=100, database=None, report_multiple_bugs=False)
    @given(points(np.ones(3), X, Y * 1.0, max_magnitude=8))
    def judged(point: tuple[Any, ...]) -> None:
        seen.append(point[0].tolist())
        assert_gradient(wrong_if_large, loss, *point, points=0)

    with pytest.raises(GradientMismatch, match=r"^disagree: "):
        judged()
    assert seen[-1] == [0, 3, 0]


@pytest.mark.parametrize("bound", [0.0, -1.0, math.inf, math.nan])
def test_refuses_a_bound_that_is_none(bound: float) -> None:
    with pytest.raises(ValueError, match="expected a number above 0"):
        points(1.0, max_magnitude=bound)


def test_refuses_what_has_nothing_to_draw() -> None:
    with pytest.raises(TypeError, match="params has no float leaf"):
        points({"n": 3, "labels": np.arange(3)})


@pytest.mark.slow
def test_jax_is_loaded_when_points_are_asked_for() -> None:
    code = "import sys, handgrad.strategies as s; assert 'jax' not in sys.modules; s.points(1.0)"
    subprocess.run([sys.executable, "-c", code], check=True)
