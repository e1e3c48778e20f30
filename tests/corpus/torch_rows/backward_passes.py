"""Backward passes of `torch.autograd.Function`, as people write them: right, and wrong."""

from collections.abc import Callable
from functools import partial
from typing import Any

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


def saving(function: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """Return the class of a function whose tensors, and what it returns, are saved."""

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*[x for x in inputs if isinstance(x, torch.Tensor)], output)

    of_saved = lambda ctx, *d: backward(*ctx.saved_tensors, *d)  # noqa: E731
    return rule(function, of_saved, setup_context=setup_context)


# Layer norm: what a backward pass returns, and what it does to its cotangent.

NORM = (X, WEIGHT, BIAS, 1e-5)
KEPT: dict[str, Any] = {}


def layer_norm(ctx: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    mean = x.mean(-1, keepdim=True)
    ctx.eps = eps
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


def returning(change: Callable[..., Any]) -> Any:
    """Return the rule of layer norm, with other gradients in place of (dx, dw, db)."""
    return rule(layer_norm, lambda ctx, dy: change(dy, *of_norm(ctx, dy)[:3]))


def of_cotangent(change: Callable[[Any], Any]) -> Any:
    """Return the rule of layer norm, whose backward pass changes the cotangent first."""
    return rule(layer_norm, lambda ctx, dy: of_norm(ctx, change(dy)))


def without_projection(ctx: Any, dy: Any) -> Any:
    _, rstd, weight = ctx.saved_tensors
    dn = dy * weight
    return rstd * (dn - dn.mean(-1, keepdim=True)), *of_norm(ctx, dy)[1:]


def contiguous(dy: Any) -> Any:
    if not dy.is_contiguous():
        raise AssertionError
    return dy


def from_memory(dy: Any) -> Any:
    """As if it were contiguous, as kernels do."""
    flat = dy.as_strided((dy.numel(),), (1,)) if dy.stride(-1) else dy.contiguous()
    return flat.reshape(dy.shape)


def unexpanded(dy: Any) -> Any:
    if 0 not in dy.stride():
        return dy
    return torch.cat([dy.as_strided((1,), (1,)), dy.new_zeros(dy.numel() - 1)]).view(dy.shape)


def then(write: Callable[..., Any]) -> Any:
    """Return the rule of layer norm, whose backward pass writes to something afterwards."""

    def backward(ctx: Any, dy: Any) -> Any:
        found = of_norm(ctx, dy)
        write(ctx, dy)
        return found

    return rule(layer_norm, backward)


def kept_outside(ctx: Any, *args: Any) -> Any:
    y = layer_norm(ctx, *args)
    KEPT["normalised"] = ctx.to_save[0]
    return y


def mask_outside(_: Any, x: Any) -> Any:
    KEPT["mask"] = x > 0
    return x * KEPT["mask"]


def accumulated(dy: Any, dx: Any, dw: Any, db: Any) -> Any:
    assert dy.shape[1:] == db.shape
    before = KEPT.get("db")
    KEPT["db"] = db if before is None or before.shape != db.shape else before + db
    return dx, dw, KEPT["db"], None


def needs_exchanged(ctx: Any, dy: Any) -> Any:
    """`needs_input_grad` is taken in another order."""
    dx, dw, db, _ = of_norm(ctx, dy)
    x, b, w, _ = ctx.needs_input_grad
    return dx if x else None, dw if w else None, db if b else None, None


def norm_in_a_tree(pair: Any, more: Any) -> Any:
    y = RIGHT.apply(pair["x"], pair["w"], more[0], 1e-5)
    return {"y": y, "sum": y.sum()}


RIGHT = returning(lambda dy, dx, dw, db: (dx, dw, db, None))
TERM = rule(layer_norm, without_projection)
ONCE = rule(layer_norm, torch.autograd.function.once_differentiable(of_norm))


# A mask without gradient, two outputs, and outputs without gradient.

MASK = torch.tensor([[1.0, 0, 1, 1, 0]], dtype=DOUBLE).expand(3, 5)


def dropout(power: int) -> Any:
    """Return the rule of dropout, by a power of 1/(1 - rate)."""

    def forward(ctx: Any, x: Any, kept: Any, rate: float) -> Any:
        ctx.save_for_backward(kept)
        ctx.rate = rate
        return x * kept / (1 - rate)

    def backward(ctx: Any, d: Any) -> Any:
        return d * ctx.saved_tensors[0] / (1 - ctx.rate) ** power, None, None

    return rule(forward, backward)


def polar(ctx: Any, x: Any, y: Any) -> Any:
    ctx.save_for_backward(x, y)
    ctx.set_materialize_grads(False)
    return (x * x + y * y).sqrt(), y / x


def of_polar(ctx: Any, dr: Any, dt: Any) -> Any:
    """A cotangent that is not there is None."""
    x, y = ctx.saved_tensors
    r = (x * x + y * y).sqrt()
    dx, dy = (0, 0) if dr is None else (dr * x / r, dr * y / r)
    return (dx, dy) if dt is None else (dx - dt * y / (x * x), dy + dt / x)


def nothing_alone(ctx: Any, dr: Any, dt: Any) -> Any:
    return (None, None) if dr is None else of_polar(ctx, dr, dt)


def ordered(ctx: Any, x: Any) -> Any:
    """Values and places, which are whole numbers, None, and a copy without gradient."""
    values, places = x.sort(dim=-1)
    copy = values.detach() * 2
    ctx.mark_non_differentiable(places, copy)
    ctx.save_for_backward(places)
    return values, places, None, copy


def scattered(ctx: Any, d: Any, *_: Any) -> Any:
    return torch.zeros_like(d).scatter(-1, ctx.saved_tensors[0], d)


NEEDS_BOTH = rule(polar, lambda ctx, dr, dt: of_polar(ctx, dr * 1, dt * 1))


# Functions that write.


def squared(times: float) -> Any:
    """Return the rule of squares, with a factor in its backward pass."""
    return saving(lambda x: x * x, lambda x, _, dy: times * x * dy)


def in_place(forward: Callable[..., Any]) -> Any:
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Any) -> Any:
        assert not ctx.saved_tensors
        return dy * 3

    return rule(forward, backward)


