"""Where PyTorch's gradients end: under `no_grad`, and not in the forward of a Function."""

from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.installed import torch


class GradientMode:
    """Tells whether what is computed now has a slope for PyTorch.

    The `forward` of an `autograd.Function` runs without gradients, too, though its results have
    them. PyTorch says the same of both; but only what the caller writes calls a function for it.
    """

    def __init__(self) -> None:
        self._called = True  # what the caller's calls say
        self._within_forward = 0  # how many `enable_grad` were entered in a forward
        self._stopped = 0  # how many calls run whose results have no slope

    def set(self, enabled: bool) -> None:
        """Follow a call of `set_grad_enabled`, to which all context managers come."""
        if not torch.is_grad_enabled() and self._called:  # in a forward
            self._within_forward += enabled
        elif self._within_forward and not enabled:
            self._within_forward -= 1
        else:
            self._called = enabled

    def without_slopes(self, call: Any) -> Any:
        """Return the result of a call, in which nothing that is computed has a slope."""
        self._stopped += 1
        try:
            return call()
        finally:
            self._stopped -= 1

    @property
    def in_forward(self) -> bool:
        """Whether the forward of a Function runs."""
        return self._called and (self._within_forward > 0 or not torch.is_grad_enabled())

    @property
    def has_slope(self) -> bool:
        """Whether what is computed now has a slope."""
        return not (self._stopped or torch.is_inference_mode_enabled() or not self._called)

    def passed(self, array: Any) -> Any:
        """Return a result as it goes on: without a slope where it has none."""
        if self.has_slope or not jnp.issubdtype(array.dtype, jnp.inexact):
            return array
        return lax.stop_gradient(array)
