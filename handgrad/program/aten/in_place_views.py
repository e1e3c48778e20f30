"""Operations that change the shape of a tensor in place, as `x.squeeze_()` does.

PyTorch's own functions use them on what they have just made: `linear` of a vector, `quantile`.
"""

from collections.abc import Callable
from typing import Any

from handgrad.program.aten import writes
from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import without_dispatch
from handgrad.program.aten.registry import OPERATIONS, name_of, packet_and_overload
from handgrad.program.aten.traced_tensor import TracedTensor


def become_view(function: Any, args: Any, kwargs: Any, run: Callable[..., Any]) -> TracedTensor:
    """Make a tensor the view of what it was.

    Args:
        function: the operation in place.
        args: the tensor, and what follows it.
        kwargs: options.
        run: runs an operation, (function, args, kwargs).
    """
    tensor, *rest = args
    pure = writes.without_writes(function)
    if pure is None or name_of(pure) not in OPERATIONS or tensor.has_views:
        raise uncovered(
            f"{function}, which changes the shape of a tensor in place,",
            f"use {packet_and_overload(function)[0].removesuffix('_')}, which returns another",
        )
    before = TracedTensor(tensor, tensor.memory, tensor.plain, tensor.origin)
    view = run(pure, (before, *rest), kwargs)
    with without_dispatch():
        function(tensor, *rest, **kwargs)
    tensor.origin, tensor.plain, tensor.present = view.origin, view.plain, None
    return tensor
