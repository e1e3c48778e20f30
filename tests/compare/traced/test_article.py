"""The trace of the article's network: its numbers, formulas, order, and what it sees."""

import linecache
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

import manual.article
import manual.sgd
from compare.agreement import compare_gradients
from compare.trace import Trace
from compare.traced import article
from compare.traced.article import trace_article
from handgrad import exact_gradient
from manual.activations import SIGMOID_DERIVATIVES, sigmoid, sigmoid_derivative
from tests.compare.traced import formulas
from tests.reference import PARTIALS, close
from tests.strategies import drawn_points
from tests.tiers import one_of_each, slowly

ONES = manual.article.ones_parameters()


@pytest.fixture(scope="module")
def alice() -> Trace:
    return trace_article(ONES, [-2, -1], 1)


@pytest.fixture(scope="module")
def bob() -> Trace:
    return trace_article(ONES, [25, 6], 0)


def test_alices_numbers_are_the_published_ones(alice: Trace) -> None:
    assert alice.verdict == "agree"
    assert close(alice.quantities["ypred"].by_hand, 0.523695174084, 12)
    for name, expected in PARTIALS.items():
        quantity = alice.gradient_of(name)
        assert close(quantity.by_hand, expected, 15)
        assert close(float(quantity.exact or 0), expected, 15)


def test_the_three_witnesses_are_those_of_the_comparison(alice: Trace, bob: Trace) -> None:
    for trace, x, y in ((alice, [-2, -1], 1), (bob, [25, 6], 0)):
        for row in compare_gradients(ONES, x, y):
            quantity = trace.gradient_of(row.name)
            assert quantity.by_hand == row.by_hand
            assert quantity.autodiff == row.autodiff
            assert quantity.exact == row.exact
            assert quantity.ulps_by_hand == row.ulps_by_hand
            assert quantity.ulps_autodiff == row.ulps_autodiff
            assert quantity.verdict == row.verdict


@pytest.mark.parametrize("seed", [0, *map(slowly, range(1, 4))])
def test_formulas_say_what_is_computed(seed: int) -> None:
    params, x, y = (part for part in drawn_points(1, seed))
    trace = trace_article([p[0] for p in params], x[0], float(y[0]))
    computed = [q for q in trace.quantities.values() if q.formula]
    assert trace.verdict == "agree"
    assert len(computed) == 6 + 1 + 24 + 9
    for quantity in computed:
        assert formulas.value(trace, quantity) == quantity.by_hand, quantity


def test_each_comes_after_what_it_depends_on(alice: Trace) -> None:
    order = list(alice.quantities)
    for at, name in enumerate(order):
        assert all(order.index(before) < at for before in alice.quantities[name].depends_on)
    undone = [step.title[6] for step in alice.steps[7:18]]
    assert undone == sorted(undone, reverse=True)
    chain = [quantity.name for quantity in alice.before("dL_dw1")]
    assert "dL_dw5" not in chain
    assert {"x1", "w1", "z1", "h1", "z3", "ypred", "y", "dL_dypred", "dh1_dz1"} <= set(chain)
    assert chain == sorted(chain, key=order.index)


def test_the_lines_are_the_lines(alice: Trace) -> None:
    for quantity in alice.quantities.values():
        if quantity.statement and quantity.file and quantity.line:
            line = linecache.getline(quantity.file, quantity.line)
            assert quantity.statement.split("=")[0].strip().split()[0] in line
    assert alice.gradient_of("w1").statement == "dL_dw1 = dL_dypred * dypred_dh1 * dh1_dw1"


def test_the_update_is_that_of_the_training(alice: Trace) -> None:
    grads = manual.article.gradient(ONES, np.array([-2.0, -1.0]), np.float64(1))
    new, eta = manual.sgd.update(ONES, grads, 0.1), alice.quantities["η"].by_hand
    for name, value in new._asdict().items():
        quantity = alice.quantities[f"{name}_new"]
        assert quantity.by_hand == value
        assert (quantity.ulps_by_hand or 9) < 3
        assert (quantity.ulps_autodiff or 9) < 3
        with localcontext(prec=60):
            gradient = Decimal(alice.gradient_of(name).exact or "nan")
            exactly = Decimal(float(getattr(ONES, name))) - Decimal(eta) * gradient
            assert abs(Decimal(quantity.exact or "nan") - exactly) < abs(exactly) * Decimal("1e-38")


def test_exact_values_and_slopes_are_the_referees(bob: Trace) -> None:
    """Of the hidden unit by itself, written anew."""
    import jax

    def h1(z: Any) -> Any:
        return 1 / (1 + jax.numpy.exp(-z))

    slope = exact_gradient(h1, np.float64(31))
    assert str(bob.quantities["dh1_dz1"].exact)[:30] == slope.midpoint[:30]


WRONG_SLOPES = {
    "the sigmoid itself": sigmoid,
    "of the activation": lambda z: sigmoid_derivative(sigmoid(z)),
    "off by a millionth of a millionth": lambda z: sigmoid_derivative(z) * (1 + 1e-12),
}


@pytest.mark.parametrize("of", one_of_each(WRONG_SLOPES, [*WRONG_SLOPES][-1:]))
def test_a_wrong_slope_is_seen_where_it_is(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every derivative, and in no value and no factor that has none of it."""
    monkeypatch.setitem(SIGMOID_DERIVATIVES, "stable", WRONG_SLOPES[of])
    trace = trace_article(manual.article.draw_parameters(44), [-2, -1], 1)
    off = {name for name, q in trace.quantities.items() if q.verdict == "disagree"}
    right = {"z1", "h1", "z2", "h2", "z3", "ypred", "L", "dL_dypred"}
    computed = {name for name, q in trace.quantities.items() if q.formula}
    assert off >= {n for n in computed - right if not n.endswith("_new")}
    assert off.isdisjoint(right)
    assert trace.verdict == "disagree"


def test_a_wrong_autodiff_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = article.autodiff.article.gradient

    def wrong(*at: Any) -> Any:
        return right(*at)._replace(w5=right(*at).w6 * 1.001)

    monkeypatch.setattr(article.autodiff.article, "gradient", wrong)
    trace = trace_article(ONES, [-2, -1], 1)
    off = [name for name, q in trace.quantities.items() if q.verdict == "disagree"]
    assert off == ["dL_dw5"]
