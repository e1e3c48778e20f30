"""Functions that write in place through another name, or ask what they are given.

Each is made of parts, as text. The truth is the same function without the trick, in `jax.numpy`:
the view is looked up on integers, which say where it writes, and the write is an expression. It is
held to the function as NumPy runs it, by its value and by differences; `jax.grad` of the function
itself, and the judge, have no part in it.
"""

import linecache
import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tests.attack.families.attempt import Attempt, differ

FAMILY = "writing in place"

#: Where an array is from; the first ones leave a point as it is, which the rest do not.
STARTS = """x.copy()
x + 0
np.array(x)
1.0 * x
x * c
x ** 2 + 1
1 / (1 + x * x)
c - 3 * x
x @ c
np.tanh(x)
c.copy()
np.ones(x.shape)
np.arange(1.0, 1 + x.size).reshape(x.shape)""".split("\n")
SAME = 4

#: Views of it.
VIEWS = """h
h[:]
h[...]
h[1:]
h[:-1]
h[::2]
h[::-1]
h[0]
h[-1]
h[:, 1]
h[1:, ::2]
h.T
h.T[1:]
h[1:][::2]
h.ravel()
h.reshape(-1)
h.ravel()[::3]
h[None]
h.swapaxes(0, 1)
h.real
h.view()
h.squeeze()
np.asarray(h)
np.transpose(h)
np.atleast_2d(h)""".split("\n")

#: How a view gets another name: the text, that name if it is not `v`, and, of the view's places
#: `p`, those that are written, in turn.
CARRIERS = """v = {view}; {write} | v | [p]
v = u = {view}; {write} | v | [p]
old, v = {view}, {view}; {write}; v = old | v | [p]
v, *_ = [{view}]; {write} | v | [p]
def change(v):; {indented}; change({view}) | v | [p]
def change(v={view}):; {indented}; change() | v | [p]
def change(v):; {indented};  return v; v = change({view}) | v | [p]
v = {view}; def change():;  nonlocal v; {indented}; change() | v | [p]
parts = [{view}, c]; {write} | parts[0] | [p]
state = dict(h={view}); {write} | state["h"] | [p]
s = SimpleNamespace(h={view}); {write} | s.h | [p]
for v in [{view}]:; {indented} | v | [p]
for v in dict(h={view}).values():; {indented} | v | [p]
for v in {view}:; {indented} | v | list(p)
for _, v in enumerate({view}):; {indented} | v | list(p)
for v, _ in zip({view}, c):; {indented} | v | list(p)
def change(v):; {indented}; list(map(change, {view})) | v | list(p)
a, *b = {view}; for v in b:; {indented} | v | list(p)[1:]
u = {view}; v = u[1:]; {write} | v | [p[1:]]
u = {view}; for v in (u[:1], u[1:]):; {indented} | v | [p[:1], p[1:]]""".split("\n")

#: What is written: the statement, and where it is no augmented assignment what `v` is after it.
WRITES = """v *= 2
v += 1.5
v += 0.5 * v
v **= 2
v -= v.mean()
v -= v.max()
v /= v.sum()
v /= (v ** 2).sum() ** 0.5
v /= 1 + v * v
v *= x.sum()
v -= x.mean()
v += v[::-1]
v @= v
v.sort() | np.sort(v)
v[:] = v ** 2 | v ** 2
v[...] = 3 * v | 3 * v
np.multiply(v, 3, out=v) | 3 * v
np.exp(v, out=v) | np.exp(v)
v.clip(None, 1.2, out=v) | np.minimum(v, 1.2)""".split("\n")

#: What asks what it is given, in place of a view and a write: text, `h` as NumPy has it, and as a
#: tracer may get it.
QUESTIONS = """h = 2 * x if isinstance(x, np.ndarray) else x | 2 * x | x
h = 3 * x if type(x) is np.ndarray else x | 3 * x | x
h = x if hasattr(x, "at") else x ** 2 | x ** 2 | x
h = x ** 2 if hasattr(x, "fill") else x | x ** 2 | x
h = x * x if hasattr(x, "__array_interface__") else x | x * x | x
h = x * (1 + isinstance(x.sum(), float)) | 2 * x | x
h = x if x.__class__.__module__.startswith("jax") else 2 * x | 2 * x | x
try:;  h = 2 * np.asarray(x, float); except Exception:;  h = x | 2 * x | x
try:;  h = x * float(x.sum()); except Exception:;  h = x | x * x.sum() | x
try:;  h = x * sum(math.exp(v) for v in x.ravel()); except (TypeError, ValueError):;  h = 0 * x + 1e10 | x * np.exp(x).sum() | 0 * x
try:;  h = x.copy();  h[0] = 2 * h[0]; except TypeError:;  h = x | np.concatenate([2 * x[:1], x[1:]]) | x
""".strip().split("\n")  # noqa: E501

