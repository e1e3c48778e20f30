"""Ctrl-C where the exception is dropped, or breaks an import."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DROPPED = """
import gc, signal, sys, time
from handgrad.commands.process import prepared

def callback(phase, info):
    if phase == 'start':
        {what}

with prepared():
    gc.callbacks.append(callback)
    gc.collect()
    gc.callbacks.remove(callback)
    # In one piece: `print` writes the end of a line after it, and may be interrupted in between.
    sys.stdout.write("went on\\n")
    sys.stdout.flush()
    # In short sleeps, after which Python looks whether there was a Ctrl-C; too long ends with 0.
    for _ in range(1000):
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


def test_what_was_dropped_is_raised_again() -> None:
    code = DROPPED.format(what="signal.raise_signal(signal.SIGINT)")
    ended, out, err = _ended(code)
    assert (ended, err) == (130, "\nStopped.\n")
    # On a busy machine the 10 ms may be over before the first line.
    assert out in ("went on\n", "")


def test_other_errors_that_are_dropped_are_printed() -> None:
    code = DROPPED.format(what="raise ValueError('of another kind')").replace("1000", "0")
    ended, out, err = _ended(code)
    assert (ended, out) == (0, "went on\n")
    assert "ValueError: of another kind" in err


def test_the_import_of_a_library_ends_the_process_at_once(tmp_path: Path) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    code = IMPORTS.format(libraries=(str(tmp_path),))
    assert _ended(code, tmp_path) == (130, "", "\nStopped.\n")


def test_in_a_caller_s_file_the_exception_is_raised_as_usual(tmp_path: Path) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    assert _ended(IMPORTS.format(libraries=()), tmp_path) == (0, "swallowed\n", "")


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
