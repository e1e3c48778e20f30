"""A process that measures what it is asked for: a request on standard input, answers line by line.

It is started anew for every repetition, so that what differs between processes, where arrays lie
and what was compiled, is part of what is measured. Requests and answers are JSON; see `Request`.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TIMES, FIRST, MEMORY, UNTUNED = "times", "first", "memory", "time without freed memory kept"

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Request:
    """What a process is asked for."""

    measure: str
    """TIMES of cells, or of one cell what comes FIRST, or of a contender the MEMORY, or the time
    UNTUNED: in a process that was not told to keep freed memory."""
    specs: list[dict[str, Any]]  #: fields of `benchmarks.cases.Spec`
    rounds: int = 1
    seed: int = 0  #: the number of the repetition
    only: list[str] = field(default_factory=list)
    plants: dict[str, str] = field(default_factory=dict)
    gates: str = ""
    threads: str = "all"  #: or `1`
    deadline: float | None = None  #: seconds since the epoch, after which no cell is begun


def main() -> None:
    """Answer the request on standard input."""
    request = Request(**json.load(sys.stdin))
    # Ctrl-C reaches every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if request.threads == "1":
        # Before anything is loaded that counts the processors: XLA and BLAS size their pools so.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # What libraries print must not get between the answers.
    out, sys.stdout = sys.stdout, sys.stderr

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=out, flush=True)

    try:
        _answer(request, say)
    except BrokenPipeError:
        sys.exit(1)


def _answer(request: Request, say: Say) -> None:
    from benchmarks.cases import Spec

    kept = False
    if request.measure == TIMES:
        from compare.memory import keep_freed_memory

        kept = keep_freed_memory()  # before JAX has computed anything
    specs = [
        Spec(**{**spec, **{name: tuple(spec[name]) for name in ("size", "leave_out")}})
        for spec in request.specs
    ]
    started = _started()
    if request.measure == FIRST:
        from benchmarks.protocol.first import phases

        say({"phases": phases(specs[0])})
    elif request.measure == MEMORY:
        from benchmarks.protocol.memory import peak

        say({"peak": peak(specs[0], request.only[0])})
    elif request.measure == UNTUNED:
        from benchmarks.protocol.memory import time_untuned

        say({"untuned": time_untuned(specs[0], request.only[0])})
    else:
        say({"started": {**started, "keeps freed memory": kept}})
        _time(request, specs, say)


def _time(request: Request, specs: list[Any], say: Say) -> None:
    from benchmarks.problems.deviation import AtAKinkError
    from benchmarks.protocol.cell import Plan, RefusedError, time_cell

    if request.deadline is None:
        # Each repetition in an order of its own: what a cell leaves behind meets another one. Where
        # time may run out, what comes last is what is left out.
        random.Random(request.seed).shuffle(specs)
    gates = Path(request.gates) if request.gates else None
    plan = Plan(request.rounds, request.seed, request.only, request.plants, gates)
    for spec in specs:
        label = spec.label
        if request.deadline is not None and time.time() > request.deadline:
            say({"left_out": label})
            continue
        say({"begun": label})
        try:
            cell = time_cell(spec, plan, lambda row, label=label: say({"at": label, "row": row}))
        except (AtAKinkError, RefusedError) as error:
            say({"refused": label, "why": str(error)})
        else:
            say({"cell": asdict(cell)})


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