#: What becomes of it, by every element; the last ones are written in JAX.
ENDS = """h ** 2
h * x
h ** 3 / 3
(h - x) ** 2
1 / (1 + h * h)
h * h * c
h * c
np.sin(h) * c
jnp.sin(x) * h
jnp.exp(-x * x) * h * h""".split("\n")

#: Thirty that are as short as they can be: carrier, view, write, start, end, by their texts; or a
#: question and an end.
MINIMAL = """v = {view}; {write} | h | v *= 2 | x.copy() | h ** 2
v = {view}; {write} | h[1:] | v *= 2 | x.copy() | h ** 2
v = {view}; {write} | h.T | v *= 2 | x.copy() | h ** 2
v = {view}; {write} | h.ravel() | v *= 2 | x.copy() | h ** 2
v = {view}; {write} | h.reshape(-1) | v += 1.5 | x * c | h ** 2
v = {view}; {write} | h[:, 1] | v -= v.mean() | x.copy() | h ** 2
v = {view}; {write} | h | v **= 2 | x + 0 | h * c
v = {view}; {write} | h | v *= x.sum() | x.copy() | h * c
v = {view}; {write} | h | v *= x.sum() | np.ones(x.shape) | h * x
v = {view}; {write} | h | v.sort() | x.copy() | h * c
v = {view}; {write} | h | v @= v | x.copy() | h * c
v = {view}; {write} | np.asarray(h) | v *= 2 | x.copy() | h ** 2
old, v = {view}, {view}; {write}; v = old | h | v *= 2 | x * c | h ** 2
def change(v):; {indented}; change({view}) | h | v -= v.mean() | x.copy() | h ** 2
def change(v):; {indented}; change({view}) | h | v -= v.mean() | c.copy() | jnp.sin(x) * h
def change(v):; {indented}; change({view}) | h | v /= v.sum() | c.copy() | jnp.sin(x) * h
def change(v={view}):; {indented}; change() | h | v *= 2 | x.copy() | h ** 2
parts = [{view}, c]; {write} | h | v *= 2 | x.copy() | h ** 2
state = dict(h={view}); {write} | h | v /= v.sum() | x.copy() | h ** 2
s = SimpleNamespace(h={view}); {write} | h | v -= v.mean() | x.copy() | h ** 2
for v in {view}:; {indented} | h | v /= v.sum() | x.copy() | h * c
for v, _ in zip({view}, c):; {indented} | h.T | v -= v.mean() | x.copy() | h ** 2
for _, v in enumerate({view}):; {indented} | h | v *= 2 | x * c | h ** 2
u = {view}; v = u[1:]; {write} | h.T | v *= 2 | x.copy() | h ** 2""".split("\n")


class Made(NamedTuple):
    """A function of (x, c), by every element: as text, and the same without the trick."""

    body: str
    end: str
    plain: Callable[[Any, Any], Any]
    #: What JAX may take it for.
    ignored: Callable[[Any, Any], Any]

    def source(self, scalar: bool) -> str:
        """Return the text of the function, or of the sum of its elements."""
        lines = [*self.body.split("; "), f"return {f'({self.end}).sum()' if scalar else self.end}"]
        return "def f(x, c):\n" + "".join(f"    {line}\n" for line in lines)


NAMES = {"np": np, "jnp": jnp, "math": math, "SimpleNamespace": SimpleNamespace}


def function(source: str) -> Any:
    """Run the text of a function `f`, whose lines tracebacks and the judge can read."""
    names, file = dict(NAMES), f"<in place {len(linecache.cache)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
    return names["f"]


def written(text: str, **values: Any) -> Any:
    """Evaluate an expression, NumPy's functions by JAX."""
    return eval(text, NAMES | {"np": jnp} | values)


