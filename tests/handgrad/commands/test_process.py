"""Ctrl-C where the exception is dropped, or breaks an import; streams that are closed."""

import os
import shlex
import subprocess
import sys

import pytest

#: What happens while garbage is collected, where Python drops exceptions.
DROPPED = """
import gc, signal, time
from handgrad.commands import process

process._AGAIN = 0  # as on a busy machine, where a hundredth of a second is nothing

def callback(phase, info):
    if phase == 'start':
        signal.raise_signal(signal.SIGINT)

with process.prepared():
    gc.callbacks.append(callback)
    gc.collect()
    gc.callbacks.remove(callback)
    # In short sleeps, after which Python looks whether there was a Ctrl-C; too long ends with 0.
    for _ in range(1000):
        time.sleep(0.01)
"""


def _ended(code: str) -> tuple[int, str, str]:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def test_an_interrupt_that_is_dropped() -> None:
    code, out, err = _ended(DROPPED)
    assert (code, out) == (130, "")
    assert err.endswith("\nStopped.\n")


def test_what_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    code = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.argv = ["handgrad", "--help"]
try:
    runpy.run_module("handgrad", run_name="__main__", alter_sys=True)
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


def test_closed_streams_are_open_for_processes_that_are_started() -> None:
    closed = "<&- >&- 2>&-"
    command = f"{shlex.join([sys.executable, '-c', INHERITS])} {closed}"
    assert subprocess.run(command, shell=True, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("named", ["cuda", "nonsense"])
def test_a_device_that_is_not_there(named: str) -> None:
    words = ["-m", "handgrad", "check", "docs/neuron.py:careful", "--loss", "loss", "--like", "bob"]
    run = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"JAX_PLATFORMS": named, "HANDGRAD_RAISE_INTERNAL_ERRORS": ""},
    )
    says = f"JAX has no device here that JAX_PLATFORMS={named} names; expected cpu, or nothing"
    assert (run.returncode, run.stderr) == (2, f"Error: {says}\n")
