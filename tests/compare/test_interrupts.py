"""Ctrl-C inside a callback, where Python drops the exception."""

import subprocess
import sys

DROPPED = """
import gc, signal, sys
from compare import interrupts

def callback(phase, info):
    if phase == 'start':
        {what}

interrupts.listen()
gc.callbacks.append(callback)
gc.collect()
gc.callbacks.remove(callback)
print("went on")
try:
    interrupts.check()
except KeyboardInterrupt:
    print("was asked to stop")
"""


def ran(what: str) -> tuple[str, str]:
    code = DROPPED.format(what=what)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout, run.stderr


def test_what_was_dropped_is_remembered_and_not_printed() -> None:
    said = ("went on\nwas asked to stop\n", "")
    assert ran("signal.raise_signal(signal.SIGINT)") == said


def test_other_errors_are_printed_as_ever() -> None:
    out, err = ran("raise ValueError('of another kind')")
    assert out == "went on\n"
    assert "ValueError: of another kind" in err
