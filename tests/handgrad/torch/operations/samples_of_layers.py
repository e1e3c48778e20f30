"""Calls of losses, normalisations, convolutions, poolings, and of what moves elements."""

from typing import Any

from tests.handgrad.torch.operations.samples import (
    IMAGE,
    LABELS,
    MASK,
    PLACES,
    ROWS,
    TABLE,
    VECTOR,
    on,
    where_positive,
)
from tests.torch_installed import torch

F: Any = torch.nn.functional
S: Any = torch.special
POSITIVE_PAIR = where_positive((5,), (3, 5))
PAIRED = on((3, 5), (3, 5))
TARGETS = torch.tensor([[0.0, 1.0, 1.0, 0.0, 1.0]] * 3)


def _trained(x: Any, weight: Any, bias: Any) -> Any:
    mean, variance = x.new_zeros(3), x.new_ones(3)
    out = F.batch_norm(x, mean, variance, weight, bias, training=True)
    return out, mean, variance


LOSSES = {
    "mse_loss": PAIRED(F.mse_loss),
    "l1_loss": PAIRED(lambda x, y: F.l1_loss(x, y, reduction="sum")),
    "smooth_l1_loss": PAIRED(lambda x, y: F.smooth_l1_loss(x, y, beta=0.5)),
    "huber_loss": PAIRED(lambda x, y: F.huber_loss(x, y, reduction="none", delta=0.7)),
    "cross_entropy": TABLE(lambda x: F.cross_entropy(x, LABELS)),
    "cross_entropy, weights, one ignored": on((3, 5), (5,))(
        lambda x, w: F.cross_entropy(x, LABELS, w.detach().abs(), ignore_index=0)
    ),
    "label smoothing": TABLE(lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.1)),
    "cross_entropy with probabilities": TABLE(lambda x: F.cross_entropy(x, TARGETS)),
    "nll_loss, all": TABLE(lambda x: F.nll_loss(x, LABELS, reduction="none", ignore_index=2)),
    "nll_loss of an image": on((2, 3, 1, 3))(lambda x: F.nll_loss(x, PLACES[:, None])),
    "binary_cross_entropy": where_positive((3, 5))(
        lambda x: F.binary_cross_entropy(x, TARGETS.to(x.dtype))
    ),
    "binary cross-entropy of logits": on((3, 5), (5,))(
        lambda x, w: F.binary_cross_entropy_with_logits(
            x, TARGETS.to(x.dtype), pos_weight=w.detach().exp()
        )
    ),
    "kl_div": PAIRED(lambda x, y: F.kl_div(x, y.softmax(1), reduction="batchmean")),
    "poisson_nll_loss": TABLE(lambda x: F.poisson_nll_loss(x, TARGETS)),
    "gaussian_nll_loss": TABLE(lambda x: F.gaussian_nll_loss(x, TARGETS, TARGETS + 0.5)),
    "soft_margin_loss": TABLE(lambda x: F.soft_margin_loss(x, 2 * TARGETS - 1)),
    "multi_margin_loss": TABLE(lambda x: F.multi_margin_loss(x, LABELS)),
    "hinge_embedding_loss": TABLE(lambda x: F.hinge_embedding_loss(x, 2 * TARGETS - 1)),
    "cosine_similarity": PAIRED(F.cosine_similarity),
    "triplet_margin_loss": on((3, 5), (3, 5), (3, 5))(F.triplet_margin_loss),
}

LOSSES["ctc_loss"] = on((5, 2, 4))(
    lambda x: F.ctc_loss(
        x.log_softmax(2), torch.tensor([1, 3, 3]), (5, 4), (1, 2), reduction="none"
    )
)
LOSSES["ctc_loss, none reached"] = on((3, 2, 4))(
    lambda x: F.ctc_loss(
        x.log_softmax(2),
        torch.tensor([[3, 3], [1, 2]]),
        (2, 3),
        (2, 2),
        reduction="sum",
        zero_infinity=True,
    )
)

