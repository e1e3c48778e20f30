"""What the judge allows in a derivative lies within the limit from which on a mistake is caught."""

from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers.derivatives.cases import arguments, cases
from benchmarks.checkers.derivatives.limits import ALLOWED, LIMIT
from benchmarks.checkers.derivatives.planted import exact_and_rounding, planted
from handgrad import check_gradient, check_hessian, check_hvp, check_jacobian
from models.derivatives.derivative import dense
from models.derivatives.derivatives import DERIVATIVES
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE, Model
from tests.tiers import one_of_each

#: A rule is judged by its effect on random vectors, of which the limits say the same.
BY_ELEMENTS = {d.name: d for d in DERIVATIVES if d.kind != RULE}


@pytest.mark.parametrize("name", one_of_each([*BY_ELEMENTS], [], 2))
def test_a_mistake_as_large_as_the_limit_is_caught(name: str) -> None:
    """In the element where the judge allows most beside rounding."""
    derivative = BY_ELEMENTS[name]
    with jax.enable_x64(True):
        measured = exact_and_rounding(derivative)
    exact, rounding = map(np.concatenate, (measured.exact, measured.rounding))
    right = checked(derivative, derivative.by_hand)
    assert "another function" not in right.certificate  # as its gate would say
    ruling = right.trial.outcomes[0].ruling
    assert ruling is not None
    signs = np.sign(exact) * np.sign(ruling.exact.ravel())
    np.testing.assert_allclose(exact, signs * ruling.exact.ravel(), rtol=1e-9, atol=1e-12)
    shares = ruling.tolerance.sharp.ravel() / rounding
    assert shares.max() <= ALLOWED
    element = int(np.argmax(shares))
    wrong = off_by(
        derivative, element, LIMIT * rounding[element] * np.where(exact[element] < 0, -1, 1)
    )
    assert checked(derivative, wrong).verdict == "disagree"


def checked(derivative: Model, by_hand: Any) -> Any:
    """The report at the ordinary point alone."""
    x, *args = arguments(derivative, 0)
    if derivative.kind == PRODUCT:
        return check_hvp(by_hand, derivative.function, x, *args[1:], v=args[0], points=0)
    of = {JACOBIAN: check_jacobian, HESSIAN: check_hessian, COMPLEX: check_gradient}
    return of[derivative.kind](by_hand, derivative.function, x, *args, points=0)


def off_by(derivative: Model, element: int, size: Any) -> Any:
    """The derivative with that added to an element; of complex ones the imaginary parts follow.

    It adds an array, so that the lines can still be run at another precision.
    """
    shape = np.shape(dense(derivative.by_hand(*arguments(derivative, 0))))
    part, at = divmod(element, int(np.prod(shape)))
    spike = np.zeros(shape, dtype=complex if derivative.kind == COMPLEX else float)
    spike.flat[at] = size * (1, 1j)[part]

    by_hand = derivative.by_hand  # lines that an object holds are not rerun

    def wrong(*args: Any) -> Any:
        return dense(by_hand(*args)) + spike

    return wrong


@pytest.mark.parametrize("name", one_of_each([d.name for d in DERIVATIVES], ["reactions"], 3))
def test_right_ways_round_as_little_as_the_judge_allows(name: str) -> None:
    """At the ordinary point, where mistakes are planted; each of which is one."""
    (derivative,) = (d for d in DERIVATIVES if d.name == name)
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):  # as where they are compared
        measured = exact_and_rounding(derivative)
        known = planted(case for case in cases() if case.subject == name)
    for allowed, found in zip(measured.by_data, measured.rounding, strict=True):
        assert (found <= ALLOWED * allowed).all()
    assert len(known) >= 8
    assert [case for case, of in known.items() if of["times"] and of["times"] < 1] == []
