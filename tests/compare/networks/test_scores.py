"""What trained networks know, beside scikit-learn on the same splits; no seed is chosen."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from compare.commands.train import RATES
from compare.datasets import dataset_named
from compare.networks.job import Job, source_of
from compare.networks.plan import Plan
from compare.networks.prepared import codes
from compare.networks.training import BY_AUTODIFF, BY_HAND, train
from manual.network import Network

pytestmark = pytest.mark.slow


def job(name: str, network: Network, by: tuple[str, ...], seed: int) -> Job:
    """As the command line makes it when nothing else is said."""
    data = dataset_named(name)
    plan = Plan(network, "adam", RATES["adam"], batch=32, seed=seed)
    return Job(data, source_of(data, name, raw=False), plan, by, epochs=100, test_fraction=0.2)


def ours_and_theirs(job: Job, model: Any) -> tuple[float, float]:
    training = job.training()
    progress = train(training, training.start(), job.epochs)
    assert progress.first_divergence is None
    score = training.score(job.by[0], progress.points[job.by[0]], classes=True)
    data = training.data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it would like more iterations
        model.fit(data.x, codes(data.y))
    return score["test_accuracy"], model.score(data.test_x, codes(data.test_y))


def test_davis_by_both_is_as_good_as_logistic_regression() -> None:
    network = Network((2, 2, 1), loss="bce")
    scores = [
        ours_and_theirs(job("davis", network, (BY_HAND, BY_AUTODIFF), seed), LogisticRegression())
        for seed in range(10)
    ]
    ours, theirs = np.mean(scores, axis=0)
    assert abs(ours - theirs) <= 0.01  # as the project set out to reach


def test_digits_are_read_as_well_as_by_scikit_learn() -> None:
    network = Network((64, 64, 10), loss="softmax-ce")
    scores = [
        ours_and_theirs(
            job("digits", network, (BY_HAND,), seed), MLPClassifier((64,), random_state=seed)
        )
        for seed in range(5)
    ]
    ours, theirs = np.mean(scores, axis=0)
    assert abs(ours - theirs) <= 0.005  # as the project set out to reach
