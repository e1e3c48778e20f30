"""Verbs that are no checks: what they say of losses that are no functions, or not as traced."""

import numpy as np
import pytest

from handgrad import compare_gradients, exact_gradient
from tests.corpus.case import anew
from tests.corpus.rows.hidden_state import NO_FUNCTION, counted, traced, twice
from tests.corpus.rows.not_as_traced import C, X, cubes


def test_the_exact_gradient_is_that_of_what_is_called() -> None:
    found = [float(e.midpoint) for e in exact_gradient(cubes, X)]
    np.testing.assert_allclose(found, 12 * C * X * X, rtol=1e-15)


def test_other_verbs_say_that_a_loss_is_no_function() -> None:
    with pytest.raises(ArithmeticError, match=NO_FUNCTION):
        exact_gradient(lambda w: traced(w) * np.random.random(), X)
    answers = {"a": twice, "b": lambda w: 3 * w}
    report = compare_gradients(answers, anew(counted(2, traced)), X, points=0)
    assert f"a and b are undecidable: the loss {NO_FUNCTION}" in report.headline
