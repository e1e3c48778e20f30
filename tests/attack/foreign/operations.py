"""Array operations, written once: on JAX for the judge, on 300-bit numbers, and on each package.

A package that differentiates by itself has a hand-written rule for each of them. Its namespace is
put in for `xp`, and its own tape gives the backward pass.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import JAX, Backward

_RNG = np.random.default_rng(21)
REAL = np.array([0.7, -1.3, 2.1])
POSITIVE = np.array([0.3, 1.7, 4.2])
UNIT = np.array([0.2, 0.55, 0.9])
INSIDE = np.array([-0.6, 0.15, 0.8])
ABOVE_ONE = np.array([1.3, 2.5, 7.0])
MATRIX = _RNG.normal(size=(3, 2)).round(3)
OTHER = _RNG.normal(size=(2, 3)).round(3)
CUBE = _RNG.normal(size=(2, 3, 2)).round(3)
SQUARE = (np.eye(3) * 2 + _RNG.normal(size=(3, 3)) / 3).round(3)
DEFINITE = (SQUARE @ SQUARE.T).round(3)
COLUMN = np.array([[0.5], [-1.2], [2.0]])

#: Of one number, by where it is defined.
_UNARY = (
    (
        REAL,
        "exp sin cos tan sinh cosh tanh arctan arcsinh expm1 abs square exp2 sinc sign negative",
    ),
    (REAL, "erf erfc expit softplus ndtr log_ndtr i0 i1 sigmoid relu silu gelu softsign relu6"),
    (POSITIVE, "log sqrt log1p log2 log10 reciprocal cbrt gammaln digamma gamma rsqrt entr"),
    (INSIDE, "arcsin arccos arctanh erfinv"),
    (UNIT, "logit ndtri"),
    (ABOVE_ONE, "arccosh"),
)
#: Of two numbers, of shapes that are broadcast.
_BINARY = (
    (COLUMN, REAL, "add subtract multiply arctan2 logaddexp logaddexp2 maximum minimum hypot"),
    (COLUMN, POSITIVE, "divide"),
    (POSITIVE[:, None], REAL, "power xlogy"),
    (POSITIVE[:, None], POSITIVE + 0.1, "betaln beta"),
)


def _named(name: str) -> Callable[..., Any]:
    return lambda xp, *args: getattr(xp, name)(*args)


_DEFINITIONS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda xp, x: xp.expit(x),
    "relu": lambda xp, x: xp.maximum(x, 0),
    "relu6": lambda xp, x: xp.clip(x, 0, 6),
    "silu": lambda xp, x: x * xp.expit(x),
    "gelu": lambda xp, x: x * xp.ndtr(x),
    "softsign": lambda xp, x: x / (1 + xp.abs(x)),
    "rsqrt": lambda xp, x: 1 / xp.sqrt(x),
}


def _softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x)
    return e / xp.sum(e, axis=-1, keepdims=True)


#: What is not elementwise: the operation and its arguments.
_ARRAYS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sum": (lambda xp, x: xp.sum(x, axis=0), (MATRIX,)),
    "sum of all": (lambda xp, x: xp.sum(x), (MATRIX,)),
    "sum keepdims": (lambda xp, x: x * xp.sum(x, axis=1, keepdims=True), (MATRIX,)),
    "mean": (lambda xp, x: xp.mean(x, axis=1), (MATRIX,)),
    "var": (lambda xp, x: xp.var(x, axis=0), (MATRIX,)),
    "var ddof": (lambda xp, x: xp.var(x, axis=0, ddof=1), (MATRIX,)),
    "std": (lambda xp, x: xp.std(x, axis=1), (MATRIX,)),
    "std ddof": (lambda xp, x: xp.std(x, axis=0, ddof=1), (MATRIX,)),
    "prod": (lambda xp, x: xp.prod(x, axis=0), (MATRIX,)),
    "prod with a zero": (lambda xp, x: xp.prod(x), (np.array([2.0, 0.0, 3.0]),)),
    "max": (lambda xp, x: xp.max(x, axis=1), (MATRIX,)),
    "min": (lambda xp, x: xp.min(x, axis=0), (MATRIX,)),
    "max of a tie": (lambda xp, x: xp.max(x), (np.array([1.0, 2.0, 2.0]),)),
    "cumsum": (lambda xp, x: xp.cumsum(x, axis=0), (MATRIX,)),
    "cumprod": (lambda xp, x: xp.cumprod(x, axis=0), (MATRIX,)),
    "cumprod with a zero": (lambda xp, x: xp.cumprod(x), (np.array([2.0, 0.0, 3.0]),)),
    "logsumexp": (lambda xp, x: xp.logsumexp(x, axis=1), (MATRIX,)),
    "softmax": (_softmax, (MATRIX,)),
    "sort": (lambda xp, x: xp.sort(x), (REAL,)),
    "where": (lambda xp, x, y: xp.where(x > 0, x, y * x), (REAL, POSITIVE)),
    "clip": (lambda xp, x: xp.clip(x, -1.0, 1.5), (REAL,)),
    "index": (lambda xp, x: x[np.array([0, 2, 2])], (REAL,)),
    "slice": (lambda xp, x: x[::2, 1:], (MATRIX,)),
    "reshape": (lambda xp, x: xp.reshape(x, (2, 3)) ** 2, (MATRIX,)),
    "transpose": (lambda xp, x: xp.transpose(x, (2, 0, 1)) ** 2, (CUBE,)),
    "swapaxes": (lambda xp, x: xp.swapaxes(x, 0, 1) ** 3, (CUBE,)),
    "moveaxis": (lambda xp, x: xp.moveaxis(x, 0, 2) ** 3, (CUBE,)),
    "roll": (lambda xp, x: xp.roll(x, 1, axis=0) * x, (MATRIX,)),
    "repeat": (lambda xp, x: xp.repeat(x, 2, axis=0), (MATRIX,)),
    "tile": (lambda xp, x: xp.tile(x, (2, 1)), (MATRIX,)),
    "flip": (lambda xp, x: xp.flip(x, 0) * x, (MATRIX,)),
    "concatenate": (lambda xp, x, y: xp.concatenate([x, y], axis=0), (MATRIX, SQUARE[:, :2])),
    "stack": (lambda xp, x, y: xp.stack([x, y], axis=1), (REAL, POSITIVE)),
    "broadcast_to": (lambda xp, x: xp.broadcast_to(x, (3, 4)), (COLUMN,)),
    "pad": (lambda xp, x: xp.pad(x, ((1, 0), (0, 2))), (MATRIX,)),
    "diff": (lambda xp, x: xp.diff(x, axis=0), (MATRIX,)),
    "tril": (lambda xp, x: xp.tril(x), (SQUARE,)),
    "triu": (lambda xp, x: xp.triu(x, 1), (SQUARE,)),
    "trace": (lambda xp, x: xp.trace(x), (SQUARE,)),
    "diag": (lambda xp, x: xp.diag(x), (REAL,)),
    "diagonal": (lambda xp, x: xp.diagonal(x), (SQUARE,)),
    "kron": (lambda xp, x, y: xp.kron(x, y), (MATRIX, OTHER)),
    "outer": (lambda xp, x, y: xp.outer(x, y), (REAL, POSITIVE)),
    "matmul": (lambda xp, x, y: xp.matmul(x, y), (MATRIX, OTHER)),
    "matmul of a batch": (lambda xp, x, y: xp.matmul(x, y), (CUBE, OTHER)),
    "matmul of a vector": (lambda xp, x, y: xp.matmul(x, y), (REAL, MATRIX)),
    "dot": (lambda xp, x, y: xp.dot(x, y), (CUBE, OTHER)),
    "tensordot": (lambda xp, x, y: xp.tensordot(x, y, axes=2), (CUBE, SQUARE[:, :2])),
    "einsum": (lambda xp, x, y: xp.einsum("ijk,kj->ij", x, y), (CUBE, OTHER)),
    "inv": (lambda xp, x: xp.linalg.inv(x), (SQUARE,)),
    "det": (lambda xp, x: xp.linalg.det(x), (SQUARE,)),
    "slogdet": (lambda xp, x: xp.linalg.slogdet(x)[1], (SQUARE,)),
    "solve": (lambda xp, x, y: xp.linalg.solve(x, y), (SQUARE, MATRIX)),
    "solve for a vector": (lambda xp, x, y: xp.linalg.solve(x, y), (SQUARE, REAL)),
    "cholesky": (lambda xp, x: xp.linalg.cholesky((x + x.T) / 2), (DEFINITE,)),
    "eigvalsh": (lambda xp, x: xp.linalg.eigvalsh((x + x.T) / 2), (DEFINITE,)),
    "svdvals": (lambda xp, x: xp.linalg.svdvals(x), (MATRIX,)),
    "norm": (lambda xp, x: xp.sqrt(xp.sum(x * x)), (MATRIX,)),
    "** 3": (lambda xp, x: x**3, (REAL,)),
    "** 2.5": (lambda xp, x: x**2.5, (POSITIVE,)),
    "2 **": (lambda xp, x: 2**x, (REAL,)),
    "/": (lambda xp, x, y: x / y, (COLUMN, POSITIVE)),
    "- +": (lambda xp, x, y: -x + y * x - 1, (COLUMN, REAL)),
    "@": (lambda xp, x, y: x @ y, (MATRIX, OTHER)),
    "abs at zero": (lambda xp, x: xp.abs(x), (np.array([0.0, -1.0]),)),
    "sinc at zero": (lambda xp, x: xp.sinc(x), (np.array([0.0, 0.5]),)),
    "logaddexp far apart": (
        lambda xp, x, y: xp.logaddexp(x, y),
        (np.array([800.0, -30.0]), REAL[:2]),
    ),
    "expit far out": (lambda xp, x: xp.expit(x), (np.array([-40.0, 30.0, 5.0]),)),
    "tanh far out": (lambda xp, x: xp.tanh(x), (np.array([-18.0, 12.0]),)),
}

#: Where σ(1 - σ) and 1 - tanh² keep few digits or none, in any package.
LOSSY = ("expit far out", "tanh far out")


def operations() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """All of them: a function of (xp, *arguments), and the arguments."""
    found = {}
    for *domain, names in (*_UNARY, *_BINARY):
        for name in str(names).split():
            found[name] = (_DEFINITIONS.get(name, _named(name)), tuple(domain))
    return found | _ARRAYS


def rules(
    package: str, xp: Any, pullback: Callable[..., Any], only: str = ""
) -> Iterator[Backward]:
    """The operations that a package has.

    `pullback(f, cotangent, *args)` runs f on the package's own numbers and pulls the cotangent
    back; f is the operation with the package's namespace.
    """
    for name, (operation, args) in operations().items():
        if only and name not in only.split():
            continue

        def backward(cotangent: Any, *args: Any, operation: Any = operation) -> Any:
            return pullback(lambda *boxed: operation(xp, *boxed), cotangent, *args)

        subject = Backward(package, name, operation, backward, args, lossy=name in LOSSY)
        try:
            operation(JAX, *args)
            subject.gradient(subject.cotangent, *args)
        except Exception:
            continue
        yield subject


class Namespace:
    """Attributes looked for in several modules, with names of its own first."""

    def __init__(self, *homes: Any, **own: Any) -> None:
        self._homes = homes
        vars(self).update(own)

    def __getattr__(self, name: str) -> Any:
        for home in self._homes:
            if hasattr(home, name):
                return getattr(home, name)
        raise AttributeError(name)
