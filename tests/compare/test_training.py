"""Trainings: what they depend on, and what the network is given to see."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.data import prepare, scale_of, split
from compare.lockstep import Progress, RanAwayError
from compare.wording import BY_HAND
from tests.compare.calls import BOTH, dataset, training
from tests.tiers import fewer, slowly


def after(epochs: int, **of: Any) -> Progress:
    return training(**of).train(epochs)


def bits(progress: Progress) -> dict[str, tuple[bytes, bytes]]:
    return {
        side: (point.params.tobytes(), point.moments.tobytes())
        for side, point in progress.points.items()
    }


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
def test_equal_seeds_give_equal_bits_and_others_do_not(optimiser: str) -> None:
    first, again, other = (bits(after(5, optimiser=optimiser, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert first[BY_HAND][0] != other[BY_HAND][0]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_side_alone_arrives_where_it_does_beside_the_other(dtype: str) -> None:
    both = bits(after(3, by=BOTH, dtype=dtype))
    assert both == bits(after(3, by=BOTH, dtype=dtype))
    for side in BOTH:
        assert bits(after(3, by=(side,), dtype=dtype)) == {side: both[side]}


@pytest.mark.parametrize("by", [(BY_HAND,), slowly(BOTH)], ids=len)
def test_what_is_done_at_once_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...]
) -> None:
    whole = after(2, by=by, batch=10)
    # Not one at a time: XLA makes no loop of one update, and may round it differently.
    monkeypatch.setattr("compare.training.KEPT", 3 * 59 * 5)
    assert len(training(batch=10).stretches(0)) == 3
    parts = after(2, by=by, batch=10)
    assert bits(parts) == bits(whole)
    assert parts.max_drift_ulps == whole.max_drift_ulps


@pytest.mark.parametrize("batch", [1, 7, 32, 119, 120, 121, 10**9])
def test_every_epoch_uses_every_row_once(batch: int) -> None:
    found = training(batch=batch)
    orders = []
    for epoch in range(4):
        rows = np.concatenate([stretch.ravel() for stretch in found.stretches(epoch)])
        assert sorted(rows) == list(range(120))
        orders.append(rows.tolist())
        assert len({tuple(order) for order in orders}) == len(orders)


def test_no_epochs() -> None:
    progress = training(by=BOTH).train(0)
    hand, auto = (progress.points[side] for side in BOTH)
    assert progress.losses.shape == (0, 2)
    assert hand.params.tobytes() == auto.params.tobytes()
    assert (hand.count, progress.first_divergence) == (0, None)
    assert hand.moments.shape == (2, 59)
    assert not hand.moments.any()


SHALLOW = {"activation": "identity", "loss": "mse", "rate": 1e25}


@pytest.mark.parametrize(
    ("of", "limit"),
    [
        (SHALLOW, "1e\\+100"),
        (SHALLOW | {"dtype": "float32"}, "1e\\+12"),
        # Here the loss does before the parameters do.
        ({"data": "davis", "sizes": (2, 8, 1), "loss": "bce", "rate": 1e6}, "1e\\+100"),
    ],
)
def test_running_away(of: dict[str, Any], limit: str) -> None:
    message = f"in epoch .: a parameter or the loss exceeds {limit} or is no number; learning rate"
    with pytest.raises(RanAwayError, match=message):
        after(50, **{"optimiser": "sgd", "activation": "relu"} | of)


def test_it_learns() -> None:
    """By hand, on the three kinds of targets."""
    for of in ({}, {"data": "breast-cancer", "sizes": (30, 8, 1), "loss": "bce"}):
        work = training(rate=0.02, **of)
        progress = work.train(60)
        assert progress.losses[-1, 0] < 0.5 * progress.losses[0, 0]
        score = work.score(BY_HAND, progress.points[BY_HAND], classes=True)
        assert min(score["train_accuracy"], score["test_accuracy"]) > 0.9
        assert score["train_loss"] == progress.losses[-1, 0]


# What the network is given.


@fewer(10)  # lists of some dozen numbers, and two splits of each
@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=60),
    st.floats(0.01, 0.5),
    st.integers(0, 2**32 - 1),
)
def test_a_split_keeps_every_class_in_training(
    codes: list[int], fraction: float, seed: int
) -> None:
    y = np.array(codes)
    train_rows, test_rows = split(y, fraction, seed)
    assert sorted([*train_rows, *test_rows]) == list(range(len(y)))
    assert len(test_rows) == max(1, round(fraction * len(y)))
    for code, count in zip(*np.unique(y, return_counts=True), strict=True):
        in_test = np.sum(y[test_rows] == code)
        assert abs(in_test - len(test_rows) * count / len(y)) <= 1
        if count >= 2:
            assert code in y[train_rows]
    assert np.array_equal(train_rows, split(y, fraction, seed)[0])


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(-1e6, 1e6))
def test_what_is_tested_on_is_not_looked_at(seed: int, value: float) -> None:
    for name, outputs in (("iris", 3), ("diabetes", 1)):
        data = dataset(name)
        x = data.x.copy()
        x[split(data.y, 0.2, seed)[1]] = value
        usual = prepare(data, outputs, 0.2, seed, np.float64)
        changed = prepare(replace(data, x=x), outputs, 0.2, seed, np.float64)
        assert changed.x.tobytes() == usual.x.tobytes()
        assert changed.scale.mean.tobytes() == usual.scale.mean.tobytes()
        assert changed.scale.sd.tobytes() == usual.scale.sd.tobytes()
        assert not np.array_equal(changed.test_x, usual.test_x)


def test_the_training_part_is_standardised() -> None:
    for name, outputs in (("wine", 3), ("diabetes", 1)):
        data = prepare(dataset(name), outputs, 0.3, 5, np.float64)
        np.testing.assert_allclose(data.x.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(data.x.std(axis=0), 1, rtol=1e-12)
        assert np.abs(data.test_x.mean(axis=0)).max() > 1e-3
    np.testing.assert_allclose([data.y.mean(), data.y.std()], [0, 1], atol=1e-12)
    assert data.test_y.std() != pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1e-300, 1 / 3])
def test_constant_columns_become_0(value: float) -> None:
    scale = scale_of(np.column_stack([np.full(37, value), np.arange(37.0)]))
    assert scale.sd[0] == 1.0
    assert abs(scale.standardised(np.array([[value, 0.0]]))[0, 0]) <= 1e-6
    assert scale.sd[1] == np.arange(37.0).std()
