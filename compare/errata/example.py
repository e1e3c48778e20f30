"""The data shared by the runs: the article's people, its training, and its gradient."""

from typing import Any

import numpy as np

import manual.article
from compare.agreement import Gradient, hand_gradient
from compare.experiment import XS, YS, Settings, walk_by_hand
from manual.article import Parameters

ALICE, BOB = (XS[0], YS[0]), (XS[1], YS[1])


def mean_loss(params: Parameters) -> float:
    """Compute the mean loss over the four people, the loss of the network."""
    return float(manual.article.mean_loss(params, XS, YS))


def trained(
    settings: Settings, order: np.ndarray | None = None, gradient: Gradient | None = None
) -> np.ndarray:
    """Train by hand; return the parameters after each epoch, shape (9, epochs).

    Args:
        settings: the training.
        order: which person each update takes, in place of the order that `settings` name.
        gradient: in place of `manual.article.gradient`.
    """
    order = settings.sample_order() if order is None else order
    gradient = gradient or hand_gradient(settings.sigmoid_derivative)
    after = walk_by_hand(settings.start(), gradient, settings.learning_rate, order)
    return after[:, order.shape[1] - 1 :: order.shape[1]]


def gradient_with(dloss: Any, params: Parameters, x: np.ndarray) -> Parameters:
    """Compute the nine products of the chain rule with `dloss` in place of ∂L/∂ypred.

    The article's own lines compute them. They take the factor as -2 (y - ypred), so they are given
    the y for which that is `dloss`.
    """
    return manual.article.gradient(params, x, manual.article.feedforward(params, x) - dloss / 2)


def nudged(params: Parameters, name: str, by: float) -> Parameters:
    """Return parameters of which one is moved."""
    return params._replace(**{name: getattr(params, name) + by})
