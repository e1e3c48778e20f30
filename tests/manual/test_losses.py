import numpy as np
import pytest

from manual.losses import mse, softmax


def test_the_articles_example() -> None:
    assert mse([1, 0, 0, 1], [0, 0, 0, 0]) == 0.5


def test_each_row_of_probabilities_is_lowered_by_its_own_largest() -> None:
    """No exponential of a large number, and no row of zeros."""
    far = np.array([[0.0, 1.0, 0.5], [1000.0, 1001.0, 1000.5], [-900.0, -899.0, -899.5]])
    expected = np.exp(far[0]) / np.exp(far[0]).sum()
    np.testing.assert_allclose(softmax(far), np.tile(expected, (3, 1)), rtol=1e-14)


@pytest.mark.parametrize(("y", "ypred"), [([1, 2], [[1], [2]]), ([1, 2], [1]), ([], [])])
def test_shapes_that_would_broadcast_are_refused(y: list, ypred: list) -> None:
    with pytest.raises(ValueError, match="expected one and the same"):
        mse(np.array(y, dtype=float), np.array(ypred, dtype=float))
