"""Calls of PyTorch's functions that are met less often, several of a kind together."""

from typing import Any

from tests.handgrad.torch.operations.samples import LABELS, MASK, PLACES, on, where_positive
from tests.torch_installed import torch

F: Any = torch.nn.functional
S: Any = torch.special
PAIR = where_positive((5,), (3, 5))
TABLE = on((3, 5))
VOLUME = on((1, 2, 4, 5, 3))


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
    "of two": PAIR(
        lambda x, y: (S.xlog1py(x, y), torch.logaddexp2(x, y), torch.hypot(x, y), x.dist(y))
    ),
    "gamma functions": PAIR(
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
    "pools of volumes": VOLUME(
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
