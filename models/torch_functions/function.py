"""What the functions share: formats, and what their draws are made of."""

import inspect
import re
from typing import Any

import numpy as np

from models.model import Model, Slip
from models.torch_functions.installed import torch

#: The formats in which every function is right, and its mistakes are mistakes.
FORMATS = ("float64", "float32", "bfloat16")


def point(of: Model, rng: np.random.Generator, draw: str, dtype: str) -> tuple[Any, ...]:
    """Draw arguments with their floating tensors rounded to a format."""
    return tuple(cast(value, getattr(torch, dtype)) for value in of.draws[draw](rng))


def cast(value: Any, dtype: Any) -> Any:
    """Return a floating tensor in another format, and anything else as it is."""
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.to(dtype) if floating else value


def in_its_format(of: type, what: str) -> Slip:
    """Return the rewrite in which every operation is in the format of an argument."""
    source = inspect.getsource(of)
    narrow = re.sub(r"\bwide\((\w+)\)", r"\1", source)
    return Slip(f"every operation in the format of {what}", (source, narrow))


def wide(x: Any) -> Any:
    """Return what a kernel computes with: float32 for a half-precision tensor."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw standard normal numbers."""
    return torch.from_numpy(rng.normal(size=shape))


def whole(rng: np.random.Generator, high: int, *shape: int) -> Any:
    """Draw integers below `high`."""
    return torch.from_numpy(rng.integers(0, high, size=shape))
