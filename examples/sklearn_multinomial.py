"""The gradient of scikit-learn's multinomial loss at a prediction that is nearly certain.

`HalfMultinomialLoss.gradient` is p - y, the textbook's formula for softmax with cross-entropy, and
right. For the true class, predicted with a probability p close to 1, p - 1 cancels, and only the
digits that p happens to have kept remain. -Σ of the other classes' probabilities loses nothing.
"""

import jax
import jax.numpy as jnp
import numpy as np
from sklearn._loss import HalfMultinomialLoss

from handgrad import check_gradient
from handgrad.report import GradientReport

#: Raw predictions of three classes, one example a row, and the true classes.
RAW = np.array([[0.3, -0.2, 1.1], [-1.0, 0.4, 0.2]])
CERTAIN = np.array([[21.0, -0.2, 1.1], [-1.0, 0.4, 0.2]])
CLASSES = np.array([0.0, 1.0])


def loss(raw: jax.Array, classes: np.ndarray) -> jax.Array:
    """Σ over the examples of log Σ exp(raw) - raw of the true class."""
    true = raw[np.arange(len(classes)), classes.astype(int)]
    return jnp.sum(jax.nn.logsumexp(raw, axis=1) - true)


def gradient(raw: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute it with scikit-learn."""
    return HalfMultinomialLoss(n_classes=3).gradient(classes, raw)


def report() -> GradientReport:
    """Check the gradient at ordinary predictions."""
    return check_gradient(gradient, loss, RAW, CLASSES, points=0)


def report_where_certain() -> GradientReport:
    """Check it where the first example is predicted rightly with a probability of 1 - 3e-9."""
    return check_gradient(gradient, loss, CERTAIN, CLASSES, points=0)


if __name__ == "__main__":
    print("sklearn._loss, HalfMultinomialLoss.gradient:", report(), sep="\n\n")
    print("\nThe same for a prediction that is nearly certain:", report_where_certain(), sep="\n\n")
