"""How wrong a prediction is. Source: the article, section "Loss"."""

from manual.arrays import Array, as_array, namespace


def squared_error(y: Array, ypred: Array) -> Array:
    """(y - ypred)², element by element.

    Args:
        y: targets, any shape.
        ypred: predictions, same shape, or one that broadcasts with it.

    Returns:
        The squared errors, in the square of the target's unit. The shapes are broadcast, so that
        many networks can be asked about the same targets; `mse`, which averages, refuses that.
    """
    return (as_array(y) - as_array(ypred)) ** 2


def mse(y: Array, ypred: Array) -> Array:
    """Mean squared error, (1/n) Σ (yᵢ - ypredᵢ)² with i = 1..n.

    The article's formula sums from i = 0 and, in the section on backpropagation, loses the square.

    Args:
        y: targets, shape (n,).
        ypred: predictions, shape (n,).

    Returns:
        The mean, a scalar, in the square of the target's unit.

    Raises:
        ValueError: the shapes differ (broadcasting would average the wrong pairs), or n = 0.
    """
    y, ypred = as_array(y), as_array(ypred)
    if y.shape != ypred.shape or len(y.shape) != 1 or y.shape[0] == 0:
        raise ValueError(
            f"mse: y has shape {y.shape} and ypred has shape {ypred.shape}, "
            "expected one and the same (n,) with n > 0"
        )
    return namespace(ypred).sum(squared_error(y, ypred)) / y.shape[0]