def of_write(
    carrier: str, view: str, write: str, start: str, end: str, x: Any, c: Any
) -> Made | None:
    """Make a function of parts, if they fit together at the point."""
    carry, name, written_places = carrier.split(" | ")
    statement, _, value = write.partition(" | ")
    if not value:
        operator, amount = re.fullmatch(r"v (\S+)= (.*)", statement).groups()  # type: ignore
        value = f"v {operator} ({amount})"
    statement = re.sub(r"\bv\b", name, statement)
    text = carry.format(view=view, write=statement, indented=f" {statement}")
    names = NAMES | {"x": x, "c": c}
    h = np.asarray(eval(start, names))
    # In the memory of the array, so that the view is one of it too, or a copy.
    index = np.empty_like(h, dtype=int)
    index[...] = np.arange(h.size).reshape(h.shape)
    seen = eval(view, names | {"h": index})
    if np.shape(h) != x.shape or not np.shares_memory(seen, index):
        return None
    places = [p for p in eval(written_places, {"p": seen, "list": list}) if np.ndim(p)]
    if not places or not all(np.size(p) for p in places):
        return None

    def of(x: Any, c: Any, places: list[Any]) -> Any:
        h = written(start, x=x, c=c)
        flat = jnp.ravel(h)
        for p in places:
            flat = flat.at[p].set(written(value, v=flat[p], x=x, c=c))
        return written(end, h=flat.reshape(h.shape), x=x, c=c)

    body = f"h = {start}; {text}"
    return Made(body, end, partial(of, places=places), partial(of, places=[]))


def of_question(question: str, end: str) -> Made:
    """Make a function of one that asks what it is given."""
    body, *meant = question.split(" | ")

    def of(x: Any, c: Any, text: str) -> Any:
        return written(end, h=written(text, x=x), x=x, c=c)

    return Made(body, end, *(partial(of, text=text) for text in meant))


def in_doubles(function: Callable[..., Any], *given: Any) -> Callable[..., np.ndarray]:
    """Compile a function; it returns arrays of NumPy."""
    compiled = jax.jit(function)

    def call(*args: Any) -> np.ndarray:
        with jax.enable_x64(True):
            return np.array(compiled(*args, *given))

    return call


def derivative(verb: str, f: Callable[..., Any], c: Any) -> Callable[..., np.ndarray]:
    """Return the derivative of x → f(x, c) that a verb judges, or of the sum of its elements."""

    def total(x: Any, c: Any) -> Any:
        return f(x, c).sum()

    grad = jax.grad(total)
    of = {
        "jacobian": jax.jacobian(f),
        "hessian": jax.hessian(total),
        "hvp": lambda x, v, c: jax.jvp(lambda x: grad(x, c), (x,), (v,))[1],
        "backward": lambda d, x, c: jax.vjp(lambda x: f(x, c), x)[1](d)[0],
    }
    return in_doubles(of.get("backward" if verb == "steps" else verb, grad), c)


class Exact(NamedTuple):
    """What `exact_gradient` says, as a verdict on an answer."""

    verdict: str
    headline: str
    certified: bool = True


def exact(df: Any, loss: Any, x: Any) -> Exact:
    """Hold an answer to `exact_gradient`, to a millionth of the largest element."""
    from handgrad import exact_gradient

    try:
        found = exact_gradient(loss, x.copy())
    except (ArithmeticError, NotImplementedError) as error:
        return Exact("undecidable", str(error), False)
    gap = np.max(np.abs(np.vectorize(float)(found) - df(x)))
    verdict = "agree" if gap <= 1e-6 * np.max(np.abs(df(x))) else "disagree"
    return Exact(verdict, f"{gap} off", found.flat[0].certified)


def check(verb: str, made: Made, df: Any, x: Any, c: Any, points: int) -> Any:
    """Put a derivative before the judge."""
    import handgrad

    loss, f = (function(made.source(scalar)) for scalar in (True, False))
    if verb == "exact":
        return exact(df, lambda x: loss(x, c.copy()), x)
    if verb == "scipy":
        at, args = x.ravel(), (c,)
        return handgrad.check_scipy(loss, at, jac=lambda x, c: df(x), args=args, points=points)[
            "jac"
        ]

    def forward(x: Any) -> Any:
        return f(x, c.copy()), x

    if verb == "backward":
        return handgrad.check_backward(forward, df, x, points=points)
    if verb == "steps":
        return handgrad.check_steps([("step", forward, df)], x, points=points).steps[0].report
    judges = {
        "gradient": (handgrad.check_gradient, loss),
        "jacobian": (handgrad.check_jacobian, f),
        "hessian": (handgrad.check_hessian, loss),
        "hvp": (handgrad.check_hvp, loss),
    }
    judge, judged = judges[verb]
    return judge(lambda *args: df(*args[:-1]), judged, x, c, points=points)


VERBS = ("gradient", "scipy", "exact", "jacobian", "hessian", "hvp", "backward", "steps")


def _sign(array: np.ndarray) -> np.ndarray:
    array.flat[-1] *= -1
    return array


SPOILT = {"a hundredth more": lambda a: 1.01 * a, "the last sign": _sign}


