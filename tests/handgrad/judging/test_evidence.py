"""A gradient that lost digits has the right formula if they come back with more of them."""

import itertools
import math
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse as sp

from handgrad import check_gradient, check_jacobian
from handgrad.arithmetic import balls
from handgrad.data.point import point_at
from handgrad.judging import neighbours
from handgrad.judging.case import Case
from handgrad.judging.losses import prepare
from handgrad.judging.reruns import formula
from handgrad.judging.witness import RIGHT_FORMULA, Gaps
from handgrad.oracle.certify import certify
from handgrad.tolerance.measuring import measure
from tests.corpus.only_called import OnlyCalled
from tests.handgrad.oracle.problems import flat, problem

SATURATED = np.array([31.0, -31.0, 2.0])

long_floats = pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps), reason="no longer floats here"
)


def loss(z: Any, *_: Any) -> Any:
    return jnp.sum(jax.nn.sigmoid(z))


def right(
    gradient: Any, params: Any = SATURATED, *inputs: Any, loss: Any = loss, has_value: bool = False
) -> list[bool]:
    """Which elements are right by formula; asked of all of them."""
    given, case = point_at(params, inputs), problem(loss, params, *inputs)
    reference = certify(case)
    answer, _ = given.call(gradient)
    gap = balls.magnitudes(
        balls.exact(flat(answer[1] if has_value else answer)) - reference.gradient
    )
    held = Gaps(reference.gradient, gap, measure(case, reference, 0).full.sharp, gap > 0)

    prepared = prepare(Case(gradient, loss, has_value=has_value), given)
    told = formula(prepared, given, held)
    return (told == RIGHT_FORMULA).tolist()


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def textbook(z: Any) -> Any:
    return sigmoid(z) * (1 - sigmoid(z))


def by_jax(z: Any) -> Any:
    s = 1 / (1 + jnp.exp(-z))
    return s * (1 - s)


def only_in_floats(z: Any) -> Any:
    """logaddexp knows no objects and no tracers."""
    s = np.exp(-np.logaddexp(z * 0, -z))
    return s * (1 - s)


@OnlyCalled
def only_in_float64(z: Any) -> Any:
    s = np.array([1 / (1 + math.exp(-v)) for v in np.asarray(z, dtype=np.float64)])
    return s * (1 - s)


def test_the_textbooks_line_is_right_at_31() -> None:
    """Its error there is a ten thousandth, and more digits take it away."""
    assert abs(textbook(31.0) / (math.exp(-31) / (1 + math.exp(-31)) ** 2) - 1) > 1e-4
    assert right(textbook) == [True] * 3


def test_lines_for_jax_alone() -> None:
    assert right(by_jax) == [True] * 3


def test_lines_that_leave_jax_are_run_with_its_functions_for_numpys() -> None:
    assert right(lambda z: np.asarray(by_jax(jnp.asarray(z)))) == [True] * 3


def test_what_lines_warn_of_in_other_numbers_is_no_error() -> None:
    calls = itertools.count()

    def warns(z: Any) -> Any:
        if next(calls):
            warnings.warn("slow on these numbers", stacklevel=1)
        return textbook(z)

    assert right(warns) == [True] * 3


def test_choices_that_no_precision_decides() -> None:
    def on_tracers(z: Any) -> Any:
        return by_jax(z) * jnp.where(jnp.exp(z) * jnp.exp(-z) >= 1.0, 1.0, 1.0)

    def in_place(z: Any) -> Any:
        assert z.dtype.itemsize <= 8, "not in longer floats"
        found = np.zeros_like(z)
        for i, value in enumerate(z):
            with np.errstate(invalid="ignore"):
                found[i] = textbook(value if np.log(value) > 0 else -value)
        return found

    for gradient in (on_tracers, in_place):
        assert right(gradient) == [True] * 3


@long_floats
def test_lines_that_only_run_in_floats_are_run_in_longer_ones() -> None:
    assert right(only_in_floats) == [True] * 3


def test_lines_that_only_run_in_float64_prove_nothing() -> None:
    assert right(only_in_float64, np.array([31.0, 29.0])) == [False] * 2

    # Lines that answer in another shape prove nothing.
    def other(z: Any) -> Any:
        return only_in_float64(z) if z.dtype == np.float64 else only_in_floats(z)[:2]

    assert right(other) == [False] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s, z: z * (1 - z),
        lambda s, z: s,
        lambda s, z: s * (1 - s) * (1 + 1e-9),
        lambda s, z: -s * (1 - s),
        lambda s, z: s * 0,
        lambda s, z: s * (1 - s) + 1e-13,
    ],
)
def test_a_wrong_formula_is_never_right(wrong: Any) -> None:
    assert right(lambda z: wrong(sigmoid(z), z), np.array([2.0, -1.3])) == [False] * 2


