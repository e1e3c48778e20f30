"""The table of faults: what goes wrong, and what must hold all the same."""

import functools
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

from tests.attack.cases import Case, SkippedError, require
from tests.attack.faults import environments
from tests.attack.faults.runs import WRITERS, call, folder, no_traceback, whole
from tests.attack.measured import ROOT

#: Moments of each command at which it is killed or interrupted.
MOMENTS = 6

#: What a process ends with; of Ctrl-C our commands end with 130.
SIGNALS = {"SIGKILL": (-9,), "SIGTERM": (-15, 143), "Ctrl-C": (130,)}


@functools.cache
def _calls(name: str) -> int:
    """How many Python functions a command calls from its start to its end."""
    with folder() as here:
        found = call(WRITERS[name], here, counted=(0, 0))
    return int(found.err.split()[-1])


@functools.cache
def _alone(name: str) -> tuple[bytes, Any]:
    """What a command writes if it is left alone: the file, and what of it must come out again."""
    with folder() as here:
        found = call(WRITERS[name], here)
        require(found.code in (0, 1), f"alone it ended with {found.code}: {found.err[-300:]}")
        path = here / WRITERS[name].file
        same = WRITERS[name].same
        return path.read_bytes() if path.exists() else b"", same(path) if same else None


def stopped(name: str, fault: str, moment: int) -> str:
    """A signal at a random call of a Python function, counted from the start."""
    writer, codes = WRITERS[name], SIGNALS[fault]
    number = signal.SIGINT if fault == "Ctrl-C" else getattr(signal, fault)
    # Anywhere, in the last tenth, where files are written, and while modules are imported.
    share = Random(f"{name} {fault} {moment}").random()
    at = 1 + int(_calls(name) * (share, 0.9 + share / 10, share / 50)[moment % 3])
    with folder() as here:
        path, old = here / writer.file, _alone(name)[0] if moment % 2 else None
        if old:
            path.write_bytes(old)
        found = call(writer, here, counted=(number, at))
        # It may have been done before the moment came, where a run takes fewer calls.
        no_traceback(found, *codes, 0)
        left = whole(writer, path, old)
        hidden = [file.name for file in here.iterdir() if file != path]
        # What SIGKILL leaves lies beside the file, under a hidden name.
        allowed = fault == "SIGKILL" or (fault == "SIGTERM" and found.code == -15)
        odd = [file for file in hidden if not (allowed and file.startswith("."))]
        require(not odd, f"left behind: {odd}")
        if writer.resume and path.exists() and found.code:
            again = call(writer, here, resumed=True)
            no_traceback(again, 0)
            assert writer.same
            require(writer.same(path) == _alone(name)[1], "another result than of a run left alone")
            left += ", resumed to the same end"
        return f"call {at} of {_calls(name)}: {found.code}, {left}"


def full(name: str, share: float) -> str:
    """Files that may not grow beyond a share of what is written; the old file must stay."""
    writer = WRITERS[name]
    old = _alone(name)[0]
    most = int(len(old) * share)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    with folder() as here:
        path = here / writer.file
        path.write_bytes(old + b"\n")  # too large to be written again, and not what would be
        found = call(writer, here, preexec_fn=limited)
        no_traceback(found, 2, 70)
        require(path.read_bytes() == old + b"\n", "the old file has changed")
        require([*here.iterdir()] == [path], "something was left behind")
        return _one_line(found)


def mounted(name: str, options: str, room: bool) -> str:
    """A file system in memory that is full, or that is read-only, also for root."""
    writer = WRITERS[name]
    words = [sys.executable, "-m", *writer.words.format(file=f"disk/{writer.file}").split()]
    with folder() as here:
        (here / "disk").mkdir()
        fill = "" if room else "dd if=/dev/zero of=disk/other bs=1k 2>/dev/null; "
        script = (
            f"mount -t tmpfs -o size=64k none disk && echo old > disk/{writer.file} || exit 99; "
        )
        script += (
            f'{fill}{options}; "$@"; code=$?; ls -A disk >&2; cat disk/{writer.file}; exit $code'
        )
        command = ["unshare", "-m", "sh", "-c", script, "sh", *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            command, cwd=here, env=environment, capture_output=True, text=True, check=False
        )
        if run.returncode in (99, 127) or "unshare:" in run.stderr:
            raise SkippedError(f"no file system may be mounted here: {run.stderr.strip()[-100:]}")
        require("Traceback" not in run.stderr, run.stderr[-400:])
        require(run.returncode in (2, 70), f"ended with {run.returncode}: {run.stderr[-300:]}")
        require(run.stdout.endswith("old\n"), f"the old file has changed: {run.stdout[-100:]!r}")
        left = {*run.stderr.splitlines()[-3:]} & {writer.file, "other"}
        hidden = [line for line in run.stderr.splitlines() if line.startswith(".")]
        require(left and not hidden, f"left behind: {hidden}")
        return next(line for line in run.stderr.splitlines() if line.startswith("Error: "))


def _one_line(found: Any) -> str:
    errors = [line for line in found.err.splitlines() if line.startswith("Error: ")]
    require(len(errors) == 1, f"{len(errors)} lines of error: {found.err[-400:]}")
    return errors[0]


def twice(name: str) -> str:
    """Two runs that write the same file at the same time: it is whole whenever it is looked at."""
    writer = WRITERS[name]
    with folder() as here:
        words = [sys.executable, "-m", *writer.words.format(file=writer.file).split()]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        both = [
            subprocess.Popen(
                words, cwd=here, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        while any(process.poll() is None for process in both):
            whole(writer, here / writer.file, None)  # whenever it is looked at
            time.sleep(0.01)
        errors = [process.communicate()[1].decode() for process in both]
        for process, err in zip(both, errors, strict=True):
            require(
                process.returncode == 0 and "Traceback" not in err, f"{process.returncode} {err}"
            )
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
        cases[f"no room: {name}, a full disk"] = partial(mounted, name, "true", False)
        only = "mount -o remount,ro disk"
        cases[f"read-only folder: {name}"] = partial(mounted, name, only, True)
        if name != "bench":
            cases[f"two runs, one file: {name}"] = partial(twice, name)
    return {**cases, **environments.table()}
