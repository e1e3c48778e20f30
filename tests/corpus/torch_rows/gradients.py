"""Gradients and backward passes of what is written for tensors."""

import warnings
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom, check_gradient, check_steps
from handgrad.torch import check_function
from tests.corpus.case import Row, cases
from tests.corpus.torch_rows.backward_passes import agrees, fails, stops, unknown
from tests.torch_installed import torch

F: Any = torch.nn.functional

torch.manual_seed(1)
DOUBLE, COMPLEX = torch.float64, torch.complex128
X, Y = torch.randn(5, 3, dtype=DOUBLE), torch.randn(5, 2, dtype=DOUBLE)
W, B = torch.randn(3, 2, dtype=DOUBLE), torch.randn(2, dtype=DOUBLE)
PARAMS, GRAD = {"w": W, "b": B}, W.clone().requires_grad_()


def gradients(name: str, loss: Any, *at: Any, **options: Any) -> Any:
    """Return what makes cases of gradients at the given point, unless more are asked for."""
    return cases(name, check_gradient, loss, *at, **{"points": 0, **options})


def by_autograd(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return the gradient in the first argument by PyTorch's rules."""

    def gradient(w: Any, *inputs: Any) -> Any:
        w = w.detach().clone().requires_grad_()
        return torch.autograd.grad(loss(w, *inputs), w)[0]

    return gradient


# A mean square, whose loss may be in three libraries.


def mean_square(params: Any, x: Any, y: Any) -> Any:
    return ((x @ params["w"] + params["b"] - y) ** 2).mean()


def of_mean_square(params: Any, x: Any, y: Any) -> Any:
    r = 2 * (x @ params["w"] + params["b"] - y) / y.numel()
    return {"w": x.T @ r, "b": r.sum(0)}


def in_jax(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.matmul(x, params["w"]) + params["b"][None, :] - y) ** 2)


def in_numpy(params: Any, x: Any, y: Any) -> Any:
    return np.mean((np.dot(x, params["w"]) + params["b"] - y) ** 2)


def of_sum(params: Any, x: Any, y: Any) -> Any:
    return {name: g * y.numel() for name, g in of_mean_square(params, x, y).items()}


def stepping(params: Any, x: Any, y: Any) -> Any:
    found = of_mean_square(params, x, y)
    params["w"] -= 0.1 * found["w"]
    return found


def in_float16(params: Any, x: Any, y: Any) -> Any:
    return {name: g.half() for name, g in of_mean_square(params, x, y).items()}


def right_at_first(params: Any, x: Any, y: Any) -> Any:
    return of_mean_square({"w": W, "b": params["b"]}, x, y)


# Lines, steps and autograd's own ways.


def tanh_squares(w: Any, x: Any) -> Any:
    z = x @ w
    return torch.tanh(z).pow(2).sum()


def sines(w: Any, x: Any) -> Any:
    return (x @ w).sin().sum()


def filling_grad(w: Any, x: Any) -> None:
    sines(w, x).backward()


