"""Domains: what is inside, what is drawn there, and projections on their tangent spaces."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.data.domains.domain import Domain, Interval, Mask
from handgrad.data.domains.named import BY_NAME, check_inside, domains_of, written
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.point import point_at

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


def test_large_normal_parts_leave_nothing() -> None:
    """A matrix is orthogonal to within rounding alone, and a normal part may be any size."""
    for dtype in (np.float64, np.float32):
        q = member("orthogonal", (4, 4), dtype)
        normal = 1e8 * q.astype(np.float64) @ (np.ones((4, 4)) + np.eye(4))
        left = Tangent([BY_NAME["orthogonal"]], [q]).of_floats(normal.reshape(-1))
        assert np.abs(left).max() < 1e8 * 1e-14  # the rounding of the normal part itself


def test_ends_of_an_interval_stay() -> None:
    rng, inf = np.random.default_rng(0), np.inf
    at = np.array([0.0, 0.5, 1.0])
    assert (Interval(0, 1).drawn(at, 1.0, 1.0, rng)[[0, 2]] == [0.0, 1.0]).all()
    assert (Interval(0, inf).drawn(at, 1.0, 1.0, rng) >= 0).all()
    assert (Interval(-inf, 1).drawn(at, 1.0, 1.0, rng) <= 1).all()
    assert Interval(0, 1).nearest(np.array([-1.0, 0.5, 9.0]), at).tolist() == [0.0, 0.5, 1.0]


def test_ends_of_each_element() -> None:
    """Each is moved as it is alone, between the same ends; what is at an end stays."""
    inf, size = np.inf, 0.7
    low, high = [-inf, 0, -1, -inf, 0], [inf, inf, 2, 3, 1]
    domain, at = Interval(low, high), np.array([-5.0, 1e-3, 1.9, -2.0, 0.0])
    drawn = [domain.drawn(at, 1.0, size, np.random.default_rng(k)) for k in range(20)]
    for k in range(20):
        steps = np.random.default_rng(k).standard_normal(5)
        part = 2.9 / 3 / (1 - 2.9 / 3) * np.exp(steps[2])
        each = [-5 + size * steps[0], 1e-3 * np.exp(steps[1]), 3 * part / (1 + part) - 1]
        np.testing.assert_allclose(drawn[k], [*each, 3 - 5 * np.exp(steps[3]), 0], rtol=1e-13)
        assert domain.inside(drawn[k]).all()
    assert domain.inside(np.array([9.0, -1, 3, 4, 1])).tolist() == [True, False, False, False, True]
    assert domain.nearest(np.array([-9.0, -1, 5, 4, 2]), at).tolist() == [-9, 5e-4, 1.95, 0.5, 0.5]
    assert Interval(low, high).key == domain.key != Interval(low, [inf, inf, 2, 3, 1.5]).key
    assert not domain.inside(np.ones(2)).any()
    assert domain.nearest(np.ones(2), at).tolist() == [1.0, 1.0]
    # One end may be a number for all.
    assert Interval(0, [1, 2]).inside(np.array([1.5, 1.5])).tolist() == [False, True]


def test_what_is_not_finite_stays_so() -> None:
    x = member("lower triangular", (2, 2))
    found = Tangent([BY_NAME["lower triangular"]], [x]).of_floats(np.array([1.0, np.nan, 2.0, 3.0]))
    assert np.array_equal(found, [1.0, np.nan, 2.0, 3.0], equal_nan=True)


def test_one_name_for_all_or_a_prefix() -> None:
    tree = {"a": np.eye(2), "b": (np.ones(2), np.ones(2)), "c": 1.0}
    assert [d.name for d in domains_of("symmetric", tree)] == ["symmetric"] * 4
    spec = {"a": "orthogonal", "b": ("interval", 0, 1), "c": None}
    found = domains_of(spec, tree)
    assert [d.name for d in found] == ["orthogonal", "interval", "interval", "any"]
    assert tangent_of(found[1:], [np.ones(2)] * 3) is None
    assert written(spec) == "{'a': 'orthogonal', 'b': ('interval', 0, 1), 'c': None}"
    assert written({"a": FREE[0], "b": ("interval", 0, np.inf)}) == (
        "{'a': np.array([True, False, True]), 'b': ('interval', 0, float('inf'))}"
    )
    assert written(("interval", np.array([-np.inf, 0.1234567]), 1)) == (
        "('interval', [float('-inf'), 0.1234567], 1)"
    )


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("simplx", "domain: got 'simplx', expected 'positive', 'simplex', .*, or None"),
        (3, "domain: got 3, expected 'positive', .*"),
        (("interval", 1, 0), r"domain: got \('interval', 1, 0\), expected \(\"interval\", low, .*"),
        ("interval", "domain: got 'interval', expected .*"),
        (("interval", [0, 1], [1, 1]), r"domain: got .*, the lower ones first"),
        (("interval", [0, 1], [1, 2, 3]), r"domain: got .*, the lower ones first"),
        (("interval", [0, [1]], 5), r"domain: got .*, two numbers or arrays as the parameter, .*"),
        (("interval", 0, [np.nan, 1]), r"domain: got .*, the lower ones first"),
        (("interval", 0, None), r"domain: got \('interval', 0, None\), .*, the lower ones first"),
        ({"x": "simplex"}, "domain: got {'x': 'simplex'}, expected a name for all parameters, .*"),
    ],
)
def test_what_is_no_domain(spec: Any, error: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{error}$"):
        domains_of(spec, {"a": 1.0, "b": 2.0})


M = np.array([[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(
    ("domain", "at", "error"),
    [
        ("positive", M - 1, "a[0, 1]: got -0.5, expected a number above 0"),
        (("interval", 0, 1), M, "a[0, 0]: got 2.0, expected a number from 0 to 1"),
        (("interval", 0, M * [[2, 2], [2, 0.9]]), M, "a[1, 1]: got 1.0, expected a number from 0"),
        (("interval", [0, 0], 3), M, "a[0, 0]: got shape (2, 2), expected an array of shape (2,)"),
        ("simplex", M, "a[0, 0]: got 2.0 in a row of sum 2.5, expected rows of numbers from 0 on"),
        ("unit sphere", M, "a[0, 0]: got 2.0 in a row of length 2.06155281281, expected rows of"),
        ("symmetric", M + np.tri(2), "a[0, 1]: got 0.5, and 1.5 across the diagonal, expected a"),
        ("symmetric", M[:1], "a[0, 0]: got shape (1, 2), expected a symmetric matrix"),
        ("positive definite", -M, "a[0, 0]: got an eigenvalue of -2.20711, expected a symmetric"),
        ("lower triangular", M, "a[0, 1]: got 0.5, expected 0 above the diagonal"),
        ("orthogonal", M, "a[0, 0]: got a matrix whose QᵀQ is off by 3.25, expected a matrix with"),
        (FREE, M, "a[0, 0]: got shape (2, 2), expected an array of shape (2, 3), as the mask has"),
    ],
)
def test_a_point_outside(domain: Any, at: np.ndarray, error: str) -> None:
    given = point_at({"a": at}, ())
    with pytest.raises(ValueError, match="its domain is") as raised:
        check_inside(given, domains_of(domain, {"a": at}), "points[1]: ")
    assert str(raised.value).startswith(f"points[1]: params['a']{error[1:]}")
