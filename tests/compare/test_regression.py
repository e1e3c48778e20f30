from typing import Any

import numpy as np
import pytest

import manual.network
from compare.data import Dataset, table_named
from compare.regression import compare_regressions
from compare.wording import InputError
from manual.affine import Layer
from manual.network import Network
from tests.tiers import slowly

BDIMS = table_named("bdims")


@pytest.mark.parametrize("name", ["article", slowly("bdims")])
def test_closed_form_and_both_descents_agree(name: str) -> None:
    result = compare_regressions(table_named(name))
    assert result.first_divergence is None
    assert result.remaining < 1e-12
    for fit in (result.by_hand, result.autodiff):
        np.testing.assert_allclose(fit.slopes, result.closed_form.slopes, rtol=1e-11)
        np.testing.assert_allclose(fit.intercept, result.closed_form.intercept, rtol=1e-11)


@pytest.mark.slow
def test_many_correlated_features_get_a_stable_learning_rate() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(53, 1))
    x = shared + 0.3 * rng.normal(size=(53, 29))
    table = Dataset("wide", tuple(f"x{j}" for j in range(29)), "y", None, x, rng.normal(size=53))
    result, sooner = (compare_regressions(table, steps=steps) for steps in (300, 30))
    assert result.learning_rate < 0.1
    assert result.first_divergence is None
    assert result.remaining < sooner.remaining


def _right(params: list[Layer], x: np.ndarray, y: np.ndarray) -> Layer:
    return manual.network.gradient(Network((x.shape[1], 1)), params, x, y)[0]


#: (params, x, y) -> a wrong gradient, and the first coefficient that shows it.
PLANTS = {
    "bias-mean": (
        lambda p, x, y: _right(p, x, y)._replace(b=_right(p, x, y).b / len(y)),
        "intercept",
    ),
    "intercept-forgotten-in-forward": (
        lambda p, x, y: _right([p[0]._replace(b=0 * p[0].b)], x, y),
        "intercept",
    ),
    "decay-factor": (
        lambda p, x, y: _right(p, x, y)._replace(w=_right(p, x, y).w + 1e-6 * p[0].w),
        "hgt",
    ),
    "one-feature-off": (
        lambda *at: _right(*at)._replace(w=_right(*at).w * [[1], [1 + 1e-9]]),
        "sex",
    ),
}


@pytest.mark.parametrize("slug", PLANTS)
def test_a_wrong_gradient_is_found(slug: str) -> None:
    gradient, coefficient = PLANTS[slug]
    found = compare_regressions(BDIMS, steps=8, gradient=lambda *at: [gradient(*at)])
    divergence = found.first_divergence
    assert divergence is not None
    assert divergence.parameter == coefficient
    assert abs(divergence.by_hand - divergence.autodiff) > divergence.bound
    assert divergence.quantity == "gradient"


def test_a_mistake_late_in_the_descent_is_found() -> None:
    """Every step is judged: a gradient that goes wrong near the minimum only is seen."""

    def near_the_minimum(*at: Any) -> list[Layer]:
        grads = _right(*at)
        return [grads._replace(b=0 * grads.b) if abs(grads.b[0]) < 1e-3 else grads]

    divergence = compare_regressions(BDIMS, steps=60, gradient=near_the_minimum).first_divergence
    assert divergence is not None
    assert divergence.update > 20


def _table(x: list, y: list) -> Dataset:
    columns = np.array(x, dtype=float).reshape(len(y), -1)
    return Dataset("t", ("a", "b"), "y", None, columns, np.array(y, dtype=float))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (_table([1, 2, 2, 4, 3, 6, 4, 8], [1, 2, 3, 5]), "column 'b' is a combination of those"),
        (_table([1, 2, 3, 5], [1, 2]), "2 rows for 2 features, expected at least 3"),
    ],
)
def test_tables_without_a_single_best_fit(table: Dataset, message: str) -> None:
    """Warnings are errors here: none may leak before the sentence."""
    with pytest.raises(InputError, match=message):
        compare_regressions(table)
