"""Random compositions of the operations: right gradients never disagree, wrong ones never agree."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from handgrad import check_gradient
from tests.corpus.differences import CONFIRMED, confirmed, gradient
from tests.corpus.edits import edits
from tests.corpus.operations import COMPLEX, STEPS
from tests.corpus.programs import Program, drawn, function, point, values
from tests.tiers import NIGHT, examples_are_fixed

#: Every operation of a program on one device; complex numbers are between, not at its ends.
OPERATIONS = STEPS | {f"complex {name}": lines for name, lines in COMPLEX.items()}

#: A gap of more than this, of the largest element, is a mistake that every check has to see.
WRONG = 1e-6

pytestmark = pytest.mark.usefixtures("as_users_have_it")


@pytest.fixture(scope="module")
def as_users_have_it() -> Any:
    """JAX's own promotion of ranks and dtypes, which the texts use."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


class Drawn:
    """What a `np.random.Generator` draws, drawn by Hypothesis, which makes it simpler."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw

    def integers(self, below: int) -> int:
        return self.draw(st.integers(0, below - 1))

    def choice(self, of: Any, size: int | None = None, **_: Any) -> Any:
        if size is not None:
            return [self.choice(of) for _ in range(size)]
        return of[self.integers(len(of))]

    def permutation(self, below: int) -> Any:
        return self.draw(st.permutations(range(below)))

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def random(self) -> float:
        return self.integers(64) / 64


class Loss(NamedTuple):
    """A program, where it is judged, and its gradient, which differences confirm."""

    program: Program
    at: tuple[dict[str, np.ndarray], np.ndarray]
    gradient: Callable[..., dict[str, np.ndarray]]

    def judged(self, answer: Any) -> Any:
        return check_gradient(answer, function(self.program.source), *self.at, points=0)

    def __repr__(self) -> str:
        return self.program.source


@st.composite
def losses(draw: Callable[[Any], Any]) -> Loss:
    """Draw a composition of operations whose gradient JAX has, and differences confirm."""
    at = point(draw(st.integers(0, 999)))
    program = drawn(Drawn(draw), at, (), draw(st.integers(1, 4)), OPERATIONS)
    right = gradient(program.source)
    grads = right(*at)
    assume(all(np.isfinite(leaf).all() for leaf in grads.values()))
    assume(confirmed(program.source, grads, *at) < CONFIRMED)
    return Loss(program, at, right)


# Drawing compiles each loss, which takes as long as the machine is busy: no sign of a bad strategy.
@settings(
    max_examples=3 if examples_are_fixed() else 1000 if NIGHT else 20,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(losses(), st.data())
def test_a_right_gradient_never_disagrees_and_that_of_an_edited_line_never_agrees(
    loss: Loss, data: st.DataObject
) -> None:
    """Where the edit changes values, by more than rounding does."""
    report = loss.judged(loss.gradient)
    assert report.verdict != "disagree", str(report)
    shapes = {k: np.shape(v) for k, v in values(loss.program.lines[:-1], *loss.at).items()}
    if not (proposed := [*edits(loss.program, shapes)]):
        return
    wrong = gradient(data.draw(st.sampled_from(proposed)).of(loss.program).source)
    try:
        there = wrong(*loss.at)
    except Exception:  # whatever JAX says of a text that makes no sense
        return
    right = loss.gradient(*loss.at)
    size = max(np.max(np.abs(leaf)) for leaf in (*right.values(), *there.values()))
    gap = max(np.max(np.abs(there[name] - right[name])) for name in right)
    if gap > WRONG * size:  # NaN is not
        report = loss.judged(wrong)
        assert report.verdict not in ("agree", "imprecise"), str(report)
