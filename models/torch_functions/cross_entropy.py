"""Cross-entropy of logits with label smoothing and an index that is ignored, averaged."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, whole, wide
from models.torch_functions.installed import torch


class CrossEntropy(torch.autograd.Function):
    """The mean loss of the rows that are not ignored; saves the logits and their logsumexp."""

    @staticmethod
    def forward(ctx: Any, logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
        z = wide(logits)
        lse = torch.logsumexp(z, dim=-1)
        kept = target != ignored
        label = torch.where(kept, target, 0)
        chosen = z.gather(1, label[:, None])[:, 0]
        row = lse - (1 - smoothing) * chosen - smoothing * z.mean(dim=-1)
        count = kept.sum()
        ctx.save_for_backward(logits, label, kept, lse, count)
        ctx.smoothing = smoothing
        return (torch.where(kept, row, 0.0).sum() / count).to(logits.dtype)

    @staticmethod
    def backward(ctx: Any, dloss: Any) -> Any:
        logits, label, kept, lse, count = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, None, None, None
        z = wide(logits)
        # loss = Σ of the kept rows / count
        drow = torch.where(kept, wide(dloss) / count, 0.0)[:, None]
        # row = lse - (1 - smoothing) z[label] - smoothing · mean z
        p = torch.exp(z - lse[:, None])
        dz = p - ctx.smoothing / z.shape[-1]
        dz = dz.scatter_add(1, label[:, None], torch.full_like(dz, ctx.smoothing - 1)[:, :1])
        return (drow * dz).to(logits.dtype), None, None, None


def reference(logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
    """The same by torch's own cross-entropy."""
    return torch.nn.functional.cross_entropy(
        logits, target, ignore_index=ignored, label_smoothing=smoothing
    )


def draw(rng: np.random.Generator) -> Any:
    target = whole(rng, 7, 5)
    target[3] = -100
    return 2 * normal(rng, 5, 7), target, 0.1, -100


def draw_confident(rng: np.random.Generator) -> Any:
    target = whole(rng, 11, 3)
    return 12 * normal(rng, 3, 11), target, 0.2, -1


FUNCTION = Model(
    *("cross-entropy", OF_TORCH, reference, CrossEntropy),
    {"ordinary": draw, "confident": draw_confident},
    {
        "smoothing-left-out": Slip(
            "the smoothing's share of every class is left out",
            ("dz = p - ctx.smoothing / z.shape[-1]", "dz = p"),
            lines=("smoothing * z.mean", "row = lse"),
        ),
        "no-smoothing": Slip(
            "differentiated as if nothing were smoothed",
            ("p - ctx.smoothing / z.shape[-1]", "p"),
            ("ctx.smoothing - 1)", "-1.0)"),
            kinds="constant",
            lines=("row = lse",),
        ),
        "other-classes": Slip(
            "smoothing shared among the C - 1 other classes",
            ("ctx.smoothing / z.shape[-1]", "ctx.smoothing / (z.shape[-1] - 1)"),
            kinds="factor constant",
            lines=("row = lse",),
        ),
        "count": Slip(
            "divided by all rows, not by those that are kept",
            ("wide(dloss) / count", "wide(dloss) / len(z)"),
            kinds="factor constant",
        ),
        "ignored-rows": Slip(
            "ignored rows get a gradient",
            "drow = wide(dloss) / count",
            kinds="mask missing-factor",
            lines=("torch.where(kept, row", "kept = "),
        ),
        "cotangent": Slip(
            "what comes back is taken for 1",
            ("wide(dloss) / count", "1 / count"),
            kinds="cotangent factor missing-factor",
        ),
        "one-hot-missing": Slip(
            "the label's own term is missing",
            (
                "dz = dz.scatter_add(1, label[:, None], "
                "torch.full_like(dz, ctx.smoothing - 1)[:, :1])\n",
                "\n",
            ),
            lines=("chosen = ", "row = lse"),
        ),
    },
    {
        "in-its-format": in_its_format(CrossEntropy, "the logits"),
        "softmax": Slip("p by softmax, not by the saved logsumexp", "p = torch.softmax(z, dim=-1)"),
        "one-hot": Slip(
            "the target as a matrix",
            ("dz = p - ctx.smoothing / z.shape[-1]", "classes = torch.arange(z.shape[-1])"),
            (
                "hot = (label[:, None] == classes).to(z.dtype)\n"
                "dz = p - (1 - ctx.smoothing) * hot - ctx.smoothing / z.shape[-1]"
            ),
        ),
    },
)
