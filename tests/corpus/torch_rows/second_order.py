"""Backward passes in PyTorch that are differentiated again, and those of complex numbers."""

from collections.abc import Callable
from typing import Any

from tests.corpus.case import Row
from tests.corpus.torch_rows.backward_passes import (
    DOUBLE,
    X,
    agrees,
    fails,
    imprecise,
    in_place,
    passes,
    rule,
    saving,
    stops,
    tripled,
)
from tests.torch_installed import torch

torch.manual_seed(1)
THREE = torch.tensor([0.5, -1.0, 2.0], dtype=DOUBLE)
Z = torch.randn(4, dtype=torch.complex128)
UNIT = torch.tensor([0.6, -0.8], dtype=DOUBLE)
SHIFT = torch.tensor([0.1, -0.2, 0.3, -5.0], dtype=DOUBLE)


def of_tanh(_: Any, y: Any, d: Any) -> Any:
    return d * (1 - y * y)


def raising_with_graph(x: Any, y: Any, d: Any) -> Any:
    if torch.is_grad_enabled():
        raise RuntimeError("no graph here")
    return of_tanh(x, y, d)


def mod_relu(z: Any, b: Any) -> Any:
    """relu(|z| + b)·z/|z|, of a complex z and a real b."""
    return torch.relu(z.abs() + b) * z / z.abs()


def of_mod_relu(z: Any, b: Any, _: Any, c: Any) -> Any:
    size = z.abs()
    active, unit = (size + b > 0).to(size.dtype), z / size
    along = (c * unit.conj()).real
    return active * ((1 + b / size) * c - b / size * along * unit), active * along


def of_the_size(z: Any, b: Any, _: Any, c: Any) -> Any:
    active = (z.abs() + b > 0).to(b.dtype)
    return active * (1 + b / z.abs()) * c, active * (c * (z / z.abs()).conj()).real


def product(second: Callable[[Any], Any]) -> Any:
    """Return the rule of a product, with what the second gradient has of the first factor."""
    return saving(lambda x, y: x * y, lambda x, y, _, d: (d * y.conj(), d * second(x)))


TANH = saving(lambda x: x.tanh(), of_tanh)
#: PyTorch's derivative of expm1 is its result plus 1, of which little is left at -30.
EXCESS = saving(lambda x: 1e-20 * (x.exp() - x), lambda x, _, d: d * 1e-20 * torch.expm1(x))

CASES = [
    *passes("second order", THREE, order=2)(
        *[
            fails(
                name,
                saving(lambda x: x.tanh(), wrong),
                "disagree at second order: x: 3 of 3 elements",
            )
            for name, wrong in (
                ("by a detached result", lambda x, y, d: of_tanh(x, y.detach(), d)),
                ("without a graph", torch.no_grad()(of_tanh)),
                ("of a detached cotangent", lambda x, y, d: of_tanh(x, y, d.detach())),
            )
        ],
        *[
            agrees(f"right, {name}", right, "; at second order, too", "itself by power")
            for name, right in (
                ("by hand", TANH),
                ("a product", lambda x: x.prod() * x),
                ("with rounded constants", torch.nn.functional.gelu),
                ("detached, which is held constant", lambda x: x * x.detach()),
            )
        ],
        stops(
            "no graph",
            saving(lambda x: x.tanh(), raising_with_graph),
            "RuntimeError: no graph here",
        ),
    ),
    *passes("second order, written in place", X, order=2)(
        agrees("right", rule(tripled, lambda _, dy: 3 * dy), "; at second order, too"),
        stops("differentiable once", in_place(tripled), "is marked once_differentiable"),
    ),
    *passes("second order by a reference", THREE, reference=torch.tanh, order=2)(
        agrees("right", TANH, "; at second order, too")
    ),
    *passes("digits lost at second order", THREE - 30, order=2)(
        agrees("right", EXCESS, "agree: ", "imprecise at second order: x: 3 of 3 elements")
    ),
    *passes("digits lost at second order, strict", THREE - 30, strict=True, order=2)(
        imprecise("right", EXCESS, "imprecise at second order: x: 3 of 3 elements")
    ),
    *passes("second order of two", THREE, THREE + 1, order=2)(
        fails("detached in one of them", product(torch.detach), "disagree at second order: ")
    ),
    *[
        case
        for kind in (torch.complex64, torch.complex128)
        for case in passes(f"a product, {kind}", Z[:3].to(kind), Z[1:].to(kind), points=1)(
            agrees("right", product(torch.conj)), fails("no conjugate", product(torch.clone))
        )
    ],
    *passes("a complex activation with a real bias", Z, SHIFT, points=2)(
        Row("right", saving(mod_relu, of_mod_relu), "z.real", "z.imag"),
        Row("of the size alone", saving(mod_relu, of_the_size)),
    ),
    *passes("a complex sine", Z.conj())(
        agrees("right, by autograd", torch.sin),
        fails(
            "in the convention of JAX",
            saving(lambda x: x.sin(), lambda z, _, c: c * torch.cos(z)),
            "PyTorch's is that of its rules: take the conjugate",
        ),
    ),
]
