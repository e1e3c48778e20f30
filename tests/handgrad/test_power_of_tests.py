"""Which planted mistakes a test misses: the test is run, on the caller's own functions."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import check_grad
from scipy.sparse.linalg import aslinearoperator

from handgrad import (
    GradientReport,
    audit,
    check_backward,
    check_custom,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
)
from handgrad.power import Planted, Power, together
from handgrad.power.planting import Planting
from handgrad.power.replaced import function_in, planted_in_place
from handgrad.power.targets import Target

W = np.array([0.5, -1.0, 2.0])


def loss(w: Any) -> Any:
    return (w**4).sum()


def slope(w: Any) -> Any:
    return 4 * w**3


def bent(w: Any) -> Any:
    return np.diag(12 * w**2)


@pytest.fixture(scope="module")
def report() -> GradientReport:
    return check_gradient(slope, loss, W, points=0)


def missed(power: Power) -> set[str]:
    return {planted.mistake for planted in power.missed}


def everything(power: Power) -> set[str]:
    return {planted.mistake for planted in power.planted}


OF_A_GRADIENT = {
    *("sign", "zero", "factor 1/2", "factor 2", "weight-decay", "one element: sign"),
    *("one element: zero", "one element: off by 1e-06", "one element: off by 1%"),
}


def test_a_test_is_run_wherever_it_likes(report: GradientReport) -> None:
    """The mistakes are made at its own point, of another length than the judged one."""
    at = np.array([0.3, 0.0, -0.7, 1.1, 0.9])

    def by_differences(g: Any) -> bool:
        return check_grad(loss, g, at) < 1e-4

    found = report.power(test=by_differences)
    assert everything(found) == OF_A_GRADIENT
    assert missed(found) == {"one element: off by 1e-06"}
    slight = [p for p in found.planted if p.mistake == "one element: off by 1e-06"]
    assert [p.where for p in slight] == ["w[0]", "w[3]", "w[4]"], "none in the element that is 0"
    assert [p.change for p in found.missed] == pytest.approx([1e-6] * 3, rel=1e-6)
    first = "Of 17 planted mistakes 14 were caught by test by_differences."
    assert str(found).splitlines()[0] == first
    assert "  missed: w[3]: changes 1e-6 of an element" in str(found).splitlines()


@pytest.mark.slow
def test_handgrad_itself_misses_nothing(report: GradientReport) -> None:
    """It runs the planted gradient on other numbers as well, where it finds one wrong."""
    found = report.power(test=lambda g: bool(check_gradient(g, loss, W, points=0)))
    assert everything(found) == OF_A_GRADIENT
    assert found.missed == ()


def test_a_test_that_looks_at_little_misses_the_rest(report: GradientReport) -> None:
    def points_uphill(g: Any) -> None:
        assert g(W)[2] > 0

    found = report.power(test=points_uphill)
    caught = {(p.mistake, p.where) for p in found.planted if p.caught}
    assert caught == {
        *(("sign", "w"), ("zero", "w")),
        *(("one element: sign", "w[2]"), ("one element: zero", "w[2]")),
    }

    def at_a_stationary_point(g: Any) -> None:
        np.testing.assert_array_equal(g(W[:1] * 0), 0)

    found = report.power(test=at_a_stationary_point)
    assert {p.change for p in found.planted} == {0}
    assert found.missed == found.planted
    assert "makes no difference in these tests" in str(found)


@pytest.mark.parametrize(
    ("test", "error", "says"),
    [
        (lambda g: g(W)[0] == 0, ValueError, "the test does not pass on slope as it is: it re"),
        (lambda g: pytest.fail("no"), ValueError, "does not pass on slope as it is: no$"),
        (lambda g: 1 // int(0 * g(W)[0]), ValueError, "as it is: ZeroDivisionError: "),
        (lambda _: True, ValueError, "does not call the function that it is given for slope"),
        (lambda g: check_grad(loss, g, W), TypeError, "the test returned np.float64.*, expected T"),
        (slope(W), TypeError, "got the test array.*, expected a function"),
    ],
)
def test_what_says_nothing_is_refused(
    report: GradientReport, test: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=rf"^power: [^\n]*{says}"):
        report.power(test=test)


def test_tests_that_are_not_run_are_named_once() -> None:
    powers = {"a": Power((Planted("sign", "w", True, 2.0),), 0), "b": Power((), 0, "in b")}
    told = str(together(powers, "pytest tests", "tests/test_a.py::test_fails")).splitlines()
    left = [line for line in told if line.startswith(("None was planted", "Not run"))]
    assert len(left) == 2, told


def test_what_is_wrong_or_a_rule_is_refused() -> None:
    halved = check_gradient(lambda w: slope(w) / 2, loss, W, points=0)
    with pytest.raises(ValueError, match=r"^power: what is wrong as it is shows nothing"):
        halved.power(test=lambda g: g(W).shape == W.shape)
    square = jax.custom_jvp(lambda x: x * x)
    square.defjvp(lambda x, t: (x[0] * x[0], 2 * x[0] * t[0]))
    with pytest.raises(ValueError, match=r"^power: got a report on a rule"):
        check_custom(square, W, points=0).power(test=lambda g: True)
    tests: dict[str, Any] = {"slope": lambda g: bool(g(W)[0] > 0)}
    both = audit([partial(check_gradient, g, loss, W) for g in (slope, slope)], points=0)
    found = both.power(test=tests)
    assert found.not_planted == "where there is no test (slope (2))"
    assert {p.where.partition(", ")[0] for p in found.planted} == {"slope"}
    with pytest.raises(
        ValueError, match="power: got a test of 'other', expected of one of 'slope'"
    ):
        both.power(test={"other": tests["slope"]})
    with pytest.raises(ValueError, match=r"^slope: power: the test does not pass"):
        both.power(test={"slope": lambda g: False})


def dense(x: Any) -> np.ndarray:
    return x.toarray() if hasattr(x, "toarray") else np.asarray(x @ np.eye(3))


FORMS: dict[str, Callable[[Any], Any]] = {
    "dense": bent,
    "sparse": lambda w: sp.csr_array(bent(w)),
    "operator": lambda w: aslinearoperator(bent(w)),
    "list": lambda w: bent(w).tolist(),
    "jax": lambda w: jnp.diag(12 * w**2),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_matrix_keeps_its_form(form: str) -> None:
    """A test of the trace alone misses what the trace does not show, whatever the form is."""
    kinds, right = set(), FORMS[form](W)

    def trace(h: Any) -> bool:
        found = h(W)
        kinds.add(type(found))
        return bool(np.trace(dense(found)) == 12 * (W**2).sum())

    report = check_hessian(FORMS[form], loss, W, points=0)
    found = report.power(test=trace)
    assert len(kinds) == 1
    assert isinstance(right, kinds.pop())
    assert missed(found) == set()  # a diagonal matrix has no more than its trace
    of_row = check_jacobian(lambda w: 4 * np.outer(w, w), lambda w: 2 * w * (w @ w), W, points=0)
    assert not of_row  # 2 (w·w) 1 is missing


@pytest.mark.slow
def test_traced_values_and_steps() -> None:
    """Under jit, beside the value, of a backward step, of a product: all are planted in."""

    def both(w: Any) -> Any:
        return loss(w), 4 * w**3

    report = check_gradient(both, loss, jnp.asarray(W, dtype=jnp.float32), points=0, has_value=True)

    def jitted(g: Any) -> bool:
        value, grads = jax.jit(g)(jnp.asarray(W, dtype=jnp.float32))
        return bool(value == loss(jnp.asarray(W, jnp.float32))) and bool(
            jnp.allclose(grads, 4 * W**3, rtol=1e-3)
        )

    found = report.power(test=jitted)
    assert everything(found) == OF_A_GRADIENT
    # What the decay adds is as much as the tolerance, in one element: either is right.
    assert missed(found) - {"weight-decay"} == {"one element: off by 1e-06"}
    assert all(np.isnan(p.change) for p in found.planted), "no number was seen"
    step = check_backward(lambda x: (x * x, x), lambda d, x: 2 * d * x, W, points=0)
    found = step.power(test=lambda b: bool(np.allclose(b(W, W), 2 * W * W)))
    assert missed(found) == {"one element: off by 1e-06"}
    assert "weight-decay" not in everything(found)
    product = check_hvp(lambda w, v: 12 * w**2 * v, loss, W, points=0)
    found = product.power(test=lambda p: bool(p(W, v=W)[0] > 0))
    assert {p.where for p in found.planted if p.caught} == {"w", "w[0]"}


def deep(w: Any, power: int = 3, *, again: bool = True) -> Any:
    """Call itself once."""
    return deep(w, power, again=False) if again else 4 * w**power


OF_DEEP = jax.jit(partial(deep, power=1))


def test_every_name_of_a_function_is_replaced_and_restored() -> None:
    """It calls itself: the mistake is made once. What a list holds stays as it is."""
    before, held = (deep, OF_DEEP), [deep]
    assert all(function_in(one) is deep for one in before)
    assert function_in(np.sin) is None
    planting = Planting(Target(deep, "w", ("w",), of_params=True))
    with planted_in_place(planting, deep):
        deep(W)
    planting.plant(next(m for m in planting.mistakes() if m.kind == "factor 2"))
    seen = []

    def interrupted() -> None:
        with planted_in_place(planting, held[0]):
            seen.extend((deep(W), deep(W, 1, again=False), OF_DEEP(W), held[0](W, again=False)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    for found, right in zip(seen, (8 * W**3, 8 * W, 8 * W, 4 * W**3), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-6)
    assert planting.change == 1
    assert (deep, OF_DEEP) == before
