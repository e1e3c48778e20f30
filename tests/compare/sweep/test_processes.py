"""A sweep on many devices and in several processes, which share what XLA compiles."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compare.networks.calls import compare, signalled, started

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


def same(found: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ between machines and runs."""
    differs = ("seconds", "cases_per_second", "floor_cases_per_second", "devices", "processes")
    return {name: value for name, value in found.items() if name not in differs}


def on(devices: int) -> dict[str, Any]:
    return {"env": os.environ | {"JAX_NUM_CPU_DEVICES": str(devices)}, "cwd": ROOT}


def two(
    words: Any, others: Any = None, signal_: int = 0, devices: int = 1
) -> list[tuple[int, str, str]]:
    """How two processes of so many devices end: codes, output, errors.

    The second one, which may have other options, sends itself a signal after its third step if any.
    """
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        port = listening.getsockname()[1]
    where = ("--coordinator", f"localhost:{port}", "--num-processes", 2, "--process-id")
    second = ("sweep", "--json", *(others or words), *where, 1)
    with (
        signalled(signal_, 3, *second, **on(devices))
        if signal_
        else started(*second, **on(devices)) as other,
        started("sweep", "--json", *words, *where, 0, **on(devices)) as first,
    ):
        said = [process.communicate(timeout=300) for process in (first, other)]
    return [(p.returncode, *texts) for p, texts in zip((first, other), said, strict=True)]


def test_devices_and_processes_change_nothing() -> None:
    """More cases than one device goes through in one step."""
    words = ("--cases", "6e5", "--seed", 5)
    one = json.loads(compare("sweep", "--json", *words).out)
    (code, out, err), second = two(words, devices=2)
    assert (code, second[:2]) == (0, (0, "")), err
    both = json.loads(out)
    assert (both["devices"], both["processes"]) == (4, 2)
    assert same(one) == same(both)
    assert one["cases"] == one["requested"]


def test_processes_with_other_options_are_refused() -> None:
    said = "Error: the processes were given different options; expected the same ones."
    for code, out, err in two(("--seed", 0), ("--seed", 1)):
        assert (code, out) == (2, "")
        assert err.splitlines()[-1] == said


def test_a_process_that_goes_leaves_a_report() -> None:
    (code, out, _), (killed, _, _) = two(("--cases", "1e14"), signal_=signal.SIGKILL)
    assert (code, killed) == (130, -signal.SIGKILL)
    found = json.loads(out)
    assert (0 < found["cases"] < found["requested"], found["verdict"]) == (True, "agree")


def test_waiting_for_another_process_can_be_stopped() -> None:
    where = ("--coordinator", "localhost:1", "--num-processes", 2, "--process-id", 1)
    program = """
import os, signal, sys
import jax
from compare.cli import main
usual = jax.distributed.initialize

def initialize(*where, **options):
    os.kill(os.getpid(), signal.SIGINT)
    usual(*where, **options)

jax.distributed.initialize = initialize
main()
"""
    command = [sys.executable, "-c", program, "sweep", "--json", *map(str, where)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.splitlines()[-1] == "Stopped."


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
def test_memory_is_flat() -> None:
    """Of the whole process, imports and judge included, in KiB: after a sweep, and a longer one.

    Not `ru_maxrss`: that is the parent's where the parent was larger when it started this one.
    """
    program = (
        "import pathlib, re, sys; from compare import cli\n"
        "for cases in ('1e6', '5e6'):\n"
        "    sys.argv = ['compare', 'sweep', '--cases', cases, '--json']\n"
        "    try: cli.main()\n"
        "    except SystemExit: pass\n"
        "    status = pathlib.Path('/proc/self/status').read_text()\n"
        "    print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, **on(1)
    )
    shorter, longer = (int(line) for line in ended.stdout.splitlines() if line.isdigit())
    assert longer < 2**20
    assert longer < 1.1 * shorter
