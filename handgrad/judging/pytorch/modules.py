"""A module of PyTorch as the parameters of a case: arrays by their names."""

import copy
import sys
from collections.abc import Mapping
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
        return list(judged(self.module))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Their values, copied."""
        self._check()
        found = {name: np.array(to_array(p)) for name, p in judged(self.module).items()}
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

    def with_tensors(self, tensors: Any) -> Any:
        """Return a copy of the module whose parameters have the values of other tensors.

        They have their memory, unless the module is on another device.
        """
        fresh = copy.deepcopy(self.module)
        own = judged(self.module)
        for name, p in judged(fresh).items():
            p.data, p.grad = tensors[name].to(p.device), None
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
        own = judged(self.module)
        return {
            name: np.zeros_like(to_array(own[name])) if g is None and name in own else g
            for name, g in grads.items()
        }


def judged(module: Any) -> dict[str, Any]:
    """Return the parameters of a module that require grad, by their names."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}
