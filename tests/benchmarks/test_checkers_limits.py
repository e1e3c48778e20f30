"""What the judge allows in a derivative lies within the limit from which on a mistake is caught."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers import cases
from benchmarks.checkers.cases import DERIVATIVES, asked, point
from benchmarks.checkers.contenders import report_on
from benchmarks.checkers.planted import allowed, limit, measured, planted
from models.derivatives.derivative import dense
from models.model import COMPLEX, RULE, Model
from tests.tiers import one_of_each

SUBJECTS = cases.models(DERIVATIVES)

#: A rule is judged by its effect on random vectors, of which the limits say the same.
BY_ELEMENTS = [name for name, model in SUBJECTS.items() if model.kind != RULE]

#: Makes a subject's derivative that is off by so much in an element of a part.
OffBy = Callable[[Model, int, int, float], Any]


def test_the_limits_are_those_of_the_judge() -> None:
    """64 units of two; half an ulp and three root mean squares; and what the wrong code hides."""
    assert limit("") == limit("float64") == limit("float32") == 129
    assert limit("bfloat16") == pytest.approx(1 + 3 * 3**0.5 + 1)


def hold_the_limit(subject: Model, off_by: OffBy, dtype: str = "") -> None:
    """A mistake of that size is caught in the element where the judge allows most beside rounding.

    What is judged is the derivative whose rounding was measured.
    """
    with jax.enable_x64(True):
        of = measured(subject, dtype)
    about = replace(asked(subject, subject.by_hand, dtype=dtype), options={"points": 0})
    right = report_on(about)
    assert "another function" not in right.certificate  # as its gate would say
    ruling = right.trial.outcomes[0].ruling
    assert ruling is not None
    exact, rounding = (
        np.concatenate(of.exact),
        np.concatenate(
            [
                np.broadcast_to(by, part.shape)
                for by, part in zip(of.rounding, of.exact, strict=True)
            ]
        ),
    )
    signs = np.sign(exact) * np.sign(ruling.exact.ravel())
    # In torch's formats the code's constants are rounded.
    rtol, atol = (1e-6, 1e-6 * np.abs(exact).max()) if dtype else (1e-9, 1e-12)
    np.testing.assert_allclose(exact, signs * ruling.exact.ravel(), rtol=rtol, atol=atol)
    shares = ruling.tolerance.sharp.ravel() / rounding
    assert shares.max() <= allowed(dtype)
    element = int(np.argmax(shares))
    ends = np.cumsum([part.size for part in of.exact])
    part = int(np.searchsorted(ends, element, side="right"))
    size = limit(dtype) * rounding[element] * np.where(exact[element] < 0, -1, 1)
    wrong = off_by(subject, part, element - int(ends[part]) + of.exact[part].size, float(size))
    assert report_on(replace(about, by_hand=wrong)).verdict == "disagree"


@pytest.mark.parametrize("name", one_of_each(BY_ELEMENTS, []))
def test_a_mistake_as_large_as_the_limit_is_caught(name: str) -> None:
    hold_the_limit(SUBJECTS[name], off_by)


def off_by(subject: Model, part: int, at: int, size: float) -> Any:
    """Of complex derivatives the imaginary part is the second.

    It adds an array, so that the lines can still be run at another precision.
    """
    shape = np.shape(dense(subject.by_hand(*point(subject))))
    spike = np.zeros(shape, dtype=complex if subject.kind == COMPLEX else float)
    spike.flat[at] = size * (1, 1j)[part]

    by_hand = subject.by_hand  # lines that an object holds are not rerun

    def wrong(*args: Any) -> Any:
        return dense(by_hand(*args)) + spike

    return wrong


@pytest.mark.parametrize("name", one_of_each(SUBJECTS, ["reactions"]))
def test_right_ways_round_as_little_as_the_judge_allows(name: str) -> None:
    """At the ordinary point, where mistakes are planted; each of which is one."""
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):  # as where they are compared
        of = measured(SUBJECTS[name])
        about = [case for case in cases.cases(DERIVATIVES) if case.subject == name]
        known = planted(about)
    for by_data, found in zip(of.by_data, of.rounding, strict=True):
        assert (found <= allowed("") * by_data).all()
    assert len(known) >= 8
    assert [case for case, about in known.items() if about["times"] and about["times"] < 1] == []
