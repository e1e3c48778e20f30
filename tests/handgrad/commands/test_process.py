"""Ctrl-C where the exception is dropped, or breaks an import; streams that are closed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

#: What happens while garbage is collected, where Python drops exceptions.
DROPPED = """
import gc, signal, time
from handgrad.commands.process import prepared

def callback(phase, info):
    if phase == 'start':
        {what}

with prepared():
    gc.callbacks.append(callback)
    gc.collect()
    gc.callbacks.remove(callback)
    # In short sleeps, after which Python looks whether there was a Ctrl-C; too long ends with 0.
    for _ in range({sleeps}):
        time.sleep(0.01)
"""

#: A module that takes what breaks it off for something else, as libraries do.
SWALLOWS = """
import signal
try:
    signal.raise_signal(signal.SIGINT)
except BaseException:
    print("swallowed")
"""

#: What imports it: `libraries` are where no code of the caller's is.
IMPORTS = """
import os
from handgrad.commands import process
process._LIBRARIES += {libraries}
with process.prepared():
    import swallows
"""


def _ended(code: str, folder: Path | None = None) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize(
    ("code", "ending", "out", "err"),
    [
        (
            DROPPED.format(what="signal.raise_signal(signal.SIGINT)", sleeps=1000),
            *(130, "", "\nStopped.\n"),
        ),
        (DROPPED.format(what="raise ValueError('another kind')", sleeps=0), 0, "", "another kind"),
        (IMPORTS.format(libraries="(os.getcwd(),)"), 130, "", "\nStopped.\n"),
        (IMPORTS.format(libraries=()), 0, "swallowed\n", ""),
    ],
)
def test_an_exception_that_is_dropped_or_swallowed(
    code: str, ending: int, out: str, err: str, tmp_path: Path
) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    *ended, said = _ended(code, tmp_path)
    assert ended == [ending, out]
    assert err in said


@pytest.mark.parametrize("room", ["compare", "handgrad"])
def test_what_ignores_ctrl_c_goes_on_ignoring_it(room: str) -> None:
    code = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.argv = [{room!r}, "--help"]
try:
    runpy.run_module({room!r}, run_name="__main__", alter_sys=True)
finally:
    print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
"""
    code, out, err = _ended(code)
    assert (code, out.splitlines()[-1], err) == (0, "True", "")


#: Its process has the three streams, though its parent was started without.
INHERITS = """
import subprocess, sys
from handgrad.commands.process import prepared
with prepared():
    code = "import os; [os.fstat(number) for number in range(3)]"
    sys.exit(subprocess.run([sys.executable, "-c", code]).returncode)
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_open_for_processes_that_are_started(closed: str) -> None:
    command = f"{shlex.join([sys.executable, '-c', INHERITS])} {closed}"
    assert subprocess.run(command, shell=True, capture_output=True, check=False).returncode == 0
