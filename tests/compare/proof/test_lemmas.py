"""What is proved beside the gradient, and that it would be seen if it were not so."""

import pytest

import manual.activations
import manual.regression
from compare.proof import lemmas
from compare.proof.least_squares import gradient_of_loss, stationary_point
from manual.activations import sigmoid
from manual.regression import Coefficients
from tests.compare.proof.proving import of_article, of_network


def test_all_of_them_hold() -> None:
    found = [lemmas.slope_of_sigmoid(), gradient_of_loss(), stationary_point()]
    assert [lemma.name for lemma in found] == [
        "sigmoid-derivative",
        "regression-gradient",
        "least-squares",
    ]
    assert all(lemma.proved for lemma in found)


def test_a_wrong_slope_of_the_sigmoid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lemmas.SIGMOID_DERIVATIVES, "stable", lambda z: sigmoid(z) * sigmoid(z))
    assert not lemmas.slope_of_sigmoid().proved


def test_a_wrong_gradient_of_the_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    right = manual.regression.gradient

    def gradient(coefficients: Coefficients, x: object, y: object) -> Coefficients:
        slopes, intercept = right(coefficients, x, y)
        return Coefficients(slopes, intercept / 2)

    monkeypatch.setattr(manual.regression, "gradient", gradient)
    assert not gradient_of_loss().proved
    assert stationary_point().proved  # half of 0


@pytest.mark.parametrize("name", ["line", "least_squares"])
def test_a_solution_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Through another point than that of the means."""
    if name == "line":

        def line(x, y):  # pyright: ignore[reportMissingParameterType]
            slope = (x[0] - x[1]) / (y[0] - y[1])
            return slope, y.mean() - slope * x.mean()

        monkeypatch.setattr(manual.regression, name, line)
    else:

        def least_squares(x, y):  # pyright: ignore[reportMissingParameterType]
            return Coefficients(x[0], y.mean())

        monkeypatch.setattr(manual.regression, name, least_squares)
    assert not stationary_point().proved


def test_hidden_units_that_are_treated_differently() -> None:
    """Each partial derivative is right, but for a unit that is weighed by its place."""
    assert of_network((2, 3, 2)).permutes
    assert not of_article(lambda p, x, y: p).permutes
