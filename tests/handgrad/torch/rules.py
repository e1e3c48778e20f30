"""Derivative rules as people write them: right, and with the mistakes that they make."""

from types import SimpleNamespace
from typing import Any

from handgrad.program.aten.installed import torch

Tensor = Any


class LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        mean = x.mean(-1, keepdim=True)
        rstd = (x.var(-1, keepdim=True, unbiased=False) + eps).rsqrt()
        normalised = (x - mean) * rstd
        ctx.save_for_backward(normalised, rstd, weight)
        return normalised * weight + bias

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        normalised, rstd, weight = ctx.saved_tensors
        dn = dy * weight
        centred = dn - dn.mean(-1, keepdim=True)
        dx = rstd * (centred - normalised * (dn * normalised).mean(-1, keepdim=True))
        return dx, (dy * normalised).sum(0), dy.sum(0), None


class WithoutProjection(LayerNorm):
    """The term along the normalised values is forgotten."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        normalised, rstd, weight = ctx.saved_tensors
        dn = dy * weight
        dx = rstd * (dn - dn.mean(-1, keepdim=True))
        return dx, (dy * normalised).sum(0), dy.sum(0), None


class MeanOverBatch(LayerNorm):
    """The gradient of the bias is averaged over the batch."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, _, _ = LayerNorm.backward(ctx, dy)
        return dx, dweight, dy.mean(0), None


class Exchanged(LayerNorm):
    """The gradients are returned in another order than the arguments."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, dbias, _ = LayerNorm.backward(ctx, dy)
        return dx, dbias, dweight, None


class TooFew(LayerNorm):
    """No None for the eps."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return LayerNorm.backward(ctx, dy)[:3]


class ForEps(LayerNorm):
    """A gradient for an argument that is no tensor."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return *LayerNorm.backward(ctx, dy)[:3], dy.sum()


class WrongShape(LayerNorm):
    """A gradient of x with one row less."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, *others = LayerNorm.backward(ctx, dy)
        return dx[1:], *others


class NumberForBias(LayerNorm):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, dbias, _ = LayerNorm.backward(ctx, dy)
        return dx, dweight, dbias.tolist(), None


class Unsummed(LayerNorm):
    """The gradient of the bias is not summed over rows, which PyTorch does by itself."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, _, _ = LayerNorm.backward(ctx, dy)
        return dx, dweight, dy, None


class NoneForBias(LayerNorm):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, _, _ = LayerNorm.backward(ctx, dy)
        return dx, dweight, None, None


class InFloat32(LayerNorm):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, *others = LayerNorm.backward(ctx, dy)
        return dx.float(), *others


class Views(LayerNorm):
    """A view of the cotangent, which not every layout allows."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return LayerNorm.backward(ctx, dy.view(-1).view(dy.shape))


class Asserts(LayerNorm):
    """Only of cotangents that lie in memory as a kernel needs them."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        if not dy.is_contiguous():
            raise AssertionError
        return LayerNorm.backward(ctx, dy)


class Memory(LayerNorm):
    """The memory of the cotangent is read as if it were contiguous, as kernels do."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        flat = dy.as_strided((dy.numel(),), (1,)) if dy.stride(-1) else dy.contiguous()
        return LayerNorm.backward(ctx, flat.reshape(dy.shape))


class IgnoresExpansion(LayerNorm):
    """As `Memory`, but right for what is not expanded."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        if 0 in dy.stride():
            dy = torch.cat([dy.as_strided((1,), (1,)), dy.new_zeros(dy.numel() - 1)]).view(dy.shape)
        return LayerNorm.backward(ctx, dy)


class WritesToCotangent(LayerNorm):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        found = LayerNorm.backward(ctx, dy)
        dy.zero_()
        return found


class WritesToSaved(LayerNorm):
    """The second pass through the same graph finds other numbers."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        found = LayerNorm.backward(ctx, dy)
        ctx.saved_tensors[0].data.mul_(2)
        return found


class OnClass(LayerNorm):
    """What backward needs is kept on the class, where the next call writes, too."""

    kept: Any = None

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        y = LayerNorm.forward(ctx, x, weight, bias, eps)
        OnClass.kept = ctx.to_save
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return LayerNorm.backward(SimpleNamespace(saved_tensors=OnClass.kept), dy)


class Accumulates(LayerNorm):
    """A buffer is kept from one call to the next."""

    kept: Any = None

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, dbias, _ = LayerNorm.backward(ctx, dy)
        kept = Accumulates.kept
        Accumulates.kept = dbias if kept is None or kept.shape != dbias.shape else kept + dbias
        return dx, dweight, Accumulates.kept, None


