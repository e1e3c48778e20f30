"""The caller's random numbers of PyTorch."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def drawn_numbers_kept() -> AbstractContextManager[Any]:
    """Leave the generators of PyTorch as they were, whatever is drawn from them meanwhile.

    Those of GPUs are looked at only if they are in use, since that takes memory there.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return nullcontext()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    return torch.random.fork_rng(devices)


def keeping_drawn_numbers(check: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Return a check that leaves the generators of PyTorch as they were."""

    @wraps(check)
    def kept(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        with drawn_numbers_kept():
            return check(*args, **options)

    return kept
