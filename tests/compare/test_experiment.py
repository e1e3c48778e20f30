"""Two trainings of the article's network in lockstep."""

from typing import Any

import numpy as np
import pytest

import autodiff.article
import manual.article
from compare import experiment
from compare.experiment import Settings
from compare.lockstep import Progress, RanAwayError
from manual.article import Parameters
from manual.sgd import sample_order, train
from models.planted import LOOPS, PLANTS, gradient_in, train_in
from tests.reference import XS, YS
from tests.tiers import slowly

DRAWN = Settings().start()


def compared(epochs: int, shuffled: int | None = None, **wrong: Any) -> Progress:
    order = sample_order(4, epochs, shuffled)
    return experiment.train(Settings(epochs=epochs), order=order, **wrong)


def ends(progress: Progress) -> list[Parameters]:
    return [Parameters(*point.params) for point in progress.points.values()]


@pytest.mark.parametrize(
    ("seed", "form"),
    [(0, "stable"), slowly(None, "article")],
)
def test_both_agree_update_by_update(form: str, seed: int | None) -> None:
    settings = Settings(epochs=300, sigmoid_derivative=form)
    trainings = experiment.train(settings, order=sample_order(4, 300, seed))
    assert trainings.first_divergence is None
    assert 0 < trainings.max_drift_ulps < 1000


@pytest.mark.slow
def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compared(10, 1)
    monkeypatch.setattr(experiment, "CHUNK", 3)
    counted: list[int] = []
    parts = compared(10, 1, on_epoch=counted.append)
    assert counted == list(range(1, 11))
    assert parts.losses.tobytes() == whole.losses.tobytes()
    assert parts.max_drift_ulps == whole.max_drift_ulps
    assert ends(parts) == ends(whole)
    late = compared(10, loop=OTHER_LOOPS["decaying-rate"][0]).first_divergence
    assert late is not None
    assert late.update == 4


@pytest.mark.slow
def test_each_side_has_its_own_losses_and_parameters() -> None:
    """With a wrong gradient by hand the two trainings differ, and no column is the other's."""
    trainings = compared(30, gradient=gradient_in(PLANTS["half-mse"]))
    losses = [manual.article.mean_loss(params, XS, YS) for params in ends(trainings)]
    assert losses[0] > 1.1 * losses[1]
    np.testing.assert_allclose(trainings.losses[-1], losses, rtol=1e-12)


#: They need derivatives of 1e-7 or less, and a saturated unit.
NOT_HERE = {"small-elements-zeroed", "saturated-unit-zeroed"}


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(set(PLANTS) - NOT_HERE))
def test_a_wrong_gradient_is_found_in_training(slug: str) -> None:
    with np.errstate(all="ignore"):
        divergence = compared(1, gradient=gradient_in(PLANTS[slug])).first_divergence
    assert divergence is not None
    assert (divergence.quantity, divergence.off) == ("gradient", "by_hand")
    assert divergence.parameter in PLANTS[slug].leaves


@pytest.mark.slow
def test_what_a_divergence_says() -> None:
    """b2's derivative is wrong from the first sample on, and by the factor that was dropped."""
    d = compared(3, gradient=gradient_in(PLANTS["dropped-term-loss"])).first_divergence
    assert d is not None
    assert (d.update, d.parameter) == (0, "b2")
    right = manual.article.gradient(DRAWN, XS[0], YS[0]).b2
    residual = YS[0] - manual.article.feedforward(DRAWN, XS[0])
    np.testing.assert_allclose([d.autodiff, d.by_hand * -2 * residual], right, rtol=1e-14)
    assert abs(d.by_hand - d.autodiff) > d.bound > 0


#: Where the first update is right.
FIRST = {"stale-parameters": 1, "last-sample-skipped": 3, "wrong-sample": 1}


def _decaying_rate(params: Parameters, *at: Any) -> Any:
    xs, ys, gradient, rate, order = at
    for epoch in order:
        yield from (path := list(train(params, xs, ys, gradient, rate, epoch[None])))
        params, rate = path[-1], rate * 0.9


#: Training loops that are not ours, and the first update that must be seen to differ.
OTHER_LOOPS: dict[str, tuple[Any, int]] = {
    **{slug: (train_in(plant), FIRST.get(slug, 0)) for slug, plant in LOOPS.items()},
    "decaying-rate": (_decaying_rate, 4),
}


@pytest.mark.parametrize("slug", OTHER_LOOPS)
def test_a_wrong_training_loop_is_found(slug: str) -> None:
    loop, first = OTHER_LOOPS[slug]
    divergence = compared(3, loop=loop).first_divergence
    assert divergence is not None
    found = (divergence.update, divergence.quantity, divergence.along)
    assert found == (first, "update", "by_hand")


def test_a_wrong_compiled_loop_is_found_on_its_own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    right = autodiff.article.train

    def backwards(params: Any, xs: Any, ys: Any, rate: float, order: np.ndarray) -> Any:
        return right(params, xs, ys, rate, np.ascontiguousarray(order[:, ::-1]))

    monkeypatch.setattr(autodiff.article, "train", backwards)
    divergence = compared(3).first_divergence
    assert divergence is not None
    found = (divergence.update, divergence.quantity, divergence.along, divergence.off)
    assert found == (0, "update", "autodiff", "autodiff")


def test_a_training_that_runs_away_says_so() -> None:
    with pytest.raises(RanAwayError, match=r"in epoch 0.*expected one around 0\.1"):
        experiment.train(Settings(epochs=3, learning_rate=1e101))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [10.0, 1e90])
def test_saturated_trainings_agree(rate: float) -> None:
    last = experiment.train(Settings(epochs=30, learning_rate=rate))
    assert last.first_divergence is None


def test_only_one_side_runs_away() -> None:
    """That is a disagreement, not a learning rate too large."""

    def plant(params: Parameters, x: Any, y: Any) -> Parameters:
        return Parameters(*(g * 1e200 * 1e200 for g in manual.article.gradient(params, x, y)))

    divergence = compared(3, gradient=plant).first_divergence
    assert divergence is not None
    assert divergence.update == 0
