"""The C program, compiled on this machine when needed."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ready import Ready, Unavailable

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


def loss_and_gradient(verb: str, params: Any, x: np.ndarray, y: np.ndarray) -> Ready:
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

    return Ready(run, read=_rows)


def _rows(answer: np.ndarray) -> list[np.ndarray]:
    return [row.copy() for row in answer]


def layered(rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Arrange a loss and nine partial derivatives as a loss and the arrays of two layers."""
    loss, w1, w2, w3, w4, w5, w6, b1, b2, b3 = rows
    hidden = np.array([[w1, w3], [w2, w4]])
    return [loss, hidden, np.array([b1, b2]), np.array([[w5], [w6]]), np.array([b3])]
