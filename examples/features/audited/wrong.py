"""As `right`, with a mistake in the second of three derivatives, and a third without an example."""

from typing import Any

import numpy as np

from examples.features.audited import right

pinball, ridge = right.pinball, right.ridge
pinball_example, ridge_example = right.pinball_example, right.ridge_example


def pinball_grad(r: Any) -> Any:
    return right.pinball_grad(r)


def d_ridge(w: Any, x: Any) -> Any:
    """The penalty is on all but the intercept, and the loss has it on all."""
    return right.d_ridge(w, x) - np.array([0.2, 0.0]) * w


def tilted(r: Any) -> Any:
    return np.sum(r * r * r)


def tilted_grad(r: Any) -> Any:
    return 3 * r * r