def attempt(
    name: str, verb: str, made: Made, x: np.ndarray, c: np.ndarray, points: int
) -> Attempt | None:
    """Return a function with its answers; None if there is no finite one, or no wrong one."""
    held(made, x, c)
    right = derivative(verb, made.plain, c)
    v = np.random.default_rng(3).uniform(0.5, 1.5, x.shape)
    at = {"hvp": (x, v), "backward": (v, x), "steps": (v, x)}.get(verb, (x,))
    answers = {"right": right, "as JAX reads it": derivative(verb, made.ignored, c)}
    for said, spoil in SPOILT.items():
        answers[said] = lambda *args, spoil=spoil: spoil(right(*args))
    expected = right(*at)
    kept = {
        said: partial(check, verb, made, df, x, c, points)
        for said, df in answers.items()
        if said == "right" or (np.isfinite(df(*at)).all() and differ(df(*at), expected))
    }
    if not np.isfinite(expected).all() or len(kept) == 1 or (verb == "exact" and points):
        return None
    if verb == "exact":
        kept = {"right": kept["right"]}
    return Attempt(FAMILY, f"{name}, {verb}, {points} points", made.source(True), kept)


def held(made: Made, x: np.ndarray, c: np.ndarray) -> None:
    """Hold the truth to the function as NumPy runs it: its value, and its slope by differences."""
    f = function(made.source(False))
    plain = in_doubles(made.plain, c)
    v, step = np.random.default_rng(5).uniform(-1, 1, x.shape), 1e-6
    up, down = (np.asarray(f(x + s * v, c.copy())) for s in (step, -step))
    slope = in_doubles(lambda x, v, c: jax.jvp(lambda x: made.plain(x, c), (x,), (v,))[1], c)(x, v)
    for found, truth, off in (
        (np.asarray(f(x.copy(), c.copy())), plain(x), 1e-12),
        (up, plain(x + step * v), 1e-12),
        ((up - down) / (2 * step), slope, 1e-5),
    ):
        gap = np.max(np.abs(found - truth)) / max(1, np.max(np.abs(truth)))
        assert gap <= off, (gap, made.source(False))


def point(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Draw a point whose numbers are positive, so that few sums are near zero."""
    return rng.uniform(0.3, 2.0, shape), rng.uniform(0.5, 1.5, shape)


def minimal() -> Iterator[Attempt]:
    """Yield the short ones, before `check_gradient` at the default points."""
    rng = np.random.default_rng(43)
    whole = {line.split(" | ")[0]: line for line in CARRIERS}
    writes = {line.split(" | ")[0]: line for line in WRITES}
    with np.errstate(all="ignore"), jax.enable_x64(True):
        for line in MINIMAL:
            carrier, view, write, start, end = line.split(" | ")
            x, c = point(rng, (3, 3))
            made = of_write(whole[carrier], view, writes[write], start, end, x, c)
            assert made
            found = attempt(made.body, "gradient", made, x, c, 8)
            assert found, made.body
            yield found
        for question in QUESTIONS:
            x, c = point(rng, (3, 3))
            made = of_question(question, "h ** 2")
            found = attempt(made.body, "gradient", made, x, c, 8)
            assert found, made.body
            yield found


def drawn(seed: int, number: int) -> Attempt:
    """Draw one of parts; what parts do not fit together is drawn anew."""
    rng = np.random.default_rng([seed, number])
    while True:
        with np.errstate(all="ignore"), jax.enable_x64(True):
            found = _drawn(rng, f"{seed}-{number}")
        if found:
            return found


def _drawn(rng: np.random.Generator, name: str) -> Attempt | None:
    x, c = point(rng, [(6,), (3, 4), (3, 3)][rng.integers(3)])
    start, end = rng.choice(STARTS), rng.choice(ENDS)
    verb = str(rng.choice(VERBS, p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]))
    points = int(rng.choice([0, 2]))
    try:
        if rng.random() < 0.15:
            made = of_question(rng.choice(QUESTIONS), end)
        else:
            carrier, view, write = (rng.choice(t) for t in (CARRIERS, VIEWS, WRITES))
            made = of_write(carrier, view, write, start, end, x, c)
            if made and points == 0 and start in STARTS[:SAME] and rng.random() < 0.7:
                x = _unchanged(made, x, c)
        if made is None or (end.startswith("jnp") and "x" in start):
            return None
        if verb == "scipy" and x.ndim > 1:
            return None
        if function(made.source(False))(x.copy(), c.copy()).shape != x.shape:
            return None
    except (ValueError, IndexError, TypeError, AttributeError, np.exceptions.AxisError):
        return None
    return attempt(name, verb, made, x, c, points)


def _unchanged(made: Made, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return a point that the write leaves as it is, if it changes nothing the second time."""
    h = function(made._replace(end="h").source(False))
    once, twice = h(x.copy(), c), h(h(x.copy(), c), c)
    return once if np.allclose(once, twice) else x
