"""Forward passes in PyTorch that cannot be traced, or are judged by a reference, or refused."""

import ctypes
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from tests.corpus.torch_rows.backward_passes import (
    MASK,
    NORM,
    ONCE,
    RIGHT,
    WEIGHT,
    X,
    agrees,
    dropout,
    fails,
    passes,
    rule,
    saving,
    squared,
    stops,
    unknown,
)
from tests.corpus.torch_rows.second_order import TANH, THREE, UNIT, of_tanh
from tests.torch_installed import torch


def out_of_sight(x: Any, w: Any) -> Any:
    """x² + xw by code that no tracer sees, as a kernel's."""
    x, w = x.detach().numpy(), w.detach().numpy()
    return torch.from_numpy(x**2 + x * w)


def copied(x: Any) -> Any:
    y = torch.empty_like(x)
    ctypes.memmove(y.data_ptr(), x.data_ptr(), x.numel() * x.element_size())
    return y


def power(x: Any, n: Any) -> Any:
    """A number of a tensor without gradient is known."""
    return x ** n.item() if n.item() else x


def branching(x: Any) -> Any:
    return 2 * x if x.sum() > 0 else x


def sampled(x: Any) -> Any:
    return x * torch.multinomial(x.abs(), 2).sum()


def of_its_class(x: Any) -> Any:
    return x * (1 if type(x) is torch.Tensor else 1 + 1e-9)


def masked(ctx: Any, x: Any, generator: Any = None) -> Any:
    kept = (torch.rand(x.shape, generator=generator) > 0.5).to(x.dtype)
    ctx.save_for_backward(kept)
    return x * kept


SEEN = saving(out_of_sight, lambda x, w, _, dy: (dy * (2 * x + w), dy * x))
COPY = saving(copied, lambda x, y, dy: dy)
MASKED = rule(masked, lambda ctx, dy: (dy * ctx.saved_tensors[0], None))
REFERENCES: dict[str, Callable[..., Any]] = {
    "PyTorch": lambda x, w: x.pow(2) + torch.mul(x, w),
    "JAX": lambda x, w: jnp.square(x) + jnp.multiply(x, w),
    "NumPy": lambda x, w: np.square(x) + np.multiply(x, w),
}

CASES = [
    *[
        case
        for name, reference in REFERENCES.items()
        for case in passes(f"by a reference in {name}", X[0], WEIGHT, reference=reference)(
            agrees("right", SEEN),
            fails("a term is missing", saving(out_of_sight, lambda x, w, _, d: (d * 2 * x, d * x))),
        )
    ],
    *passes("by a reference of other values", X[0], WEIGHT, reference=lambda x, w: x * x + w)(
        fails("right", SEEN, "output", kinds=("loss-value",))
    ),
    *passes("a copy by a reference", X, reference=torch.clone)(agrees("right", COPY)),
    *passes("not traced", X[0])(
        stops("by addresses", COPY, "data_ptr", "reference=", "untraced.py, line "),
        stops("by memory", lambda x: (x.untyped_storage(), x * 2)[1], "kernel outside of PyTorch"),
        stops("a sample", sampled, "torch.multinomial(x.abs(), 2): ", "or give reference=, a "),
        stops(
            "a branch", branching, "forward: ", "x.sum() > 0", "torch.where", "; give reference="
        ),
        stops(
            "of a class", saving(of_its_class, lambda x, _, d: d * (1 + 1e-9)), "another function"
        ),
    ),
    *passes("a power", X, torch.tensor(3))(
        agrees("right", saving(power, lambda x, n, _, dy: (dy * n * x ** (n - 1), None)))
    ),
    *[
        case
        for f, at, options, says in (
            (3, (X,), {}, "F: got 3, expected a torch.autograd.Function"),
            (RIGHT, (X,), {}, "F: missing a required argument: 'weight'"),
            (rule(torch.tanh, of_tanh), (X,), {}, "F: tanh.forward has no signature, which"),
            (torch.argmax, (X,), {}, "requires grad, expected"),
            (torch.sin, (torch.arange(3),), {}, "got no tensor of floats"),
            (
                torch.sin,
                (X,),
                {"times": 0.5},
                "times: no option of check_function; if it is an arg",
            ),
            (torch.sin, (X[0],), {"cotangent": X[0, :3]}, "cotangent: got (3,), expected (5,)"),
            (squared(2), (X[0],), {"points": [X[0]]}, "points[0]: got "),
            (dropout(1), (X, MASK, 0.25), {"wrt": 2}, "wrt: got 2, expected names or positions"),
            (ONCE, NORM, {"order": 2}, "layer_norm is marked once_differentiable"),
            (TANH, (THREE,), {"order": 0}, "order: got 0, expected 1 or 2"),
            (
                TANH,
                (UNIT,),
                {"order": 2, "domain": "unit sphere"},
                "got 2 and domain='unit sphere'",
            ),
            (
                SEEN,
                (X[0], WEIGHT),
                {"reference": lambda x, w: (x + w).sum()},
                "reference: got shape",
            ),
            (SEEN, (X[0], WEIGHT), {"reference": lambda x, w: (x, w)}, "reference: got 2 outputs"),
        )
        for case in passes(f"refused, {says}", *at, **options)(stops("whichever", f, says))
    ],
    *passes("a module", X)(
        agrees(
            "right", torch.nn.BatchNorm1d(5).double(), "parameters of BatchNorm1d are not judged"
        )
    ),
    *passes("a random mask", X[0])(
        unknown("no function", MASKED, "forward is not a function of its arguments")
    ),
    *passes("a random mask of a generator", X[0], torch.Generator().manual_seed(0), points=1)(
        agrees("right", MASKED)
    ),
]
