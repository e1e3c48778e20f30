"""SwiGLU: SiLU of a gate times what goes up, from one product or from two."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


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


def reference(gate: Any, up: Any) -> Any:
    """The same in torch's own operations."""
    return torch.nn.functional.silu(gate) * up


FUNCTION = Model(
    *("swiglu", OF_TORCH, reference, SwiGLU),
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
