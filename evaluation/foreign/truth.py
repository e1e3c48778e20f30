"""A truth that owes nothing to JAX or to the judge: central differences in 90 digits.

A loss is written once, as `loss(xp, params, *inputs)`. With `DIGITS` for `xp` its arrays are object
arrays of mpmath's numbers: what NumPy does with operators it does with them, and the functions come
from mpmath. With `JAX` for `xp` the judge traces the same lines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partialmethod
from typing import Any

import numpy as np
from mpmath import mp, mpf

#: 300 bits. A difference over a step of 2^-90 is then off by 2^-180 (truncated) and 2^-210
#: (rounded), relative to the third derivative and the value: 50 digits.
PRECISION, STEP = 300, mpf(2) ** -90

#: Forward and backward differences of a smooth loss differ by a step times its second derivative;
#: at a kink they do not shrink with the step.
KINK = mpf(2) ** -30

#: Derivatives below this fraction of the loss are not seen in its differences.
SEEN = mpf(2) ** -200

#: NumPy asks objects for a method of the function's name, so that what a package wrote with
#: `np.exp` runs on these numbers as it stands.
_TURNS = ("sin", "cos", "tan", "sinh", "cosh", "tanh")
_SAME = (*_TURNS, "exp", "log", "sqrt", "log1p", "expm1")
for _name in (*_SAME, "log10", "fabs", *(f"arc{name}" for name in _TURNS)):
    _function = getattr(mp, _name.replace("arc", "a"))
    setattr(mpf, _name, partialmethod(lambda self, function: function(self), _function))


def _xlogy(x: Any, y: Any) -> Any:
    return mpf(0) if x == 0 else x * mp.log(y)


def _ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _sign(x: Any) -> Any:
    return mpf((x > 0) - (x < 0))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(mp, name) for name in (*_SAME, "erf", "erfc", "cbrt")},
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10),
    "exp2": lambda x: mpf(2) ** x,
    **{f"arc{name}": getattr(mp, f"a{name}") for name in _TURNS},
    "sinc": mp.sincpi,
    "sign": _sign,
    "abs": abs,
    "gamma": mp.gamma,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))),
    "digamma": mp.digamma,
    "ndtr": _ndtr,
    "log_ndtr": lambda x: mp.log(_ndtr(x)),
    "ndtri": lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
    "erfinv": mp.erfinv,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "logit": lambda p: mp.log(p / (1 - p)),
    "softplus": lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "i0e": lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
    "i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
    "expi": mp.ei,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
    "entr": lambda x: -_xlogy(x, x),
    "spence": lambda x: mp.polylog(2, 1 - x),
    "arctan2": mp.atan2,
    "hypot": mp.hypot,
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "logaddexp2": lambda a, b: mp.log(mpf(2) ** a + mpf(2) ** b) / mp.log(2),
    "xlogy": _xlogy,
    "xlog1py": lambda x, y: mpf(0) if x == 0 else x * mp.log1p(y),
    "betaln": lambda a, b: mp.log(abs(mp.beta(a, b))),
    "beta": mp.beta,
    "gammainc": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
    "gammaincc": lambda a, x: mp.gammainc(a, x, regularized=True),
    "polygamma": lambda n, x: mp.psi(int(n), x),
    "zeta": mp.zeta,
    "square": lambda x: x * x,
    "clip": lambda x, low, high: min(max(x, low), high),
    "power": lambda a, b: mpf(a) ** b,
    "betainc": lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
}


def numbers(value: Any) -> Any:
    """Floats as an object array of 300-bit numbers; anything else as it is."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    return np.frompyfunc(lambda x: mpf(float(x)), 1, 1)(array) if array.shape else mpf(float(array))


def _matrix(a: Any) -> Any:
    return mp.matrix(a.tolist())


def _array(a: Any) -> np.ndarray:
    return np.array(a.tolist(), dtype=object)


class _Linalg:
    def inv(self, a: Any) -> Any:
        return _array(mp.inverse(_matrix(a)))

    def solve(self, a: Any, b: Any) -> Any:
        return (self.inv(a) @ b).reshape(np.shape(b))

    def det(self, a: Any) -> Any:
        return mp.det(_matrix(a))

    def slogdet(self, a: Any) -> Any:
        found = self.det(a)
        return _sign(found), mp.log(abs(found))

    def cholesky(self, a: Any) -> Any:
        return _array(mp.cholesky(_matrix((a + a.T) / 2)))

    def eigvalsh(self, a: Any) -> Any:
        return np.sort(_array(mp.eigsy(_matrix((a + a.T) / 2), eigvals_only=True)).ravel())

    def svdvals(self, a: Any) -> Any:
        values = np.sort(np.array([mp.sqrt(abs(x)) for x in self.eigvalsh(a.T @ a)]))[::-1]
        return values[: min(a.shape)]


