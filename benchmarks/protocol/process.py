"""Starting a worker with the threads and the device that a cell asks for."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.protocol.worker import Request

ROOT = Path(__file__).parents[2]

#: What libraries of linear algebra read the number of their threads from.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerError(RuntimeError):
    """A worker ended before it had answered."""


def environment(threads: str, device: str) -> dict[str, str]:
    """The variables under which a worker runs.

    Nothing compiled is taken from an earlier run; memory of a device is taken as it is needed, so
    that it can be counted. Beside a GPU the processor stays usable: gates are made there.
    """
    found = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "JAX_ENABLE_COMPILATION_CACHE": "0",
        "JAX_PLATFORMS": "cuda,cpu" if device == "gpu" else "cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    # What somebody has set for other programs is not what the label of a cell says.
    found = {name: value for name, value in found.items() if name not in THREADS}
    return found | (dict.fromkeys(THREADS, "1") if threads == "1" else {})


def answers(request: Request, env: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What a worker says, as it says it; it is ended when nobody listens any longer.

    Raises:
        WorkerError: it ended before it had answered, with the last line that it wrote.
    """
    with tempfile.TemporaryFile() as complaints:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.protocol.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=dict(env),
            text=True,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            with suppress(BrokenPipeError):
                worker.stdin.write(json.dumps(asdict(request)))
                worker.stdin.close()
            for line in worker.stdout:
                yield json.loads(line)
            code = worker.wait()
        finally:
            worker.kill()
            worker.wait()
            worker.stdout.close()
        if code:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            last = said[-1] if said else "it said nothing"
            raise WorkerError(f"a worker ended with {code}: {last}")
