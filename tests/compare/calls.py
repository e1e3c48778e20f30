"""Calls of the command line, in this process or in one of its own, and trainings to work on."""

import contextlib
import functools
import io
import json
import subprocess
import sys
from typing import Any, NamedTuple
from unittest.mock import patch

import jax
import numpy as np

import manual.network
from compare import cli, exit_codes
from compare.data import dataset_named, prepare
from compare.lockstep import Point, Progress
from compare.training import Plan, Training
from compare.wording import BY_AUTODIFF, BY_HAND
from manual.network import Network

_backward = manual.network.backward

BOTH = (BY_HAND, BY_AUTODIFF)

#: A short training.
HAND = ("train", "--data", "iris", "--by", "hand", "--epochs", 3)


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def called(room: Any, *words: Any) -> Ended:
    """Run the command line of a room in this process, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    argv = [room.__package__, *map(str, words)]
    with (
        jax.numpy_dtype_promotion("standard"),  # see conftest
        patch.object(sys, "argv", argv),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            exit_codes.run(room.__package__)
        except SystemExit as ending:
            return Ended(int(ending.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command line returned")


compare = functools.partial(called, cli)


def started(*words: Any, run: tuple[str, ...] = ("-m", "compare"), **options: Any) -> Any:
    """Run it in a process of its own."""
    command = [sys.executable, *run, *map(str, words)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **(pipes | options))


#: Runs the command line, which sends itself a signal when it has told of its progress so often.
SIGNALLED = """
import contextlib, os, sys
from compare import terminal
number, often = int(sys.argv.pop(1)), int(sys.argv.pop(1))

def counted(bar):
    @contextlib.contextmanager
    def counting(*words, **options):
        times = 0
        with bar(*words, **options) as show:
            def told(*done):
                nonlocal times
                show(*done)
                times += 1
                if times == often:
                    os.kill(os.getpid(), number)
            yield told
    return counting

terminal.progress = counted(terminal.progress)
from compare.exit_codes import run
run("compare")
"""


def signalled(number: int, often: int, *words: Any, code: str = "", **options: Any) -> Any:
    """Run it in a process of its own that sends itself this signal in the midst of its work.

    Before it begins, that process runs the code.
    """
    return started(int(number), often, *words, run=("-c", code + SIGNALLED), **options)


def refused(*words: Any) -> str:
    """The one line that says what is wrong, of a call that must end with 2 and print nothing."""
    ended = compare(*words)
    assert (ended.code, ended.out) == (2, ""), ended
    assert ended.err.startswith("Error: "), ended
    assert ended.err.endswith("\n")
    assert ended.err.count("\n") == 1, ended
    return ended.err[7:-1]


def one_object(ended: Any, code: int = 0) -> dict[str, Any]:
    assert (ended.code, ended.err, ended.out.count("\n")) == (code, "", 1), ended
    return json.loads(ended.out)


def biased(*args: Any) -> Any:
    """A wrong `manual.network.backward`: all derivatives by biases are off by a hundredth."""
    return [layer._replace(b=1.01 * layer.b) for layer in _backward(*args)]


@functools.cache
def dataset(name: str) -> Any:
    return dataset_named(name)


def training(
    data: Any = "iris",
    sizes: tuple[int, ...] = (4, 7, 3),
    loss: str = "softmax-ce",
    by: tuple[str, ...] = (BY_HAND,),
    optimiser: str = "adam",
    rate: float = 0.01,
    batch: int = 32,
    seed: int = 0,
    dtype: str = "float64",
    **network: Any,
) -> Training:
    """A training of a small network; `data` is a built-in data set's name or a data set."""
    chosen = dataset(data) if isinstance(data, str) else data
    plan = Plan(Network(sizes, loss=loss, **network), optimiser, rate, batch, seed, dtype)
    return Training(plan, prepare(chosen, sizes[-1], 0.2, seed, dtype), by)


def progress_at(losses: Any, by_hand: Any, autodiff: Any) -> Progress:
    """Where the two trainings of the article's network have arrived."""
    ends = zip(BOTH, (by_hand, autodiff), strict=True)
    paths = {side: Point(np.array([of]), np.empty((1, 0, 9)), np.zeros(1)) for side, of in ends}
    return Progress(paths, np.asarray(losses))
