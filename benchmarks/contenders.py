"""Four ways to run the article's training; each keeps the parameters after every update.

A contender is made from (params, xs, ys, learning_rate, order). It keeps every update, so that the
work is the same for all and all of it can be judged.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from compare.agreement import stack


@dataclass(frozen=True)
class Contender:
    """Something to time: `run` does the work, `read` turns its result into numbers, untimed."""

    run: Callable[[], Any]
    read: Callable[[Any], np.ndarray]  #: the parameters after every update, shape (9, order.size)


SOURCE = Path(__file__).with_name("article_loop.c")


class Unavailable(Exception):  # noqa: N818 (nothing is in error: the machine lacks something)
    """A contender that this machine cannot run, with the reason."""


def compiled(params: Any, xs: Any, ys: Any, rate: float, order: np.ndarray) -> Contender:
    """`jax.grad` in one `lax.scan` under `jit`, inputs on the device beforehand."""
    with jax.enable_x64(True):
        train = jax.jit(autodiff.article.trajectory)
        arguments = jax.tree.map(
            jnp.asarray, (autodiff.article.Parameters(*params), xs, ys, rate, order)
        )

    def run() -> Any:
        with jax.enable_x64(True):
            return jax.block_until_ready(train(*arguments))

    return Contender(run, lambda layers: stack(autodiff.article.unpack(jax.device_get(layers))))


def c_loop(params: Any, xs: Any, ys: Any, rate: float, order: np.ndarray) -> Contender:
    """The C program, compiled here with `cc -O3 -march=native`.

    Raises:
        Unavailable: there is no C compiler, or it fails.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Unavailable("no C compiler: there is no cc on the path")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "article_loop.so"
        command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library)]
        built = subprocess.run(
            [*command, str(SOURCE), "-lm"], capture_output=True, text=True, check=False
        )
        if built.returncode:
            raise Unavailable(f"cc failed: {built.stderr.strip().splitlines()[0]}")
        train = ctypes.CDLL(str(library)).train
    samples = np.ascontiguousarray(order.ravel(), dtype=ctypes.c_long)
    path = np.empty((len(params), samples.size))
    start, current = np.array(params), np.empty(len(params))
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (current, xs, ys, samples, path)]

    def run() -> np.ndarray:
        current[:] = start
        train(*pointers[:4], ctypes.c_long(samples.size), ctypes.c_double(rate), pointers[4])
        return path

    return Contender(run, np.copy)


def hand_loop(params: Any, xs: Any, ys: Any, rate: float, order: np.ndarray) -> Contender:
    """`manual.sgd.train` with `manual.article.gradient`: the lines that are written to be read."""
    gradient = manual.article.gradient
    return Contender(
        run=lambda: list(manual.sgd.train(params, xs, ys, gradient, rate, order)),
        read=lambda path: np.array(path).T,
    )


def article_loop(params: Any, xs: Any, ys: Any, rate: float, order: np.ndarray) -> Contender:
    """The article's style: NumPy scalars, its table of whole numbers, σ' anew for each factor."""
    xs, ys = xs.astype(np.int64), ys.astype(np.int64)

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def derivative(z: Any) -> Any:
        f = sigmoid(z)
        return f * (1 - f)

    def run() -> list[tuple]:
        w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
        path = []
        for k in order.ravel():
            x, y = xs[k], ys[k]
            z1 = w1 * x[0] + w2 * x[1] + b1
            h1 = sigmoid(z1)
            z2 = w3 * x[0] + w4 * x[1] + b2
            h2 = sigmoid(z2)
            z3 = w5 * h1 + w6 * h2 + b3
            error = -2 * (y - sigmoid(z3))
            to_h1, to_h2 = w5 * derivative(z3), w6 * derivative(z3)
            w5 = w5 - rate * error * h1 * derivative(z3)
            w6 = w6 - rate * error * h2 * derivative(z3)
            b3 = b3 - rate * error * derivative(z3)
            w1 = w1 - rate * error * to_h1 * x[0] * derivative(z1)
            w2 = w2 - rate * error * to_h1 * x[1] * derivative(z1)
            b1 = b1 - rate * error * to_h1 * derivative(z1)
            w3 = w3 - rate * error * to_h2 * x[0] * derivative(z2)
            w4 = w4 - rate * error * to_h2 * x[1] * derivative(z2)
            b2 = b2 - rate * error * to_h2 * derivative(z2)
            path.append((w1, w2, w3, w4, w5, w6, b1, b2, b3))
        return path

    return Contender(run, lambda path: np.array(path).T)


#: By name, with the form of σ' that its lines use.
CONTENDERS: dict[str, tuple[Callable[..., Contender], str]] = {
    "jax.grad, compiled": (compiled, "article"),
    "C, cc -O3 -march=native": (c_loop, "article"),
    "by hand, NumPy": (hand_loop, "stable"),
    "the article's loop": (article_loop, "article"),
}
