from typing import Any

import numpy as np
import pytest

import manual.activations
import manual.article
from compare.agreement import Verdict, compare_gradients
from handgrad.tolerance.rounding import Bounded
from tests.compare.calls import BOTH
from tests.reference import ALICE, BOB, BOB_W1_ARTICLE, close

ONES = manual.article.ones_parameters()


def test_bob_in_both_forms() -> None:
    stable, article = (compare_gradients(ONES, *BOB, form)[0] for form in ("stable", "article"))
    assert close(stable.by_hand, 1.59176773427389e-13, 15)
    assert close(article.by_hand, BOB_W1_ARTICLE, 15)
    assert close(stable.autodiff, BOB_W1_ARTICLE, 15)
    assert close(article.autodiff, BOB_W1_ARTICLE, 15)
    assert stable.ulps > 1e12
    assert article.ulps < 10
    assert stable.verdict == article.verdict == "agree"


def test_what_is_not_finite_never_agrees() -> None:
    values = np.array([np.nan, np.inf, 1.0, 1.0, 1.0])
    others = np.array([np.nan, np.inf, np.inf, 1.0, 1.0])
    endless = np.array([np.inf, np.inf, np.inf, np.inf, 1.0])
    anything = Bounded(np.zeros(5), endless)
    verdict = Verdict(values, others, dict.fromkeys(BOTH, anything))
    assert verdict.agree.tolist() == [False, False, False, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z: manual.activations.sigmoid(z) * (1 + manual.activations.sigmoid(-z)),
        lambda z: 0 * z + 0.25,
    ],
)
def test_a_mistake_in_the_hand_lines_themselves_does_not_widen_the_bound(
    monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    """The bounds share no line with the hand-written gradient: σ' is patched for both."""
    monkeypatch.setitem(manual.activations.SIGMOID_DERIVATIVES, "stable", wrong)
    monkeypatch.setattr(manual.activations, "sigmoid_derivative", wrong)
    for person in (ALICE, BOB):
        rows = compare_gradients(manual.article.draw_parameters(1), *person)
        assert {row.verdict for row in rows} == {"disagree"}
