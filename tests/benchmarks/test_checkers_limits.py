"""What the judge allows in a derivative lies within the limit from which on a mistake is caught."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers import cases
from benchmarks.checkers.cases import AS_WRITTEN, DERIVATIVES, RIGHT, Case, point
from benchmarks.checkers.contenders import report_on
from benchmarks.checkers.planted import allowed, limit, measured, planted
from models.derivatives.derivative import dense
from models.model import COMPLEX, RULE, Model
from tests.tiers import one_of_each

#: A rule is judged by its effect on random vectors, of which the limits say the same.
BY_ELEMENTS = {
    name: model for name, model in cases.models(DERIVATIVES).items() if model.kind != RULE
}


def test_the_limits_are_those_of_the_judge() -> None:
    """64 units of two; half an ulp and three root mean squares; and what the wrong code hides."""
    assert limit("") == limit("float64") == limit("float32") == 129
    assert limit("bfloat16") == pytest.approx(1 + 3 * 3**0.5 + 1)


@pytest.mark.parametrize("name", one_of_each([*BY_ELEMENTS], []))
def test_a_mistake_as_large_as_the_limit_is_caught(name: str) -> None:
    """In the element where the judge allows most beside rounding."""
    subject = BY_ELEMENTS[name]
    with jax.enable_x64(True):
        of = measured(subject)
    exact, rounding = map(np.concatenate, (of.exact, of.rounding))
    right = checked(name)
    assert "another function" not in right.certificate  # as its gate would say
    ruling = right.trial.outcomes[0].ruling
    assert ruling is not None
    signs = np.sign(exact) * np.sign(ruling.exact.ravel())
    np.testing.assert_allclose(exact, signs * ruling.exact.ravel(), rtol=1e-9, atol=1e-12)
    shares = ruling.tolerance.sharp.ravel() / rounding
    assert shares.max() <= allowed("")
    element = int(np.argmax(shares))
    size = limit("") * rounding[element] * np.where(exact[element] < 0, -1, 1)
    assert checked(name, off_by(subject, element, size)).verdict == "disagree"


def checked(name: str, by_hand: Any = None) -> Any:
    """The report at the ordinary point alone."""
    about = Case(DERIVATIVES, RIGHT, name, AS_WRITTEN).build()
    return report_on(replace(about, by_hand=by_hand or about.by_hand, options={"points": 0}))


def off_by(subject: Model, element: int, size: Any) -> Any:
    """The derivative with that added to an element; of complex ones the imaginary parts follow.

    It adds an array, so that the lines can still be run at another precision.
    """
    shape = np.shape(dense(subject.by_hand(*point(subject))))
    part, at = divmod(element, int(np.prod(shape)))
    spike = np.zeros(shape, dtype=complex if subject.kind == COMPLEX else float)
    spike.flat[at] = size * (1, 1j)[part]

    by_hand = subject.by_hand  # lines that an object holds are not rerun

    def wrong(*args: Any) -> Any:
        return dense(by_hand(*args)) + spike

    return wrong


@pytest.mark.parametrize("name", one_of_each(cases.models(DERIVATIVES), ["reactions"]))
def test_right_ways_round_as_little_as_the_judge_allows(name: str) -> None:
    """At the ordinary point, where mistakes are planted; each of which is one."""
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):  # as where they are compared
        of = measured(cases.models(DERIVATIVES)[name])
        about = [case for case in cases.cases(DERIVATIVES) if case.subject == name]
        known = planted(DERIVATIVES, about)
    for by_data, found in zip(of.by_data, of.rounding, strict=True):
        assert (found <= allowed("") * by_data).all()
    assert len(known) >= 8
    assert [case for case, about in known.items() if about["times"] and about["times"] < 1] == []
