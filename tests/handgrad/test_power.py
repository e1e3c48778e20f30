"""Which planted mistakes the judge would have caught at the points it had, or a test catches."""

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import check_grad

from handgrad import (
    check_backward,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
)
from tests.corpus.rows.wrong_links import loss, right

RNG = np.random.default_rng(5)
PARAMS = {"v": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3), "w": RNG.normal(size=(3, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))


@pytest.fixture(scope="module")
def power() -> Any:
    return check_gradient(right, loss, PARAMS, X, Y, points=1).power()


def places(power: Any, mistake: str) -> list[str]:
    return [planted.where for planted in power.planted if planted.mistake == mistake]


@pytest.mark.slow
def test_every_kind_is_planted_in_every_leaf(power: Any) -> None:
    paths = [f"p[{name!r}]" for name in sorted(PARAMS)]
    whole = ("sign", "zero", "factor 1/2", "factor 2", "factor batch size", "factor 1/batch size")
    for mistake in (*whole, "weight-decay"):
        # A link may have the wrong sign as well.
        assert [p for p in places(power, mistake) if p in paths] == paths, mistake
    assert "p['v']" in places(power, "transposed")
    for slip in ("sign", "zero", "off by 1e-06"):
        # The largest, the middle and the smallest of each of three leaves.
        assert len(set(places(power, f"one element: {slip}"))) == 9
    # In the links.
    assert any("the derivative of tanh" in p for p in places(power, "activation-derivative"))
    assert any("through" in p or "from" in p for p in places(power, "dropped-term"))
    assert places(power, "updated-parameter") == ["all parameters"]
    # An ordinary point shows all of them, but for what makes no difference, as x is no parameter.
    assert (power.points, power.not_planted) == (2, "")
    assert [p for p in power.missed if p.change > 64 * np.finfo(np.float64).eps] == []


#: Weights of 0, a unit of relu that is never on, one example.
DEAD = {"v": np.array([[1.0, -1], [2, -2]]), "w": np.array([0.0, 0.0])}
ONE = np.array([[0.5, 1.5]])


def rectified(p: Any, x: Any) -> Any:
    return jnp.sum(jnp.maximum(x @ p["v"], 0.0) @ p["w"])


def of_rectified(p: Any, x: Any) -> Any:
    z = x @ p["v"]
    dz = np.where(z > 0, p["w"], 0.0)
    return {"v": x.T @ dz, "w": np.maximum(z, 0).sum(axis=0)}


@pytest.mark.slow
def test_a_point_that_hides_things_is_told_so() -> None:
    hidden = check_gradient(of_rectified, rectified, DEAD, ONE, points=0).power()
    missed = {(p.mistake, p.where) for p in hidden.missed}
    # ∂L/∂v is w times something, and w is 0.
    assert {("sign", "p['v']"), ("zero", "p['v']"), ("weight-decay", "p['w']")} <= missed
    assert ("factor 1/batch size", "p['w']") in missed
    assert ("sign", "p['w']") not in missed
    assert {p.change for p in hidden.missed} == {0}
    assert "  missed: p['v']: makes no difference at these points" in str(hidden)
    # In float32 a right gradient may be 64 times half of 2⁻²³ off, and that is 4e-6.
    w = np.array([0.3, -1.7], dtype=np.float32)
    found = check_gradient(lambda w: 3 * w**2, lambda w: jnp.sum(w**3), w, points=0).power()
    slight = [p for p in found.planted if p.mistake == "one element: off by 1e-06"]
    assert [(p.caught, 0 < p.change < 2e-6) for p in slight] == [(False, True)] * 2
    assert "of an element, within rounding" in str(found)


P, T = np.array([1.2, 0.7]), np.array([0.3, 1.1, 1.9])


def decay(p: Any, t: Any) -> Any:
    return p[0] * np.exp(-p[1] * t)


def jacobian(p: Any, t: Any) -> Any:
    e = np.exp(-p[1] * t)
    return np.stack([e, -p[0] * t * e], axis=1)


def quartic(w: Any) -> Any:
    return jnp.sum(w**2) ** 2 / 8 + jnp.sum(w**4) / 12


def hessian(w: Any) -> Any:
    return np.outer(w, w) + np.diag(w**2 + w @ w / 2)


