"""Attention with grouped heads and a causal mask, whose probabilities are computed again."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import normal, wide
from models.torch_functions.installed import torch


def hidden(queries: int, keys: int) -> Any:
    """Return which keys come after each query, where the last of both are the same token."""
    return torch.ones(queries, keys, dtype=torch.bool).triu(1 + keys - queries)


class Attention(torch.autograd.Function):
    """softmax(q kᵀ scale) v; q (batch, heads, queries, width), k and v with fewer heads.

    Saves the output and the logsumexp of each row.
    """

    @staticmethod
    def forward(ctx: Any, q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
        group = q.shape[1] // k.shape[1]
        keys = wide(k).repeat_interleave(group, dim=1)
        values = wide(v).repeat_interleave(group, dim=1)
        scores = (wide(q) @ keys.mT) * scale
        if causal:
            scores = scores.masked_fill(hidden(*scores.shape[-2:]), float("-inf"))
        lse = torch.logsumexp(scores, dim=-1, keepdim=True)
        p = torch.exp(scores - lse)
        out = (p @ values).to(q.dtype)
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.scale, ctx.causal, ctx.group = scale, causal, group
        return out

    @staticmethod
    def backward(ctx: Any, dout: Any) -> Any:
        q, k, v, out, lse = ctx.saved_tensors
        keys = wide(k).repeat_interleave(ctx.group, dim=1)
        values = wide(v).repeat_interleave(ctx.group, dim=1)
        scores = (wide(q) @ keys.mT) * ctx.scale
        if ctx.causal:
            scores = scores.masked_fill(hidden(*scores.shape[-2:]), float("-inf"))
        p = torch.exp(scores - lse)
        g = wide(dout)
        # out = p values
        dvalues = p.mT @ g
        dp = g @ values.mT
        # p = softmax of scores
        delta = (g * wide(out)).sum(dim=-1, keepdim=True)
        dscores = p * (dp - delta)
        # scores = q keysᵀ scale
        dq = (dscores @ keys) * ctx.scale
        dkeys = (dscores.mT @ wide(q)) * ctx.scale
        # a head of k and v is read by a group of heads of q
        dk = dkeys.unflatten(1, (-1, ctx.group)).sum(dim=2)
        dv = dvalues.unflatten(1, (-1, ctx.group)).sum(dim=2)
        return dq.to(q.dtype), dk.to(k.dtype), dv.to(v.dtype), None, None


def reference(q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
    """The same in torch's own operations, with a softmax."""
    group = q.shape[1] // k.shape[1]
    keys, values = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    scores = q @ keys.mT * scale
    if causal:
        scores = scores.masked_fill(hidden(*scores.shape[-2:]), float("-inf"))
    return torch.softmax(scores, dim=-1) @ values


def draw(rng: np.random.Generator) -> Any:
    q, k, v = normal(rng, 1, 4, 3, 5), normal(rng, 1, 2, 7, 5), normal(rng, 1, 2, 7, 5)
    return q, k, v, 5**-0.5, True


def draw_whole(rng: np.random.Generator) -> Any:
    q, k, v = (2 * normal(rng, 2, 1, length, 7) for length in (5, 3, 3))
    return q, k, v, 7**-0.5, False


FUNCTION = Model(
    *("attention", OF_TORCH, reference, Attention),
    {"ordinary": draw, "without a mask": draw_whole},
    {
        "softmax-jacobian": Slip(
            "only the diagonal of softmax's Jacobian",
            "dscores = p * dp",
            kinds="activation-derivative",
            lines=("lse = ", "p = torch.exp"),
        ),
        "mask-in-backward": Slip(
            "the causal mask is not applied when p is computed again",
            ("if ctx.causal:", "if False:"),
            kinds="mask missing-factor",
            lines=("masked_fill",),
        ),
        "scale-in-dk": Slip(
            "the scale is missing in dk",
            "dkeys = dscores.mT @ wide(q)",
            kinds="factor missing-factor",
        ),
        "scale-twice": Slip(
            "the scale twice in dq", "dq = (dscores @ keys) * ctx.scale**2", kinds="factor"
        ),
        "one-of-a-group": Slip(
            "dk of the last head of a group, not of all",
            "dk = dkeys.unflatten(1, (-1, ctx.group))[:, :, -1]",
            kinds="overwritten",
            lines=("keys = wide(k).repeat_interleave",),
        ),
        "delta-by-key": Slip(
            "Σ p dp taken along the queries",
            "delta = (p * dp).sum(dim=-2, keepdim=True)",
            kinds="axis activation-derivative",
            lines=("lse = ", "p = torch.exp"),
        ),
        "group-of-v": Slip(
            "heads of dv taken for those of another group",
            "dv = dvalues.unflatten(1, (ctx.group, -1)).sum(dim=1)",
            kinds="transposed axis",
            lines=("values = wide(v).repeat_interleave",),
        ),
    },
    {
        "in-its-format": Slip(
            "products and softmax in the format of q",
            ("keys = wide(k).repeat_interleave(group", "keys = k.repeat_interleave(group"),
            ("values = wide(v).repeat_interleave(group", "values = v.repeat_interleave(group"),
            ("scores = (wide(q) @ keys.mT) * scale", "scores = (q @ keys.mT) * scale"),
            ("keys = wide(k).repeat_interleave(ctx", "keys = k.repeat_interleave(ctx"),
            ("values = wide(v).repeat_interleave(ctx", "values = v.repeat_interleave(ctx"),
            ("scores = (wide(q) @ keys.mT) * ctx", "scores = (q @ keys.mT) * ctx"),
            "g = dout",
            ("(g * wide(out))", "(g * out)"),
            "dkeys = (dscores.mT @ q) * ctx.scale",
        ),
        "softmax": Slip(
            "p by softmax, and Σ p dp for Σ g out",
            ("scores - lse)\n        g", "scores - scores.logsumexp(-1, keepdim=True))\ng"),
            "delta = (p * dp).sum(dim=-1, keepdim=True)",
        ),
        "scaled-queries": Slip(
            "the scale is applied to q and to the product's cotangent",
            ("(wide(q) @ keys.mT) * ctx.scale", "(wide(q) * ctx.scale) @ keys.mT"),
            "dscores = ctx.scale * p * (dp - delta)",
            "dq = dscores @ keys",
            "dkeys = dscores.mT @ wide(q)",
        ),
    },
)
