"""The caller's random numbers of PyTorch."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def drawn_numbers_kept() -> AbstractContextManager[Any]:
    """Leave the generators of PyTorch as they were, whatever is drawn from them meanwhile.

    Those of GPUs are looked at only if they are in use, since that takes memory there.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return nullcontext()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    return torch.random.fork_rng(devices)
