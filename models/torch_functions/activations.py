"""Activations: SwiGLU, and softplus with β and a threshold."""

from functools import partial
from typing import Any

from models.rows import named
from models.torch_functions.function import in_its_format, normal, of_torch, torch

SLOPE = "activation-derivative"


def swiglu(gate: Any, up: Any) -> Any:
    """silu(gate) · up; σ is computed again on the way back."""
    sigma = torch.sigmoid(gate)
    silu = gate * sigma
    return silu * up, ()


def swiglu_backward(dy: Any, gate: Any, up: Any) -> Any:
    sigma = torch.sigmoid(gate)
    silu = gate * sigma
    # y = silu up
    dup = dy * silu
    # silu = gate σ(gate)
    slope = sigma + silu * (1 - sigma)
    dgate = dy * up * slope
    return dgate, dup


of_silu = partial(named, lines=("silu = gate * sigma", "sigma = "))

SWIGLU = of_torch(
    *("swiglu", swiglu, swiglu_backward),
    lambda gate, up: torch.nn.functional.silu(gate) * up,
    {
        "ordinary": lambda rng: (2 * normal(rng, 5, 7), normal(rng, 5, 7)),
        "saturated": lambda rng: (8 * normal(rng, 3, 2, 5), normal(rng, 3, 2, 5)),
    },
    {
        "silu-as-sigmoid: silu′ taken as σ": of_silu(f"{SLOPE} missing-factor", "slope = sigma"),
        "sigmoid-derivative: σ(1 - σ) for silu′": of_silu(SLOPE, "slope = sigma * (1 - sigma)"),
        "plus: silu′ as σ(1 + a(1 + σ))": of_silu(SLOPE, "slope = sigma + silu * (1 + sigma)"),
        "exchanged: the two gradients exchanged": named("exchanged", "return dup, dgate"),
        "up-missing: up is missing in dgate": named("missing-factor", "dgate = dy * slope"),
        "gate-missing: σ for silu in dup": named(f"missing-factor {SLOPE}", "dup = dy * sigma"),
    },
    {
        "in-its-format": in_its_format("the gate"),
        "factored: silu′ as σ(1 + a(1 - σ))": "dgate = dy * up * sigma * (1 + gate * (1 - sigma))",
        "other-tail: 1 - σ(a) as σ(-a)": "slope = sigma + silu * torch.sigmoid(-gate)",
    },
)


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """log(1 + e^(βx))/β, and x where βx is above the threshold."""
    t = beta * x
    curved = torch.log1p(torch.exp(t)) / beta
    return torch.where(t > threshold, x, curved), ()


def softplus_backward(dy: Any, x: Any, beta: float, threshold: float) -> Any:
    # y = log(1 + e^t)/β, t = βx
    t = beta * x
    sigma = torch.sigmoid(t)
    slope = torch.where(t > threshold, torch.ones_like(t), sigma)
    return (dy * slope,)


of_curve = partial(named, lines=("curved = ",))
of_beta = partial(named, lines=("curved = ", "t = beta"))
CHOICE = "torch.where(t > threshold"

SOFTPLUS = of_torch(
    *("softplus", softplus, softplus_backward, torch.nn.functional.softplus),
    {
        "ordinary": lambda rng: (3 * normal(rng, 5, 13), 1.5, 4.0),
        "far out": lambda rng: (12 * normal(rng, 7, 3), 1.0, 20.0),
    },
    {
        "beta-inside: β is missing within σ": of_beta(
            f"{SLOPE} missing-factor constant", "sigma = torch.sigmoid(x)"
        ),
        "beta-outside: the 1/β is forgotten": of_beta(
            f"factor missing-factor constant {SLOPE}", "sigma = beta * torch.sigmoid(t)"
        ),
        "threshold-ignored: σ above the threshold as well": named(
            SLOPE, "slope = sigma", lines=(CHOICE,)
        ),
        "threshold-of-x: x, not βx, held against the threshold": named(
            f"{SLOPE} constant missing-factor",
            ("(t > threshold", "(x > threshold"),
            lines=(CHOICE, "t = beta"),
        ),
        "sigmoid-derivative: σ(1 - σ) for σ": of_curve(
            SLOPE, "sigma = torch.sigmoid(t) * torch.sigmoid(-t)"
        ),
        "other-side: σ(-βx) for σ(βx)": of_curve(f"{SLOPE} sign", "sigma = torch.sigmoid(-t)"),
    },
    {
        "in-its-format": in_its_format("x"),
        "by-exponential: σ as 1/(1 + e^-t)": "sigma = 1 / (1 + torch.exp(-t))",
        "by-output: σ as 1 - e^-(log(1 + e^t))": "sigma = -torch.expm1(-torch.logaddexp(t, 0 * t))",
    },
)

FUNCTIONS = (SWIGLU, SOFTPLUS)
