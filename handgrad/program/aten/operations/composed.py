"""Operations that PyTorch does not write in others, as functions of others of its own."""

from collections.abc import Callable
from itertools import accumulate
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


def _asserted(*_: Any, **__: Any) -> None:
    """Do nothing: an assertion about values that are traced cannot fail."""


def _parts(x: Any, split_size: int, dim: int = 0) -> list[Any]:
    """Return parts of an axis, of one length but for the last."""
    n = x.shape[dim]
    starts = range(0, n, split_size) if n else [0]
    return [x.narrow(dim, start, min(split_size, n - start)) for start in starts]


def _parts_of_sizes(x: Any, split_sizes: list[int], dim: int = 0) -> list[Any]:
    """Return parts of an axis, of given lengths."""
    ends = accumulate(split_sizes)
    return [x.narrow(dim, end - n, n) for n, end in zip(split_sizes, ends, strict=True)]


def _put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """Return x with other values at indices of the flattened tensor."""
    places = (index.flatten(),)
    return x.flatten().index_put(places, source.flatten(), accumulate).view(x.shape)


_IN_OTHER_WORDS: dict[str, Callable[..., Any]] = {
    "__lshift__.Scalar": torch.bitwise_left_shift,
    "__lshift__.Tensor": torch.bitwise_left_shift,
    "__rshift__.Scalar": torch.bitwise_right_shift,
    "__rshift__.Tensor": torch.bitwise_right_shift,
    "_assert_async": _asserted,
    "_assert_async.msg": _asserted,
    "_linalg_check_errors": _asserted,
    "_is_all_true": torch.all,
    "_is_any_true": torch.any,
    "allclose": lambda *operands, **how: bool(torch.isclose(*operands, **how).all()),
    "equal": lambda x, y: x.shape == y.shape and bool((x == y).all()),
    "prims.copy_to": lambda x, source: x.copy_(source),
    "put": _put,
    "split.Tensor": _parts,
    "split_copy.Tensor": lambda *at: [part.clone() for part in _parts(*at)],
    "split_with_sizes": _parts_of_sizes,
    "unbind.int": lambda x, dim=0: [x.select(dim, i) for i in range(x.shape[dim])],
}

for _name, _written in _IN_OTHER_WORDS.items():
    composed(_name)(_written)


@composed("cholesky_solve")
def cholesky_solve(b: Any, factor: Any, upper: bool = False) -> Any:
    """Solve A x = b, given the Cholesky factor of A."""
    low, up = (factor.mH, factor) if upper else (factor, factor.mH)
    solve = torch.linalg.solve_triangular
    return solve(up, solve(low, b, upper=False), upper=True)


@composed("cholesky_inverse")
def cholesky_inverse(factor: Any, upper: bool = False) -> Any:
    """Return the inverse of A, given its Cholesky factor."""
    one = torch.eye(factor.shape[-1], dtype=factor.dtype)
    return torch.cholesky_solve(one, factor, upper)


@composed("triangular_solve")
def triangular_solve(
    b: Any, a: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple[Any, Any]:
    """Solve a x = b, or aᵀ x = b, and return a too."""
    how = {"upper": upper != transpose, "unitriangular": unitriangular}
    found = torch.linalg.solve_triangular(a.mT if transpose else a, b, **how)
    return found, a.expand(*found.shape[:-2], -1, -1).clone()


@composed("addbmm")
def add_sum_of_matmuls(into: Any, x: Any, y: Any, **how: Any) -> Any:
    """beta·into + alpha·Σ (x @ y), summed over the first axis."""
    return torch.addmm(into, torch.cat([*x], 1), y.flatten(0, 1), **how)


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