def test_a_wrong_formula_is_not_right_where_digits_are_lost_as_well() -> None:
    assert right(lambda z: textbook(z) * (1 + 1e-4), np.array([31.0])) == [False]
    assert right(lambda z: textbook(z) * (1 + 1e-9), np.array([31.0])) == [False]


def filled(x: Any) -> Any:
    found = np.zeros(len(x))
    for i, value in enumerate(np.asarray(x, dtype=float)):
        found[i] = 2 * value * np.exp(value**2)
    return found


def multiplied(x: Any) -> Any:
    found = np.ones(len(x))
    found *= 2 * np.exp(x * x)
    return found * x


def converged(x: Any) -> Any:
    """The series of e^(x²), which a tolerance ends, in an array that is written to."""
    found, term, k = np.ones(len(x)), np.ones(len(x)), 1
    while np.max(np.abs(term)) > 1e-12:
        term = term * x * x / k
        found += term
        k += 1
    return 2 * x * found


def through_a_view(z: Any) -> Any:
    """Lines that JAX's arrays take for others."""
    found = np.array(2 * np.conj(z))
    part = found[:]
    part *= np.exp(np.abs(z) ** 2)
    return found


POINT = np.array([0.3, -0.7, 1.1])

#: Gradients of Σ exp(|z|²), or the diagonal of its Jacobian, as libraries are used in earnest.
RERUN: dict[str, tuple[Any, Any]] = {
    "a loop that fills an array": (filled, POINT),
    "an array multiplied in place": (multiplied, POINT),
    "a function as a default": (lambda x, exp=np.exp: 2 * x * exp(x * x), POINT),
    "a sparse matrix": (lambda x: sp.diags(filled(x)).tocsr(), POINT),
    "triples": (lambda x: sp.coo_array((filled(x), 2 * [range(3)]), shape=(3, 3)), POINT),
    "a product of sparse matrices": (lambda x: 2 * sp.diags(x) @ sp.diags(np.exp(x**2)), POINT),
}


@pytest.mark.parametrize("name", RERUN)
def test_a_mistake_that_unknown_code_might_lose_is_shown_by_a_rerun(name: str) -> None:
    gradient, at = RERUN[name]
    for factor, verdict in ((1.0, "agree"), (1 + 1e-11, "disagree")):

        def answer(z: Any, factor: float = factor) -> Any:
            return gradient(z) * factor

        if name.startswith(("a sparse", "triples", "a product")):
            report = check_jacobian(answer, lambda x: jnp.exp(x**2), at, points=0)
        else:
            report = check_gradient(answer, squares, at, points=0)
        assert report.verdict == verdict, factor


def squares(z: Any) -> Any:
    return jnp.sum(jnp.exp(jnp.real(z) ** 2 + jnp.imag(z) ** 2))


@pytest.mark.parametrize(
    "matrix",
    [
        lambda x: sp.coo_array((np.repeat(x, 2) / 2, 2 * [[0, 0, 1, 1, 2, 2]]), shape=(3, 3)),
        lambda x: sp.diags(x) * sp.diags(np.ones(3)),
        lambda x: sp.linalg.aslinearoperator(sp.diags(x)),
    ],
)
def test_sparse_matrices_that_are_not_placed_prove_nothing(matrix: Any) -> None:
    def check(factor: float) -> str:
        answer = lambda x: matrix(x * factor)  # noqa: E731
        return check_jacobian(answer, lambda x: x * x / 2, POINT, points=0).verdict

    assert (check(1.0), check(1 + 1e-11)) == ("agree", "undecidable")


def test_lines_that_jax_takes_for_others_prove_nothing() -> None:
    at, factors = POINT + 0.5j, (1.0, 1 + 1e-11)
    answers = [lambda z, factor=factor: through_a_view(z) * factor for factor in factors]
    verdicts = [check_gradient(answer, squares, at, points=0).verdict for answer in answers]
    assert verdicts == ["agree", "undecidable"]


def test_a_loop_that_a_tolerance_ends_may_write_to_arrays() -> None:
    assert check_gradient(converged, squares, POINT, points=0).verdict != "disagree"


@pytest.mark.parametrize("step", [1e-5, 1e-8])
@pytest.mark.parametrize("f", [sigmoid, lambda z: np.exp(-np.logaddexp(z * 0, -z))])
def test_a_finite_difference_is_not_right_by_precision(f: Any, step: float) -> None:
    """Its own error stays where rounding goes."""

    def forward(z: Any) -> Any:
        return (f(z + step) - f(z)) / step

    assert not any(right(forward, np.array([0.7, -1.3, 2.0])))


