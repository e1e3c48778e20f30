"""The table of extremes: values, arrays and sizes, before the judge and both derivations.

The gradient of a polynomial is known exactly, in fractions: Σ x·wᵏ has k·x·wᵏ⁻¹. A right answer may
not be called wrong, a wrong one may not pass, and what cannot be judged is said in one line.
"""

import tempfile
import warnings
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.network
import manual.article
import manual.network
from compare.traced.article import trace_article
from compare.wording import InputError
from handgrad import check_backward, check_gradient, check_steps
from tests.attack.cases import Case, require

RIGHT, WRONG = {"agree", "imprecise", "undecidable"}, {"disagree", "undecidable", "another form"}

#: Answers nearer than this to the exact gradient are right; farther than WRONG_BEYOND, wrong. Two
#: products round by half a unit each, 2.2e-16 in all; float32 is given 2^29 times as much.
NEAR, WRONG_BEYOND = 4 * np.finfo(np.float64).eps, 1e-3

VALUES = {
    "1e308": 1e308,
    "-1e308": -1e308,
    "the largest": float(np.finfo(np.float64).max),
    "1e160": 1e160,
    "1e-160": 1e-160,
    "the smallest normal": float(np.finfo(np.float64).tiny),
    "the smallest subnormal": 5e-324,
    "-0.0": -0.0,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "-infinity": -float("inf"),
}
POSITIONS = ("params", "input", "gradient")
POWERS = (1, 2, 3)


#: Where in the judge NumPy warned, of the case that is run.
WARNED: set[str] = set()


def said(check: Callable[[], Any]) -> str:
    """Return a verdict, or `error: ` and its line; anything but one clear line is broken."""
    try:
        with warnings.catch_warnings(record=True, action="always") as seen:
            report = check()
            # Where the answer's form is at fault, its values were not compared.
            form = {"dtype", "shape", "structure"} & {finding.kind for finding in report.findings}
        verdict = "another form" if form and report.verdict == "disagree" else report.verdict
        ours = {
            f"{Path(w.filename).name}, line {w.lineno}" for w in seen if "/handgrad/" in w.filename
        }
        WARNED.update(ours)
        return verdict
    except (ValueError, TypeError) as error:
        text = str(error)
        require(text and text.isprintable(), f"more than a line: {text[:300]!r}")
        for word in ("Tracer", "jaxlib", "XLA", "broadcast_in_dim", "Traceback"):
            require(word not in text, f"not our own words: {text[:300]}")
        return f"error: {text}"


def _judges(k: int) -> dict[str, Callable[..., Any]]:
    """Each way to have the gradient of Σ x·wᵏ judged, by the function of the library."""

    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(x * w**k)

    def forward(w: Any, x: Any) -> Any:
        return x * w**k, (w, x)

    def pulled(gradient: Any) -> Any:
        # The cotangent is one everywhere; the other input's is judged as well, and is right.
        return lambda d, cache: (d * gradient(*cache), np.asarray(d * cache[0] ** k))

    return {
        "check_gradient": lambda g, w, x: check_gradient(g, loss, w, x, points=1),
        "check_backward": lambda g, w, x: check_backward(
            forward, pulled(g), w, x, cotangent=np.ones_like(w), points=1
        ),
        "check_steps": lambda g, w, x: (
            check_steps([("power", lambda w: (x * w**k, w), lambda d, w: d * g(w, x))], w, points=1)
            .steps[0]
            .report
        ),
    }


def expected(answer: Any, exact: list[Fraction | None]) -> set[str]:
    """Return the verdicts that may be given to an answer; None is an element that is no number."""
    near = NEAR * (2**29 if answer.dtype == np.float32 else 1)
    limits = np.finfo(answer.dtype)
    all_right = True
    for a, g in zip(answer.tolist(), exact, strict=True):
        if g is None or abs(g) > limits.max or 0 < abs(g) < float(limits.tiny):
            return RIGHT | WRONG  # no float is its value: any verdict that is not an error
        off = abs(Fraction(a) - g) if np.isfinite(a) else None
        if off is None or off > WRONG_BEYOND * abs(g):
            return WRONG
        all_right &= off <= near * abs(g)
    return RIGHT if all_right else RIGHT | WRONG


