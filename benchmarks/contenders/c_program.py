"""The C program, compiled on this machine when needed."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Ready, Unavailable
from manual.article import Parameters

SOURCE = Path(__file__).with_name("article.c")

#: The dtypes' names in C.
REALS = {"float32": "float", "float64": "double"}


@functools.cache
def library(dtype: str) -> Any:
    """Compile the program for a dtype with `cc -O3 -march=native`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise Unavailable("no C compiler: there is no cc on the path")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "article.so"
        options = ["-O3", "-march=native", "-shared", "-fPIC", f"-DREAL={REALS[dtype]}"]
        command = [compiler, *options, "-o", str(made), str(SOURCE), "-lm"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            says = built.stderr.strip().splitlines() or [f"exit code {built.returncode}"]
            raise Unavailable(f"cc failed: {says[0]}")
        return ctypes.CDLL(str(made))


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """Return a pointer to an array's data for C."""
    return array.ctypes.data_as(ctypes.c_void_p)


def article(problem: ArticleProblem) -> Ready:
    """Prepare the loss and gradient of one network, or of each of many."""
    params, x, y = problem.arguments
    if y.ndim:
        return _prepared("mass", params, x, y)
    return _prepared("mean", params, x[None, :], y[None])


def network(problem: NetworkProblem) -> Ready:
    """Prepare the mean loss of a batch and its gradient, of the article's network only."""
    described = problem.network
    form = (described.sizes, described.activation, described.output, described.loss, described.l2)
    if form != ((2, 2, 1), "sigmoid", "sigmoid", "mse", 0.0):
        raise Unavailable("the C program has the 2-2-1 sigmoid network only")
    (w, b), (v, c) = problem.params
    params = Parameters(*w.T.ravel(), *v.ravel(), *b, *c)
    ready = _prepared("mean", params, problem.x, problem.y[:, 0])
    return Ready(ready.run, read=lambda answer: _layered(ready.read(answer)))


def _prepared(verb: str, params: Any, x: np.ndarray, y: np.ndarray) -> Ready:
    """Prepare a call of `mean` or `mass` of the C program.

    Args:
        verb: the name of the function.
        params: nine numbers, or nine arrays of shape (n,).
        x, y: inputs of shape (n, 2) and targets of shape (n,).
    """
    function = getattr(library(str(x.dtype)), verb)
    packed = np.ascontiguousarray(np.stack([np.asarray(p) for p in params]), x.dtype)
    xs, ys = np.ascontiguousarray(x), np.ascontiguousarray(y)
    answer = np.empty((10, *packed.shape[1:]), x.dtype)
    arguments = [pointer(packed), pointer(xs), pointer(ys), ctypes.c_long(len(xs)), pointer(answer)]

    def run() -> np.ndarray:
        function(*arguments)
        return answer

    return Ready(run, read=lambda answer: [row.copy() for row in answer])


def _layered(rows: list[np.ndarray]) -> list[np.ndarray]:
    """Arrange a loss and nine partial derivatives as a loss and the arrays of two layers."""
    loss, (w1, w2, w3, w4, w5, w6), biases = rows[0], rows[1:7], np.array(rows[7:])
    return [loss, np.array([[w1, w3], [w2, w4]]), biases[:2], np.array([[w5], [w6]]), biases[2:]]