class Clips(LayerNorm):
    """The cotangent is clipped."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return LayerNorm.backward(ctx, dy.clamp(-100, 100))


class NeedsExchanged(LayerNorm):
    """`needs_input_grad` is taken in another order."""

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        dx, dweight, dbias, _ = LayerNorm.backward(ctx, dy)
        for_x, for_bias, for_weight, _ = ctx.needs_input_grad
        return (
            dx if for_x else None,
            dweight if for_weight else None,
            dbias if for_bias else None,
            None,
        )


class Frees(LayerNorm):
    """What was kept is freed, so that a second pass raises, as of a graph that is not retained."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        result = LayerNorm.forward(ctx, x, weight, bias, eps)
        ctx.kept = [x]
        return result

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        ctx.kept.pop()
        return LayerNorm.backward(ctx, dy)


class Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Tensor, rate: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.rate = rate
        return x * kept / (1 - rate)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        (kept,) = ctx.saved_tensors
        return dy * kept / (1 - ctx.rate), None, None


class ScaledTwice(Dropout):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return Dropout.backward(ctx, dy)[0] / (1 - ctx.rate), None, None


class Polar(torch.autograd.Function):
    """Two outputs; a cotangent that is not there is None."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(x, y)
        ctx.set_materialize_grads(False)
        return (x * x + y * y).sqrt(), y / x

    @staticmethod
    def backward(ctx: Any, dr: Any, dt: Any) -> Any:
        x, y = ctx.saved_tensors
        r = (x * x + y * y).sqrt()
        dx = 0 if dr is None else dr * x / r
        dy = 0 if dr is None else dr * y / r
        if dt is not None:
            dx, dy = dx - dt * y / (x * x), dy + dt / x
        return dx, dy


class NeedsBoth(Polar):
    """It raises where one cotangent is missing."""

    @staticmethod
    def backward(ctx: Any, dr: Any, dt: Any) -> Any:
        return Polar.backward(ctx, dr * 1, dt * 1)


class NothingAlone(Polar):
    """It takes a missing cotangent of the first output for both."""

    @staticmethod
    def backward(ctx: Any, dr: Any, dt: Any) -> Any:
        return (None, None) if dr is None else Polar.backward(ctx, dr, dt)


class TopTwo(torch.autograd.Function):
    """Values and their places, which are whole numbers, and a copy without gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        values, places = x.sort(dim=-1)
        copy = values.detach() * 2
        ctx.mark_non_differentiable(places, copy)
        ctx.save_for_backward(places)
        return values, places, None, copy

    @staticmethod
    def backward(ctx: Any, dvalues: Tensor, *_: Any) -> Tensor:
        (places,) = ctx.saved_tensors
        return torch.zeros_like(dvalues).scatter(-1, places, dvalues)


class WithoutScatter(TopTwo):
    @staticmethod
    def backward(ctx: Any, dvalues: Tensor, *_: Any) -> Tensor:
        return dvalues


class TimesInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        x.mul_(factor)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Tensor) -> Any:
        return dy * ctx.factor, None


class NotDirty(TimesInPlace):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        x.mul_(factor)
        return x.clone()


class Squared(torch.autograd.Function):
    """With `setup_context`, as `torch.func` needs it."""

    @staticmethod
    def forward(x: Tensor, times: float) -> Tensor:
        return times * x * x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, ctx.times = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * ctx.times * dy * x, None


class SquaredHalf(Squared):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return ctx.times * dy * x, None


class Sigmoid(torch.autograd.Function):
    """Its derivative loses digits where it is nearly 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = torch.sigmoid(x)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, ds: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return ds * s * (1 - s)


class WritesToInput(torch.autograd.Function):
    """What is needed no more is overwritten, and it is the caller's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return dy * x.data.exp_()


class WritesToOutput(Sigmoid):
    """As `WritesToInput`, with what forward has returned."""

    @staticmethod
    def backward(ctx: Any, ds: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return ds * s.data.mul_(1 - s)


class OutOfSight(torch.autograd.Function):
    """x² + xw by code that no tracer sees, as a kernel's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return torch.from_numpy(x.detach().numpy() ** 2 + x.detach().numpy() * w.detach().numpy())

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, w = ctx.saved_tensors
        return dy * (2 * x + w), dy * x


class OutOfSightWrong(OutOfSight):
    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, _ = ctx.saved_tensors
        return dy * 2 * x, dy * x