def value(k: int, name: str, position: str, dtype: str, judge: str) -> str:
    """An extreme value in one place, before one judge, with a right answer and two wrong ones."""
    with np.errstate(all="ignore"):
        extreme = np.asarray(VALUES[name]).astype(dtype)
        w, x = np.array([0.5, -1.25, 2.0], dtype), np.array([3.0, 0.75, -1.5], dtype)
        if position != "gradient":
            (w if position == "params" else x)[1] = extreme
    exact = [
        k * Fraction(a) * Fraction(b) ** (k - 1) if np.isfinite(a) and np.isfinite(b) else None
        for a, b in zip(x.tolist(), w.tolist(), strict=True)
    ]

    def gradient(w: Any, x: Any, factor: float = 1.0) -> Any:
        with np.errstate(all="ignore"):
            found = np.asarray(factor * (k * x * w ** (k - 1)), dtype)
            if position == "gradient":
                found[1] = extreme
            return found

    sayings = []
    for factor in (1.0, 1.5, -1.0):
        answered = partial(gradient, factor=factor)
        saying = said(lambda answered=answered: _judges(k)[judge](answered, w, x))
        allowed = expected(answered(w, x), exact)
        if not saying.startswith("error"):
            require(saying in allowed, f"{factor} times the right one: {saying}, not {allowed}")
        sayings.append(saying)
    return "; ".join(dict.fromkeys(sayings)) + _warned()


def _warned() -> str:
    found = f" (NumPy warns in {'; '.join(sorted(WARNED))})" if WARNED else ""
    WARNED.clear()
    return found


class Sub(np.ndarray):
    """A subclass of NumPy's array."""


def _readonly(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


#: Other arrays of the same values, of shape (3, 2).
ARRAYS: dict[str, Callable[[Any], Any]] = {
    "Fortran order": np.asfortranarray,
    "a view of every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "a view backwards": lambda a: a[::-1].copy()[::-1],
    "a transposed view": lambda a: a.T.copy().T,
    "read-only": _readonly,
    "broadcast": lambda a: np.broadcast_to(a[:1], (3, 2)),
    "object": lambda a: a.astype(object),
    "fractions in objects": lambda a: np.vectorize(Fraction, otypes=[object])(a),
    "another byte order": lambda a: a.astype(">f8"),
    "a subclass": lambda a: a.view(Sub),
    "a masked array": lambda a: np.ma.array(a),
    "a matrix": lambda a: _matrix(a),
    "a list": lambda a: a.tolist(),
    "integers": lambda a: np.arange(1, 7).reshape(3, 2),
    "booleans": lambda a: a > 0.3,
    "complex": lambda a: a + 0j,
    "float16": lambda a: a.astype(np.float16),
    "longdouble": lambda a: a.astype(np.longdouble),
    "a memory map": lambda a: _mapped(a),
    "unaligned": lambda a: np.frombuffer(b"\0" + a.tobytes(), np.float64, 6, 1).reshape(3, 2),
    "a JAX array": lambda a: jnp.asarray(a),
    "zero rows": lambda a: a[:0],
    "width 1": lambda a: a[:, :1],
    "one element": lambda a: a[:1, :1],
    "no dimension": lambda a: a[0, 0],
    "eight dimensions": lambda a: a.reshape(1, 1, 3, 1, 2, 1, 1, 1),
}


#: Those that are other shapes, of both.
SHAPES = ("zero rows", "width 1", "one element", "no dimension", "eight dimensions")

#: As parameters, the answer's form is another than theirs: six leaves, float32 leaves.
OF_THEIR_OWN = ("a list", "a JAX array", "fractions in objects")


def _matrix(array: Any) -> Any:
    with warnings.catch_warnings(action="ignore"):  # NumPy advises against it
        return np.asmatrix(array)


def _mapped(array: Any) -> Any:
    with tempfile.TemporaryFile() as file:
        file.write(array.tobytes())
        file.flush()
        return np.memmap(file, np.float64, "r", shape=array.shape)


def array(name: str, position: str) -> str:
    """Another kind of array in one place; the same values, so the same verdicts."""
    made = ARRAYS[name]
    plain = np.array([[0.5, -0.25], [1.5, 2.0], [0.75, -1.0]])
    w: Any = plain if position != "params" else made(plain)
    x: Any = plain + 1 if position != "input" else made(plain + 1)
    if name in SHAPES:
        w, x = made(plain), made(plain + 1)
        made = np.asarray

    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.asarray(jnp.real(x), float) * jnp.sin(w))

    def gradient(factor: float) -> Any:
        def answer(w: Any, x: Any) -> Any:
            found = factor * np.asarray(np.real(x), float) * np.cos(np.asarray(np.real(w), float))
            return made(found) if position == "gradient" else found

        return answer

    right = said(lambda: check_gradient(gradient(1.0), loss, w, x, points=1))
    wrong = said(lambda: check_gradient(gradient(1.5), loss, w, x, points=1))
    empty = name == "zero rows"
    # What is not the gradient's values any more is no right answer.
    other = position == "gradient" and name in ("integers", "booleans", "broadcast")
    other |= right == "another form" and (position == "gradient" or name in OF_THEIR_OWN)
    require(right in RIGHT or right.startswith("error") or other, f"right: {right}")
    require(wrong in WRONG or wrong.startswith("error") or empty, f"wrong: {wrong}")
    return f"{right}; {wrong}" if right != wrong else right


