"""Embedding bag: weighted sums or means of rows of a table, without those of padding."""

from typing import Any

import numpy as np

from models.torch_functions.function import Rewrite, Slip, TorchFunction, normal, whole, wide
from models.torch_functions.installed import torch


class EmbeddingBag(torch.autograd.Function):
    """Bags of rows of a table, indices (bags, items), each row with a weight of its own."""

    @staticmethod
    def forward(ctx: Any, table: Any, scales: Any, indices: Any, padding: int, mean: bool) -> Any:
        kept = (indices != padding)[..., None]
        rows = wide(table)[indices]
        count = kept.sum(dim=1).clamp(min=1) if mean else torch.ones((), dtype=torch.int64)
        weighted = torch.where(kept, rows * wide(scales)[..., None], 0.0)
        ctx.save_for_backward(table, scales, indices, kept, count)
        return (weighted.sum(dim=1) / count).to(table.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        table, scales, indices, kept, count = ctx.saved_tensors
        dtable = dscales = None
        # y = Σ weighted / count, weighted = row scale of the kept
        dweighted = torch.where(kept, (wide(dy) / count)[:, None, :], 0.0)
        if ctx.needs_input_grad[0]:
            drows = dweighted * wide(scales)[..., None]
            # rows = table[indices]
            dtable = torch.zeros(table.shape, dtype=drows.dtype)
            dtable.index_put_((indices,), drows, accumulate=True)
            dtable = dtable.to(table.dtype)
        if ctx.needs_input_grad[1]:
            dscales = (dweighted * wide(table)[indices]).sum(dim=-1).to(scales.dtype)
        return dtable, dscales, None, None, None


def reference(table: Any, scales: Any, indices: Any, padding: int, mean: bool) -> Any:
    """The same in torch's own operations, a matrix of counts times the table."""
    kept = indices != padding
    hot = torch.nn.functional.one_hot(indices, len(table)).to(table.dtype)
    sums = (hot * (scales * kept)[..., None]).sum(dim=1) @ table
    return sums / kept.sum(dim=1, keepdim=True).clamp(min=1) if mean else sums


def draw(rng: np.random.Generator) -> Any:
    indices = whole(rng, 5, 3, 4)
    indices[0, 1], indices[2, 3], indices[1, :2] = 2, 2, 3
    return normal(rng, 5, 7), 1 + normal(rng, 3, 4) / 3, indices, 2, True


def draw_sums(rng: np.random.Generator) -> Any:
    return normal(rng, 3, 5), normal(rng, 2, 11), whole(rng, 3, 2, 11), -1, False


FUNCTION = TorchFunction(
    *("embedding-bag", EmbeddingBag, reference),
    {"ordinary": draw, "sums of many": draw_sums},
    {
        "overwritten": Slip(
            "rows that are read twice are overwritten",
            (("dtable.index_put_((indices,), drows, accumulate=True)", "dtable[indices] = drows"),),
            ("overwritten",),
            ("rows = wide(table)[indices]",),
        ),
        "count-forgotten": Slip(
            "the sum's gradient for the mean's",
            (("(wide(dy) / count)[:, None, :]", "wide(dy)[:, None, :]"),),
            ("missing-factor", "factor", "reduction"),
            ("weighted.sum(dim=1) / count",),
        ),
        "count-of-padding": Slip(
            "padding is counted",
            (("(wide(dy) / count)[:, None, :]", "(wide(dy) / indices.shape[1])[:, None, :]"),),
            ("factor", "constant", "missing-factor"),
            ("weighted.sum(dim=1) / count", "count = "),
        ),
        "padding-learns": Slip(
            "rows of padding get a gradient",
            (
                (
                    "torch.where(kept, (wide(dy) / count)[:, None, :], 0.0)",
                    "(wide(dy) / count)[:, None, :].expand(*indices.shape, -1)",
                ),
            ),
            (
                "mask",
                "missing-factor",
            ),
            ("weighted = torch.where(kept", "kept = "),
        ),
        "scales-forgotten": Slip(
            "the rows' own weights are missing in the table's gradient",
            (("dweighted * wide(scales)[..., None]", "dweighted"),),
            ("missing-factor",),
            ("weighted = ",),
        ),
        "scales-averaged": Slip(
            "averaged, not summed, along the row",
            ((".sum(dim=-1).to(scales.dtype)", ".mean(dim=-1).to(scales.dtype)"),),
            ("factor",),
        ),
    },
    {
        "in-its-format": Rewrite(
            "every operation in the format of the table",
            (
                ("rows = wide(table)[indices]\n        count", "rows = table[indices]\ncount"),
                ("rows * wide(scales)[..., None], 0.0)", "rows * scales[..., None], 0.0)"),
                ("(wide(dy) / count)", "(dy / count)"),
                ("dweighted * wide(scales)[..., None]", "dweighted * scales[..., None]"),
                ("(dweighted * wide(table)[indices])", "(dweighted * table[indices])"),
            ),
        ),
        "index-add": Rewrite(
            "added row by row",
            (
                (
                    "dtable.index_put_((indices,), drows, accumulate=True)",
                    "dtable.index_add_(0, indices.flatten(), drows.flatten(0, 1))",
                ),
            ),
        ),
        "product": Rewrite(
            "added by a product with zeros and ones",
            (
                (
                    "dtable = torch.zeros(table.shape, dtype=drows.dtype)\n"
                    "            dtable.index_put_((indices,), drows, accumulate=True)",
                    "hot = torch.nn.functional.one_hot(indices.flatten(), len(table))\n"
                    "dtable = hot.to(drows.dtype).T @ drows.flatten(0, 1)",
                ),
            ),
        ),
    },
)
