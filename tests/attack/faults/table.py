"""The table of faults: what goes wrong, and what must hold all the same."""

import functools
import json
import resource
import shlex
import signal
import subprocess
import time
import xml.etree.ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.attack.cases import Case, SkippedError, described, require
from tests.attack.faults import environments
from tests.attack.processes import Ended, ended, environment, folder, module

#: Moments of each command at which it is killed or interrupted.
MOMENTS = 6

#: What a process ends with; of Ctrl-C our commands end with 130.
SIGNALS = {"SIGKILL": (-9,), "SIGTERM": (-15, 143), "Ctrl-C": (130,)}

#: Runs a module, and sends this process a signal at the n-th call of a Python function; with 0 as
#: the signal it tells how many calls there are in all, on a last line of standard error. They count
#: from the first line of the module.
COUNTED = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
number, moment = int(sys.argv[1]), int(sys.argv[2])
sys.argv = sys.argv[3:]
calls = 0
def counted(frame, event, arg):
    global calls
    if event == "call" and (calls or frame.f_code.co_filename.endswith("__main__.py")):
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
    """A command that writes a file, and what checks that one is whole."""

    command: str  #: with the file's name in it
    file: str
    whole: Callable[[Path], Any]  #: what a resumed run and one left alone share, if it resumes
    resume: str = ""  #: to the end that the command alone would have reached

    def words(self, command: str = "", under: str = "") -> list[str]:
        """Return the words of the command, or of another one, with the file in a folder."""
        return shlex.split((command or self.command).format(file=under + self.file))


def _page(path: Path) -> None:
    require(path.read_text().rstrip().endswith("</html>"), "the page is cut off")


def _arrays(path: Path) -> dict[str, bytes]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name].tobytes() for name in archive.files}


def _checked(path: Path) -> list[Any]:
    checks = json.loads(path.read_text())["checks"]
    return sorted((c["contender"], c["case"], c["verdict"]) for c in checks)


_TRAIN = "compare train --data iris --overwrite --out {file}"
_CHECKERS = (
    "benchmarks checkers --quick --contender scipy.optimize.check_grad --subject article-people"
)
_BENCH = "benchmarks --case sample --contender hand-numpy --rounds 2 --processes 1"

WRITERS = {
    "train": Writer(f"{_TRAIN} --by hand --epochs 6", "model.npz", _arrays),
    "train by both": Writer(f"{_TRAIN} --epochs 4", "model.npz", _arrays),
    "plot": Writer("compare plot exam {file}", "exam.svg", xml.etree.ElementTree.parse),
    "study": Writer("study --overwrite --out {file}", "page.html", _page),
    "bench": Writer(
        f"{_BENCH} --overwrite --out {{file}}", "bench.json", lambda p: json.loads(p.read_text())
    ),
    "checkers": Writer(
        f"{_CHECKERS} --overwrite --out {{file}}",
        *("checks.json", _checked, f"{_CHECKERS} --resume --out {{file}}"),
    ),
    "sweep": Writer("compare sweep --cases 2e5", "none", lambda _: None),
}


def counted(writer: Writer, here: Path, number: int, at: int) -> Ended:
    """Run a writer that gets a signal at a call of a Python function."""
    python, *_ = module()
    return ended([python, "-c", COUNTED, str(number), str(at), *writer.words()], here)


@functools.cache
def _calls(name: str) -> int:
    """How many Python functions a command calls from its start to its end."""
    with folder() as here:
        return int(counted(WRITERS[name], here, 0, 0).err.split()[-1])


@functools.cache
def _alone(name: str) -> tuple[bytes, Any]:
    """What a command writes if it is left alone: the file, and what of it must come out again."""
    writer = WRITERS[name]
    with folder() as here:
        ended(module(*writer.words()), here).clean(0, 1)
        path = here / writer.file
        same = writer.whole(path) if writer.resume else None
        return path.read_bytes() if path.exists() else b"", same


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
        require(False, f"half a file: {described(error)}")
    return "a new file"