NORMALISATIONS = {
    "layer_norm": on((3, 5), (5,), (5,))(lambda x, w, b: F.layer_norm(x, (5,), w, b)),
    "rms_norm": on((3, 5), (5,))(lambda x, w: F.rms_norm(x, (5,), w)),
    "group_norm": on((2, 4, 3), (4,), (4,))(lambda x, w, b: F.group_norm(x, 2, w, b)),
    "batch_norm": on((5, 3, 2), (3,), (3,))(_trained),
    "batch_norm in evaluation": on((5, 3, 2), (3,))(
        lambda x, w: F.batch_norm(x, x.new_zeros(3), x.new_full((3,), 2.0), w)
    ),
    "instance_norm": on((2, 3, 5))(F.instance_norm),
    "normalize": TABLE(F.normalize),
    "local_response_norm": on((2, 3, 5))(lambda x: F.local_response_norm(x, 2)),
}

CONVOLUTIONS = {
    "conv1d": on((2, 3, 7), (5, 3, 2), (5,))(lambda x, w, b: F.conv1d(x, w, b, stride=2)),
    "conv2d": on((2, 4, 5, 7), (6, 2, 3, 2))(
        lambda x, w: F.conv2d(x, w, padding=(1, 0), dilation=(1, 2), groups=2)
    ),
    "conv2d of one, same": on((3, 5, 7), (2, 3, 3, 3))(lambda x, w: F.conv2d(x, w, padding="same")),
    "conv3d": on((1, 2, 3, 4, 5), (3, 2, 2, 2, 2))(F.conv3d),
    "transposed": on((2, 4, 3, 5), (4, 3, 3, 2), (6,))(
        lambda x, w, b: F.conv_transpose2d(x, w, b, (2, 3), (1, 0), (1, 2), groups=2)
    ),
    "avg_pool2d": IMAGE(lambda x: F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True)),
    "avg_pool1d without padding": on((2, 3, 7))(
        lambda x: F.avg_pool1d(x, 3, 2, 1, count_include_pad=False)
    ),
    "max_pool2d": IMAGE(lambda x: F.max_pool2d(x, 2, 2, 1, ceil_mode=True, return_indices=True)),
    "max_pool1d, dilated": on((2, 3, 7))(lambda x: F.max_pool1d(x, 2, 1, dilation=3)),
    "adaptive_avg_pool2d": IMAGE(lambda x: F.adaptive_avg_pool2d(x, (3, 4))),
    "adaptive_max_pool2d": IMAGE(lambda x: F.adaptive_max_pool2d(x, (3, 4))),
    "interpolate, nearest": IMAGE(lambda x: F.interpolate(x, scale_factor=2)),
    "interpolate, bilinear": IMAGE(
        lambda x: F.interpolate(x, size=(3, 4), mode="bilinear", align_corners=False)
    ),
    "unfold, fold": IMAGE(lambda x: F.fold(F.unfold(x, 2), (5, 7), 2)),
    "pixel_shuffle": on((2, 4, 3, 5))(lambda x: F.pixel_shuffle(x, 2)),
    "grid_sample": on((2, 3, 4, 5), (2, 3, 2, 2), low=-0.9, high=0.9)(
        lambda x, grid: F.grid_sample(x, grid, align_corners=False)
    ),
}

INDEXING = {
    "index": TABLE(lambda x: (x[ROWS[:3]], x[:, [0, -1]], x[[0, 2], [1, -2]], x[1:, ::2])),
    "a mask": TABLE(lambda x: (x[MASK], x[MASK.any(1)], x.masked_select(MASK))),
    "index_select": TABLE(lambda x: x.index_select(-1, LABELS)),
    "gather": TABLE(lambda x: (x.gather(1, PLACES), x.gather(0, PLACES), x.take(LABELS))),
    "scatter": on((3, 5), (2, 3))(
        lambda x, y: (x.scatter(0, PLACES[:1], y[:1]), x.scatter(1, PLACES, 9.0))
    ),
    "scatter_add": on((3, 5), (2, 3))(lambda x, y: x.scatter_add(1, PLACES, y)),
    "scatter_reduce": on((3, 5), (2, 3))(
        lambda x, y: [
            x.scatter_reduce(1, PLACES, y, how, include_self=own)
            for how, own in (("sum", False), ("prod", True), ("mean", False), ("amax", True))
        ]
    ),
    "index_add": on((3, 5), (4, 5))(lambda x, y: x.index_add(0, ROWS, y, alpha=2)),
    "index_copy, index_fill": on((3, 5), (2, 5))(
        lambda x, y: (x.index_copy(0, ROWS[:2], y), x.index_fill(1, LABELS, 0.5))
    ),
    "index_put": on((3, 5), (3,))(
        lambda x, y: (
            x.index_put((LABELS % 3,), y[:, None]),
            x.index_put((ROWS[:3],), y[:, None], True),
        )
    ),
    "embedding": on((3, 5))(lambda w: F.embedding(ROWS, w, padding_idx=0)),
    "embedding_bag": on((3, 5))(
        lambda w: [
            F.embedding_bag(ROWS, w, torch.tensor([0, 1, 1]), mode=mode)
            for mode in ("sum", "mean", "max")
        ]
    ),
    "weighted embedding_bag": on((3, 5), (2, 2))(
        lambda w, s: F.embedding_bag(ROWS.view(2, 2), w, per_sample_weights=s, mode="sum")
    ),
    "one_hot": TABLE(lambda x: x @ F.one_hot(LABELS, 5).to(x.dtype).T),
    "searchsorted": VECTOR(lambda x: torch.searchsorted(x.sort()[0], x, right=True)),
}


