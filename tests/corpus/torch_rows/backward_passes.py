"""Backward passes of `torch.autograd.Function`, as people write them: right, and wrong."""

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.torch import check_function
from tests.corpus.case import Row, cases
from tests.torch_installed import torch

torch.manual_seed(0)
DOUBLE = torch.float64
X, WEIGHT, BIAS = (torch.randn(*shape, dtype=DOUBLE) for shape in ((3, 5), (5,), (5,)))
POSITIVE = X[0].abs() + 0.5


def rule(forward: Callable[..., Any], backward: Callable[..., Any], **more: Any) -> Any:
    """Return the class that has these passes."""
    members = {"forward": forward, "backward": backward, **more}
    static = {name: staticmethod(member) for name, member in members.items()}
    return type(forward.__name__, (torch.autograd.Function,), static)


def saved(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward pass, of a function of what was saved and of the cotangents."""
    return lambda ctx, *d: backward(*ctx.saved_tensors, *d)


# Layer norm: what a backward pass returns, and what it does to its cotangent.

NORM = (X, WEIGHT, BIAS, 1e-5)


def layer_norm(ctx: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    mean = x.mean(-1, keepdim=True)
    rstd = (x.var(-1, keepdim=True, unbiased=False) + eps).rsqrt()
    normalised = (x - mean) * rstd
    ctx.save_for_backward(normalised, rstd, weight)
    return normalised * weight + bias


def of_norm(ctx: Any, dy: Any, normalised: Any = None) -> Any:
    kept, rstd, weight = ctx.saved_tensors
    normalised = kept if normalised is None else normalised
    dn = dy * weight
    centred = dn - dn.mean(-1, keepdim=True)
    dx = rstd * (centred - normalised * (dn * normalised).mean(-1, keepdim=True))
    return dx, (dy * normalised).sum(0), dy.sum(0), None


def without_projection(ctx: Any, dy: Any) -> Any:
    _, rstd, weight = ctx.saved_tensors
    dn = dy * weight
    return rstd * (dn - dn.mean(-1, keepdim=True)), *of_norm(ctx, dy)[1:]


def returning(change: Callable[..., Any]) -> Any:
    """Return the rule of layer norm, with other gradients in place of (dx, dw, db)."""
    return rule(layer_norm, lambda ctx, dy: change(dy, *of_norm(ctx, dy)[:3]))


def of_cotangent(change: Callable[[Any], Any]) -> Any:
    """Return the rule of layer norm, whose backward pass changes the cotangent first."""
    return rule(layer_norm, lambda ctx, dy: of_norm(ctx, change(dy)))


def contiguous(dy: Any) -> Any:
    if not dy.is_contiguous():
        raise AssertionError
    return dy


def from_memory(dy: Any) -> Any:
    """As if it were contiguous, as kernels do."""
    flat = dy.as_strided((dy.numel(),), (1,)) if dy.stride(-1) else dy.contiguous()
    return flat.reshape(dy.shape)


def ignoring_expansion(dy: Any) -> Any:
    if 0 not in dy.stride():
        return dy
    return torch.cat([dy.as_strided((1,), (1,)), dy.new_zeros(dy.numel() - 1)]).view(dy.shape)


def zeroing_cotangent(ctx: Any, dy: Any) -> Any:
    found = of_norm(ctx, dy)
    dy.zero_()
    return found


def doubling_what_is_saved(ctx: Any, dy: Any) -> Any:
    found = of_norm(ctx, dy)
    ctx.saved_tensors[0].data.mul_(2)
    return found


KEPT: dict[str, Any] = {}


def kept_outside(ctx: Any, *args: Any) -> Any:
    y = layer_norm(ctx, *args)
    KEPT["normalised"] = ctx.to_save[0]
    return y


def accumulating(ctx: Any, dy: Any) -> Any:
    dx, dw, db, _ = of_norm(ctx, dy)
    before = KEPT.get("db")
    KEPT["db"] = db if before is None or before.shape != db.shape else before + db
    return dx, dw, KEPT["db"], None


def needs_exchanged(ctx: Any, dy: Any) -> Any:
    """`needs_input_grad` is taken in another order."""
    dx, dw, db, _ = of_norm(ctx, dy)
    x, b, w, _ = ctx.needs_input_grad
    return dx if x else None, dw if w else None, db if b else None, None


def freed(ctx: Any, *args: Any) -> Any:
    ctx.kept = [args]
    return layer_norm(ctx, *args)


def freeing(ctx: Any, dy: Any) -> Any:
    ctx.kept.pop()
    return of_norm(ctx, dy)


RIGHT = returning(lambda dy, dx, dw, db: (dx, dw, db, None))


def norm_in_a_tree(pair: Any, more: Any) -> Any:
    y = RIGHT.apply(pair["x"], pair["w"], more[0], 1e-5)
    return {"y": y, "sum": y.sum()}


# Dropout, whose mask has no gradient.

MASK = torch.tensor([[1.0, 0, 1, 1, 0]], dtype=DOUBLE).expand(3, 5)


def dropout(ctx: Any, x: Any, kept: Any, rate: float) -> Any:
    ctx.save_for_backward(kept)
    ctx.rate = rate
    return x * kept / (1 - rate)


DROPOUT = rule(dropout, lambda ctx, d: (d * ctx.saved_tensors[0] / (1 - ctx.rate), None, None))
TWICE = rule(dropout, lambda ctx, d: (d * ctx.saved_tensors[0] / (1 - ctx.rate) ** 2, None, None))


# Polar coordinates: two outputs, of which one may have no cotangent.


def polar(ctx: Any, x: Any, y: Any) -> Any:
    ctx.save_for_backward(x, y)
    ctx.set_materialize_grads(False)
    return (x * x + y * y).sqrt(), y / x


def of_polar(x: Any, y: Any, dr: Any, dt: Any) -> Any:
    r = (x * x + y * y).sqrt()
    dx, dy = (0, 0) if dr is None else (dr * x / r, dr * y / r)
    return (dx, dy) if dt is None else (dx - dt * y / (x * x), dy + dt / x)


NEEDS_BOTH = rule(polar, saved(lambda x, y, dr, dt: of_polar(x, y, dr * 1, dt * 1)))


def nothing_alone(x: Any, y: Any, dr: Any, dt: Any) -> Any:
    return (None, None) if dr is None else of_polar(x, y, dr, dt)


# Sorting: values and places, None, and a copy without gradient.


def ordered(ctx: Any, x: Any) -> Any:
    values, places = x.sort(dim=-1)
    copy = values.detach() * 2
    ctx.mark_non_differentiable(places, copy)
    ctx.save_for_backward(places)
    return values, places, None, copy


def scattered(places: Any, d: Any, *_: Any) -> Any:
    return torch.zeros_like(d).scatter(-1, places, d)


# Squares, with `setup_context`, and functions that write.


def squared(x: Any, times: float) -> Any:
    return times * x * x


def set_up(ctx: Any, inputs: Any, _: Any) -> None:
    ctx.save_for_backward(inputs[0])
    ctx.times = inputs[1]


def squares(factor: float) -> Any:
    def backward(ctx: Any, dy: Any) -> Any:
        return factor * ctx.times * dy * ctx.saved_tensors[0], None

    return rule(squared, backward, setup_context=set_up)


SQUARES = squares(2)


def squared_again(ctx: Any, x: Any) -> Any:
    ctx.save_for_backward(x)
    return x * x


def times_in_place(ctx: Any, x: Any, factor: float) -> Any:
    ctx.factor = factor
    x.mul_(factor)
    ctx.mark_dirty(x)
    return x


def times_unsaid(ctx: Any, x: Any, factor: float) -> Any:
    ctx.factor = factor
    return x.mul_(factor).clone()


@torch.autograd.function.once_differentiable
def times_back(ctx: Any, dy: Any) -> Any:
    return dy * ctx.factor, None


def exponential(ctx: Any, x: Any) -> Any:
    ctx.save_for_backward(x)
    return x.exp()


def sigmoid(ctx: Any, x: Any) -> Any:
    s = torch.sigmoid(x)
    ctx.save_for_backward(s)
    return s


# What no tracer sees, as a kernel: x² + xw.


def out_of_sight(ctx: Any, x: Any, w: Any) -> Any:
    ctx.save_for_backward(x, w)
    x, w = x.detach().numpy(), w.detach().numpy()
    return torch.from_numpy(x**2 + x * w)


SEEN = rule(out_of_sight, saved(lambda x, w, dy: (dy * (2 * x + w), dy * x)))
SEEN_WRONG = rule(out_of_sight, saved(lambda x, w, dy: (dy * 2 * x, dy * x)))

REFERENCES: dict[str, Callable[..., Any]] = {
    "PyTorch": lambda x, w: x.pow(2) + torch.mul(x, w),
    "JAX": lambda x, w: jnp.square(x) + jnp.multiply(x, w),
    "NumPy": lambda x, w: np.square(x) + np.multiply(x, w),
}


def copied(_: Any, x: Any) -> Any:
    y = torch.empty_like(x)
    ctypes.memmove(y.data_ptr(), x.data_ptr(), x.numel() * x.element_size())
    return y


COPY = rule(copied, lambda ctx, dy: dy)


def power(ctx: Any, x: Any, n: Any) -> Any:
    """A number of a tensor without gradient is known."""
    ctx.save_for_backward(x)
    ctx.n = n.item()
    return x**ctx.n if ctx.n else x


def of_power(ctx: Any, dy: Any) -> Any:
    return dy * ctx.n * ctx.saved_tensors[0] ** (ctx.n - 1), None


def branching(x: Any) -> Any:
    return 2 * x if x.sum() > 0 else x


def sampled(x: Any) -> Any:
    return x * torch.multinomial(x.abs(), 2).sum()


def of_its_class(_: Any, x: Any) -> Any:
    return x * (1 if type(x) is torch.Tensor else 1 + 1e-9)


def with_hooks(x: Any) -> Any:
    y = x * 2
    if y.requires_grad:
        y.retain_grad()
        y.register_hook(print).remove()
    return y


class OfList(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parts: Any) -> Any:
        return parts[0] * 2

    @staticmethod
    def backward(ctx: Any, *dy: Any) -> Any:
        return None


# Random numbers.


def masked(ctx: Any, x: Any, generator: Any = None) -> Any:
    kept = (torch.rand(x.shape, generator=generator) > 0.5).to(x.dtype)
    ctx.save_for_backward(kept)
    return x * kept


MASKED = rule(masked, lambda ctx, dy: (dy * ctx.saved_tensors[0], None))


# Second order: a backward pass that is right, and whose derivative is not.

THREE = torch.tensor([0.5, -1.0, 2.0], dtype=DOUBLE)


def tanh(ctx: Any, x: Any) -> Any:
    y = torch.tanh(x)
    ctx.y = y.detach()
    ctx.save_for_backward(y)
    return y


def of_tanh(y: Any, d: Any) -> Any:
    return d * (1 - y * y)


TANH = rule(tanh, saved(of_tanh))


def raising_with_graph(ctx: Any, d: Any) -> Any:
    out = saved(of_tanh)(ctx, d)
    if out.requires_grad:
        raise RuntimeError("no graph here")
    return out


def product(ctx: Any, x: Any, y: Any, power: int = 0) -> Any:  # noqa: ARG001
    ctx.save_for_backward(x, y)
    return x * y


HALF_DETACHED = rule(product, saved(lambda x, y, d: (d * y, d * x.detach(), None)))


@jax.custom_jvp
def constant_slope(x: Any) -> Any:
    return x * x


@constant_slope.defjvp
def _(at: Any, along: Any) -> Any:
    return constant_slope(*at), 2 * lax.stop_gradient(at[0]) * along[0]


def excess(ctx: Any, x: Any) -> Any:
    """PyTorch's derivative of expm1 is its result plus 1, of which little is left at -30."""
    ctx.save_for_backward(x)
    return 1e-20 * (torch.exp(x) - x)


EXCESS = rule(excess, saved(lambda x, d: d * 1e-20 * torch.expm1(x)))


# Complex numbers.

COMPLEX = torch.complex128
Z = torch.randn(4, dtype=COMPLEX)
SHIFT = torch.tensor([0.1, -0.2, 0.3, -5.0], dtype=DOUBLE)


def mod_relu(ctx: Any, z: Any, b: Any) -> Any:
    """relu(|z| + b)·z/|z|, of a complex z and a real b."""
    ctx.save_for_backward(z, b)
    return torch.relu(z.abs() + b) * z / z.abs()


def of_mod_relu(z: Any, b: Any, c: Any) -> Any:
    size = z.abs()
    active, unit = (size + b > 0).to(size.dtype), z / size
    along = (c * unit.conj()).real
    return active * ((1 + b / size) * c - b / size * along * unit), active * along


def of_the_size(z: Any, b: Any, c: Any) -> Any:
    active = (z.abs() + b > 0).to(b.dtype)
    return active * (1 + b / z.abs()) * c, active * (c * (z / z.abs()).conj()).real


def sine(ctx: Any, z: Any) -> Any:
    ctx.save_for_backward(z)
    return torch.sin(z)


agrees, fails = partial(Row, verdict="agree"), partial(Row, verdict="disagree")
REFUSED: dict[str, Any] = {"verdict": "raised"}
stops = partial(Row, verdict="raised")


def passes(name: str, *at: Any, **options: Any) -> Any:
    """Return what makes cases of classes, judged at the given point unless more are asked for."""
    return cases(name, check_function, None, *at, **{"points": 0, **options})


CASES = [
    *passes("layer norm", *NORM, points=1)(
        Row("right", RIGHT, blame=None),
        Row("right, not summed over rows", returning(lambda dy, dx, dw, db: (dx, dw, dy, None))),
        Row("right, freed after the pass", rule(freed, freeing)),
        Row("a term is missing", rule(layer_norm, without_projection), "x: 15 of 15 elements"),
        Row(
            "a mean for a sum",
            returning(lambda dy, dx, dw, db: (dx, dw, dy.mean(0), None)),
            "bias: 5 of 5 elements",
            kinds=("factor",),
        ),
        Row(
            "exchanged",
            returning(lambda dy, dx, dw, db: (dx, db, dw, None)),
            "weight",
            kinds=("exchanged",),
        ),
        Row(
            "None for the bias",
            returning(lambda dy, dx, dw, db: (dx, dw, None, None)),
            "backward returned None for bias; if that is meant",
            kinds=("zero",),
        ),
        fails(
            "one too few",
            returning(lambda dy, *grads: grads),
            "returned 3 gradients, expected 4, one for each argument of forward: x, weight, bias",
            kinds=("structure",),
        ),
        fails(
            "one of a number",
            returning(lambda dy, *grads: (*grads, dy.sum())),
            "a gradient for eps, which is no tensor; expected None",
            kinds=("structure",),
        ),
        fails(
            "a list",
            returning(lambda dy, dx, dw, db: (dx, dw, db.tolist(), None)),
            "bias: got list, expected a tensor or None",
            kinds=("structure",),
        ),
        fails(
            "a row less",
            returning(lambda dy, dx, dw, db: (dx[1:], dw, db, None)),
            "x: got shape (2, 5), expected (3, 5)",
            kinds=("shape",),
        ),
        Row(
            "in float32",
            returning(lambda dy, dx, dw, db: (dx.float(), dw, db, None)),
            "backward returned float32 for x, which is float64",
            verdict="imprecise",
        ),
        fails("the cotangent is clipped", of_cotangent(lambda dy: dy.clamp(-100, 100))),
        fails(
            "the cotangent is zeroed afterwards",
            rule(layer_norm, zeroing_cotangent),
            "cotangent: backward wrote to it",
            kinds=("mutation",),
        ),
        fails(
            "added to the last call's", rule(layer_norm, accumulating), kinds=("not-repeatable",)
        ),
        fails(
            "a view of the cotangent",
            of_cotangent(lambda dy: dy.view(-1).view(dy.shape)),
            "disagree where the cotangent is not contiguous: backward raised RuntimeError",
        ),
        fails(
            "a contiguous cotangent is asserted",
            of_cotangent(contiguous),
            "where the cotangent is not contiguous: backward raised AssertionError (tests",
        ),
        fails(
            "the cotangent's memory is read in order",
            of_cotangent(from_memory),
            "disagree where the cotangent is not contiguous: bias: 5 of 5 elements",
        ),
        fails(
            "the expansion of the cotangent is ignored",
            of_cotangent(ignoring_expansion),
            "disagree where the cotangent is expanded, as of output.sum(): bias: 5",
        ),
        fails(
            "what is saved is written to",
            rule(layer_norm, doubling_what_is_saved),
            "disagree in a second pass through the same graph",
        ),
        fails(
            "what is saved is kept beside the class",
            rule(kept_outside, lambda ctx, dy: of_norm(ctx, dy, KEPT["normalised"])),
            "disagree where it is called again, at other values",
        ),
        fails(
            "what needs a gradient is in another order",
            rule(layer_norm, needs_exchanged),
            "disagree where weight alone requires grad",
            "backward returned None for weight",
        ),
    ),
    *passes("layer norm in bfloat16", *[a.bfloat16() for a in NORM[:3]], 1e-5)(
        agrees("right", RIGHT),
        fails("a term is missing", rule(layer_norm, without_projection), "x: "),
    ),
    *passes("layer norm, apply", *NORM)(agrees("right", RIGHT.apply)),
    *passes("layer norm of a tree", {"x": X, "w": WEIGHT}, [BIAS])(
        agrees("right", norm_in_a_tree, "pair['w']", "pair['x']", "more[0]")
    ),
    *passes("dropout", X, MASK, 0.25)(fails("the mask has none", DROPOUT, "None for kept")),
    *passes("dropout of x alone", X, MASK, 0.25, wrt="x")(
        agrees("right", DROPOUT), fails("scaled twice", TWICE, "x: ", kinds=("factor",))
    ),
    *passes("dropout of the first", X, MASK, 0.25, wrt=[0])(agrees("right", DROPOUT)),
    *passes("polar coordinates", POSITIVE, X[1], points=2)(
        Row("right", rule(polar, saved(of_polar)), blame=None),
        fails(
            "both cotangents are needed",
            NEEDS_BOTH,
            "disagree where output[0] alone is used: backward raised TypeError",
        ),
        fails(
            "nothing without the first cotangent",
            rule(polar, saved(nothing_alone)),
            "disagree where output[1] alone is used: ",
        ),
    ),
    *passes("sorted", X)(
        Row("right", rule(ordered, saved(scattered)), blame=None),
        Row("in the order of the result", rule(ordered, saved(lambda places, d, *_: d))),
        stops(
            "no output has a gradient",
            rule(lambda ctx, x: x.argmax(-1), saved(scattered)),
            "requires grad, expected",
        ),
    ),
    *passes("squares", X[0], 0.5, points=2)(
        Row("right", SQUARES, blame=None),
        Row("half of it", squares(1), "x: ", kinds=("factor",)),
        Row("half of it, in a closure", lambda x, times: squares(1).apply(x, times), "x: "),
    ),
    *passes("squares weighed", X[0], 0.5, cotangent=torch.ones(5), points=[(X[1], 0.5)])(
        agrees("right", SQUARES)
    ),
    *passes("squares in bfloat16", X[0], 0.5, computed_in="bfloat16")(agrees("right", SQUARES)),
    *passes("squares in float16", X[0].half())(
        agrees(
            "right, in float16",
            rule(squared_again, saved(lambda x, dy: (2 * x * dy).half())),
            never=("backward returned",),
        )
    ),
    *passes("written in place", X, 3.0)(
        agrees("right", rule(times_in_place, times_back), blame=None),
        fails(
            "not said", rule(times_unsaid, times_back), "x: ", "ctx.mark_dirty", kinds=("mutation",)
        ),
    ),
    *passes("backward writes", X)(
        fails(
            "to an input",
            rule(exponential, saved(lambda x, dy: dy * x.data.exp_())),
            "x: backward wrote to it",
            kinds=("mutation",),
        ),
        fails(
            "to an output",
            rule(sigmoid, saved(lambda s, ds: ds * s.data.mul_(1 - s))),
            "output: backward wrote to it",
            kinds=("mutation",),
        ),
    ),
    *passes("saturated", torch.tensor([0.5, 31.0], dtype=DOUBLE))(
        Row(
            "digits are lost",
            rule(sigmoid, saved(lambda s, ds: ds * s * (1 - s))),
            "the formula is right",
            verdict="imprecise",
        )
    ),
    # Forward passes that cannot be traced.
    *[
        case
        for name, reference in REFERENCES.items()
        for case in passes(f"by a reference in {name}", X[0], WEIGHT, reference=reference)(
            agrees("right", SEEN), fails("a term is missing", SEEN_WRONG, "x: 5 of 5")
        )
    ],
    *[
        case
        for name, reference, says, due in (
            (
                "value",
                lambda x, w: x**2 + x * w * (x > 1),
                "output",
                {"verdict": "disagree", "kinds": ("loss-value",)},
            ),
            ("shape", lambda x, w: (x + w).sum(), "reference: got shape ", REFUSED),
            (
                "number of outputs",
                lambda x, w: (x, w),
                "reference: got 2 outputs, expected 1",
                REFUSED,
            ),
        )
        for case in passes(f"by a reference of another {name}", X[0], WEIGHT, reference=reference)(
            Row("right", SEEN, says, **due)
        )
    ],
    *passes("out of sight", X[0], WEIGHT)(
        stops("right", SEEN, "backward_passes.py, line ", "reference=")
    ),
    *passes("a copy", X)(
        stops("right, by addresses", COPY, "data_ptr", "reference=", "backward_passes.py, line ")
    ),
    *passes("a copy by a reference", X, reference=torch.clone)(agrees("right, by addresses", COPY)),
    *passes("not traced", X[0])(
        stops(
            "a sample",
            sampled,
            "torch.multinomial(x.abs(), 2): aten.multinomial.default is not covered; "
            "write this with other operations of PyTorch or give reference=, a ",
        ),
        stops(
            "a branch",
            branching,
            "forward: ",
            "x.sum() > 0 needs",
            "torch.where",
            "; give reference=, a ",
        ),
        stops(
            "another function",
            rule(of_its_class, lambda ctx, dy: dy * (1 + 1e-9)),
            "forward: output[",
            "JAX traces another function: it gives ",
        ),
        stops("by memory", lambda x: (x.untyped_storage(), x * 2)[1], "kernel outside of PyTorch"),
    ),
    *passes("hooks", X)(agrees("right, with one that is removed", with_hooks)),
    *passes("a power", X, torch.tensor(3))(
        agrees("right, by a number of a tensor", rule(power, of_power))
    ),
    *[
        case
        for name, f, at, options, says in (
            ("a list", OfList, ([X],), {}, "no output of OfList requires grad"),
            ("a number", 3, (X,), {}, "F: got 3, expected a torch.autograd.Function"),
            ("too few", RIGHT, (X,), {}, "F: missing a required argument: 'weight'"),
            (
                "a keyword",
                SQUARES,
                (X[0],),
                {"times": 0.5},
                "times: no option of check_function; if",
            ),
            ("whole numbers", SQUARES, (torch.arange(3), 1), {}, "got no tensor of floats"),
            (
                "a shorter cotangent",
                SQUARES,
                (X[0], 0.5),
                {"cotangent": torch.ones(3)},
                "cotangent: got (3,), expected (5,)",
            ),
            ("points of one", SQUARES, (X[0], 0.5), {"points": [X[0]]}, "points[0]: got "),
            (
                "an argument that is none",
                DROPOUT,
                (X, MASK, 0.25),
                {"wrt": 2},
                "wrt: got 2, expected names or positions among x, kep",
            ),
            ("order 0", TANH, (THREE,), {"order": 0}, "order: got 0, expected 1 or 2"),
            (
                "order 2 in a domain",
                TANH,
                (torch.tensor([0.6, -0.8]),),
                {"order": 2, "domain": "unit sphere"},
                "got 2 and domain='unit sphere', expected",
            ),
        )
        for case in passes(f"refused, {name}", *at, **options)(stops("right", f, says))
    ],
    *passes("batch norm, a module", X)(
        agrees(
            "right",
            torch.nn.BatchNorm1d(5).double(),
            "parameters of BatchNorm1d are not judged; handgrad.check_gradient judges them",
        )
    ),
    # Random numbers.
    *passes("a random mask", X[0])(
        Row(
            "no function",
            MASKED,
            "forward is not a function of its arguments",
            verdict="undecidable",
        )
    ),
    *passes("a random mask of a generator", X[0], torch.Generator().manual_seed(0), points=1)(
        agrees("right", MASKED)
    ),
    # Second order.
    *passes("second order", THREE, order=2)(
        *[
            fails(name, wrong, "disagree at second order: x: 3 of 3 elements")
            for name, wrong in (
                ("by a detached result", rule(tanh, lambda ctx, d: of_tanh(ctx.y, d))),
                ("without a graph", rule(tanh, torch.no_grad()(saved(of_tanh)))),
                ("of a detached cotangent", rule(tanh, saved(lambda y, d: of_tanh(y, d.detach())))),
            )
        ],
        *[
            agrees(
                f"right, {name}",
                right,
                "; at second order, too",
                "held to differences of slopes by power series",
            )
            for name, right in (
                ("by hand", TANH),
                ("a sine", torch.sin),
                ("a product", lambda x: x.prod() * x),
                ("with rounded constants", torch.nn.functional.gelu),
            )
        ],
        Row(
            "right, with what is detached",
            lambda x: x * x.detach(),
            "undecidable at second order: JAX's derivative of the",
            verdict="undecidable",
        ),
        stops(
            "once differentiable",
            rule(tanh, torch.autograd.function.once_differentiable(saved(of_tanh))),
            "order: backward of tanh is marked once_differentiable",
        ),
        stops(
            "no graph",
            rule(tanh, raising_with_graph),
            "order: PyTorch cannot differentiate the backward pass of tanh: RuntimeError: no graph",
        ),
    ),
    *passes("second order by a reference", THREE, reference=torch.tanh, order=2)(
        agrees("right", TANH, "; at second order, too")
    ),
    *passes("second order by a wrong rule of JAX", THREE, reference=constant_slope, order=2)(
        Row(
            "right",
            lambda x: x * x,
            "undecidable at second order: JAX's derivative of the",
            verdict="undecidable",
        )
    ),
    *passes("digits lost at second order", THREE - 30, order=2)(
        agrees("right", EXCESS, "agree: ", "imprecise at second order: x: 3 of 3 elements")
    ),
    *passes("digits lost at second order, strict", THREE - 30, strict=True, order=2)(
        Row("right", EXCESS, "imprecise at second order: x: 3 of 3 elements", verdict="imprecise")
    ),
    *passes("second order of two", THREE, THREE + 1, 2, order=2)(
        fails("detached in one of them", HALF_DETACHED, "disagree at second order: x: ")
    ),
    *passes("second order of one of two", THREE, THREE + 1, 2, wrt="y", order=2)(
        agrees("right", HALF_DETACHED)
    ),
    # Complex numbers.
    *[
        case
        for kind in (torch.complex64, COMPLEX)
        for case in passes(f"a product, {kind}", Z[:3].to(kind), Z[1:].to(kind), points=1)(
            agrees("right", rule(product, saved(lambda x, y, d: (d * y.conj(), d * x.conj())))),
            fails(
                "no conjugate",
                rule(product, saved(lambda x, y, d: (d * y, d * x.conj()))),
                "x.real",
                "x.imag",
            ),
        )
    ],
    *passes("a complex activation with a real bias", Z, SHIFT, points=2)(
        Row("right", rule(mod_relu, saved(of_mod_relu)), "z.real", "z.imag"),
        Row("of the size alone", rule(mod_relu, saved(of_the_size))),
    ),
    *passes("a complex activation weighed", Z, SHIFT, cotangent=Z + 1j)(
        agrees("right", rule(mod_relu, saved(of_mod_relu)))
    ),
    *passes("a complex sine", Z)(
        fails(
            "in the convention of JAX",
            rule(sine, saved(lambda z, c: c * torch.cos(z))),
            "PyTorch's is that of its rules: take the conjugate",
        )
    ),
    *passes("a conjugate view", Z.conj())(agrees("right", torch.sin)),
]
