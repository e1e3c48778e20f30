"""Two derivative rules in optax: a right one, and one that differs on purpose.

`weighted_logsoftmax`, a `jax.custom_jvp`, is what `optax.safe_softmax_cross_entropy` rests on.
`scale_gradient(x, 0.5)`, a `jax.custom_vjp`, is x itself, and its rule says half the derivative.
That is its purpose, which no checker can know: `trust_rules` declares it.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax.losses import _classification

from handgrad import check_custom, check_gradient
from handgrad.report import GradientReport

X = np.array([[0.3, -0.2, 1.1], [-1.0, 0.4, 0.2]])
WEIGHTS = np.array([[0.2, 0.5, 0.3], [1.0, 0.25, 0.5]])


def halved(x: Any) -> Any:
    """Return x; the gradient through it is halved."""
    return optax.scale_gradient(x, 0.5)


def report() -> GradientReport:
    """Check the rule of `weighted_logsoftmax`."""
    return check_custom(_classification.weighted_logsoftmax, X, WEIGHTS, points=2)


def report_on_scaling() -> GradientReport:
    """Check `scale_gradient` as if it were a derivative rule."""
    return check_custom(halved, X, points=2)


def report_if_meant() -> GradientReport:
    """Check a gradient by hand of a loss that uses `scale_gradient` on purpose."""

    def loss(x: jax.Array) -> jax.Array:
        return jnp.sum(halved(x) ** 2)

    return check_gradient(lambda x: x, loss, X, points=2, trust_rules=["_scale_gradient"])


if __name__ == "__main__":
    print("optax, weighted_logsoftmax:", report(), sep="\n\n")
    print("\noptax.scale_gradient(x, 0.5):", report_on_scaling(), sep="\n\n")
    print("\nA gradient of a loss in which it is meant:", report_if_meant(), sep="\n\n")
