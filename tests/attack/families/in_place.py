"""Functions that write in place through another name, or ask what they are given.

Each is made of parts, as text. Without the trick, the view is looked up on integers, which say
where it writes, and the write is an expression.
"""

import re
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from tests.attack.families.attempt import Attempt
from tests.attack.families.made import NAMES, Drawn, Made, attempt, point, written

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
c
np.ones(x.shape)
np.arange(1.0, 1 + x.size).reshape(x.shape)""".splitlines()
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
np.atleast_2d(h)""".splitlines()

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
for v, _ in zip({view}, c):; {indented} | v | list(p)[:len(c)]
def change(v):; {indented}; list(map(change, {view})) | v | list(p)
a, *b = {view}; for v in b:; {indented} | v | list(p)[1:]
u = {view}; v = u[1:]; {write} | v | [p[1:]]
u = {view}; for v in (u[:1], u[1:]):; {indented} | v | [p[:1], p[1:]]""".splitlines()

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
v.clip(None, 1.2, out=v) | np.minimum(v, 1.2)""".splitlines()

#: Those that change nothing a second time, so that they may be done to an argument itself.
ONCE = ("v -= v.mean()", "v -= v.max()", "v /= v.sum()", "v.sort()")

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
""".strip().splitlines()  # noqa: E501

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
jnp.exp(-x * x) * h * h""".splitlines()

#: Those that are as short as they can be: carrier, view, write, start, end; and the questions.
SHORT = (
    """v = {view}; {write} | h | v *= 2 | x.copy() | h ** 2
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
def change(v):; {indented}; change({view}) | h | v /= v.sum() | c | jnp.sin(x) * h
def change(v={view}):; {indented}; change() | h | v *= 2 | x.copy() | h ** 2
parts = [{view}, c]; {write} | h | v *= 2 | x.copy() | h ** 2
state = dict(h={view}); {write} | h | v /= v.sum() | x.copy() | h ** 2
s = SimpleNamespace(h={view}); {write} | h | v -= v.mean() | x.copy() | h ** 2
for v in {view}:; {indented} | h | v /= v.sum() | x.copy() | h * c
for v, _ in zip({view}, c):; {indented} | h.T | v -= v.mean() | x.copy() | h ** 2
for _, v in enumerate({view}):; {indented} | h | v *= 2 | x * c | h ** 2
u = {view}; v = u[1:]; {write} | h.T | v *= 2 | x.copy() | h ** 2""".splitlines()
    + QUESTIONS
)


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
    places = [p for p in eval(written_places, names | {"p": seen}) if np.ndim(p)]
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

    plain, taken = (partial(of, text=text) for text in meant)
    return Made(body, end, plain, taken)


def short(line: str) -> Attempt:
    """Return one of the short ones before `check_gradient`, by its line of the table."""
    x, c = point(np.random.default_rng(43), (3, 3))
    if line in QUESTIONS:
        made: Made | None = of_question(line, "h ** 2")
    else:
        whole = {text.split(" | ")[0]: text for text in (*CARRIERS, *WRITES)}
        carrier, view, write, start, end = line.split(" | ")
        made = of_write(whole[carrier], view, whole[write], start, end, x, c)
    assert made
    found = attempt(FAMILY, f"{made.body}; {made.end}", "gradient", made, x, c, 8)
    assert found
    return found


def draw(rng: np.random.Generator) -> Drawn | None:
    """Draw a function of parts; None where they do not fit together."""
    x, c = point(rng, [(6,), (3, 4), (3, 3)][rng.integers(3)])
    start, end, points = rng.choice(STARTS), rng.choice(ENDS), int(rng.choice([0, 2]))
    if end.startswith("jnp") and "x" in start:
        return None
    try:
        if start != "c" and rng.random() < 0.15:
            made = of_question(rng.choice(QUESTIONS), end)
        else:
            carrier, view, write = (rng.choice(table) for table in (CARRIERS, VIEWS, WRITES))
            if start == "c" and (not write.startswith(ONCE) or re.search(r"\bc\b", end)):
                return None  # the function would read what it has written
            made = of_write(carrier, view, write, start, end, x, c)
            # What a clip leaves as it is may lie at its kink, where more than one answer is right.
            same = start in STARTS[:SAME] and "clip" not in write
            if made and points == 0 and same and rng.random() < 0.7:
                x = _unchanged(made, x, c)
        if made is None or made.run()(x.copy(), c.copy()).shape != x.shape:
            return None
    except (ValueError, IndexError, TypeError, AttributeError):
        return None
    return made, x, c, points


def _unchanged(made: Made, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return a point that the write leaves as it is, if it changes nothing the second time."""
    h = made._replace(end="h").run()
    once, twice = h(x.copy(), c), h(h(x.copy(), c), c)
    return once if np.allclose(once, twice) else x
