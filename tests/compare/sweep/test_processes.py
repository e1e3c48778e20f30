"""A sweep on many devices, in several processes, and until somebody stops it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.compare.networks.calls import started

ROOT = Path(__file__).parents[3]


def same(found: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ between machines and runs."""
    differs = ("seconds", "cases_per_second", "floor_cases_per_second", "devices", "processes")
    return {name: value for name, value in found.items() if name not in differs}


def one(devices: int, *words: Any, **options: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices)}
    return started("sweep", "--json", *words, env=environment, cwd=ROOT, **options)


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
        one(1, "--cases", "1e14", *where, 1) as second,
        one(1, "--cases", "1e14", *where, 0) as first,
    ):
        time.sleep(25)  # far into it, on any machine
        second.kill()
        out, _ = first.communicate(timeout=120)
    assert first.returncode == 130
    found = json.loads(out)
    assert (0 < found["cases"] < found["requested"], found["verdict"]) == (True, "agree")


@pytest.mark.slow
def test_waiting_for_another_process_can_be_stopped() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id", 1)
    with one(1, *where, start_new_session=True) as process:
        time.sleep(8)  # JAX is imported by then, and waits for half a minute and more
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Stopped."


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report(number: int, code: int) -> None:
    with one(2, "--cases", "1e14", start_new_session=True) as process:
        time.sleep(20)  # far into it, on any machine
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
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
