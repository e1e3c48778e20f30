import numpy as np
import pytest

from manual.article import Parameters
from manual.sgd import minibatches, sample_order, train, update


def test_one_visible_update() -> None:
    """A positive derivative lowers the weight, a negative one raises it."""
    params, grads = Parameters(*[1.0] * 9), Parameters(*([0.5, -0.5] * 4 + [0.0]))
    assert update(params, grads, 0.1) == (*[0.95, 1.05] * 4, 1.0)
    assert params == (1.0,) * 9


def test_the_fixed_order_is_the_tables() -> None:
    assert sample_order(4, 2).tolist() == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_a_seed_shuffles_each_epoch_the_same_way_each_time() -> None:
    order = sample_order(7, 20, seed=3)
    assert (np.sort(order, axis=1) == np.arange(7)).all()
    assert len({tuple(epoch) for epoch in order.tolist()}) > 15
    assert (order == sample_order(7, 20, seed=3)).all()
    assert (order != sample_order(7, 20, seed=4)).any()


@pytest.mark.parametrize(("epochs", "seed"), [(-1, None), (1, -1)])
def test_negative_numbers_are_refused(epochs: int, seed: int | None) -> None:
    with pytest.raises(ValueError, match="negative"):
        sample_order(4, epochs, seed)


def test_training_takes_all_derivatives_from_the_old_parameters() -> None:
    seen = []

    def gradient(params: Parameters, x: float, y: float) -> Parameters:
        seen.append((params.w1, x, y))
        return Parameters(*[1.0] * 9)

    start = Parameters(*[0.0] * 9)
    path = list(train(start, [10.0, 20.0], [1.0, 0.0], gradient, 0.5, np.array([[1, 0]])))
    assert seen == [(0.0, 20.0, 0.0), (-0.5, 10.0, 1.0)]
    assert [params.b3 for params in path] == [-0.5, -1.0]


def test_the_minibatches_of_an_epoch_have_every_row_once() -> None:
    batches = minibatches(11, 4, seed=3, epoch=2)
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert sorted(np.concatenate(batches).tolist()) == [*range(11)]
    others = [np.concatenate(minibatches(11, 11, *of)).tolist() for of in ((3, 1), (4, 2))]
    assert np.concatenate(batches).tolist() not in others


def test_a_training_goes_on_with_the_same_rows_in_every_version() -> None:
    (rows,) = minibatches(11, 11, seed=3, epoch=2)
    assert rows.tolist() == np.random.default_rng([3, 2, 1]).permutation(11).tolist()