def _listed(x: Any, y: Any) -> Any:
    made = [x * 1, y * 2]
    torch._foreach_add_(made, [y, x], alpha=0.5)
    torch._foreach_mul_(made, 3.0)
    return torch._foreach_norm(made), torch._foreach_sqrt([x.exp(), y.exp()])


SHAPES = {
    "lists": PAIRED(_listed),
    "views": TABLE(lambda x: (x.view(5, 3), x.T, x[None].expand(2, -1, 5), x.unsqueeze(-1))),
    "parts": TABLE(lambda x: (*x.split(2, 1), *x.chunk(2), *x.unbind(0), x.narrow(1, 1, 3))),
    "diagonals": TABLE(lambda x: (x.diagonal(1), x.diag_embed(1), x.tril(1), x.triu(-1))),
    "unfold": TABLE(lambda x: x.unfold(1, 3, 2)),
    "cat, stack": PAIRED(lambda x, y: (torch.cat([x, y], -1), torch.stack([x, y], 1))),
    "joined dtypes": TABLE(lambda x: torch.cat([x, LABELS[:, None], MASK], 1)),
    "flip, roll": TABLE(lambda x: (x.flip(0, 1), x.roll(2), x.roll((1, -2), (0, 1)), x.rot90())),
    "repeat": TABLE(lambda x: (x.repeat(2, 1, 3), x.repeat_interleave(2, 1), x.tile(2))),
    "pad": on((2, 3, 5))(
        lambda x: [
            F.pad(x, (1, -1, 2, 0), value=0.5),
            *(F.pad(x, (2, 1), mode=mode) for mode in ("reflect", "replicate", "circular")),
        ]
    ),
    "sort": TABLE(lambda x: (*x.sort(1), *x.sort(0, descending=True), *x.topk(2, largest=False))),
    "ranks": TABLE(lambda x: (*x.median(1), x.median(), *x.kthvalue(2, 0), x.quantile(0.3, 1))),
    "meshgrid": on((3,), (5,))(lambda x, y: torch.meshgrid(x, y, indexing="ij")),
    "conversions": TABLE(lambda x: (x.float(), x.long(), x.bool(), x.half(), x.to(torch.bfloat16))),
    "of its form": TABLE(
        lambda x: (x.new_full((2,), 0.5), torch.ones_like(x), x.new_zeros(2) + x[0, 0])
    ),
}


# Calls that are met less often, several of a kind together.


def _far(x: Any) -> Any:
    return torch.where(x.abs() > 1, x.sign() * float("inf"), x)


