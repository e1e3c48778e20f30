"""Commands that write a file, each in a process of its own, and whether the file is whole."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.cases import require
from tests.attack.measured import ROOT

#: Seconds of real time after which a process is taken to hang; none takes a tenth of it.
PATIENCE = 300

#: Runs a module, and sends this process a signal at the n-th call of a Python function; with 0 as
#: the signal it tells how many calls there are in all, on a last line of standard error.
COUNTED = """
import os, runpy, sys
number, moment = int(sys.argv[1]), int(sys.argv[2])
sys.argv = sys.argv[3:]
calls = 0
def counted(frame, event, arg):
    global calls
    if event == "call":
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), number)
sys.setprofile(counted)
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    sys.setprofile(None)
    if not number:
        print(calls, file=sys.stderr)
"""


@dataclass(frozen=True)
class Writer:
    """A command that writes a file, what checks that one is whole, and how it is gone on with."""

    words: str  #: with the file's name in it
    file: str
    whole: Callable[[Path], Any]
    resume: str = ""  #: to the end that the command alone would have reached
    same: Callable[[Path], Any] | None = None  #: what a resumed run and one left alone share


def _page(path: Path) -> None:
    require(path.read_text().rstrip().endswith("</html>"), "the page is cut off")


def _arrays(path: Path) -> dict[str, bytes]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name].tobytes() for name in archive.files}


def _checked(path: Path) -> list[Any]:
    return sorted(
        (c["contender"], c["case"], c["verdict"]) for c in json.loads(path.read_text())["checks"]
    )


_CHECKERS = (
    "benchmarks checkers --quick --contender scipy.optimize.check_grad --subject article-people"
)
_BENCH = "benchmarks --case article --contender hand-numpy --rounds 2 --processes 1 --times-only"

WRITERS = {
    "train": Writer(
        "compare train --data iris --by hand --epochs 6 --checkpoint-every 0 --overwrite "
        "--out {file}",
        *("model.npz", _arrays, "compare resume {file} --checkpoint-every 0", _arrays),
    ),
    "train by both": Writer(
        "compare train --data iris --epochs 4 --checkpoint-every 0 --overwrite --out {file}",
        *("model.npz", _arrays, "compare resume {file} --checkpoint-every 0", _arrays),
    ),
    "plot": Writer("compare plot exam {file}", "exam.svg", xml.etree.ElementTree.parse),
    "study": Writer("study --out {file}", "page.html", _page),
    "bench": Writer(
        f"{_BENCH} --overwrite --out {{file}}", "bench.json", lambda p: json.loads(p.read_text())
    ),
    "checkers": Writer(
        f"{_CHECKERS} --overwrite --out {{file}}",
        *("checks.json", _checked, f"{_CHECKERS} --resume --out {{file}}", _checked),
    ),
    "sweep": Writer("compare sweep --cases 2e5", "none", lambda _: None),
}


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def ended(*words: str, counted: tuple[int, int] | None = None, **options: Any) -> Ended:
    """Run a module of this checkout in a process of its own, in the folder `cwd`."""
    first = ["-m"] if counted is None else ["-c", COUNTED, *map(str, counted)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    settings: dict[str, Any] = {"env": environment, "capture_output": True, "check": False}
    settings |= {"timeout": PATIENCE, "stdin": subprocess.DEVNULL}
    found = subprocess.run([sys.executable, *first, *words], **(settings | options))
    out, err = ((text or b"").decode("utf-8", "replace") for text in (found.stdout, found.stderr))
    return Ended(found.returncode, out, err)


def call(writer: Writer, folder: Path, resumed: bool = False, **options: Any) -> Ended:
    """Run a writer in a folder."""
    words = writer.resume if resumed else writer.words
    return ended(*shlex.split(words.format(file=writer.file)), cwd=folder, **options)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that is empty."""
    with tempfile.TemporaryDirectory(prefix="handgrad-fault-") as name:
        yield Path(name)


def whole(writer: Writer, path: Path, old: bytes | None) -> str:
    """Return whether the file is the old one, a new one or none; it must be whole."""
    if not path.exists():
        require(old is None, "the old file is gone")
        return "no file"
    if path.read_bytes() == old:
        return "the old file"
    try:
        writer.whole(path)
    except Exception as error:
        require(False, f"half a file: {type(error).__name__}: {error}")
    return "a new file"


def no_traceback(found: Ended, *codes: int) -> None:
    """Require one of these exit codes, and no traceback."""
    require("Traceback" not in found.err, f"a traceback: {found.err[-500:]}")
    require(found.code in codes, f"ended with {found.code}: {found.err[-300:]}")
