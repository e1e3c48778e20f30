"""Ctrl-C where the exception is dropped, or breaks an import."""

import subprocess
import sys
from pathlib import Path

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
    print("went on", flush=True)
    for _ in range(1000):
        time.sleep(0.01)
"""

#: A module that has what breaks it off taken for something else, as libraries do.
SWALLOWS = """
import signal
try:
    signal.raise_signal(signal.SIGINT)
except BaseException:
    print("swallowed")
"""


def _ended(code: str, folder: Path | None = None) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )
    return run.returncode, run.stdout, run.stderr


def test_what_was_dropped_is_raised_again() -> None:
    code = DROPPED.format(what="signal.raise_signal(signal.SIGINT)")
    assert _ended(code) == (130, "went on\n", "\nStopped.\n")


def test_other_errors_that_are_dropped_are_printed() -> None:
    code = DROPPED.format(what="raise ValueError('of another kind')").replace("1000", "0")
    ended, out, err = _ended(code)
    assert (ended, out) == (0, "went on\n")
    assert "ValueError: of another kind" in err


def test_an_import_ends_the_process_at_once(tmp_path: Path) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    code = "from handgrad.commands.process import prepared\nwith prepared():\n    import swallows"
    assert _ended(code, tmp_path) == (130, "", "\nStopped.\n")
