"""Operations that PyTorch does not write in others, as functions of others of its own."""

from typing import Any

from handgrad.program.aten.installed import aten, torch
from handgrad.program.aten.registry import composed, packet_and_overload

#: How the names of operations on lists of tensors begin.
_ON_LISTS = "_foreach_"

#: What they are called for one tensor, if not the same.
_OF_ONE = {"maximum": "clamp_min", "minimum": "clamp_max", "norm": "linalg_vector_norm"}


def on_each(function: Any) -> Any:
    """Return an operation on lists, `torch._foreach_...`, as the same one on each of its tensors.

    None if it is no such operation.
    """
    name, _ = packet_and_overload(function)
    if not name.startswith(_ON_LISTS):
        return None
    name = name.removeprefix(_ON_LISTS)
    single = getattr(aten, _OF_ONE.get(name, name), None)
    if single is None:
        return None

    def run(*lists: Any, **options: Any) -> list[Any]:
        found = []
        for k in range(len(lists[0])):
            each = [x[k] if isinstance(x, (list, tuple)) else x for x in lists]
            if name in ("addcmul", "addcdiv"):  # whose factor has a name
                *each, options["value"] = each if len(each) > 3 else (*each, 1)
            found.append(single(*each, **options))
        return found

    return run


@composed("_cdist_forward")
def distances(x: Any, y: Any, p: float, compute_mode: int | None) -> Any:
    """Return the p-norms of the differences of all rows of x and of y."""
    return torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1)


@composed("_pdist_forward")
def distances_among(x: Any, p: float = 2) -> Any:
    """Return the p-norms of the differences of all pairs of rows."""
    first, second = torch.triu_indices(len(x), len(x), 1)
    return torch.linalg.vector_norm(x[first] - x[second], p, -1)


@composed("_trilinear")
def trilinear(
    x: Any,
    y: Any,
    z: Any,
    expand1: list[int],
    expand2: list[int],
    expand3: list[int],
    sumdim: list[int],
    unroll_dim: int = 1,
) -> Any:
    """Σ x·y·z over axes, after each was given new axes."""
    found = 1
    for each, axes in ((x, expand1), (y, expand2), (z, expand3)):
        for axis in sorted(axes):
            each = each.unsqueeze(axis)
        found = found * each
    return found.sum(sumdim)
