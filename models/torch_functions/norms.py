"""Normalisations: of layers, by the root mean square, of groups of channels."""

from functools import partial
from typing import Any

import numpy as np

from models.model import Slip, named
from models.torch_functions.function import in_its_format, normal, of_torch, torch

functional = torch.nn.functional


def scale_and_shift(rng: np.random.Generator, n: int) -> Any:
    return 1 + normal(rng, n) / 3, normal(rng, n)


def normalised(z: Any, axes: Any, eps: float) -> Any:
    """Return z less its mean along axes, over σ; and the mean and 1/σ."""
    mean = z.mean(dim=axes, keepdim=True)
    centred = z - mean
    variance = centred.square().mean(dim=axes, keepdim=True)
    rstd = torch.rsqrt(variance + eps)
    return centred * rstd, (mean, rstd)


def normalised_backward(dxhat: Any, xhat: Any, rstd: Any, axes: Any) -> Any:
    # xhat = centred rstd, centred = z - mean, rstd = 1/√(mean of centred² + eps)
    through_mean = dxhat.mean(dim=axes, keepdim=True)
    through_rstd = xhat * (dxhat * xhat).mean(dim=axes, keepdim=True)
    return (dxhat - through_mean - through_rstd) * rstd


#: In the normalisation of layers and of groups.
MEAN_TERM = {
    "mean-term: nothing comes back through the mean": named(
        "", ("- through_mean ", ""), lines=("mean = z.mean", "centred = z - mean")
    )
}


