"""A sweep on many devices and in several processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compare.calls import compare, signalled, started

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def same(found: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ between machines and runs."""
    differs = ("seconds", "cases_per_second", "devices", "processes")
    return {name: value for name, value in found.items() if name not in differs}


def two(words: Any, others: Any = None, signal_: int = 0) -> list[tuple[int, str, str]]:
    """How two processes of two devices end, in a cluster by Slurm: codes, output, errors.

    A step is of two blocks for each device. The second process, which may have other options, sends
    itself a signal after its third step if any.
    """
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        port = str(listening.getsockname()[1])
    cluster = {"JOB_ID": "1", "STEP_NODELIST": "localhost", "NTASKS": "2"}

    def options(rank: str) -> Any:
        slurm = cluster | {"PROCID": rank, "LOCALID": rank}
        named = {f"SLURM_{name}": value for name, value in slurm.items()}
        usual = os.environ | {"JAX_NUM_CPU_DEVICES": "2", "JAX_COORDINATOR_PORT": port}
        small = "from compare import sweep; sweep._ELEMENTS = 18 * sweep.LANES"
        return {"code": small, "env": usual | named, "cwd": ROOT}

    command = ("sweep", "--json", "--distributed")
    second = (*command, *(others or words))
    with (
        signalled(signal_, 3, *second, **options("1")) as other,
        signalled(0, 1, *command, *words, **options("0")) as first,
    ):
        said = [process.communicate(timeout=300) for process in (first, other)]
    return [(p.returncode, *texts) for p, texts in zip((first, other), said, strict=True)]


def test_devices_and_processes_change_nothing() -> None:
    """With several steps, of which the last has fewer blocks."""
    words = ("--cases", 40_000, "--seed", 5)
    one = json.loads(compare("sweep", "--json", *words).out)
    (code, out, err), second = two(words)
    assert (code, second[:2]) == (0, (0, "")), err
    both = json.loads(out)
    assert (both["devices"], both["processes"]) == (4, 2)
    assert same(one) == same(both)
    assert one["cases"] == one["requested"]


def test_processes_with_other_options_are_refused() -> None:
    said = "Error: the processes were given different options; expected the same ones."
    for code, out, err in two(("--seed", 0), ("--seed", 1)):
        # JAX's processes may say that they are connected.
        said_first = [line for line in out.splitlines() if not line.startswith("[Gloo]")]
        assert (code, said_first) == (2, [])
        assert said in err.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_goes_leaves_a_report(number: int) -> None:
    (code, out, err), (gone, _, _) = two(("--cases", "1e14"), signal_=number)
    assert (code, gone) == (130, -number if number == signal.SIGKILL else 130), err
    found = json.loads(out)
    assert (0 < found["cases"] < found["requested"], found["verdict"]) == (True, "agree")


def test_without_a_cluster_it_says_what_is_expected() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    process = started("sweep", "--distributed", env=alone, cwd=ROOT)
    assert process.communicate(timeout=300)[1].startswith("Error: --distributed: ")
    assert process.returncode == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
def test_memory_is_flat() -> None:
    """Of the whole process, imports and judge included, in KiB: after a sweep, and a longer one.

    A first one compiles. What is freed goes back at once: what an allocator keeps for its threads
    depends on how they meet. Not `ru_maxrss`: that is the parent's where the parent was larger when
    it started this one.
    """
    program = (
        "import pathlib, re, sys; from compare.exit_codes import run\n"
        "for cases in ('1e5', '6e5', '3e6'):\n"
        "    sys.argv = ['compare', 'sweep', '--cases', cases, '--json']\n"
        "    try: run('compare')\n"
        "    except SystemExit: pass\n"
        "    print(pathlib.Path('/proc/self/status').read_text())"
    )
    allocator = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), "65536")
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | allocator | {"MALLOC_ARENA_MAX": "1"},
    )
    _, shorter, longer = map(int, re.findall(r"VmHWM:\s+(\d+) kB", ended.stdout))
    assert longer < 2**20
    assert longer < 1.1 * shorter