@long_floats
def test_a_step_that_grows_with_the_precision_is_not_right_either() -> None:
    def adaptive(z: Any) -> Any:
        step = np.sqrt(np.finfo(z.dtype).eps)
        upper, lower = (np.exp(-np.logaddexp(z * 0, -v)) for v in (z + step, z))
        return (upper - lower) / step

    assert not any(right(adaptive, np.array([0.7, -1.3, 2.0])))


def test_each_element_stands_for_itself() -> None:
    def one_wrong(z: Any) -> Any:
        return textbook(z) * np.array([1.0, 1.0, 1.0 + 1e-6])

    assert right(one_wrong) == [True, True, False]


def test_structures_values_and_inputs() -> None:
    def of_both(p: Any, x: Any, y: Any) -> Any:
        return jnp.sum(jax.nn.sigmoid(p["z"] * x)) * 2.0 + p["b"] * y[0]

    def gradient(p: Any, x: Any, y: Any) -> Any:
        return 0.0, {"z": 2.0 * x * textbook(p["z"] * x), "b": y[0] + 0 * p["b"]}

    x, y = np.array([1.0, 3.0, 0.5]), np.array([3, 1])
    params = {"z": SATURATED, "b": 1.5}

    def swapped(p: Any, x: Any, y: Any) -> Any:
        _, grads = gradient(p, x, y)
        return 0.0, {"z": np.roll(grads["z"], 1), "b": grads["b"]}

    def as_arrays(loss: Any) -> Any:
        return lambda p, x, y: loss(p, x, jnp.asarray(y).astype(jnp.float64))

    found = right(gradient, params, x, y, loss=as_arrays(of_both), has_value=True)
    assert found == [True] * 4
    assert right(swapped, params, x, y, loss=as_arrays(of_both), has_value=True)[1:] == [False] * 3


@long_floats
def test_float32_must_gain_more_than_float64() -> None:
    """From float32 rounding shrinks by 2^40; an error that shrinks by a million does not."""
    at = np.array([3.0, -2.0, 0.5], np.float32)
    assert right(only_in_floats, at) == [True] * 3

    def shrinking(z: Any) -> Any:
        return only_in_floats(z) * (1 + np.finfo(z.dtype).eps ** 0.5)

    assert not any(right(shrinking, at))


@OnlyCalled
def one_precision(z: Any, slip: float = 0.0) -> Any:
    """σ(1 - σ) by a function that knows float64 alone; `slip` is a mistake in the formula."""
    s = np.array([1 / (1 + math.exp(-float(value))) for value in z])
    return s * (1 - s) * (1 + slip)


def test_lines_of_one_precision_are_asked_beside_the_point() -> None:
    z = np.array([7.0, 12.0, 16.0])
    assert right(one_precision, z) == [True, True, True]


@pytest.mark.parametrize("slip", [1e-12, 1e-9, -1e-8])
def test_a_slip_is_as_large_beside_the_point(slip: float) -> None:
    z = np.array([0.3, -1.2, 2.0])
    assert right(lambda z: one_precision(z, slip), z) == [False, False, False]


def test_errors_are_random_where_the_gradient_is_constant_as_well() -> None:
    def by_a_detour(w: Any) -> Any:
        return np.array([(float(v) * 1e5 + 1) * 0.3 - float(v) * 1e5 * 0.3 for v in w])

    w = np.array([0.3, 1.7])
    assert right(by_a_detour, w, loss=lambda w: jnp.sum(0.3 * w)) == [True, True]


def test_each_element_has_errors_of_its_own() -> None:
    errors, exact = np.random.default_rng(0).normal(size=(2, 8, 2)) * [1.0, 1e-9]
    for i in range(2):
        alone, of_it = errors[:, i : i + 1], exact[:, i : i + 1]
        spread, left = neighbours._spread(alone)[0], neighbours._unexplained(alone, of_it)[0]
        assert neighbours._spread(errors)[i] == pytest.approx(spread)
        assert neighbours._unexplained(errors, exact)[i] == pytest.approx(left)


def test_what_has_less_than_half_of_its_digits_is_not_asked_about() -> None:
    """A difference quotient may look like it."""

    def quotient(z: Any) -> Any:
        return np.array([(s(float(v) + 1e-8) - s(float(v))) / 1e-8 for v in z])

    def s(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    assert not any(right(quotient, np.array([0.3, -1.2, 2.0])))
    assert not any(right(one_precision, np.array([7.0, 31.0, 16.0])))
