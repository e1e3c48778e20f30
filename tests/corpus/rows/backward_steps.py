"""Backward steps: forms of their answers, caches, cotangents, and rules that lose digits."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom
from tests.corpus.case import Row, cases

X = np.arange(6.0).reshape(2, 3) / 7 - 0.3
W = np.arange(15.0).reshape(3, 5) / 11 - 0.6
B, MIXED, PAIR = np.linspace(-0.5, 0.5, 5), np.array([0.3, -0.7, 1.2]), np.array([0.3, -0.7])


def affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b[None, :], (x, w)


def affine_back(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def written(dz: Any, cache: Any) -> Any:
    dz *= 2
    return affine_back(dz / 2, cache)


def averaged(dz: Any, cache: Any) -> Any:
    return (*affine_back(dz, cache)[:2], dz.mean(axis=0))


# ReLU in JAX, whose arrays are read-only; these are given writable copies.


def relu(x: Any) -> Any:
    a = jnp.maximum(x, 0.0)
    return a, {"a": a, "n": 3}


def in_its_cache(d: Any, cache: Any) -> Any:
    cache["a"][cache["a"] > 0] = 1.0
    return d * cache["a"]


def as_compiled_code_does(d: Any, cache: Any) -> Any:
    if not (isinstance(d, np.ndarray) and d.flags.writeable):
        raise TypeError(f"cannot determine the type of {type(d)}")
    return d * (np.asarray(cache["a"]) > 0)


def twice(backward: Any) -> Any:
    return lambda d, cache: 2 * backward(d, cache)


def that_raises(d: Any, _: Any) -> Any:
    raise KeyError("NumPy" if isinstance(d, np.ndarray) else "JAX")


class AtFirst:
    """Raises at its first call."""

    called = False

    def __call__(self, d: Any, x: Any) -> Any:
        if not self.called:
            self.called = True
            raise ValueError("at first")
        return 2 * d * x


# Squares, whose cotangents may be given, and other results that have none.


def square(x: Any) -> Any:
    return x * x, x


def doubles_its_input(x: Any) -> Any:
    y, kept = x * x, x.copy()
    x *= 2
    return y, kept


def square_back(d: Any, x: Any) -> Any:
    return 2 * d * x


def of_kind(array: Any) -> Any:
    def backward(d: Any, x: Any) -> Any:
        assert isinstance(d, array)
        return 2 * d * x

    return backward


def with_others(x: Any) -> Any:
    return {"y": x * x, "positive": x > 0, "count": 3}, x


def of_y(d: Any, x: Any) -> Any:
    assert d["positive"] is None
    return 2 * d["y"] * x


@jax.custom_jvp
def falling(x: Any) -> Any:
    return jnp.exp(-x) / (1 + jnp.exp(-x))


@falling.defjvp
def _loses_digits(x: Any, t: Any) -> Any:
    s = 1 / (1 + jnp.exp(-x[0]))
    return falling(*x), -s * (1 - s) * t[0]


COPIES, REFUSED = "backward was given writable NumPy copies, as on arrays", {"verdict": "raised"}
WRONG, AGREE = {"verdict": "disagree"}, {"verdict": "agree"}


def step(name: str, forward: Any, *at: Any, **options: Any) -> Any:
    """Ask for a backward step at a point alone, if nothing else is said."""
    return cases(name, check_backward, forward, *at, **{"points": 0, **options})


NOT_OF_X = "not differentiated, and so not judged: x; backward returns None"

CASES = [
    *step("an affine step", affine, X, W, B)(
        Row("right", affine_back, blame=None),
        Row("averaged over rows", averaged, "b: 5 of 5 elements", never=("w: 15 of",)),
        Row("written to its cotangent", written, "cotangent", kinds=("mutation",)),
        Row("two of three", lambda *a: affine_back(*a)[:2], kinds=("structure",), **WRONG),
    ),
    *step("written to by forward", doubles_its_input, X)(
        Row("right", square_back, "x: forward wrote", kinds=("mutation",), **WRONG),
    ),
    *step("ReLU in JAX", relu, MIXED, points=1)(
        Row("right, written to its cache", in_its_cache, COPIES, **AGREE),
        Row("right, compiled", as_compiled_code_does, COPIES),
        Row("twice, compiled", lambda *a: 2 * as_compiled_code_does(*a)),
        Row("raises on JAX's arrays and NumPy's", that_raises, "KeyError: 'JAX'", **REFUSED),
    ),
    *step("a square", square, MIXED)(Row("raises once", AtFirst(), "at first", **REFUSED)),
    *step("a square and others", with_others, X)(
        Row("right", of_y),
        Row("half", lambda d, x: d["y"] * x),
    ),
    *step("a square in whole cotangents", square, PAIR, cotangent=np.array([1, 2]))(
        Row("right", of_kind(np.ndarray))
    ),
    *step("a square in JAX", lambda x: square(jnp.asarray(x)), PAIR, cotangent=PAIR)(
        Row("right", of_kind(jax.Array), **AGREE)
    ),
    *[
        case
        for says, given in {
            "got (3,), expected (2,)": MIXED,
            "got (2,), (2,), expected (2,)": [PAIR, PAIR],
            "got complex128, expected real numbers": PAIR + 0j,
        }.items()
        for case in step(says, square, PAIR, cotangent=given)(
            Row("right", square_back, f"TypeError: cotangent: {says}", **REFUSED)
        )
    ],
    *step("a step without a cache", lambda x: x * x, X)(
        Row("right", lambda x, d: 2 * d * x, **AGREE),
        Row("half", lambda x, d: d * x, kinds=("factor",)),
        Row("too many arguments", lambda x, w, d: d, "as backward(*inputs, cotangent)", **REFUSED),
    ),
    *step("a step of three inputs", lambda x, w, b: x @ w + b[None, :], X, W, B)(
        Row("right", lambda x, w, b, dz: affine_back(dz, (x, w)), **AGREE),
        Row("averaged", lambda x, w, b, dz: averaged(dz, (x, w)), "b: ", **WRONG),
        Row("of a cache", affine_back, "forward: got", "expected (output, cache)", **REFUSED),
    ),
    *step("not all are differentiated", affine, X, W, B)(
        Row("right", lambda dz, c: (None, *affine_back(dz, c)[1:]), NOT_OF_X, **AGREE),
        Row("averaged", lambda dz, c: (None, *averaged(dz, c)[1:]), NOT_OF_X),
        Row("none is", lambda dz, c: (None, None, None), kinds=("structure",)),
    ),
    *step("in each other's place", lambda dz, x, w: (dz @ w.T, x.T @ dz), X, W)(
        Row("exchanged", lambda x, w: x @ w, "forward and backward given in each", **REFUSED),
    ),
    *cases("a rule", check_custom, None, np.array([29.0]), points=0)(
        Row("loses digits", falling, verdict="imprecise", blame="yours"),
        Row("none", jnp.sin, "expected a jax.custom_vjp or jax.custom_jvp function", **REFUSED),
    ),
]
