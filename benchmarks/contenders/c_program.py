"""The C program, compiled on this machine when needed."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import autodiff.article
from benchmarks.problems.gradient import ArticleProblem, NetworkProblem
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Leaves, Ready, Unavailable, leaves
from manual.network import Network

SOURCE = Path(__file__).with_name("article.c")

#: The network that it has.
ARTICLE = Network((2, 2, 1), activation="sigmoid", output="sigmoid", loss="mse")

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


def article(problem: ArticleProblem) -> Ready:
    """Prepare the loss and gradient of one network, or of each of many."""
    params, x, y = problem.arguments
    return (
        _gradient("mass", params, x, y) if y.ndim else _gradient("mean", params, x[None], y[None])
    )


def network(problem: NetworkProblem) -> Ready:
    """Prepare the mean loss of a batch and its gradient, of the article's network only."""
    if problem.network != ARTICLE:
        raise Unavailable("the C program has the 2-2-1 sigmoid network only")
    params = autodiff.article.unpack(problem.params)
    run = _gradient("mean", params, problem.x, problem.y[:, 0]).run

    def read(answer: np.ndarray) -> Leaves:
        loss, *slopes = answer.copy()
        return leaves((loss, autodiff.article.pack(autodiff.article.Parameters(*slopes))))

    return Ready(run, read=read)


def training(problem: TrainingProblem) -> Ready:
    """Prepare the whole training."""
    start, xs, ys, rate, order = problem.arguments
    rows, path = order.ravel().astype(ctypes.c_long), np.empty((len(start), order.size))
    count, step = ctypes.c_long(rows.size), ctypes.c_double(rate)
    ready = _prepared("train", np.array(start), xs, ys, rows, count, step, path)
    return Ready(ready.run, read=lambda answer: [answer.copy()])


def _gradient(verb: str, params: Any, x: np.ndarray, y: np.ndarray) -> Ready:
    """Prepare a call of `mean` or `mass`.

    Args:
        verb: the name of the function.
        params: nine numbers, or nine arrays of shape (n,).
        x: inputs of shape (n, 2).
        y: targets of shape (n,).
    """
    packed = np.stack([np.asarray(p) for p in params]).astype(x.dtype)
    answer = np.empty((10, *packed.shape[1:]), x.dtype)
    return _prepared(verb, packed, x, y, ctypes.c_long(len(x)), answer)


def _prepared(verb: str, *arguments: Any) -> Ready:
    """Prepare a call of a function of the program, which fills the last argument."""
    *_, answer = arguments
    function = getattr(library(str(answer.dtype)), verb)
    # The pointers keep their arrays.
    given = [
        np.ascontiguousarray(a).ctypes.data_as(ctypes.c_void_p) if isinstance(a, np.ndarray) else a
        for a in arguments
    ]

    def run() -> np.ndarray:
        function(*given)
        return answer

    return Ready(run, read=lambda answer: list(answer.copy()))
