# pyright: reportMissingImports=false
"""The backward pass of `torch.distributions.Dirichlet.rsample`, which is an approximation.

A sample x moves with its concentration so that its probability stays: dx/da = -∂F/∂a / p(x). For
two components with the concentration (a, 1), F = x^a, so that x = u^(1/a), and its derivative is
-x ln(x) / a exactly. torch has series at both ends and fits of rational functions between them; at
a = 50 three digits are right (seen in torch 2.6.0 to 2.15.0). As noise in a gradient that is
noise already that is no mistake, but a test at six digits would fail, or be of a = 1.
"""

from typing import Any

import jax
import numpy as np
import torch
from torch.distributions.dirichlet import _Dirichlet_backward

from handgrad import check_gradient
from handgrad.report import GradientReport


def sample(a: jax.Array, u: jax.Array) -> Any:
    """Return the first component of the sample below which the probability is u."""
    return u ** (1 / a)


def gradient(a: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Compute its derivative as rsample's backward pass does."""
    x, concentration = float(u) ** (1 / float(a)), torch.tensor([float(a), 1.0]).double()
    components = torch.tensor([x, 1 - x], dtype=torch.float64)
    moved = _Dirichlet_backward(components, concentration, torch.tensor([1.0, 0.0]).double())
    return moved[0].numpy()


def report(a: float, x: float) -> GradientReport:
    """Check the derivative where the sample is x."""
    return check_gradient(gradient, sample, np.array(a), np.array(x**a), points=0)


if __name__ == "__main__":
    for a, x in ((0.5, 0.3), (10.0, 0.7), (50.0, 0.3)):
        title = f"torch, Dirichlet.rsample with concentration ({a:g}, 1) at {x}:"
        print(title, report(a, x), sep="\n\n", end="\n\n")
