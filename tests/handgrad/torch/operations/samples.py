"""Calls of PyTorch's functions, each with the arrays that it is called on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.torch_installed import torch

F: Any = torch.nn.functional


@dataclass(frozen=True)
class Sample:
    """A call, and how its arrays are drawn."""

    call: Callable[..., Any]  #: (*tensors) -> a tensor, or several
    shapes: tuple[tuple[int, ...], ...]
    low: float = -2.0
    high: float = 2.0

    def arrays(self, dtype: Any = np.float64) -> list[np.ndarray]:
        """Return arrays of one dtype, always the same ones."""
        rng = np.random.default_rng(7)
        drawn = [rng.uniform(self.low, self.high, shape) for shape in self.shapes]
        return [array.astype(dtype) for array in drawn]


def on(*shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Callable[[Any], Sample]:
    """Return what makes a sample of a call on arrays of some shapes, in a range."""
    return lambda call: Sample(call, shapes, low, high)


def where_positive(*shapes: tuple[int, ...]) -> Callable[[Any], Sample]:
    """Return what makes a sample of a call on positive numbers below 1."""
    return on(*shapes, low=0.1, high=0.9)


PAIR = on((3, 1), (5,))
TABLE = on((3, 5))
VECTOR = on((5,))
IMAGE = on((2, 3, 5, 7))
SQUARE = on((3, 3))
LABELS = torch.tensor([4, 0, 2])
PLACES = torch.tensor([[0, 2, 1], [1, 1, 0]])
ROWS = torch.tensor([2, 0, 2, 1])
MASK = torch.tensor([[True, False, True, False, True]] * 2 + [[False] * 5])

ELEMENTWISE = {
    "add, alpha": PAIR(lambda x, y: torch.add(x, y, alpha=3)),
    "add a number": VECTOR(lambda x: x + 0.1),
    "subtract, alpha": PAIR(lambda x, y: torch.sub(x, y, alpha=0.3)),
    "subtract from a number": VECTOR(lambda x: 0.1 - x),
    "multiply": PAIR(lambda x, y: x * y),
    "divide": PAIR(lambda x, y: x / y),
    "floor of a quotient": PAIR(lambda x, y: torch.div(x, y, rounding_mode="floor")),
    "a quotient cut off": PAIR(lambda x, y: torch.div(x, y, rounding_mode="trunc")),
    "remainder": PAIR(lambda x, y: torch.remainder(x, y)),
    "fmod": PAIR(lambda x, y: torch.fmod(x, y)),
    "integer power": VECTOR(lambda x: x**3),
    "root": where_positive((5,))(lambda x: x**0.5),
    "power of arrays": where_positive((3, 1), (5,))(lambda x, y: x**y),
    "addcmul": on((5,), (3, 1), (5,))(lambda x, y, z: torch.addcmul(x, y, z, value=0.5)),
    "addcdiv": on((5,), (3, 1), (5,))(lambda x, y, z: torch.addcdiv(x, y, z, value=0.5)),
    "lerp": on((5,), (5,))(lambda x, y: torch.lerp(x, y, 0.7)),
    "lerp by weights": on((5,), (5,), (5,))(torch.lerp),
    "exp": VECTOR(torch.exp),
    "log1p": where_positive((5,))(torch.log1p),
    "log10": where_positive((5,))(torch.log10),
    "rsqrt": where_positive((5,))(torch.rsqrt),
    "sin, cos, tan": VECTOR(lambda x: (x.sin(), x.cos(), x.tan())),
    "inverse functions": where_positive((5,))(lambda x: (x.asin(), x.acos(), x.atan())),
    "atan2": PAIR(torch.atan2),
    "erf": VECTOR(torch.erf),
    "erfinv": where_positive((5,))(torch.erfinv),
    "lgamma": where_positive((5,))(torch.lgamma),
    # Its slope has ten right digits in PyTorch.
    "digamma": where_positive((5,))(lambda x: torch.digamma(x.detach())),
    "i0": VECTOR(torch.i0),
    "logit": where_positive((5,))(torch.logit),
    "xlogy": where_positive((5,), (5,))(torch.xlogy),
    "logaddexp": PAIR(torch.logaddexp),
    "sign, abs": VECTOR(lambda x: (x.sign(), x.abs())),
    "roundings": VECTOR(lambda x: (x.floor(), x.ceil(), x.round(), x.trunc(), x.frac())),
    "round to a decimal": VECTOR(lambda x: torch.round(x, decimals=1)),
    "clamp": VECTOR(lambda x: x.clamp(-0.5, 1.5)),
    "clamp by arrays": on((5,), (5,))(lambda x, y: torch.clamp(x, min=y, max=y + 1)),
    "maximum, minimum": PAIR(lambda x, y: (torch.maximum(x, y), torch.minimum(x, y))),
    "comparisons": PAIR(lambda x, y: (x < y, x >= y, x == x, x != 0.5)),
    "where": PAIR(lambda x, y: torch.where(x > y, x, 0.25)),
    "masked_fill": TABLE(lambda x: x.masked_fill(MASK, 0.5)),
    "NaN": VECTOR(lambda x: torch.nan_to_num(x.log(), nan=3.0)),
    "integers and floats": VECTOR(lambda x: x * LABELS[:1] + torch.tensor(2, dtype=torch.int64)),
    "a tensor without axes": on((), (5,))(lambda s, x: (s * x, s * x.float())),
    "bool": VECTOR(lambda x: ((x > 0) & (x < 1)) | ~(x > -1)),
}

ACTIVATIONS = {
    "relu": VECTOR(F.relu),
    "leaky_relu": VECTOR(lambda x: F.leaky_relu(x, 0.1)),
    "prelu": on((2, 3, 5), (3,))(F.prelu),
    "gelu": VECTOR(F.gelu),
    "gelu by tanh": VECTOR(lambda x: F.gelu(x, approximate="tanh")),
    "silu": VECTOR(F.silu),
    "mish": VECTOR(F.mish),
    "sigmoid, tanh": VECTOR(lambda x: (x.sigmoid(), x.tanh())),
    "softplus": VECTOR(F.softplus),
    "softplus, both parts": VECTOR(lambda x: F.softplus(x, beta=2.0, threshold=1.0)),
    "logsigmoid": VECTOR(F.logsigmoid),
    "elu": VECTOR(lambda x: F.elu(x, 1.3)),
    "celu, selu": VECTOR(lambda x: (F.celu(x, 2.0), F.selu(x))),
    # PyTorch has 1/6 in float32 in the slope of hardsigmoid.
    "hard ones": VECTOR(lambda x: (F.hardtanh(x), F.hardsigmoid(x.detach()), F.hardswish(x))),
    "shrinking": VECTOR(lambda x: (F.hardshrink(x), F.softshrink(x))),
    "glu": on((3, 4))(F.glu),
    "softmax": TABLE(lambda x: F.softmax(x, 1)),
    "log_softmax": TABLE(lambda x: F.log_softmax(x, 0)),
}

REDUCTIONS = {
    "sum": TABLE(lambda x: (x.sum(), x.sum(-1), x.sum([0, 1], keepdim=True))),
    "sum of bools": TABLE(lambda x: ((x > 0).sum(), (x > 0).float().mean())),
    "mean": TABLE(lambda x: (x.mean(), x.mean(0), x.mean(dtype=torch.float32))),
    "prod": TABLE(lambda x: (x.prod(), x.prod(1))),
    "var, std": TABLE(lambda x: (x.var(), x.std(0), x.var(1, unbiased=False, keepdim=True))),
    "var_mean": TABLE(lambda x: torch.var_mean(x, 1, correction=0)),
    "amax, amin": TABLE(lambda x: (x.amax(), x.amin(1), x.detach().aminmax(dim=0))),
    "max, min of an axis": TABLE(lambda x: (*x.max(1), *x.min(0, keepdim=True))),
    "argmax": TABLE(lambda x: (x.argmax(), x.argmin(-1), x.argmax(0, keepdim=True))),
    "all, any": TABLE(lambda x: ((x > -3).all(), (x > 1).any(1))),
    "logsumexp": TABLE(lambda x: (x.logsumexp(1), x.logsumexp((0, 1)))),
    "norms": TABLE(lambda x: (x.norm(), x.norm(1, dim=1), x.norm(3), x.norm(float("inf"), 0))),
    "cumsum, cumprod": TABLE(lambda x: (x.cumsum(1), x.cumprod(0))),
    "cummax": TABLE(lambda x: (*x.cummax(1), *x.cummin(0))),
    "logcumsumexp": TABLE(lambda x: x.logcumsumexp(1)),
    "count_nonzero": TABLE(lambda x: (x > 0).count_nonzero(1)),
    "of no axis": on(())(lambda x: (x.sum(), x.sum(0), x.max(0), x.softmax(0), x.cumsum(0))),
    "of nothing": on((0, 3))(lambda x: (x.sum(0), x.prod(), x.mean(1))),
}

PRODUCTS = {
    "mm": on((3, 5), (5, 2))(torch.mm),
    "bmm": on((2, 3, 5), (2, 5, 3))(torch.bmm),
    "broadcast": on((2, 1, 3, 5), (4, 5, 3))(torch.matmul),
    "mv, dot": on((3, 5), (5,))(lambda x, y: (x @ y, y @ y)),
    "addmm": on((2,), (3, 5), (5, 2))(lambda b, x, y: torch.addmm(b, x, y, beta=0.5, alpha=3)),
    "baddbmm": on((2, 3, 3), (2, 3, 5), (2, 5, 3))(torch.baddbmm),
    "addr, outer": on((3, 5), (3,), (5,))(lambda a, x, y: (torch.addr(a, x, y), x.outer(y))),
    "linear": on((3, 5), (2, 5), (2,))(F.linear),
    "linear of a vector": on((5,), (2, 5))(F.linear),
    "bilinear": on((3, 5), (3, 2), (4, 5, 2))(F.bilinear),
    "einsum": on((2, 3, 5), (5, 4))(lambda x, y: torch.einsum("bij,jk->bik", x, y)),
    "cross": on((2, 3), (2, 3))(torch.linalg.cross),
    "cdist": on((3, 2), (5, 2))(torch.cdist),
    "attention": on((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4))(F.scaled_dot_product_attention),
    "causal attention": on((2, 2, 3, 4), (2, 2, 3, 4), (2, 2, 3, 4))(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3)
    ),
    "masked attention": on((1, 1, 3, 4), (1, 1, 5, 4), (1, 1, 5, 4))(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=~MASK)
    ),
}

PRODUCTS["attention of groups of heads"] = on((1, 4, 3, 2), (1, 2, 5, 2))(
    lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True)
)

LINEAR_ALGEBRA = {
    "cholesky": SQUARE(lambda x: torch.linalg.cholesky(x @ x.mT + torch.eye(3))),
    "solve": on((3, 3), (3, 2))(lambda a, b: torch.linalg.solve(a, b)),
    "solve for a vector": on((3, 3), (3,))(torch.linalg.solve),
    "solve from the right": on((3, 3), (2, 3))(lambda a, b: torch.linalg.solve(a, b, left=False)),
    "triangular": on((3, 3), (3, 2))(
        lambda a, b: torch.linalg.solve_triangular(a.triu() + 3 * torch.eye(3), b, upper=True)
    ),
    "inverse": SQUARE(torch.linalg.inv),
    "determinant": SQUARE(lambda x: (torch.linalg.det(x), torch.logdet(x @ x.mT))),
    "eigenvalues": SQUARE(lambda x: torch.linalg.eigvalsh(x + x.mT)),
    "singular values": on((3, 2))(torch.linalg.svdvals),
    "qr": on((3, 2))(lambda x: torch.linalg.qr(x)[1].abs()),
    "pinv": on((3, 2))(torch.linalg.pinv),
    "cholesky_solve": on((3, 2), (3, 3))(
        lambda b, x: torch.cholesky_solve(b, x.tril() + 3 * torch.eye(3))
    ),
}
