"""A sweep on many devices, in several processes, and until somebody stops it."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compare.networks.calls import signalled, started

ROOT = Path(__file__).parents[3]


def same(found: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ between machines and runs."""
    differs = ("seconds", "cases_per_second", "floor_cases_per_second", "devices", "processes")
    return {name: value for name, value in found.items() if name not in differs}


def one(devices: int, *words: Any, signal_: int = 0) -> subprocess.Popen[str]:
    """A sweep in a process of its own, which sends itself a signal after its third step if any."""
    options = {"env": os.environ | {"JAX_NUM_CPU_DEVICES": str(devices)}, "cwd": ROOT}
    if signal_:
        return signalled(signal_, 3, "sweep", "--json", *words, **options)
    return started("sweep", "--json", *words, **options)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        return listening.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("--cases", "3e6", "--seed", 5),
        ("--cases", "3e6", "--dtype", "float32", "--plant", "saturated-unit-zeroed"),
        ("--cases", 30_001, "--network", "3-3-2", "--activation", "tanh"),
    ],
)
def test_devices_and_processes_change_nothing(words: tuple[Any, ...]) -> None:
    planted = int("--plant" in words)
    reports = []
    for devices in (1, 8):
        with one(devices, *words) as process:
            out, err = process.communicate()
        assert process.returncode == planted, err
        reports.append(json.loads(out))
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with one(2, *words, *where, 1) as second, one(2, *words, *where, 0) as first:
        out, err = first.communicate(timeout=120)
        assert second.communicate(timeout=120)[0] == ""
    assert (first.returncode, second.returncode) == (planted, planted), err
    reports.append(json.loads(out))
    counts = [(found["devices"], found["processes"]) for found in reports]
    assert counts == [(1, 1), (8, 1), (4, 2)]
    assert same(reports[0]) == same(reports[1]) == same(reports[2])
    assert reports[0]["cases"] == reports[0]["requested"]


@pytest.mark.slow
def test_processes_with_other_options_are_refused() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with one(1, "--seed", 1, *where, 1) as second, one(1, "--seed", 0, *where, 0) as first:
        ended = [process.communicate(timeout=120) for process in (first, second)]
    assert (first.returncode, second.returncode) == (2, 2)
    for out, err in ended:
        assert out == ""
        said = "Error: the processes were given different options; expected the same ones."
        assert err.splitlines()[-1] == said


@pytest.mark.slow
def test_a_process_that_goes_leaves_a_report() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with (
        one(1, "--cases", "1e14", *where, 1, signal_=signal.SIGKILL) as second,
        one(1, "--cases", "1e14", *where, 0) as first,
    ):
        out, _ = first.communicate()
    assert second.returncode == -signal.SIGKILL
    assert first.returncode == 130
    found = json.loads(out)
    assert (0 < found["cases"] < found["requested"], found["verdict"]) == (True, "agree")


@pytest.mark.slow
def test_waiting_for_another_process_can_be_stopped() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id", 1)
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


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report(number: int, code: int) -> None:
    with one(2, "--cases", "1e14", signal_=number) as process:
        out, err = process.communicate()
    assert process.returncode == code, err
    found = json.loads(out)
    assert 0 < found["cases"] < found["requested"] == 10**14
    assert found["verdict"] == "agree"
    assert sum(part["elements"] for part in found["histogram"]) == 9 * found["cases"]
    assert len(found["suspects"]) == 3


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
def test_memory_is_flat() -> None:
    """Of the whole process, imports and judge included, in KiB.

    Not `ru_maxrss`: that is the parent's where the parent was larger when it started this one.
    """
    program = (
        "import pathlib, re; from compare import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    most = []
    for cases in ("1e6", "1e7"):
        command = [sys.executable, "-c", program, "sweep", "--cases", cases, "--json"]
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        most.append(int(out.splitlines()[-1]))
    assert max(most) < 2**20
    assert most[1] < 1.1 * most[0]
