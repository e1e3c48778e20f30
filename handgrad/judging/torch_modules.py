"""A module of PyTorch as the parameters of a case: arrays by their names."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.program.aten.tensors import to_array

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class Module:
    """A module whose parameters are judged: those that require grad, by their names."""

    module: Any

    @property
    def names(self) -> list[str]:
        """The names of these parameters, in the module's order."""
        return [name for name, p in self.module.named_parameters() if p.requires_grad]

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Their values, copied."""
        found = {n: np.array(to_array(p)) for n, p in self._judged(self.module)}
        if not found:
            name = type(self.module).__name__
            raise TypeError(f"{name}: got no parameter that requires grad, expected at least one")
        return found

    def parameters_of(self, other: Any) -> dict[str, Any]:
        """Return these parameters of a copy of the module."""
        return dict(self._judged(other))

    def with_tensors(self, tensors: Any) -> Any:
        """Return a copy of the module whose parameters have the values of other tensors.

        They have their memory, unless the module is on another device.
        """
        fresh = copy.deepcopy(self.module)
        for name, p in self._judged(fresh):
            p.data, p.grad = tensors[name].to(p.device), None
        return fresh

    def named(self, grads: Any) -> Any:
        """Return gradients in the order of the parameters by their names."""
        if not isinstance(grads, tuple | list) or len(grads) != len(self.names):
            return grads
        pairs = zip(self._judged(self.module), grads, strict=True)
        return {n: np.zeros(p.shape, to_array(p).dtype) if g is None else g for (n, p), g in pairs}

    @staticmethod
    def _judged(module: Any) -> Iterator[tuple[str, Any]]:
        return ((name, p) for name, p in module.named_parameters() if p.requires_grad)
