"""Rotary position embedding of the first dimensions of each head; the others pass through."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import normal, wide
from models.torch_functions.installed import torch


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


def reference(x: Any, positions: Any, width: int, base: float) -> Any:
    """The same by complex numbers, and in half precision by torch's own operations."""
    angle = angles(positions, width, base, wide(x).dtype)
    cos, sin = torch.cos(angle).to(x.dtype)[:, None, :], torch.sin(angle).to(x.dtype)[:, None, :]
    pairs = x[..., :width].unflatten(-1, (2, width // 2))
    first, second = pairs.unbind(-2)
    turned = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-2)
    return torch.cat((turned.flatten(-2), x[..., width:]), dim=-1)


FUNCTION = Model(
    *("rotary", OF_TORCH, reference, Rotary),
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
