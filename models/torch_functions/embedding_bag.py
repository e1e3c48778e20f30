"""Embedding bag: weighted sums or means of rows of a table, without those of padding."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, whole, wide
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


FUNCTION = Model(
    *("embedding-bag", OF_TORCH, reference, EmbeddingBag),
    {"ordinary": draw, "sums of many": draw_sums},
    {
        "overwritten": Slip(
            "rows that are read twice are overwritten",
            ("dtable.index_put_((indices,), drows, accumulate=True)", "dtable[indices] = drows"),
            kinds="overwritten",
            lines=("rows = wide(table)[indices]",),
        ),
        "count-forgotten": Slip(
            "the sum's gradient for the mean's",
            "dweighted = torch.where(kept, wide(dy)[:, None, :], 0.0)",
            kinds="missing-factor factor reduction",
            lines=("weighted.sum(dim=1) / count",),
        ),
        "count-of-padding": Slip(
            "padding is counted",
            "dweighted = torch.where(kept, (wide(dy) / indices.shape[1])[:, None, :], 0.0)",
            kinds="factor constant missing-factor",
            lines=("weighted.sum(dim=1) / count", "count = "),
        ),
        "padding-learns": Slip(
            "rows of padding get a gradient",
            "dweighted = (wide(dy) / count)[:, None, :].expand(*indices.shape, -1)",
            kinds="mask missing-factor",
            lines=("weighted = torch.where(kept", "kept = "),
        ),
        "scales-forgotten": Slip(
            "the rows' own weights are missing in the table's gradient",
            "drows = dweighted",
            kinds="missing-factor",
            lines=("weighted = ",),
        ),
        "scales-averaged": Slip(
            "averaged, not summed, along the row",
            (".sum(dim=-1).to(scales.dtype)", ".mean(dim=-1).to(scales.dtype)"),
            kinds="factor",
        ),
    },
    {
        "in-its-format": in_its_format(EmbeddingBag, "the table"),
        "index-add": Slip(
            "added row by row",
            (
                "dtable.index_put_((indices,), drows, accumulate=True)",
                "dtable.index_add_(0, indices.flatten(), drows.flatten(0, 1))",
            ),
        ),
        "product": Slip(
            "added by a product with zeros and ones",
            (
                "dtable = torch.zeros(table.shape, dtype=drows.dtype)\n"
                "            dtable.index_put_((indices,), drows, accumulate=True)",
                "hot = torch.nn.functional.one_hot(indices.flatten(), len(table))\n"
                "dtable = hot.to(drows.dtype).T @ drows.flatten(0, 1)",
            ),
        ),
    },
)
