"""Of sequences: rotary position embedding, attention, embedding bag."""

from functools import partial
from typing import Any

import numpy as np

from models.model import named
from models.torch_functions.function import in_its_format, normal, of_torch, torch, whole, wide


def turns(x: Any, positions: Any, width: int, base: float) -> Any:
    """Return cosine and sine of the angle of each position and pair of dimensions of x."""
    dtype = wide(x).dtype
    powers = torch.arange(0, width, 2, dtype=dtype) / width
    angle = positions.to(dtype)[:, None, None] * base**-powers
    cos, sin = torch.cos(angle).to(x.dtype), torch.sin(angle).to(x.dtype)
    return cos, sin


def rotary(x: Any, positions: Any, width: int, base: float) -> Any:
    """Turns x (batch, positions, heads, dimensions) by halves; keeps sine and cosine."""
    cos, sin = turns(x, positions, width, base)
    first, second, rest = x.split((width // 2, width // 2, x.shape[-1] - width), dim=-1)
    turned = torch.cat((first * cos - second * sin, first * sin + second * cos, rest), dim=-1)
    return turned, (cos, sin)


def rotary_backward(dy: Any, cos: Any, sin: Any, _: Any, __: Any, width: int, *___: Any) -> Any:
    half = width // 2
    du, dv, drest = dy.split((half, half, dy.shape[-1] - width), dim=-1)
    # u = first cos - second sin, v = first sin + second cos
    dfirst = du * cos + dv * sin
    dsecond = dv * cos - du * sin
    return (torch.cat((dfirst, dsecond, drest), dim=-1),)


def rotary_reference(x: Any, positions: Any, width: int, base: float) -> Any:
    """The same by complex numbers, and in half precision by torch's own operations."""
    cos, sin = turns(x, positions, width, base)
    pairs = x[..., :width].unflatten(-1, (2, width // 2))
    first, second = pairs.unbind(-2)
    turned = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-2)
    return torch.cat((turned.flatten(-2), x[..., width:]), dim=-1)


of_halves = partial(named, lines=("turned = ", "x.split("))

ROTARY = of_torch(
    *("rotary", rotary, rotary_backward, rotary_reference),
    {
        "ordinary": lambda rng: (normal(rng, 2, 5, 3, 7), torch.arange(5), 4, 10_000.0),
        "far positions": lambda rng: (normal(rng, 1, 3, 2, 6), torch.arange(97, 100), 6, 100.0),
    },
    {
        "sine-sign: turned on by the same angle, not back": named(
            "sign",
            "dfirst = du * cos - dv * sin",
            "dsecond = dv * cos + du * sin",
            lines=("first * sin", "sin = ", "angle = "),
        ),
        "one-sine-sign: one sine with the other sign": named(
            "sign", "dsecond = dv * cos + du * sin", lines=("first * sin", "sin = ")
        ),
        "interleaved: pairs of neighbours, not halves, turned back": of_halves(
            "transposed exchanged",
            "turned = torch.stack((dfirst, dsecond), dim=-1).flatten(-2)\n"
            "return (torch.cat((turned, drest), dim=-1),)",
        ),
        "halves-exchanged: the halves put together in the wrong order": of_halves(
            "exchanged", ("(dfirst, dsecond, drest)", "(dsecond, dfirst, drest)")
        ),
        "rest-forgotten: nothing comes back to the dimensions that pass through": of_halves(
            "zero", ("dsecond, drest)", "dsecond, torch.zeros_like(drest))")
        ),
        "other-position: turned back by the angle of the next position": named(
            "index exchanged",
            "cos, sin = torch.roll(cos, -1, 0), torch.roll(sin, -1, 0)\nhalf = width // 2",
            lines=("turned = ", "angle = ", "sin = "),
        ),
    },
    {
        "in-its-format": in_its_format("x", "sine, cosine and products"),
        "rotate-half: g cos - (the halves exchanged, one with a minus) sin": [
            "turned = torch.cat((du, dv), -1) * torch.cat((cos, cos), -1)\n"
            "turned = turned - torch.cat((-dv, du), -1) * torch.cat((sin, sin), -1)\n"
            "dfirst = turned[..., :half]",
            "dsecond = turned[..., half:]",
        ],
        "in-place: written into a copy of what comes back": (
            "dx = dy.clone()\n"
            "dx[..., :half], dx[..., half : 2 * half] = dfirst, dsecond\n"
            "return (dx,)"
        ),
    },
)


def scores_of(q: Any, keys: Any, scale: float, causal: bool) -> Any:
    """Return q keysᵀ scale, -∞ for keys after the query; the last of both are the same token."""
    scores = (q @ keys.mT) * scale
    queries, all_keys = scores.shape[-2:]
    hidden = torch.ones(queries, all_keys, dtype=torch.bool).triu(1 + all_keys - queries)
    return scores.masked_fill(hidden, float("-inf")) if causal else scores


def attention(q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
    """softmax(q kᵀ scale) v; q (batch, heads, queries, width), k and v with fewer heads.

    Keeps the output and the logsumexp of each row.
    """
    group = q.shape[1] // k.shape[1]
    keys = k.repeat_interleave(group, dim=1)
    values = v.repeat_interleave(group, dim=1)
    scores = scores_of(q, keys, scale, causal)
    lse = torch.logsumexp(scores, dim=-1, keepdim=True)
    p = torch.exp(scores - lse)
    out = p @ values
    return out, (out, lse)


def attention_backward(
    dout: Any, out: Any, lse: Any, q: Any, k: Any, v: Any, scale: float, causal: bool
) -> Any:
    group = q.shape[1] // k.shape[1]
    keys, values = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    scores = scores_of(q, keys, scale, causal)
    p = torch.exp(scores - lse)
    # out = p values
    dvalues = p.mT @ dout
    dp = dout @ values.mT
    # p = softmax of scores
    delta = (dout * out).sum(dim=-1, keepdim=True)
    dscores = p * (dp - delta)
    # scores = q keysᵀ scale
    dq = (dscores @ keys) * scale
    dkeys = (dscores.mT @ q) * scale
    # a head of k and v is read by a group of heads of q
    dk = dkeys.unflatten(1, (-1, group)).sum(dim=2)
    dv = dvalues.unflatten(1, (-1, group)).sum(dim=2)
    return dq, dk, dv


def attention_reference(q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
    """The same in torch's own operations, with a softmax."""
    group = q.shape[1] // k.shape[1]
    keys, values = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    return torch.softmax(scores_of(q, keys, scale, causal), dim=-1) @ values


def draw_attention(rng: np.random.Generator) -> Any:
    q, k, v = normal(rng, 1, 4, 3, 5), normal(rng, 1, 2, 7, 5), normal(rng, 1, 2, 7, 5)
    return q, k, v, 5**-0.5, True


def draw_whole(rng: np.random.Generator) -> Any:
    q, k, v = (2 * normal(rng, 2, 1, length, 7) for length in (5, 3, 3))
    return q, k, v, 7**-0.5, False


of_softmax = partial(named, lines=("lse = ", "p = torch.exp"))

ATTENTION = of_torch(
    *("attention", attention, attention_backward, attention_reference),
    {"ordinary": draw_attention, "without a mask": draw_whole},
    {
        "softmax-jacobian: only the diagonal of softmax's Jacobian": of_softmax(
            "activation-derivative", "dscores = p * dp"
        ),
        "mask-in-backward: the causal mask is not applied when p is computed again": named(
            "mask missing-factor", (" if causal", " if False"), lines=("masked_fill",)
        ),
        "scale-in-dk: the scale is missing in dk": named(
            "factor missing-factor", "dkeys = dscores.mT @ q"
        ),
        "scale-twice: the scale twice in dq": named("factor", "dq = (dscores @ keys) * scale**2"),
        "one-of-a-group: dk of the last head of a group, not of all": named(
            "overwritten",
            "dk = dkeys.unflatten(1, (-1, group))[:, :, -1]",
            lines=("keys = k.repeat_interleave",),
        ),
        "delta-by-key: Σ p dp taken along the queries": of_softmax(
            "axis activation-derivative", "delta = (p * dp).sum(dim=-2, keepdim=True)"
        ),
        "group-of-v: heads of dv taken for those of another group": named(
            "transposed axis",
            "dv = dvalues.unflatten(1, (group, -1)).sum(dim=1)",
            lines=("values = v.repeat_interleave",),
        ),
    },
    {
        "in-its-format": in_its_format("q"),
        "softmax: p by softmax, and Σ p dp for Σ g out": [
            "p = torch.exp(scores - scores.logsumexp(-1, keepdim=True))",
            "delta = (p * dp).sum(dim=-1, keepdim=True)",
        ],
        "scaled-queries: the scale is applied to q and to the product's cotangent": [
            ("(q @ keys.mT) * scale", "(q * scale) @ keys.mT"),
            "dscores = scale * p * (dp - delta)",
            "dq = dscores @ keys",
            "dkeys = dscores.mT @ q",
        ],
    },
)


def embedding_bag(table: Any, scales: Any, indices: Any, padding: int, mean: bool) -> Any:
    """Bags of rows of a table, indices (bags, items), each row with a weight of its own."""
    kept = (indices != padding)[..., None]
    rows = table[indices]
    count = kept.sum(dim=1).clamp(min=1) if mean else torch.ones((), dtype=torch.int64)
    weighted = torch.where(kept, rows * scales[..., None], 0.0)
    return weighted.sum(dim=1) / count, (kept, count)


def embedding_bag_backward(
    dy: Any, kept: Any, count: Any, table: Any, scales: Any, indices: Any, *_: Any
) -> Any:
    # y = Σ weighted / count, weighted = row scale of the kept
    dweighted = torch.where(kept, (dy / count)[:, None, :], 0.0)
    drows = dweighted * scales[..., None]
    # rows = table[indices]
    dtable = torch.zeros_like(table).index_put((indices,), drows, accumulate=True)
    dscales = (dweighted * table[indices]).sum(dim=-1)
    return dtable, dscales


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


COUNTED = "weighted.sum(dim=1) / count"

EMBEDDING_BAG = of_torch(
    *("embedding-bag", embedding_bag, embedding_bag_backward, bag_reference),
    {
        "ordinary": draw_bag,
        "sums of many": lambda rng: (
            *(normal(rng, 3, 5), normal(rng, 2, 11), whole(rng, 3, 2, 11), -1, False),
        ),
    },
    {
        "overwritten: rows that are read twice are overwritten": named(
            "overwritten", (", accumulate=True", ""), lines=("rows = table[indices]",)
        ),
        "count-forgotten: the sum's gradient for the mean's": named(
            "missing-factor factor reduction", ("(dy / count)", "dy"), lines=(COUNTED,)
        ),
        "count-of-padding: padding is counted": named(
            "factor constant missing-factor",
            ("dy / count", "dy / indices.shape[1]"),
            lines=(COUNTED, "count = "),
        ),
        "padding-learns: rows of padding get a gradient": named(
            "mask missing-factor",
            "dweighted = (dy / count)[:, None, :].expand(*indices.shape, -1)",
            lines=("weighted = torch.where(kept", "kept = "),
        ),
        "scales-forgotten: the rows' own weights are missing in the table's gradient": named(
            "missing-factor", "drows = dweighted", lines=("weighted = ",)
        ),
        "scales-averaged: averaged, not summed, along the row": named(
            "factor", (".sum(dim=-1)", ".mean(dim=-1)")
        ),
    },
    {
        "in-its-format": in_its_format("the table"),
        "index-add: added row by row": (
            "dtable = torch.zeros_like(table).index_add(0, indices.flatten(), drows.flatten(0, 1))"
        ),
        "product: added by a product with zeros and ones": (
            "hot = torch.nn.functional.one_hot(indices.flatten(), len(table)).to(drows.dtype)\n"
            "dtable = hot.T @ drows.flatten(0, 1)"
        ),
    },
)

FUNCTIONS = (ROTARY, ATTENTION, EMBEDDING_BAG)
