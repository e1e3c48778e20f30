"""What trained networks know, beside scikit-learn on the same splits; no seed is chosen."""

import warnings
from typing import Any

import numpy as np
import pytest

from compare.data import codes, dataset_named, prepare
from tests.compare.calls import compare, one_object

pytestmark = pytest.mark.slow


def ours(*words: Any) -> float:
    """The held-out accuracy of a training by hand, from the command line."""
    answer = one_object(compare("train", *words, "--by", "hand", "--json"))
    return answer["by"]["hand"]["test_accuracy"]


def theirs(name: str, outputs: int, seed: int, model: Any) -> float:
    """The accuracy of a model of scikit-learn on the split that seed draws."""
    data = prepare(dataset_named(name), outputs, 0.2, seed, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it would like more iterations
        model.fit(data.x, codes(data.y))
    return model.score(data.test_x, codes(data.test_y))


def test_davis_is_as_good_as_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression  # which takes a second

    words = ("--data", "davis", "--network", "2-2-1")
    scores = [
        (ours(*words, "--seed", seed), theirs("davis", 1, seed, LogisticRegression()))
        for seed in range(4)
    ]
    our_mean, their_mean = np.mean(scores, axis=0)
    assert abs(our_mean - their_mean) <= 0.01  # as the project set out to reach


def test_digits_are_read_as_well_as_by_scikit_learn() -> None:
    from sklearn.neural_network import MLPClassifier

    words = ("--data", "digits", "--network", "64-64-10", "--loss", "softmax-ce")
    our_score = ours(*words, "--seed", 0)
    their_score = theirs("digits", 10, 0, MLPClassifier((64,), random_state=0))
    assert abs(our_score - their_score) <= 0.005  # as the project set out to reach
