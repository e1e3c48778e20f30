"""Processes of their own: how one is started, how it ended, and what it must not have said."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attack.cases import ROOT, require

#: Seconds of real time after which a process is taken to hang; none takes a tenth of it.
PATIENCE = 300

#: A module with a loss, its gradient and an example, for processes that judge.
MODULE = """import jax.numpy as jnp
import numpy as np


def loss(w, x):
    return jnp.sum(jnp.tanh(x @ w) ** 2)


def gradient(w, x):
    a = np.tanh(x @ w)
    return 2 * x.T @ (a * (1 - a**2))


example = (np.array([0.1, -0.2]), np.arange(6.0).reshape(3, 2))
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    def clean(self, *codes: int) -> "Ended":
        """Require one of these exit codes, and no traceback."""
        for word in ("Traceback", "Exception ignored"):
            require(word not in self.err, f"a traceback: {self.err[-600:]}")
        require(self.code in codes, f"ended with {self.code}: {self.out[-200:]} {self.err[-400:]}")
        return self

    def one_line(self) -> str:
        """Return the line of the error, which must be the only one."""
        errors = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        require(len(errors) == 1, f"{len(errors)} lines of error: {self.err[-400:]}")
        return errors[0]


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with the checkout on the path; None removes a name."""
    found = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"} | changes
    return {name: value for name, value in found.items() if value is not None}


def module(*words: str) -> list[str]:
    """Return the command that runs a module by this Python."""
    return [sys.executable, "-m", *words]


def ended(words: Any, cwd: Path, **options: Any) -> Ended:
    """Run a command in a folder until it ends."""
    settings = {"capture_output": True, "check": False, "stdin": subprocess.DEVNULL}
    settings |= {"timeout": PATIENCE, "env": environment()} | options
    found = subprocess.run([*map(str, words)], cwd=cwd, **settings)
    out, err = (text.decode("utf-8", "replace") for text in (found.stdout, found.stderr))
    return Ended(found.returncode, out, err)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that is empty."""
    with tempfile.TemporaryDirectory(prefix="handgrad-attack-") as name:
        yield Path(name)