def tripled(ctx: Any, x: Any) -> Any:
    ctx.mark_dirty(x.mul_(3))
    return x


def tripled_unsaid(_: Any, x: Any) -> Any:
    return x.mul_(3).clone()


agrees, fails = partial(Row, verdict="agree"), partial(Row, verdict="disagree")
stops, unknown = partial(Row, verdict="raised"), partial(Row, verdict="undecidable")
imprecise = partial(Row, verdict="imprecise")


def passes(name: str, *at: Any, **options: Any) -> Any:
    """Return what makes cases of classes, judged at the given point unless more are asked for."""
    return cases(name, check_function, None, *at, **{"points": 0, **options})


CASES = [
    *passes("layer norm", *NORM, points=1)(
        Row("right", RIGHT, blame=None),
        Row("right, not summed over rows", returning(lambda dy, dx, dw, db: (dx, dw, dy, None))),
        Row("right, freed after the pass", then(lambda ctx, _: delattr(ctx, "eps"))),
        Row("a term is missing", TERM, "x: 15 of 15 elements"),
        Row("a mean", returning(lambda dy, dx, dw, db: (dx, dw, dy.mean(0), None)), "bias: 5 of 5"),
        Row("exchanged", returning(lambda dy, dx, dw, db: (dx, db, dw, None)), "kind: exchanged"),
        Row("None", returning(lambda dy, dx, dw, db: (dx, dw, None, None)), "returned None for bi"),
        fails("too few", returning(lambda dy, *grads: grads), "3 gradients, expected 4, one for"),
        fails("too many", returning(lambda dy, *g: (*g, dy.sum())), "for eps, which is no tensor"),
        fails(
            "a row less", returning(lambda dy, dx, *g: (dx[1:], *g, None)), "x: got shape (2, 5)"
        ),
        fails(
            "a list", returning(lambda dy, *g: (*g[:2], [0.5], None)), "bias: got list, expected"
        ),
        imprecise(
            "float32", returning(lambda dy, dx, *g: (dx.float(), *g, None)), "for x, which is"
        ),
        fails("the cotangent is clipped", of_cotangent(lambda dy: dy.clamp(-100, 100))),
        fails(
            "the cotangent is zeroed", then(lambda _, dy: dy.zero_()), "cotangent: backward wrote"
        ),
        fails("added to the last call's", returning(accumulated), kinds=("not-repeatable",)),
        fails(
            "a view",
            of_cotangent(lambda dy: dy.view(-1).view(dy.shape)),
            "disagree where the cotangent is not contiguous: backward raised RuntimeError",
        ),
        fails("asserted", of_cotangent(contiguous), "backward raised AssertionError (tests"),
        fails("by memory", of_cotangent(from_memory), "cotangent is not contiguous: bias: 5 of 5"),
        fails("unexpanded", of_cotangent(unexpanded), "disagree where the cotangent is expanded"),
        fails(
            "what is saved is written to",
            then(lambda ctx, _: ctx.saved_tensors[0].data.mul_(2)),
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
    *passes("relu", X)(
        fails(
            "its mask is kept beside the class",
            rule(mask_outside, lambda _, dy: dy * KEPT["mask"]),
            "disagree where it is called again, at other values",
        )
    ),
    *passes("layer norm in bfloat16", *[a.bfloat16() for a in NORM[:3]], 1e-5)(
        agrees("right", RIGHT), fails("a term is missing", TERM, "x: ")
    ),
    *passes("layer norm, apply", *NORM)(agrees("right", RIGHT.apply)),
    *passes("layer norm of a tree", {"x": X, "w": WEIGHT}, [BIAS])(
        agrees("right", norm_in_a_tree, "pair['w']", "pair['x']", "more[0]")
    ),
    *passes("dropout", X, MASK, 0.25)(fails("the mask has none", dropout(1), "None for kept")),
    *passes("dropout of x alone", X, MASK, 0.25, wrt="x")(
        agrees("right", dropout(1)), fails("scaled twice", dropout(2), "x: ", kinds=("factor",))
    ),
    *passes("dropout of the first", X, MASK, 0.25, wrt=[0])(agrees("right", dropout(1))),
    *passes("polar coordinates", POSITIVE, X[1], points=2)(
        Row("right", rule(polar, of_polar), blame=None),
        fails("both are needed", NEEDS_BOTH, "where output[0] alone is used: backward raised Type"),
        fails("one is", rule(polar, nothing_alone), "disagree where output[1] alone is used: "),
    ),
    *passes("sorted", X)(
        Row("right", rule(ordered, scattered), blame=None),
        Row("in the order of the result", rule(ordered, lambda ctx, d, *_: d)),
    ),
    *passes("squares", X[0], points=2)(
        Row("right", squared(2), blame=None),
        Row("half of it", squared(1), kinds=("factor",)),
        Row("half of it, in a function", lambda x: squared(1).apply(x)),
    ),
    *passes("squares, weighed", X[0], cotangent=torch.ones(5), points=[(X[1],)])(
        agrees("right", squared(2), "2 points judged")
    ),
    *passes("squares, in bfloat16", X[0], computed_in="bfloat16")(agrees("right", squared(2))),
    *passes("squares in float16", X[0].half())(
        agrees(
            "right, in float16",
            saving(lambda x: x * x, lambda x, _, dy: (2 * x * dy).half()),
            never=("backward returned",),
        )
    ),
    *passes("written in place", X)(
        agrees("right", in_place(tripled), blame=None),
        fails("not said", in_place(tripled_unsaid), "ctx.mark_dirty", kinds=("mutation",)),
    ),
    *passes("backward writes", X)(
        fails(
            "to an input",
            saving(lambda x: x.exp(), lambda x, _, d: d * x.data.exp_()),
            "backward wrote",
        ),
        fails(
            "to an output",
            saving(lambda x: x.exp(), lambda _, y, d: y.data.mul_(d)),
            "output: backward",
        ),
    ),
    *passes("saturated", torch.tensor([0.5, 31.0], dtype=DOUBLE))(
        imprecise(
            "digits are lost",
            saving(lambda x: x.sigmoid(), lambda x, s, d: d * s * (1 - s)),
            "the formula is right",
        )
    ),
]
