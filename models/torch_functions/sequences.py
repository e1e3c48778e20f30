"""Of sequences: rotary position embedding, attention, embedding bag."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, torch, whole, wide


def angles(positions: Any, width: int, base: float, dtype: Any) -> Any:
    """Return the angle of each position and pair of dimensions."""
    powers = torch.arange(0, width, 2, dtype=dtype) / width
    return positions.to(dtype)[:, None] * base**-powers


class Rotary(torch.autograd.Function):
    """Turns x (batch, positions, heads, dimensions) by halves; saves sine and cosine."""

    @staticmethod
    def forward(ctx: Any, x: Any, positions: Any, width: int, base: float) -> Any:
        z = wide(x)
        angle = angles(positions, width, base, z.dtype)
        cos, sin = torch.cos(angle)[:, None, :], torch.sin(angle)[:, None, :]
        ctx.save_for_backward(cos, sin)
        ctx.width = width
        first, second, rest = z.split((width // 2, width // 2, z.shape[-1] - width), dim=-1)
        turned = torch.cat((first * cos - second * sin, first * sin + second * cos, rest), dim=-1)
        return turned.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        cos, sin = ctx.saved_tensors
        half, g = ctx.width // 2, wide(dy)
        du, dv, drest = g.split((half, half, g.shape[-1] - 2 * half), dim=-1)
        # u = first cos - second sin, v = first sin + second cos
        dfirst = du * cos + dv * sin
        dsecond = dv * cos - du * sin
        return torch.cat((dfirst, dsecond, drest), dim=-1).to(dy.dtype), None, None, None


def rotary_reference(x: Any, positions: Any, width: int, base: float) -> Any:
    """The same by complex numbers, and in half precision by torch's own operations."""
    angle = angles(positions, width, base, wide(x).dtype)
    cos, sin = torch.cos(angle).to(x.dtype)[:, None, :], torch.sin(angle).to(x.dtype)[:, None, :]
    pairs = x[..., :width].unflatten(-1, (2, width // 2))
    first, second = pairs.unbind(-2)
    turned = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-2)
    return torch.cat((turned.flatten(-2), x[..., width:]), dim=-1)


ROTARY = Model(
    *("rotary", OF_TORCH, rotary_reference, Rotary),
    {
        "ordinary": lambda rng: (normal(rng, 2, 5, 3, 7), torch.arange(5), 4, 10_000.0),
        "far positions": lambda rng: (normal(rng, 1, 3, 2, 6), torch.arange(97, 100), 6, 100.0),
    },
    {
        "sine-sign": Slip(
            "turned on by the same angle, not back",
            "dfirst = du * cos - dv * sin",
            "dsecond = dv * cos + du * sin",
            kinds="sign",
            lines=("first * sin", "sin = ", "angle = "),
        ),
        "one-sine-sign": Slip(
            "one sine with the other sign",
            "dsecond = dv * cos + du * sin",
            kinds="sign",
            lines=("first * sin", "sin = "),
        ),
        "interleaved": Slip(
            "pairs of neighbours, not halves, turned back",
            (
                "return torch.cat((dfirst, dsecond, drest), dim=-1)",
                "turned = torch.stack((dfirst, dsecond), dim=-1).flatten(-2)\n"
                "return torch.cat((turned, drest), dim=-1)",
            ),
            kinds="transposed exchanged",
            lines=("turned = ", "z.split("),
        ),
        "halves-exchanged": Slip(
            "the halves put together in the wrong order",
            ("(dfirst, dsecond, drest)", "(dsecond, dfirst, drest)"),
            kinds="exchanged",
            lines=("turned = ", "z.split("),
        ),
        "rest-forgotten": Slip(
            "nothing comes back to the dimensions that pass through",
            ("dsecond, drest), dim", "dsecond, torch.zeros_like(drest)), dim"),
            kinds="zero",
            lines=("turned = ", "z.split("),
        ),
        "other-position": Slip(
            "turned back by the angle of the next position",
            ("half, g = ", "cos, sin = torch.roll(cos, -1, 0), torch.roll(sin, -1, 0)\nhalf, g = "),
            kinds="index exchanged",
            lines=("turned = ", "angle = ", "sin = "),
        ),
    },
    {
        "in-its-format": Slip(
            "sine, cosine and products in the format of x",
            "z = x",
            ("base, z.dtype)", "base, wide(z).dtype)"),
            (
                "ctx.save_for_backward(cos, sin)",
                "cos, sin = cos.to(x.dtype), sin.to(x.dtype)\nctx.save_for_backward(cos, sin)",
            ),
            "half, g = ctx.width // 2, dy",
        ),
        "rotate-half": Slip(
            "g cos - (the halves exchanged, one with a minus) sin",
            (
                "dfirst = du * cos + dv * sin\n        dsecond = dv * cos - du * sin",
                "turned = torch.cat((du, dv), -1) * torch.cat((cos, cos), -1)\n"
                "turned = turned - torch.cat((-dv, du), -1) * torch.cat((sin, sin), -1)\n"
                "dfirst, dsecond = turned.chunk(2, dim=-1)",
            ),
        ),
        "in-place": Slip(
            "written into a copy of what comes back",
            (
                "return torch.cat((dfirst, dsecond, drest), dim=-1).to(dy.dtype)",
                "dx = g.clone()\n"
                "dx[..., :half], dx[..., half : 2 * half] = dfirst, dsecond\n"
                "return dx.to(dy.dtype)",
            ),
        ),
    },
)


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


def attention_reference(q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
    """The same in torch's own operations, with a softmax."""
    group = q.shape[1] // k.shape[1]
    keys, values = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    scores = q @ keys.mT * scale
    if causal:
        scores = scores.masked_fill(hidden(*scores.shape[-2:]), float("-inf"))
    return torch.softmax(scores, dim=-1) @ values


def draw_attention(rng: np.random.Generator) -> Any:
    q, k, v = normal(rng, 1, 4, 3, 5), normal(rng, 1, 2, 7, 5), normal(rng, 1, 2, 7, 5)
    return q, k, v, 5**-0.5, True


def draw_whole(rng: np.random.Generator) -> Any:
    q, k, v = (2 * normal(rng, 2, 1, length, 7) for length in (5, 3, 3))
    return q, k, v, 7**-0.5, False


ATTENTION = Model(
    *("attention", OF_TORCH, attention_reference, Attention),
    {"ordinary": draw_attention, "without a mask": draw_whole},
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
        "in-its-format": in_its_format(Attention, "q"),
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


def bag_reference(table: Any, scales: Any, indices: Any, padding: int, mean: bool) -> Any:
    """The same in torch's own operations, a matrix of counts times the table."""
    kept = indices != padding
    hot = torch.nn.functional.one_hot(indices, len(table)).to(table.dtype)
    sums = (hot * (scales * kept)[..., None]).sum(dim=1) @ table
    return sums / kept.sum(dim=1, keepdim=True).clamp(min=1) if mean else sums


def draw_bag(rng: np.random.Generator) -> Any:
    indices = whole(rng, 5, 3, 4)
    indices[0, 1], indices[2, 3], indices[1, :2] = 2, 2, 3
    return normal(rng, 5, 7), 1 + normal(rng, 3, 4) / 3, indices, 2, True


def draw_sums(rng: np.random.Generator) -> Any:
    return normal(rng, 3, 5), normal(rng, 2, 11), whole(rng, 3, 2, 11), -1, False


EMBEDDING_BAG = Model(
    *("embedding-bag", OF_TORCH, bag_reference, EmbeddingBag),
    {"ordinary": draw_bag, "sums of many": draw_sums},
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

FUNCTIONS = (ROTARY, ATTENTION, EMBEDDING_BAG)