def stopped(name: str, fault: str, moment: int) -> str:
    """A signal at a random call of a Python function, counted from the start."""
    writer, codes = WRITERS[name], SIGNALS[fault]
    number = signal.SIGINT if fault == "Ctrl-C" else getattr(signal, fault)
    # Anywhere, in the last tenth, where files are written, and while modules are imported.
    share = Random(f"{name} {fault} {moment}").random()
    at = 1 + int(_calls(name) * (share, 0.9 + share / 10, share / 50)[moment % 3])
    with folder() as here:
        # A sweep writes no file.
        path, old = here / writer.file, (_alone(name)[0] or None) if moment % 2 else None
        if old:
            path.write_bytes(old)
        # It may have been done before the moment came, where a run takes fewer calls.
        found = counted(writer, here, number, at).clean(*codes, 0)
        left = whole(writer, path, old)
        hidden = [file.name for file in here.iterdir() if file != path]
        # What SIGKILL leaves lies beside the file, under a hidden name.
        allowed = fault == "SIGKILL" or (fault == "SIGTERM" and found.code == -15)
        odd = [file for file in hidden if not (allowed and file.startswith("."))]
        require(not odd, f"left behind: {odd}")
        if writer.resume and path.exists() and found.code:
            ended(module(*writer.words(writer.resume)), here).clean(0)
            require(writer.whole(path) == _alone(name)[1], "another end than of a run left alone")
            left += ", resumed to the same end"
        return f"call {at} of {_calls(name)}: {found.code}, {left}"


def full(name: str, share: float) -> str:
    """Files that may not grow beyond a share of what is written; the old file must stay."""
    writer, (old, _) = WRITERS[name], _alone(name)
    most = int(len(old) * share)
    old += b"\n"  # too large to be written again, and not what would be

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    with folder() as here:
        path = here / writer.file
        path.write_bytes(old)
        found = ended(module(*writer.words()), here, preexec_fn=limited).clean(2, 70)
        # What can be gone on with is stored in between, where there may be room for it.
        left = whole(writer, path, old)
        require(left == "the old file" or writer.resume, "the old file has changed")
        require([*here.iterdir()] == [path], "something was left behind")
        return found.one_line()


def mounted(name: str, before: str) -> str:
    """A small file system in memory, after a shell's words that fill it or make it read-only."""
    writer = WRITERS[name]
    script = f"""
mount -t tmpfs -o size=64k none disk && echo old > disk/{writer.file} || exit 99
{before}; "$@"; code=$?
ls -A disk >&2; cat disk/{writer.file}; exit $code
"""
    with folder() as here:
        (here / "disk").mkdir()
        words = module(*writer.words(under="disk/"))
        found = ended(["unshare", "-m", "sh", "-c", script, "sh", *words], here)
        if found.code in (99, 127) or "unshare:" in found.err:
            raise SkippedError(f"no file system may be mounted here: {found.err.strip()[-100:]}")
        found.clean(2, 70)
        require(found.out.endswith("old\n"), f"the old file has changed: {found.out[-100:]!r}")
        lines = found.err.splitlines()
        hidden = [line for line in lines if line.startswith(".")]
        require({*lines[-3:]} & {writer.file, "other"} and not hidden, f"left behind: {hidden}")
        return next(line for line in lines if line.startswith("Error: "))


def twice(name: str) -> str:
    """Two runs that write the same file at the same time: it is whole whenever it is looked at."""
    writer = WRITERS[name]
    with folder() as here:
        settings: dict[str, Any] = {"cwd": here, "env": environment()}
        settings |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        both = [subprocess.Popen(module(*writer.words()), **settings) for _ in range(2)]
        while any(process.poll() is None for process in both):
            whole(writer, here / writer.file, None)
            time.sleep(0.01)
        for process in both:
            Ended(process.returncode, "", process.communicate()[1]).clean(0)
        require([*here.iterdir()] == [here / writer.file], "something was left behind")
        return whole(writer, here / writer.file, None)


def table() -> Mapping[str, Case]:
    """Every fault by its name."""
    cases: dict[str, Case] = {}
    for name, writer in WRITERS.items():
        for fault in SIGNALS:
            for moment in range(MOMENTS):
                cases[f"{fault}: {name}, moment {moment}"] = partial(stopped, name, fault, moment)
        if writer.file == "none":
            continue
        for share in (0, 0.5, 0.99):
            cases[f"no room: {name}, {share:.0%} of it"] = partial(full, name, share)
        fill = "dd if=/dev/zero of=disk/other bs=1k 2>/dev/null"
        cases[f"no room: {name}, a full disk"] = partial(mounted, name, fill)
        only = "mount -o remount,ro disk"
        cases[f"read-only folder: {name}"] = partial(mounted, name, only)
        if name != "bench":
            cases[f"two runs, one file: {name}"] = partial(twice, name)
    return {**cases, **environments.table()}