FURTHER = {
    "powers and logarithms": where_positive((5,))(
        lambda x: (x.exp2(), x.expm1(), x.log2(), x.sqrt(), x.square(), x.reciprocal(), 2.5**x)
    ),
    "hyperbolic functions": where_positive((5,))(
        lambda x: (x.sinh(), x.cosh(), x.asinh(), (x + 1).acosh(), x.atanh())
    ),
    "angles": on((5,))(lambda x: (x.deg2rad(), x.rad2deg(), x.sinc(), x.erfc())),
    "Bessel functions": where_positive((5,))(lambda x: (S.i0e(x), S.i1(x), S.i1e(x))),
    "normal distribution": where_positive((5,))(
        lambda x: (S.ndtri(x), S.log_ndtr(x), S.entr(x), S.ndtr(x))
    ),
    "of two": POSITIVE_PAIR(
        lambda x, y: (S.xlog1py(x, y), torch.logaddexp2(x, y), torch.hypot(x, y), x.dist(y))
    ),
    "gamma functions": POSITIVE_PAIR(
        lambda x, y: (
            torch.igamma(x.detach(), y),
            torch.igammac(x.detach(), y),
            torch.mvlgamma(x + 1, 2),
            S.zeta(x.detach() + 2, y.detach()),
        )
    ),
    # PyTorch's slope is 0 where the exponent is a negative integer.
    "powers of two": on((5,))(lambda x: torch.ldexp(x, torch.tensor([1, 2, 0, 3, 1]))),
    "choices": on((5,), (3, 5))(
        lambda x, y: (torch.fmax(x, y), torch.fmin(x, y), torch.copysign(x, y), x.clamp_max(y))
    ),
    "by sign": on((5,))(
        lambda x: (
            x.detach().heaviside(x.detach()[:1]),
            x.signbit(),
            x.sgn(),
            F.threshold(x, 0.5, -1.0),
        )
    ),
    "infinities": on((5,))(
        lambda x: (_far(x).isinf(), _far(x).isposinf(), _far(x).isneginf(), x.log().isnan())
    ),
    "whole numbers": on((5,), (3, 5))(
        lambda x, y: [
            f((5 * x).long(), (5 * y).long() * 2 + 21)
            for f in (torch.floor_divide, torch.remainder, torch.fmod, torch.gcd, torch.lcm)
        ]
    ),
    "bits": on((5,))(
        lambda x: [
            f((9 * x).long(), 3) for f in (torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor)
        ]
    ),
    "shifted bits": on((5,))(lambda x: ((9 * x).long() << 2, (9 * x).long() >> 1, ~(x > 0))),
    "reductions": TABLE(
        lambda x: (x.log().nansum(0), *torch.std_mean(x, 1), x.max(), x.min(), x[:, :3].trace())
    ),
    "pools of volumes": on((1, 2, 4, 5, 3))(
        lambda x: (
            F.avg_pool3d(x, 2, 1, 1, divisor_override=5),
            F.max_pool3d(x, (2, 3, 1), 2, (1, 1, 0)),
            F.adaptive_avg_pool3d(x, (2, 3, 2)),
            F.adaptive_max_pool3d(x, (2, 3, 2)),
        )
    ),
    "sums of products": on((3, 2), (4, 3, 5), (4, 5, 2))(
        lambda a, x, y: (torch.addbmm(a, x, y, beta=0.5), torch.addmv(a[:, 0], x[0], y[0, :, 0]))
    ),
    "distances of rows": on((4, 3))(lambda x: (F.pdist(x), torch.vdot(x[0], x[1]))),
    "written elements": on((3, 5), (5,))(
        lambda x, y: (
            x.select_scatter(y, 0, 1),
            x.slice_scatter(y[:2].expand(3, 2), 1, 1, 5, 2),
            x.diagonal_scatter(y[:3], 1),
            x.put(LABELS, y[:3], accumulate=True),
            x.masked_scatter(MASK, torch.cat([y, y])),
        )
    ),
    "scattered and multiplied": on((3, 5))(
        lambda x: x.detach().scatter(1, PLACES, 0.5, reduce="multiply")
    ),
    "LU": on((3, 3), (3, 2))(
        lambda a, b: (*torch.linalg.lu(a), torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b))
    ),
    "triangles": on((3, 3), (3, 2))(
        lambda a, b: (
            torch.linalg.solve_triangular(
                a.tril() + 3 * torch.eye(3), b.mT, upper=False, left=False
            ),
            torch.cholesky_inverse(a.tril() + 3 * torch.eye(3)),
        )
    ),
    "ranges": TABLE(
        lambda x: (
            torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])),
            torch.isin(x.round(), LABELS),
        )
    ),
    "blocks": TABLE(lambda x: (torch.block_diag(x, x[0]), x.split([1, 4], 1), x[:1].squeeze(0))),
    "images": on((2, 4, 3, 5))(
        lambda x: (
            F.pad(x, (1, 2, 2, 1), mode="reflect"),
            F.pad(x, (1, 2, 2, 1), mode="replicate"),
            F.channel_shuffle(x, 2),
            F.pixel_unshuffle(x[..., :2, :4], 2),
        )
    ),
    "margins": TABLE(
        lambda x: F.multilabel_margin_loss(
            x, torch.tensor([[2, 0, -1, 1, 1], [4, -1, 0, 0, 0], [-1, 1, 1, 1, 1]])
        )
    ),
}
