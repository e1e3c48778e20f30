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


def test_what_was_dropped_is_remembered_and_other_errors_are_printed() -> None:
    for what, out, err in (
        ("signal.raise_signal(signal.SIGINT)", "went on\nwas asked to stop\n", ""),
        ("raise ValueError('of another kind')", "went on\n", "ValueError: of another kind"),
    ):
        command = [sys.executable, "-c", DROPPED.format(what=what)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert run.stdout == out
        assert err in run.stderr
        assert bool(run.stderr) == bool(err)