def _twice(gradient: Any, loss: Any, *at: Any) -> str:
    """A right gradient, and one with an element off by a thousandth."""

    def off(*at: Any) -> Any:
        found = np.array(gradient(*at))
        found.flat[-1] *= 1.001
        return found

    right, wrong = (
        said(lambda g=g: check_gradient(g, loss, *at, points=1)) for g in (gradient, off)
    )
    require(right in RIGHT, f"right: {right}")
    require(wrong in WRONG, f"wrong: {wrong}")
    return f"{right}; {wrong}"


def rows(count: int) -> str:
    """Least squares on many rows."""
    rng = np.random.default_rng(0)
    w, x, y = (rng.standard_normal(shape) for shape in (2, (count, 2), count))

    def gradient(w: Any, x: Any, y: Any) -> Any:
        return 2 * x.T @ (x @ w - y) / len(y)

    return _twice(gradient, lambda w, x, y: jnp.mean((x @ w - y) ** 2), w, x, y)


def parameters(count: int) -> str:
    """Σ w² of many parameters."""
    w = np.random.default_rng(0).standard_normal(count)
    return _twice(lambda w: 2 * w, lambda w: jnp.sum(w**2), w)


def depth(layers: int, width: int) -> str:
    """So many layers of tanh, the same weights in each."""

    def loss(w: Any, x: Any) -> Any:
        for _ in range(layers):
            x = jnp.tanh(x @ w)
        return jnp.sum(x)

    def gradient(w: Any, x: Any) -> Any:
        values = [x]
        for _ in range(layers):
            values.append(np.tanh(values[-1] @ w))
        d, dw = np.ones_like(x), np.zeros_like(w)
        for before, a in zip(values[-2::-1], values[:0:-1], strict=True):
            dz = d * (1 - a * a)
            dw = dw + before.T @ dz
            d = dz @ w.T
        return dw

    rng = np.random.default_rng(1)
    w, x = rng.standard_normal((width, width)) * 1.2, rng.standard_normal((2, width))
    return _twice(gradient, loss, w, x)


def article(name: str, position: str) -> str:
    """One pass through the article's network: both derivations, and the judge."""
    params, x = manual.article.ones_parameters(), [-2.0, -1.0]
    if position == "params":
        params = params._replace(w2=np.float64(VALUES[name]))
    else:
        x[1] = VALUES[name]
    try:
        trace = trace_article(params, x, 1.0, about={"whose": name, "parameters": position})
    except InputError as error:
        return str(error)
    require(trace.verdict == "agree", str(trace.as_object())[-300:])
    return "agree"


def network(name: str, position: str) -> str:
    """A network of two layers on extreme parameters or inputs, by hand and by autodiff."""
    shape = manual.network.Network((2, 3, 1), activation="tanh", output="identity")
    layers = manual.network.draw_parameters(shape, 0)
    x, y = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[1.0], [0.0]])
    (layers[0].w if position == "params" else x)[0, 1] = VALUES[name]
    with warnings.catch_warnings(action="ignore"), jax.enable_x64(True):
        by_hand = manual.network.gradient(shape, layers, x, y)
        twins = [autodiff.network.Layer(*layer) for layer in layers]
        by_autodiff = jax.grad(lambda p: autodiff.network.loss(shape, p, x, y))(twins)
    for mine, theirs in zip(*map(jax.tree.leaves, (by_hand, by_autodiff)), strict=True):
        neither = ~np.isfinite(mine) & ~np.isfinite(np.asarray(theirs))
        same = np.isclose(mine, theirs, rtol=1e-12, atol=1e-300) | neither
        require(same.all(), f"{mine.tolist()} and {theirs.tolist()}")
    return "the same"


def table() -> Mapping[str, Case]:
    """Every extreme by its name."""
    cases: dict[str, Case] = {}
    every = product(_judges(1), VALUES, POSITIONS, POWERS, ("float64", "float32"))
    for judge, name, position, k, dtype in every:
        key = f"values, {judge}: {name} in the {position}, power {k}, {dtype}"
        cases[key] = partial(value, k, name, position, dtype, judge)
    for name, position in product(ARRAYS, POSITIONS):
        key = f"arrays, check_gradient: {name} as the {position}"
        cases[key] = partial(array, name, position)
    for name, position in product(VALUES, POSITIONS[:2]):
        cases[f"the article's network: {name} in the {position}"] = partial(article, name, position)
        cases[f"a network: {name} in the {position}"] = partial(network, name, position)
    for count in (10_000, 1_000_000):
        cases[f"sizes: {count:,} rows"] = partial(rows, count)
    for count in (10_000, 1_000_000, 10_000_000):
        cases[f"sizes: {count:,} parameters"] = partial(parameters, count)
    for layers, width in ((50, 3), (200, 1), (200, 3)):
        cases[f"sizes: {layers} layers of width {width}"] = partial(depth, layers, width)
    return cases
