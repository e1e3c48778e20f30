"""Stochastic gradient descent: one visible update, and the loop around it.

Source: the article, section "Optimizer": w ← w - η ∂L/∂w, one sample at a time.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def update(params: Any, grads: Any, learning_rate: float) -> Any:
    """One step against the gradient, w ← w - η ∂L/∂w for every parameter.

    A positive partial derivative says that the loss rises with w, so w is lowered; a negative one
    says the opposite. (The article has the two the wrong way round.)

    Args:
        params: a NamedTuple of numbers or arrays.
        grads: the same structure.
        learning_rate: η, the step per unit of gradient.

    Returns:
        New parameters of the same structure; nothing is changed in place.
    """
    return type(params)(*(w - learning_rate * dw for w, dw in zip(params, grads, strict=True)))


def sample_order(n_samples: int, epochs: int, seed: int | None = None) -> np.ndarray:
    """Return which sample each update takes, shape (epochs, n_samples), integers.

    Args:
        n_samples: how many samples an epoch goes through.
        epochs: how many times.
        seed: None keeps the order of the table in every epoch, as the article's code does; a
            number shuffles each epoch anew, the same way for the same number.

    Raises:
        ValueError: a negative number of epochs or a negative seed.
    """
    fixed = np.tile(np.arange(n_samples), (epochs, 1))
    if seed is None:
        return fixed
    return np.random.default_rng(seed).permuted(fixed, axis=1)


def train(
    params: Any,
    xs: Any,
    ys: Any,
    gradient: Callable[[Any, Any, Any], Any],
    learning_rate: float,
    order: np.ndarray,
) -> Iterator[Any]:
    """The training loop: per sample, all partial derivatives from the old parameters, then update.

    Args:
        params: where to start, a NamedTuple.
        xs: inputs, samples along the first axis.
        ys: targets, samples along the first axis.
        gradient: (params, x, y) -> grads, the derivative of one sample's loss.
        learning_rate: η.
        order: samples to take, shape (epochs, samples per epoch), as from `sample_order`.

    Yields:
        The parameters after each update, epochs × samples of them.
    """
    for sample in np.ravel(order):
        grads = gradient(params, xs[sample], ys[sample])
        params = update(params, grads, learning_rate)
        yield params


def minibatches(n_samples: int, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Return the rows of each update of one epoch: all rows once, shuffled, `size` at a time.

    Every epoch has its own order, which depends on seed and epoch alone, so that a training can go
    on anywhere without knowing what came before.

    Args:
        n_samples: how many rows there are.
        size: rows an update, at least 1; the last minibatch holds what is left.
        seed: a whole number from 0 up.
        epoch: counted from 0.

    Returns:
        Arrays of row numbers.
    """
    # The 1 makes these draws independent of others from the same seed.
    order = np.random.default_rng([seed, epoch, 1]).permutation(n_samples)
    return [order[at : at + size] for at in range(0, n_samples, size)]
