"""Modules for `handgrad check` whose loss, gradient or example is no such thing."""

import re
from random import Random

_HEAD = '''import sys
import jax
import jax.numpy as jnp
import numpy as np


class Evil:
    """Raises wherever it is looked at."""

    def __getattr__(self, name): raise RuntimeError("no " + name)
    def __array__(self, *_, **__): raise OSError("a\\nb")
    def __repr__(self): raise ValueError("no repr")
    def __len__(self): raise KeyError("len")


class Mute(Exception):
    def __str__(self): raise RuntimeError("no text")


def throw(error): raise error


def again(*args): return again(*args)


'''


#: In place of the loss or of a gradient, of w (2,) and x (3, 2).
VALUES = r"""
None; 'text'; b'text'; []; {}; (); jnp.nan; np.inf; 1/0; object(); w; jnp.zeros((2, 2));
jnp.zeros((0,)); {'w': w}; [w, w]; 1j * w; w > 0; Evil(); throw(ValueError('a\nb'));
throw(StopIteration); throw(Mute()); sys.exit(3); throw(MemoryError); throw(RecursionError);
throw(ExceptionGroup('g', [OSError()])); throw(ValueError('\x1b[2J\ud800')); again(w); lambda: w;
iter([1.0]); 10 ** 400; np.array([None, 1.0], object); np.array(['a', 'b']);
np.datetime64('2020-01-01'); np.ma.array([1.0, 2.0], mask=[0, 1]); w.astype('float16');
w.astype(int); w[:1]; np.array([1.0, 2.0], '>f8'); np.float128(3);
jax.random.normal(jax.random.key(0), (2,)); jnp.broadcast_to(w, (3, 2)); (w, w);
2 * x.T @ (x @ w) + np.random.rand(2); np.sum; np.linalg.inv(np.zeros((2, 2)));
jnp.linalg.inv(jnp.zeros((2, 2))); x.tolist(); len; float(w[0]); int(w[0]); bool(w[0] > 0);
w.item(); w.__setitem__(0, 3.0); print(w); float(np.sum((x @ w) ** 2)); np.sum((x @ w) ** 2);
jnp.sum(w); 2 * x.T @ (x @ w); jnp.sum(w) * 1e308 * 10; jnp.log(-jnp.sum(w ** 2));
jnp.sum(w ** 2).astype(jnp.float16)
"""

#: In place of the example.
EXAMPLES = r"""
None; (); w; [1.0, 2.0]; (1.0,); (None, None); ({}, x); ([], x); (w,); (w, x, x); ('text', x);
(w, 'text'); (w, None); (Evil(), x); (w, Evil()); (w.astype(int), x); (w > 0, x); (1j * w, x);
(w.astype('float32'), x); (w * np.nan, x); (w * np.inf, x); (w * 1e308, x); (w * 5e-324, x);
(w[:0], x[:, :0]); (w, x[:0]); (np.array([None, 1.0], object), x); (np.array(['a', 'b']), x);
(w.tolist(), x.tolist()); ({'a': w, 1: w}, x); ({'w': w}, x); ((w, (w, [w])), x);
(np.float128(3), x); (np.ma.array(w, mask=[0, 1]), x); (np.matrix([1.0, 2.0]), x);
(w.astype('>f8'), x); (jnp.array([1.0, 2.0]), x); (jax.random.key(0), x); lambda: (w, x);
lambda a: a; throw; lambda: throw(ValueError('a\nb')); lambda: sys.exit(3); lambda: again(); sys;
(w, np.broadcast_to(1.0, (3, 2))); (w[::-1], x); (np.float64(1.0), x); (True, x); (10 ** 400, x);
(w, 10 ** 400); (frozenset([1.0]), x); (np.datetime64('2020'), x)
"""

OPTIONS = (
    *("--strict", "--has-value", "--plant", "--counterexample", "--json", "--points=0", "--seed=3"),
)


def _one(rng: Random, texts: str) -> str:
    return rng.choice(re.split(r";\s", texts.strip()))


def drawn(rng: Random) -> tuple[bytes, list[str]]:
    """Draw a module's text and the command line that judges it."""
    loss = _one(rng, VALUES) if rng.random() < 0.4 else "jnp.sum((x @ w) ** 2)"
    gradient = _one(rng, VALUES) if rng.random() < 0.5 else "2 * x.T @ (x @ w)"
    example = _one(rng, EXAMPLES) if rng.random() < 0.5 else "(w, x)"
    text = (
        f"{_HEAD}def loss(w, x): return {loss}\n\n\ndef gradient(w, x): return {gradient}\n\n\n"
        f"w, x = np.array([1.0, 2.0]), np.arange(6.0).reshape(3, 2) / 4\nexample = {example}\n"
    )
    names = ("gradient", "loss", "example", "Evil", "w", "sys", "nothing", "Mute")
    chosen = [name if rng.random() < 0.97 else rng.choice(names) for name in names[:3]]
    words = ["check", f"module.py:{chosen[0]}", "--loss", chosen[1], "--like", chosen[2]]
    words += [option for option in OPTIONS if rng.random() < 0.12]
    points = [] if "--points=0" in words else ["--points", "1"]
    return text.encode("utf-8", "surrogatepass"), [*words, *points]
