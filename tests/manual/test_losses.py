import numpy as np
import pytest

from manual.losses import mse


def test_the_articles_example() -> None:
    assert mse([1, 0, 0, 1], [0, 0, 0, 0]) == 0.5


@pytest.mark.parametrize(("y", "ypred"), [([1, 2], [[1], [2]]), ([1, 2], [1]), ([], [])])
def test_shapes_that_would_broadcast_are_refused(y: list, ypred: list) -> None:
    with pytest.raises(ValueError, match="expected one and the same"):
        mse(np.array(y, dtype=float), np.array(ypred, dtype=float))
