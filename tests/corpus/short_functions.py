"""Seven functions in short formats, in the ways in which kernels round, and mistakes in them.

Each is a loss `f(params, x, c, inside)`; `inside` is the dtype that it computes in between its
arrays, by default theirs.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def layer_norm(p: Any, x: Any, c: Any, inside: Any = None) -> Any:
    """Layer norm over the last axis, weighed by c."""
    x, kind = p.get("x", x), c.dtype
    w = x.astype(inside or kind)
    mean = w.mean(-1, keepdims=True)
    variance = ((w - mean) ** 2).mean(-1, keepdims=True)
    h = (w - mean) * jax.lax.rsqrt(variance + jnp.asarray(1e-2, w.dtype))
    g, b = (p[name].astype(w.dtype)[None, :] for name in "gb")
    return ((h * g + b).astype(kind) * c).sum()


def rms_norm(p: Any, _: Any, c: Any, inside: Any = None) -> Any:
    """RMS norm over the last axis, weighed by c."""
    w = p["x"].astype(inside or c.dtype)
    r = jax.lax.rsqrt((w * w).mean(-1, keepdims=True) + jnp.asarray(1e-2, w.dtype))
    return ((w * r * p["g"].astype(w.dtype)[None, :]).astype(c.dtype) * c).sum()


def cross_entropy(p: Any, x: Any, y: Any, inside: Any = None) -> Any:
    """Softmax cross-entropy of a linear layer, the mean over the batch."""
    z = (x @ p["w"] + p["b"][None, :]).astype(inside or y.dtype)
    return -(jax.nn.log_softmax(z) * y.astype(z.dtype)).sum(-1).mean()


def mlp(p: Any, x: Any, c: Any, inside: Any = None) -> Any:
    """Two layers with GELU between them, weighed by c."""
    z = (x @ p["w1"] + p["b1"][None, :]).astype(inside or c.dtype)
    return ((jax.nn.gelu(z).astype(c.dtype) @ p["w2"]) * c).sum()


def attention(p: Any, x: Any, c: Any, inside: Any = None) -> Any:
    """Attention of one head, weighed by c."""
    q, k, v = (x @ p[name] for name in "qkv")
    s = (q @ k.T).astype(inside or c.dtype)
    weights = jax.nn.softmax(s * jnp.asarray(q.shape[-1] ** -0.5, s.dtype))
    return ((weights.astype(c.dtype) @ v) * c).sum()


def huber(p: Any, x: Any, y: Any, inside: Any = None) -> Any:
    """Huber loss of a linear fit, the mean over the batch."""
    r = (x @ p["w"] - y).astype(inside or y.dtype)
    a, half = jnp.abs(r), jnp.asarray(0.5, r.dtype)
    return jnp.where(a < 1, r * r * half, a - half).mean()


def quantile(p: Any, x: Any, y: Any, inside: Any = None) -> Any:
    """Quantile loss at 0.75 of a linear fit, the mean over the batch."""
    r = (y - x @ p["w"]).astype(inside or y.dtype)
    return jnp.where(r > 0, r * jnp.asarray(0.75, r.dtype), r * jnp.asarray(-0.25, r.dtype)).mean()


Function = Callable[..., Any]


def cases(
    dtype: Any, seed: int, n: int = 7
) -> Iterator[tuple[str, Function, Any, tuple[Any, ...]]]:
    """Yield (name, function, params, (x, c)) in a format, for n examples."""
    rng, d = np.random.default_rng(seed), n + 4

    def drawn(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(dtype)

    x = drawn(n, d)
    norm = {"g": drawn(d), "b": drawn(d), "x": drawn(n, d)}
    yield "layer norm", layer_norm, norm, (x, drawn(n, d))
    yield "rms norm", rms_norm, {"x": drawn(n, d), "g": drawn(d)}, (x, drawn(n, d))
    labels = np.eye(5)[rng.integers(0, 5, n)].astype(dtype)
    linear = {"w": drawn(d, 5, scale=0.5), "b": drawn(5)}
    yield "cross entropy", cross_entropy, linear, (x, labels)
    layers = {"w1": drawn(d, 6, scale=0.4), "b1": drawn(6), "w2": drawn(6, 3)}
    yield "mlp", mlp, layers, (x, drawn(n, 3))
    heads = {name: drawn(d, 4, scale=0.4) for name in "qkv"}
    yield "attention", attention, heads, (x, drawn(n, 4))
    yield "huber", huber, {"w": drawn(d, scale=0.3)}, (x, drawn(n))
    yield "quantile", quantile, {"w": drawn(d, scale=0.3)}, (x, drawn(n))


def one(name: str, dtype: Any, seed: int = 0) -> tuple[Function, Any, tuple[Any, ...]]:
    """Return (function, params, (x, c)) of one."""
    return next(rest for called, *rest in cases(dtype, seed) if called == name)  # pyright: ignore


def in_dtype(f: Function, dtype: Any) -> Function:
    """Return the gradient all in a dtype, rounded to the arrays' own at the end."""
    compiled = jax.jit(jax.grad(f))

    def gradient(p: Any, *given: Any) -> Any:
        there = jax.tree.map(lambda leaf: jnp.asarray(leaf).astype(dtype), (p, *given))
        return jax.tree.map(lambda g, leaf: g.astype(leaf.dtype), compiled(*there), p)

    return gradient


def ways(f: Function, inside: Any = None) -> dict[str, Function]:
    """Return right gradients that round in different, legitimate ways."""

    def loss(p: Any, *given: Any) -> Any:
        return f(p, *given, inside)

    def by_operation(gradient: Function) -> Function:
        def rounded(*given: Any) -> Any:
            with jax.disable_jit():
                return gradient(*given)

        return rounded

    def reordered(p: Any, *given: Any) -> Any:
        """Sum over the examples in another order."""
        rows = np.random.default_rng(1).permutation(len(given[0]))
        return found["by operation"](p, *(array[rows] for array in given))

    found = {
        "compiled": jax.jit(jax.grad(loss)),
        "by operation": by_operation(jax.grad(loss)),
        "recomputed": by_operation(jax.grad(jax.checkpoint(loss))),
        "upcast": in_dtype(f, jnp.float32),
    }
    norm = f in (layer_norm, rms_norm)  # the examples are what they are differentiated by
    return found if norm else found | {"reordered": reordered}
