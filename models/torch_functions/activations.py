"""Activations: SwiGLU, and softplus with β and a threshold."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, torch, wide


class SwiGLU(torch.autograd.Function):
    """silu(gate) · up; saves both and computes σ again."""

    @staticmethod
    def forward(ctx: Any, gate: Any, up: Any) -> Any:
        ctx.save_for_backward(gate, up)
        a = wide(gate)
        sigma = torch.sigmoid(a)
        silu = a * sigma
        return (silu * wide(up)).to(gate.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        gate, up = ctx.saved_tensors
        dgate = dup = None
        g, a, b = wide(dy), wide(gate), wide(up)
        sigma = torch.sigmoid(a)
        silu = a * sigma
        # y = silu up
        if ctx.needs_input_grad[1]:
            dup = (g * silu).to(up.dtype)
        if ctx.needs_input_grad[0]:
            # silu = a σ(a)
            dgate = (g * b * (sigma + silu * (1 - sigma))).to(gate.dtype)
        return dgate, dup


def swiglu_reference(gate: Any, up: Any) -> Any:
    """The same in torch's own operations."""
    return torch.nn.functional.silu(gate) * up


SWIGLU = Model(
    *("swiglu", OF_TORCH, swiglu_reference, SwiGLU),
    {
        "ordinary": lambda rng: (2 * normal(rng, 5, 7), normal(rng, 5, 7)),
        "saturated": lambda rng: (8 * normal(rng, 3, 2, 5), normal(rng, 3, 2, 5)),
    },
    {
        "silu-as-sigmoid": Slip(
            "silu′ taken as σ",
            ("sigma + silu * (1 - sigma)", "sigma"),
            kinds="activation-derivative missing-factor",
            lines=("silu = a * sigma", "sigma = "),
        ),
        "sigmoid-derivative": Slip(
            "σ(1 - σ) for silu′",
            ("sigma + silu * (1 - sigma)", "sigma * (1 - sigma)"),
            kinds="activation-derivative",
            lines=("silu = a * sigma", "sigma = "),
        ),
        "plus": Slip(
            "silu′ as σ(1 + a(1 + σ))",
            ("silu * (1 - sigma)", "silu * (1 + sigma)"),
            kinds="activation-derivative",
            lines=("silu = a * sigma", "sigma = "),
        ),
        "exchanged": Slip(
            "the two gradients exchanged",
            ("return dgate, dup", "return dup, dgate"),
            kinds="exchanged",
        ),
        "up-missing": Slip(
            "up is missing in dgate", ("g * b * (", "g * ("), kinds="missing-factor"
        ),
        "gate-missing": Slip(
            "σ for silu in dup",
            "dup = (g * sigma).to(up.dtype)",
            kinds="missing-factor activation-derivative",
        ),
    },
    {
        "in-its-format": in_its_format(SwiGLU, "the gate"),
        "factored": Slip(
            "silu′ as σ(1 + a(1 - σ))",
            ("(sigma + silu * (1 - sigma))", "sigma * (1 + a * (1 - sigma))"),
        ),
        "other-tail": Slip("1 - σ(a) as σ(-a)", ("silu * (1 - sigma)", "silu * torch.sigmoid(-a)")),
    },
)


class Softplus(torch.autograd.Function):
    """log(1 + e^(βx))/β, and x where βx is above the threshold."""

    @staticmethod
    def forward(ctx: Any, x: Any, beta: float, threshold: float) -> Any:
        ctx.save_for_backward(x)
        ctx.beta, ctx.threshold = beta, threshold
        t = beta * wide(x)
        curved = torch.log1p(torch.exp(t)) / beta
        return torch.where(t > threshold, wide(x), curved).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        # y = log(1 + e^t)/β, t = βx
        t = ctx.beta * wide(x)
        slope = torch.sigmoid(t)
        slope = torch.where(t > ctx.threshold, torch.ones_like(slope), slope)
        return (wide(dy) * slope).to(x.dtype), None, None


def softplus_reference(x: Any, beta: float, threshold: float) -> Any:
    """The same by torch's own softplus."""
    return torch.nn.functional.softplus(x, beta, threshold)


SOFTPLUS = Model(
    *("softplus", OF_TORCH, softplus_reference, Softplus),
    {
        "ordinary": lambda rng: (3 * normal(rng, 5, 13), 1.5, 4.0),
        "far out": lambda rng: (12 * normal(rng, 7, 3), 1.0, 20.0),
    },
    {
        "beta-inside": Slip(
            "β is missing within σ",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(wide(x))"),
            kinds="activation-derivative missing-factor constant",
            lines=("curved = ", "t = beta"),
        ),
        "beta-outside": Slip(
            "the 1/β is forgotten",
            ("torch.sigmoid(t)\n", "ctx.beta * torch.sigmoid(t)\n"),
            kinds="factor missing-factor constant activation-derivative",
            lines=("curved = ", "t = beta"),
        ),
        "threshold-ignored": Slip(
            "σ above the threshold as well",
            ("torch.where(t > ctx.threshold, torch.ones_like(slope), slope)", "slope"),
            kinds="activation-derivative",
            lines=("torch.where(t > threshold",),
        ),
        "threshold-of-x": Slip(
            "x, not βx, held against the threshold",
            ("where(t > ctx.threshold", "where(wide(x) > ctx.threshold"),
            kinds="activation-derivative constant missing-factor",
            lines=("torch.where(t > threshold", "t = beta"),
        ),
        "sigmoid-derivative": Slip(
            "σ(1 - σ) for σ",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(t) * torch.sigmoid(-t)"),
            kinds="activation-derivative",
            lines=("curved = ",),
        ),
        "other-side": Slip(
            "σ(-βx) for σ(βx)",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(-t)"),
            kinds="activation-derivative sign",
            lines=("curved = ",),
        ),
    },
    {
        "in-its-format": in_its_format(Softplus, "x"),
        "by-exponential": Slip(
            "σ as 1/(1 + e^-t)", ("slope = torch.sigmoid(t)", "slope = 1 / (1 + torch.exp(-t))")
        ),
        "by-output": Slip(
            "σ as 1 - e^-(log(1 + e^t))",
            ("slope = torch.sigmoid(t)", "slope = -torch.expm1(-torch.logaddexp(t, 0 * t))"),
        ),
    },
)

FUNCTIONS = (SWIGLU, SOFTPLUS)
