"""A process that times cells: one request on standard input, a line for each answer.

It is started anew for every repetition, so that what differs between processes, where arrays lie
and what was compiled, is part of what is measured. Requests and answers are JSON; see `Request`.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """What a process is asked for."""

    specs: list[dict[str, Any]]  #: fields of `benchmarks.cases.Spec`
    rounds: int
    seed: int  #: the number of the repetition
    only: list[str] = field(default_factory=list)
    plants: dict[str, str] = field(default_factory=dict)
    gates: str = ""
    measure: str = "time"  #: or `memory`
    threads: str = "all"  #: or `1`
    deadline: float | None = None  #: seconds since the epoch, after which no cell is begun


def main() -> None:
    """Answer the request on standard input."""
    request = Request(**json.load(sys.stdin))
    # Ctrl-C reaches every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if request.threads == "1" and hasattr(os, "sched_setaffinity"):
        # Before anything is loaded that counts the processors: XLA and BLAS size their pools so.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # What libraries print must not get between the answers.
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        for answer in _answers(request):
            print(json.dumps(answer), file=out, flush=True)
    except BrokenPipeError:
        sys.exit(1)


def _answers(request: Request) -> Iterator[dict[str, Any]]:
    from benchmarks.cases import Spec

    specs = [
        Spec(**{**spec, **{name: tuple(spec[name]) for name in ("size", "leave_out")}})
        for spec in request.specs
    ]
    if request.measure == "memory":
        from benchmarks.protocol.memory import peak

        (spec,), (name,) = specs, request.only
        yield {"peak": peak(spec, name)}
        return
    yield from _times(request, specs)


def _times(request: Request, specs: list[Any]) -> Iterator[dict[str, Any]]:
    from benchmarks.problems.deviation import AtAKinkError
    from benchmarks.protocol.cell import Plan, time_cell
    from compare.memory import keep_freed_memory

    keep_freed_memory()
    yield {"started": _started()}
    # Each repetition in an order of its own: what a cell leaves behind meets another one.
    random.Random(request.seed).shuffle(specs)
    gates = Path(request.gates) if request.gates else None
    plan = Plan(request.rounds, request.seed, request.only, request.plants, gates)
    for spec in specs:
        if request.deadline is not None and time.time() > request.deadline:
            yield {"left_out": spec.label}
            continue
        yield {"begun": spec.label}
        try:
            cell = time_cell(spec, plan, on_step=lambda _: None)
        except AtAKinkError as error:
            yield {"refused": spec.label, "why": str(error)}
        else:
            yield {"cell": asdict(cell)}


def _started() -> dict[str, Any]:
    """Start JAX with a program as small as any, so that no cell pays for the start; what it took.

    And what the process runs on, which only now can be known.
    """
    import jax
    import threadpoolctl

    begin = time.perf_counter()
    jax.block_until_ready(jax.jit(lambda x: x + 1)(1.0))
    seconds = time.perf_counter() - begin
    device = jax.devices()[0]
    return {
        "seconds": seconds,
        "device": device.device_kind,
        "platform": jax.default_backend(),
        "blas": [
            {key: found.get(key) for key in ("internal_api", "version", "num_threads")}
            for found in threadpoolctl.threadpool_info()
        ],
    }


if __name__ == "__main__":
    main()