class Digits:
    """NumPy's functions, and some of SciPy's, on object arrays of mpmath's numbers."""

    pi = property(lambda self: +mp.pi)
    linalg = _Linalg()

    def __getattr__(self, name: str) -> Any:
        if name not in _FUNCTIONS:
            return getattr(np, name)
        return lambda *args: np.frompyfunc(_FUNCTIONS[name], len(args), 1)(*args)

    def asarray(self, value: Any) -> Any:
        return numbers(np.asarray(value)) if np.asarray(value).dtype.kind == "f" else value

    def logsumexp(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.log(np.sum(self.exp(x), axis=axis, keepdims=keepdims))

    def var(self, x: Any, axis: Any = None, ddof: int = 0) -> Any:
        gap = x - np.mean(x, axis=axis, keepdims=True)
        sizes = np.size(x) if axis is None else np.shape(x)[axis]
        return np.sum(gap * gap, axis=axis) / (sizes - ddof)

    def std(self, x: Any, axis: Any = None, ddof: int = 0) -> Any:
        return self.sqrt(self.var(x, axis, ddof))


DIGITS: Any = Digits()


def flat(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """The leaves of dicts and tuples, with their paths."""
    if isinstance(tree, dict):
        return [pair for key in sorted(tree) for pair in flat(tree[key], f"{path}[{key!r}]")]
    if isinstance(tree, list | tuple):
        return [pair for key, part in enumerate(tree) for pair in flat(part, f"{path}[{key}]")]
    return [(path, tree)]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with each leaf replaced, in the order of `flat`."""
    if isinstance(tree, dict):
        return {key: mapped(function, tree[key]) for key in sorted(tree)}
    if isinstance(tree, list | tuple):
        return type(tree)(mapped(function, part) for part in tree)
    return function(tree)


@dataclass
class Error:
    """How far a gradient is from the truth, at its worst element."""

    #: |yours - exact|, relative to the exact element, or to 2⁻²⁰ of its leaf's largest where that
    #: is more; NaN where a value is not finite or of another shape.
    relative: float = 0.0
    where: str = ""
    yours: float = 0.0
    exact: str = ""
    #: Whether the loss has a kink there; yours is then compared with the interval of both sides.
    kink: bool = False
    #: Whether an element, yours and the exact one, is too small to be seen.
    unseen: bool = False


def measure(loss: Callable[..., Any], gradient: Any, params: Any, inputs: Any) -> Error:
    """Compare a gradient with central differences of the loss at a point, in 300 bits."""
    with mp.workprec(PRECISION):
        point, data = mapped(numbers, params), [mapped(numbers, part) for part in inputs]

        def value(at: int, moved: Any) -> Any:
            """The loss with one leaf replaced."""
            leaves = iter([*leaves_of[:at], moved, *leaves_of[at + 1 :]])
            found = loss(DIGITS, mapped(lambda _: next(leaves), point), *data)
            return mpf(found.item() if isinstance(found, np.ndarray) else found)

        leaves_of = [leaf for _, leaf in flat(point)]
        found, base = Error(), value(0, leaves_of[0])
        for at, ((path, leaf), (_, answer)) in enumerate(
            zip(flat(params), flat(gradient), strict=True)
        ):
            leaf, answer = np.asarray(leaf), np.asarray(answer)
            if answer.shape != leaf.shape:
                return Error(float("nan"), f"{path}: {answer.shape} for {leaf.shape}")
            sides = {}
            for index in np.ndindex(leaf.shape):
                step = STEP * max(1, abs(float(leaf[index])))
                up, down = (value(at, _moved(leaves_of[at], index, s)) for s in (step, -step))
                sides[index] = ((up - base) / step, (base - down) / step)
            floor = max((abs(right) for right, _ in sides.values()), default=mpf(0)) * mpf(2) ** -20
            for index, (low, high) in ((at, sorted(pair)) for at, pair in sides.items()):
                exact, yours, where = (low + high) / 2, float(answer[index]), f"{path}{[*index]}"
                told = (where, yours, str(mp.nstr(exact, 25)))
                if not np.isfinite(yours):
                    return Error(float("nan"), *told)
                kink = high - low > KINK * max(abs(exact), 1)
                gap = max(low - yours, yours - high, 0) if kink else abs(yours - exact)
                size = max(abs(low), abs(high), floor)
                if gap and max(size, abs(yours)) <= SEEN * max(abs(base), 1):
                    found.unseen = True
                    continue
                relative = float(gap / size) if size else float(gap)
                found.kink |= kink
                if relative > found.relative or not found.where:
                    found = Error(relative, *told, found.kink, found.unseen)
        return found


def _moved(leaf: Any, index: tuple[int, ...], step: Any) -> Any:
    """A leaf with one element moved."""
    if not isinstance(leaf, np.ndarray):
        return leaf + step
    moved = leaf.copy()
    moved[index] += step
    return moved