def affine_forward(x: Any, w: Any) -> Any:
    return x @ w, (x, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, x.T @ dz


def doubled(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, 2 * x.T @ dz


def doubling_cotangent(dz: Any, cache: Any) -> Any:
    dz *= 2
    return affine_backward(dz / 2, cache)


def matmul_forward(x: Any, w: Any) -> Any:
    return x @ w, (x, w)


def matmul_backward(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, -x.T @ dz


def of_steps(w: Any, x: Any) -> Any:
    z, cache = matmul_forward(x, w)
    a = torch.tanh(z)
    return matmul_backward(2 * a * (1 - a * a), cache)[1]


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x + 0.5 * x

    @staticmethod
    def backward(ctx: Any, *dy: Any) -> Any:
        return dy[0] * 2 * ctx.saved_tensors[0]  # and not 2x + 1/2


LABELS = torch.tensor([0, 1, 1, 0, 1])
LINE = Square.forward.__code__.co_firstlineno + 3


def smoothed(w: Any, x: Any) -> Any:
    return F.cross_entropy(torch.tanh(x @ w), LABELS, label_smoothing=0.1)


def with_square(w: Any, x: Any) -> Any:
    return F.cross_entropy(Square.apply(x @ w), LABELS)


# What cannot be traced, or is another function then.


def sampled(x: Any, w: Any) -> Any:
    return (x @ w) * torch.multinomial(w.abs(), 2).sum(), (x, w)


def branching(w: Any) -> Any:
    return torch.sum(w) * (2 if torch.max(w) > 0 else 3)


def branching_in_jax(w: Any) -> Any:
    return jnp.sum(w) * (2 if jnp.max(w) > 0 else 3)


def validating(w: Any) -> Any:
    # PyTorch's compiler, once loaded, turns the checks off that are else the default.
    return torch.distributions.Normal(w, w.exp(), validate_args=True).log_prob(w).sum()


def of_its_class(digits: float) -> Callable[..., Any]:
    return lambda w: w.abs().sum() * (1.0 if type(w) is torch.Tensor else 1.0 + digits)


def of_an_inputs_number(w: Any, x: Any) -> Any:
    scale = x.max().item() if x.sum() > 0 else 0.5
    return (w**2).sum() * scale


def in_bfloat16(w: Any) -> Any:
    return w.bfloat16().abs().sum().to(w.dtype)


def dropped(w: Any, x: Any) -> Any:
    return F.dropout(x @ w, 0.5).sum()


ON_ARRAYS = "write this with other operations of PyTorch or write it in JAX or NumPy, for arrays"


# Several results of one call, what a pooling leaves over, and sparse matrices.

SQUARE = X[:3] @ X[:3].T + torch.eye(3, dtype=DOUBLE)
SEVERAL: dict[str, Callable[..., Any]] = {
    "the largest": lambda x: x.max(0),
    "the first three": lambda x: {"top": x.topk(3, 1), "all": x.sort(0)},
    "a determinant": torch.linalg.slogdet,
    "factors": torch.linalg.qr,
}


def pooled(w: Any, x: Any) -> Any:
    return (F.max_pool2d((x @ w)[None], 2) * F.max_pool1d(w.T, 2)).sum()


def spread(w: Any, a: Any) -> Any:
    return torch.sparse.mm(a, w).pow(2).sum()


def sparse_rows(dense: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are in beta
        return dense.to_sparse_csr()


# Complex numbers.

Z = torch.randn(6, dtype=COMPLEX)


def of_spectrum(z: Any) -> Any:
    return (torch.fft.fft(z, norm="ortho").abs() ** 2).sum()


def times_backward(c: Any, cache: Any) -> Any:
    return torch.outer(c, cache[1].conj()), cache[0].mH @ c


def written(x: Any) -> Any:
    conjugate = x.conj()
    conjugate.mul_(2)
    x.add_(1j)
    return x * conjugate


def transforms_expanded() -> bool:
    """PyTorch 2.6 with MKL cannot, so that `fft(x).sum().backward()` raises; the judge says so."""
    try:
        torch.fft.fft(torch.ones((), dtype=COMPLEX).expand(3))
    except RuntimeError:
        return False
    return True


OPERATIONS: dict[str, Callable[..., Any]] = {
    "polar": lambda z: torch.polar(z.abs(), z.angle()) * 1j,
    "parts": lambda z: torch.complex(z.real * 2, z.imag**2) + torch.view_as_real(z).sum(),
    "views": lambda z: torch.view_as_complex(torch.view_as_real(z.conj().resolve_conj()).flip(-1)),
    "conjugates": lambda z: (z.conj().imag + z.reshape(2, 3).mH.conj().imag.sum()) * z.conj(),
    "functions": lambda z: torch.exp(z) * torch.sin(z) + torch.tanh(z).sqrt() - torch.log(z),
    "direction": lambda z: torch.sgn(z) + z.reciprocal() + z**3 + z ** (0.5 + 0.2j),
    "matmul": lambda z: z.reshape(2, 3) @ z.reshape(3, 2).conj() + torch.vdot(z, z * 1j),
    "norm": lambda z: torch.linalg.vector_norm(z) + z.mean() + z.prod() + z.cumsum(0),
    "solve": lambda z: torch.linalg.solve(z[:4].reshape(2, 2), z[4:]),
    "hfft": lambda z: torch.fft.hfft(z, norm="forward") * torch.fft.ihfft(z.real)[0],
    "conjugated data": lambda z: z * (Z.conj() * 2) + torch.fft.irfft(Z.conj()).sum(),
    "parts of conjugated data": lambda z: z * (Z.reshape(2, 3).mH @ Z[:2]).sum() + Z.conj().imag,
    "writes to conjugated data": lambda z: written(Z.clone()) * z,
}
if transforms_expanded():
    OPERATIONS |= {
        "fft": lambda z: torch.fft.ifft2(torch.fft.fft2(z.reshape(2, 3), norm="ortho") ** 2),
        "rfft": lambda z: torch.fft.irfft2(torch.fft.rfft2(z.abs().reshape(2, 3)) * (1 + 2j)),
    }

CASES = [
    *gradients("mean square", mean_square, PARAMS, X, Y, points=1)(
        Row("right", of_mean_square, "params['b']", "params['w']", "2 points judged"),
        Row("of the sum", of_sum, kinds=("factor",)),
        fails("a parameter is updated", stepping, "params['w']", kinds=("mutation",)),
        fails("in float16", in_float16, kinds=("dtype",)),
        fails("of w alone", lambda *at: of_mean_square(*at)["w"], kinds=("structure",)),
    ),
    *[
        case
        for loss in (in_jax, in_numpy)
        for case in gradients(f"mean square {loss.__name__}", loss, PARAMS, X, Y)(
            agrees("right", of_mean_square), fails("of the sum", of_sum, kinds=("factor",))
        )
    ],
    *gradients("mean squares", mean_square, PARAMS, X, Y, points=[({"w": 2 * W, "b": B}, X, Y)])(
        agrees("right", of_mean_square, "2 points judged"),
        fails("right at the first point", right_at_first, "w"),
    ),
    *gradients("squares of tanh", tanh_squares, W, X)(
        Row(
            "no derivative",
            lambda w, x: x.T @ (2 * torch.tanh(x @ w)),
            "gradients.py, line",
            "torch.tanh(z).pow(2).sum()",
            kinds=("activation-derivative",),
        ),
        Row("a step inside is wrong", of_steps, "matmul_backward"),
    ),
    *gradients("sines", sines, GRAD, X)(
        agrees("right, in grad", filling_grad),
        fails("nothing", lambda w, x: None, "returned None; is its return statement missing?"),
        fails(
            "the loss, and grad",
            lambda w, x: filling_grad(w, x) or sines(w, x),
            "returned a number and has filled .grad; expected None, or (loss, grads) with has_va",
        ),
    ),
    *cases("affine", check_backward, affine_forward, X, W, points=1)(
        Row("right", affine_backward),
        Row("doubled", doubled, "w: ", kinds=("factor",)),
        fails("the cotangent is doubled", doubling_cotangent, "cotangent", kinds=("mutation",)),
    ),
    # Rules of PyTorch inside a loss.
    *[
        case
        for kind in (DOUBLE, torch.float32)
        for case in gradients(f"smoothed, {kind}", smoothed, W.to(kind), X.to(kind), points=1)(
            agrees("right", by_autograd(smoothed), "every element by power series")
        )
    ],
    *gradients("a wrong rule in a loss", with_square, W, X)(
        Row(
            "by autograd",
            by_autograd(with_square),
            "a term is missing",
            f"gradients.py, lines {LINE}",
        )
    ),
    *cases("several results", check_function, None, SQUARE, points=0)(
        *[agrees(f"right, {name}", f) for name, f in SEVERAL.items()],
        fails("wrong before", lambda x: Square.apply(x).max(0)),
    ),
    *cases("a reference of several", check_function, None, X, points=0, reference=torch.sort)(
        agrees("right", lambda x: x.sort())
    ),
    *gradients("pooled", pooled, W, X)(
        agrees("right", by_autograd(pooled)),
        fails("doubled", lambda w, x: 2 * by_autograd(pooled)(w, x), kinds=("factor",)),
    ),
    *gradients("spread by a sparse matrix", spread, W, X.relu().to_sparse())(
        agrees("right", by_autograd(spread)),
        fails("doubled", lambda w, a: 2 * by_autograd(spread)(w, a), kinds=("factor",)),
    ),
    *cases("by sparse rows", check_function, None, W, sparse_rows(X.relu()), wrt="w", points=0)(
        agrees("right", lambda w, a: torch.sparse.mm(a, w))
    ),
    # What is not traced.
    *[
        case
        for loss, *says in (
            (
                lambda w: sampled(X, w)[0].sum(),
                "multinomial.default is not covered; write this with",
            ),
            (branching, "torch.max(w) > 0 needs the numbers", "torch.where(condition, a, b)"),
            (lambda w: w.sum() * torch.max(w).item(), "item() needs the numbers", "leave the tens"),
            (lambda w: torch.from_numpy(np.exp(w.numpy())).sum(), "w.numpy() needs the numbers"),
            (validating, "pass validate_args=False"),
            (lambda w: w.mode().values.sum(), "w.mode(): aten.mode.default is not covered"),
            (of_its_class(1e-9), "loss: JAX traces another function: it gives "),
        )
        for case in gradients(f"not traced, {says[0]}", loss, W)(stops("sign", torch.sign, *says))
    ],
    *cases("a step that is not traced", check_backward, sampled, X, W, points=0)(
        stops("samples", affine_backward, ON_ARRAYS)
    ),
    *cases("steps that are not traced", check_steps, None, X, points=0)(
        stops("samples", [("sampled", sampled, affine_backward, (W,))], ON_ARRAYS)
    ),
    *cases("a rule in JAX", check_custom, None, X.numpy(), reference=torch.sin)(
        stops("by a reference in PyTorch", jnp.sin, "reference: this is a function of PyTorch's")
    ),
    *gradients("a branch in JAX, on power series", branching_in_jax, W)(
        agrees("right", lambda w: 2 * torch.ones_like(w)),
        fails("of the other branch", lambda w: 3 * torch.ones_like(w)),
    ),
    *gradients("of an input's number", of_an_inputs_number, W, X)(
        agrees("right", by_autograd(of_an_inputs_number))
    ),
    *gradients("traced with other digits", of_its_class(1e-4), W.float())(
        stops("right", lambda w: w.sign() * (1 + 1e-4), "loss: JAX traces another function")
    ),
    *gradients("in bfloat16", in_bfloat16, W)(agrees("right", torch.sign)),
    *gradients("in bfloat16, of float32", in_bfloat16, W.float())(agrees("right", torch.sign)),
    *gradients("with dropout", dropped, W, X)(
        unknown(
            "by autograd", by_autograd(dropped), "not a function of its arguments", "PyTorch's g"
        )
    ),
    # Complex numbers.
    *cases("complex operations", check_function, None, Z, points=0)(
        *[Row(f"right, {name}", f) for name, f in OPERATIONS.items()]
    ),
    *gradients("size of a spectrum", of_spectrum, Z)(
        Row("right", lambda z: 2 * z),
        Row("conjugate", lambda z: 2 * z.conj(), 'pass convention="jax"', kinds=("convention",)),
    ),
    *gradients("size of a spectrum, as of JAX", of_spectrum, Z, convention="jax")(
        agrees("right", lambda z: 2 * z.conj())
    ),
    *[
        case
        for convention, row in (("torch", agrees), ("jax", fails))
        for case in cases(
            f"complex product, convention of {convention}",
            check_backward,
            lambda a, z: (a @ z, (a, z)),
            *(Z.reshape(2, 3), Z[:3]),
            convention=convention,
            points=1,
        )(row("right in PyTorch's", times_backward))
    ],
]