def layer_norm(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Layer normalisation; keeps the mean and 1/σ of each row, float32 for half precision."""
    xhat, kept = normalised(x, -1, eps)
    return xhat * weight + bias, kept


def layer_norm_backward(dy: Any, mean: Any, rstd: Any, x: Any, weight: Any, *_: Any) -> Any:
    rows = tuple(range(x.dim() - 1))
    # y = xhat weight + bias, xhat = (x - mean) rstd
    xhat = (x - mean) * rstd
    dbias = dy.sum(dim=rows)
    dweight = (dy * xhat).sum(dim=rows)
    dxhat = dy * weight
    dx = normalised_backward(dxhat, xhat, rstd, -1)
    return dx, dweight, dbias


LAYER_NORM = of_torch(
    *("layer-norm", layer_norm, layer_norm_backward),
    lambda x, weight, bias, eps: functional.layer_norm(x, x.shape[-1:], weight, bias, eps),
    {
        "ordinary": lambda rng: (2 * normal(rng, 3, 5, 7) + 0.5, *scale_and_shift(rng, 7), 1e-5),
        "far from 0": lambda rng: (normal(rng, 5, 11) + 20, *scale_and_shift(rng, 11), 1e-5),
    },
    {
        **MEAN_TERM,
        "variance-term: nothing comes back through 1/σ": named(
            "", (" - through_rstd)", ")"), lines=("variance = ", "rstd = ", "return centred * rstd")
        ),
        "rstd-once: the factor 1/σ is missing in dx": named(
            "missing-factor", ("_rstd) * rstd", "_rstd)")
        ),
        "weight-in-dx: the weight is missing in dx": named("missing-factor", "dxhat = dy"),
        "sample-variance: 1/(n - 1) for the variance's 1/n": named(
            "constant factor",
            "through_rstd = xhat * (dxhat * xhat).sum(dim=-1, keepdim=True) / (xhat.shape[-1] - 1)",
            lines=("variance = ",),
        ),
        "eps-outside: 1/σ is computed again with ε outside the root": named(
            "constant",
            "rstd = 1 / ((x - mean).square().mean(dim=-1, keepdim=True).sqrt() + 1e-5)\n"
            "xhat = (x - mean) * rstd",
            lines=("rstd = ",),
        ),
        "wrong-axes: dweight summed over the wrong axes": named(
            "axis shape", "dweight = (dy * xhat).sum(dim=(0, -1))"
        ),
    },
    {
        "in-its-format": in_its_format("x"),
        "recomputed: the mean is computed again": (
            "mean = x.mean(dim=-1, keepdim=True)\nxhat = (x - mean) * rstd"
        ),
        "one-sum: dx as (n dxhat - Σ dxhat - xhat Σ dxhat xhat) / (n σ)": [
            "n = xhat.shape[-1]\nthrough_mean = dxhat.sum(dim=axes, keepdim=True)",
            ("(dxhat * xhat).mean(", "(dxhat * xhat).sum("),
            (
                "(dxhat - through_mean - through_rstd) * rstd",
                "(n * dxhat - through_mean - through_rstd) * (rstd / n)",
            ),
        ],
    },
)


def rms_norm(x: Any, weight: Any, eps: float, offset: float) -> Any:
    """x / √(mean x² + ε) · (offset + weight); keeps 1/√(...) of each row."""
    square = x.square().mean(dim=-1, keepdim=True)
    rstd = torch.rsqrt(square + eps)
    xhat = x * rstd
    scale = offset + weight
    return xhat * scale, (rstd,)


def rms_norm_backward(dy: Any, rstd: Any, x: Any, weight: Any, eps: float, offset: float) -> Any:  # noqa: ARG001 (mistakes take eps)
    xhat = x * rstd
    # y = xhat scale, scale = offset + weight
    dxhat = dy * (offset + weight)
    dweight = (dy * xhat).flatten(0, -2).sum(dim=0)
    # xhat = x rstd, rstd = 1/√(mean x² + eps)
    along = (dxhat * xhat).mean(dim=-1, keepdim=True)
    dx = rstd * (dxhat - xhat * along)
    return dx, dweight


through_rms = partial(named, lines=("square = ", "rstd = ", "xhat = x * rstd"))

RMS_NORM = of_torch(
    *("rms-norm", rms_norm, rms_norm_backward),
    lambda x, weight, eps, offset: functional.rms_norm(x, x.shape[-1:], offset + weight, eps),
    {
        "ordinary": lambda rng: (normal(rng, 3, 5, 11), normal(rng, 11) / 3, 1e-6, 1.0),
        "small": lambda rng: (normal(rng, 7, 5) / 50, 1 + normal(rng, 5) / 3, 1e-6, 0.0),
    },
    {
        "rms-term: nothing comes back through 1/rms": through_rms("", "dx = rstd * dxhat"),
        "rstd-once: x for x/rms in the term through 1/rms": through_rms(
            "missing-factor", "dx = rstd * (dxhat - x * along)"
        ),
        "weight-in-sum: the weight is missing in the sum along the row": named(
            "missing-factor", "along = (dy * xhat).mean(dim=-1, keepdim=True)"
        ),
        "offset: the weight's offset is forgotten": named(
            "constant", "dxhat = dy * weight", lines=("scale = ",)
        ),
        "eps: 1/rms is computed again without ε": named(
            "constant",
            "rstd = torch.rsqrt(x.square().mean(dim=-1, keepdim=True))\nxhat = x * rstd",
            lines=("rstd = ",),
        ),
        "sum-for-mean: the sum along a row for its mean": named(
            "factor reduction constant",
            "along = (dxhat * xhat).sum(dim=-1, keepdim=True)",
            lines=("square = ",),
        ),
    },
    {
        "in-its-format": in_its_format("x"),
        "recomputed: 1/rms is computed again": (
            "rstd = (x.square().mean(dim=-1, keepdim=True) + eps).sqrt().reciprocal()\n"
            "xhat = x * rstd"
        ),
        "cubed: dx as dxhat/rms - z Σ dxhat z / (n rms³)": [
            "along = (dxhat * x).sum(dim=-1, keepdim=True)",
            "dx = rstd * dxhat - rstd**3 / x.shape[-1] * along * x",
        ],
    },
)


def group_norm(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    """Normalises groups of channels; keeps the mean and 1/σ of each group."""
    found, kept = normalised(x.unflatten(1, (groups, -1)), (2, 3), eps)
    xhat = found.flatten(1, 2)
    y = xhat * weight[:, None] + bias[:, None]
    return y, kept


def group_norm_backward(
    dy: Any, mean: Any, rstd: Any, x: Any, weight: Any, _: Any, groups: int, *__: Any
) -> Any:
    # y = xhat weight + bias, xhat = (z - mean) rstd, z = x by groups
    xhat = (x.unflatten(1, (groups, -1)) - mean) * rstd
    dbias = dy.sum(dim=(0, 2))
    dweight = (dy * xhat.flatten(1, 2)).sum(dim=(0, 2))
    dxhat = (dy * weight[:, None]).unflatten(1, (groups, -1))
    dx = normalised_backward(dxhat, xhat, rstd, (2, 3)).flatten(1, 2)
    return dx, dweight, dbias


of_statistics = partial(named, lines=("mean = z.mean", "variance = ", "rstd = "))

GROUP_NORM = of_torch(
    *("group-norm", group_norm, group_norm_backward),
    lambda x, weight, bias, groups, eps: functional.group_norm(x, groups, weight, bias, eps),
    {
        "ordinary": lambda rng: (2 * normal(rng, 3, 4, 5) + 1, *scale_and_shift(rng, 4), 2, 1e-5),
        "nearly constant": lambda rng: (
            *(normal(rng, 2, 6, 5) / 100 + 1, *scale_and_shift(rng, 6), 3, 1e-3),
        ),
    },
    {
        "statistics-of-all: the means of a whole example for those of its groups": of_statistics(
            "axis", ("rstd, (2, 3))", "rstd, (1, 2, 3))")
        ),
        "statistics-of-batch: the means of the batch for those of an example": of_statistics(
            "axis", ("rstd, (2, 3))", "rstd, (0, 2, 3))")
        ),
        "count-without-channels": Slip(
            "divided by the positions, not by those of all channels of a group",
            "through_rstd = xhat * (dxhat * xhat).sum(dim=axes, keepdim=True) / xhat.shape[3]",
            kinds="factor constant",
            lines=("variance = ", "rstd = "),
        ),
        **MEAN_TERM,
        "not-normalised: dweight with x in place of what is normalised": named(
            "operand missing-factor activation-derivative",
            "dweight = (dy * x).sum(dim=(0, 2))",
            lines=("xhat = found", "y = xhat * weight"),
        ),
        "weight-in-dx: the weight is missing in dx": named(
            "missing-factor", "dxhat = dy.unflatten(1, (groups, -1))"
        ),
    },
    {
        "in-its-format": in_its_format("x"),
        "sums-by-channel: sums over positions first, then over the channels of a group": [
            "each = dxhat.sum(dim=3, keepdim=True)\n"
            "through_mean = each.mean(dim=2, keepdim=True) / xhat.shape[3]",
            "each = (dxhat * xhat).mean(dim=3, keepdim=True)\n"
            "through_rstd = xhat * each.mean(dim=2, keepdim=True)",
        ],
        "affine: dx as a number times g, a number times x, and a number, as kernels fuse it": (
            "b = -(dxhat * xhat).mean(dim=(2, 3), keepdim=True) * rstd**2\n"
            "c = -dxhat.mean(dim=(2, 3), keepdim=True) * rstd - b * mean\n"
            "dx = (dxhat * rstd + b * x.unflatten(1, (groups, -1)) + c).flatten(1, 2)"
        ),
    },
)

FUNCTIONS = (LAYER_NORM, RMS_NORM, GROUP_NORM)
