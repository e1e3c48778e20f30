"""PyTorch, loaded here for this folder alone; the type checker need not find it."""

import importlib
from typing import Any


def importing(name: str) -> Any:
    """Return a module of PyTorch."""
    return importlib.import_module(name)


torch: Any = importing("torch")
aten: Any = torch.ops.aten