#: Checks, and how often each mistake of a matrix is planted.
MATRICES: list[tuple[Any, dict[str, int]]] = [
    (
        lambda: check_jacobian(jacobian, decay, P, T, points=0),
        {
            **dict.fromkeys(("one row: sign", "one row: zero", "one element: sign"), 3),
            **dict.fromkeys(("one column: sign", "one column: zero", "rows exchanged"), 2),
            "columns exchanged": 1,
        },
    ),
    (
        lambda: check_hessian(hessian, quartic, P, points=0),
        {"one row: sign": 2, "rows exchanged": 1, "weight-decay": 1, "diagonals: zero": 6},
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("check", "kinds"), MATRICES)
def test_what_is_planted_in_a_matrix_is_caught(check: Any, kinds: Any) -> None:
    found = check().power()
    planted = [p.mistake for p in found.planted]
    assert {kind: planted.count(kind) for kind in kinds} == kinds
    assert (found.missed, found.not_planted) == ((), "")


def in_place(w: Any) -> Any:
    h = np.tanh(w)
    h[0] = h[0] * 2
    return np.sum(h)


def test_where_nothing_is_planted() -> None:
    """A loss that writes into an array has no links that JAX could show."""
    double = np.array([2.0, 1.0])
    report = check_gradient(lambda w: double * (1 - np.tanh(w) ** 2), in_place, P, points=0)
    found = report.power()
    assert not any(p.mistake == "dropped-term" for p in found.planted)
    assert "None was planted in the links of the chain: JAX cannot trace the loss." in str(found)
    with pytest.raises(ValueError, match="a report that was pickled has no points"):
        pickle.loads(pickle.dumps(report)).power()


# Which planted mistakes a test misses: it is run, on the caller's own functions.

W = np.array([0.5, -1.0, 2.0])


def fourth(w: Any) -> Any:
    return (w**4).sum()


def slope(w: Any) -> Any:
    return 4 * w**3


@pytest.fixture(scope="module")
def judged() -> Any:
    return check_gradient(slope, fourth, W, points=0)


def missed(power: Any) -> set[str]:
    return {planted.mistake for planted in power.missed}


def everything(power: Any) -> set[str]:
    return {planted.mistake for planted in power.planted}


OF_A_GRADIENT = {
    *("sign", "zero", "factor 1/2", "factor 2", "weight-decay", "one element: sign"),
    *("one element: zero", "one element: off by 1e-06", "one element: off by 1%"),
}


def test_a_test_is_run_wherever_it_likes(judged: Any) -> None:
    """The mistakes are made at its own point, of another length than the judged one."""
    at = np.array([0.3, 0.0, -0.7, 1.1, 0.9])

    def by_differences(g: Any) -> bool:
        return check_grad(fourth, g, at) < 1e-4

    found = judged.power(test=by_differences)
    assert everything(found) == OF_A_GRADIENT
    assert missed(found) == {"one element: off by 1e-06"}
    slight = [p for p in found.planted if p.mistake == "one element: off by 1e-06"]
    assert [p.where for p in slight] == ["w[0]", "w[3]", "w[4]"], "none in the element that is 0"
    lines = str(found).splitlines()
    assert lines[0] == "Of 17 planted mistakes 14 were caught by test by_differences."
    assert "  missed: w[3]: changes 1e-6 of an element" in lines


@pytest.mark.parametrize(
    ("test", "error", "says"),
    [
        (lambda g: g(W)[0] == 0, ValueError, "the test does not pass on slope as it is: it re"),
        (
            lambda g: check_grad(fourth, g, W),
            TypeError,
            "the test returned np.float64.*, expected T",
        ),
        (slope(W), TypeError, "got the test array.*, expected a function"),
    ],
)
def test_what_says_nothing_is_refused(
    judged: Any, test: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=rf"^power: [^\n]*{says}"):
        judged.power(test=test)
    halved = check_gradient(lambda w: slope(w) / 2, fourth, W, points=0)
    with pytest.raises(ValueError, match=r"^power: what is wrong as it is shows nothing"):
        halved.power(test=lambda g: True)


@pytest.mark.slow
def test_traced_values_and_steps() -> None:
    """Under jit, beside the value, of a backward step, of a product: all are planted in."""
    w = jnp.asarray(W, dtype=jnp.float32)
    report = check_gradient(lambda w: (fourth(w), 4 * w**3), fourth, w, points=0, has_value=True)

    def jitted(g: Any) -> bool:
        value, grads = jax.jit(g)(w)
        return bool(value == fourth(w)) and bool(jnp.allclose(grads, 4 * W**3, rtol=1e-3))

    found = report.power(test=jitted)
    assert everything(found) == OF_A_GRADIENT
    # What the decay adds is as much as the tolerance, in one element: either is right.
    assert missed(found) - {"weight-decay"} == {"one element: off by 1e-06"}
    step = check_backward(lambda x: (x * x, x), lambda d, x: 2 * d * x, W, points=0)
    found = step.power(test=lambda b: bool(np.allclose(b(W, W), 2 * W * W)))
    assert missed(found) == {"one element: off by 1e-06"}
    assert "weight-decay" not in everything(found)
    product = check_hvp(lambda w, v: 12 * w**2 * v, fourth, W, points=0)
    found = product.power(test=lambda p: bool(p(W, v=W)[0] > 0))
    assert {p.where for p in found.planted if p.caught} == {"w", "w[0]"}
