"""A module of PyTorch as the parameters of a case: arrays by their names."""

import copy
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.program.aten.modules import with_hooks_of
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
        self._check()
        found = {n: np.array(to_array(p)) for n, p in self._judged(self.module)}
        if not found:
            name = type(self.module).__name__
            raise TypeError(f"{name}: got no parameter that requires grad, expected at least one")
        return found

    def _check(self) -> None:
        """Refuse what cannot be copied, or has no values."""
        torch, name = sys.modules["torch"], type(self.module).__name__
        # A copy shares what its compiled code writes to with the caller's.
        if any(isinstance(part, torch.jit.ScriptModule) for part in self.module.modules()):
            raise TypeError(f"{name}: got compiled code, expected the module that was scripted")
        for path, p in self.module.named_parameters():
            if torch.nn.parameter.is_lazy(p):
                raise TypeError(f"{name}: {path} has no shape yet; call the module once before")
            if p.is_meta:
                raise TypeError(f"{name}: {path} is on the device meta, expected one with values")

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
        own = dict(self._judged(self.module))
        for name, p in self._judged(fresh):
            with_hooks_of(own[name], p)
        return fresh

    def named(self, grads: Any) -> Any:
        """Return gradients by the names of the parameters; one that is None is 0, as in PyTorch.

        They come by names, or in the order of the parameters: of those that require grad, or of
        all. None of a parameter that requires none is no leaf.
        """
        parameters = dict(self.module.named_parameters())
        if isinstance(grads, tuple | list):
            names = self.names if len(grads) == len(self.names) else list(parameters)
            if len(grads) != len(names):
                return grads
            grads = dict(zip(names, grads, strict=True))
        if not isinstance(grads, Mapping):
            return grads
        judged = dict(self._judged(self.module))
        return {
            name: _zeros(judged[name]) if g is None and name in judged else g
            for name, g in grads.items()
        }

    @staticmethod
    def _judged(module: Any) -> Iterator[tuple[str, Any]]:
        return ((name, p) for name, p in module.named_parameters() if p.requires_grad)


def _zeros(parameter: Any) -> np.ndarray:
    return np.zeros(parameter.shape, to_array(parameter).dtype)
