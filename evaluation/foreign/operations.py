"""Array operations, written once: on JAX for the judge, on 300-bit numbers, and on each package.

A package that differentiates by itself has a hand-written rule for each of them. Its namespace is
put in for `xp`, and its own tape gives the backward pass.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from evaluation.foreign.subject import JAX, Backward
from evaluation.formulas import formula, table

_RNG = np.random.default_rng(21)
REAL = np.array([0.7, -1.3, 2.1])
WITH_A_ZERO = np.array([2.0, 0.0, 3.0])
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

#: Of numbers, by where it is defined, by itself or broadcast.
_ELEMENTWISE = """
REAL, | exp sin cos tan sinh cosh tanh arctan arcsinh expm1 abs square exp2 sinc sign negative
REAL, | erf erfc expit softplus ndtr log_ndtr i0 i1
POSITIVE, | log sqrt log1p log2 log10 reciprocal cbrt gammaln digamma gamma entr
INSIDE, | arcsin arccos arctanh erfinv
UNIT, | logit ndtri
ABOVE_ONE, | arccosh
COLUMN, REAL | add subtract multiply arctan2 logaddexp logaddexp2 maximum minimum hypot
COLUMN, POSITIVE | divide
POSITIVE[:, None], REAL | power xlogy
POSITIVE[:, None], POSITIVE + 0.1 | betaln beta
"""

#: What is not elementwise, or has no name in NumPy and SciPy: the operation on x and y, and where.
_ARRAYS = """
sigmoid             | expit(x)                             | REAL,
relu                | maximum(x, 0)                        | REAL,
relu6               | clip(x, 0, 6)                        | REAL,
silu                | x * expit(x)                         | REAL,
gelu                | x * ndtr(x)                          | REAL,
softsign            | x / (1 + abs(x))                     | REAL,
rsqrt               | 1 / sqrt(x)                          | POSITIVE,
sum                 | sum(x, axis=0)                       | MATRIX,
sum of all          | sum(x)                               | MATRIX,
sum keepdims        | x * sum(x, axis=1, keepdims=True)    | MATRIX,
mean                | mean(x, axis=1)                      | MATRIX,
var                 | var(x, axis=0)                       | MATRIX,
var ddof            | var(x, axis=0, ddof=1)               | MATRIX,
std                 | std(x, axis=1)                       | MATRIX,
std ddof            | std(x, axis=0, ddof=1)               | MATRIX,
prod                | prod(x, axis=0)                      | MATRIX,
prod with a zero    | prod(x)                              | WITH_A_ZERO,
max                 | max(x, axis=1)                       | MATRIX,
min                 | min(x, axis=0)                       | MATRIX,
max of a tie        | max(x)                               | np.array([1.0, 2.0, 2.0]),
cumsum              | cumsum(x, axis=0)                    | MATRIX,
cumprod             | cumprod(x, axis=0)                   | MATRIX,
cumprod with a zero | cumprod(x)                           | WITH_A_ZERO,
logsumexp           | logsumexp(x, axis=1)                 | MATRIX,
softmax             | (e := exp(x)) / sum(e, axis=-1, keepdims=True) | MATRIX,
sort                | sort(x)                              | REAL,
where               | where(x > 0, x, y * x)               | REAL, POSITIVE
clip                | clip(x, -1.0, 1.5)                   | REAL,
index               | x[np.array([0, 2, 2])]               | REAL,
slice               | x[::2, 1:]                           | MATRIX,
reshape             | reshape(x, (2, 3)) ** 2              | MATRIX,
transpose           | transpose(x, (2, 0, 1)) ** 2         | CUBE,
swapaxes            | swapaxes(x, 0, 1) ** 3               | CUBE,
moveaxis            | moveaxis(x, 0, 2) ** 3               | CUBE,
roll                | roll(x, 1, axis=0) * x               | MATRIX,
repeat              | repeat(x, 2, axis=0)                 | MATRIX,
tile                | tile(x, (2, 1))                      | MATRIX,
flip                | flip(x, 0) * x                       | MATRIX,
concatenate         | concatenate([x, y], axis=0)          | MATRIX, SQUARE[:, :2]
stack               | stack([x, y], axis=1)                | REAL, POSITIVE
broadcast_to        | broadcast_to(x, (3, 4))              | COLUMN,
pad                 | pad(x, ((1, 0), (0, 2)))             | MATRIX,
diff                | diff(x, axis=0)                      | MATRIX,
tril                | tril(x)                              | SQUARE,
triu                | triu(x, 1)                           | SQUARE,
trace               | trace(x)                             | SQUARE,
diag                | diag(x)                              | REAL,
diagonal            | diagonal(x)                          | SQUARE,
kron                | kron(x, y)                           | MATRIX, OTHER
outer               | outer(x, y)                          | REAL, POSITIVE
matmul              | matmul(x, y)                         | MATRIX, OTHER
matmul of a batch   | matmul(x, y)                         | CUBE, OTHER
matmul of a vector  | matmul(x, y)                         | REAL, MATRIX
dot                 | dot(x, y)                            | CUBE, OTHER
tensordot           | tensordot(x, y, axes=2)              | CUBE, SQUARE[:, :2]
einsum              | einsum("ijk,kj->ij", x, y)           | CUBE, OTHER
inv                 | linalg.inv(x)                        | SQUARE,
det                 | linalg.det(x)                        | SQUARE,
slogdet             | linalg.slogdet(x)[1]                 | SQUARE,
solve               | linalg.solve(x, y)                   | SQUARE, MATRIX
solve for a vector  | linalg.solve(x, y)                   | SQUARE, REAL
cholesky            | linalg.cholesky((x + x.T) / 2)       | DEFINITE,
eigvalsh            | linalg.eigvalsh((x + x.T) / 2)       | DEFINITE,
svdvals             | linalg.svdvals(x)                    | MATRIX,
norm                | sqrt(sum(x * x))                     | MATRIX,
** 3                | x**3                                 | REAL,
** 2.5              | x**2.5                               | POSITIVE,
2 **                | 2**x                                 | REAL,
/                   | x / y                                | COLUMN, POSITIVE
- +                 | -x + y * x - 1                       | COLUMN, REAL
@                   | x @ y                                | MATRIX, OTHER
abs at zero         | abs(x)                               | np.array([0.0, -1.0]),
sinc at zero        | sinc(x)                              | np.array([0.0, 0.5]),
logaddexp far apart | logaddexp(x, y)                      | np.array([800.0, -30.0]), REAL[:2]
expit far out       | expit(x)                             | np.array([-40.0, 30.0, 5.0]),
tanh far out        | tanh(x)                              | np.array([-18.0, 12.0]),
"""

#: Where σ(1 - σ) and 1 - tanh² keep few digits or none; some packages have better formulas.
LOSSY = ("expit far out", "tanh far out")

#: JAX's own have about 8 digits where an argument is negative, so other points are not judged.
HERE_ALONE = ("beta", "betaln")


def operations() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """All of them: a function of (xp, *arguments), and the arguments."""
    rows = [
        (name, f"{name}({'x, y' if where[-1] != ',' else 'x'})", where)
        for where, names in table(_ELEMENTWISE)
        for name in names.split()
    ]
    found = {}
    for name, text, where in (*rows, *table(_ARRAYS)):
        args = eval(where, globals())
        found[name] = (formula("x, y"[: 3 * len(args) - 2], text, {"np": np}), args)
    return found


def rules(xp: Any, pullback: Callable[..., Any], only: str = "") -> Iterator[Backward]:
    """The operations that a package has.

    `pullback(f, cotangent, *args)` runs f on the package's own numbers and pulls the cotangent
    back; f is the operation with the package's namespace.
    """
    for name, (operation, args) in operations().items():
        if only and name not in only.split():
            continue

        def backward(cotangent: Any, *args: Any, operation: Any = operation) -> Any:
            return pullback(lambda *boxed: operation(xp, *boxed), cotangent, *args)

        options = {"points": 0} if name in HERE_ALONE else {}
        subject = Backward(name, operation, backward, args, (), options, lossy=name in LOSSY)
        try:
            operation(JAX, *args)
            subject.gradient(subject.cotangent, *args)
        except Exception:
            continue
        yield subject
